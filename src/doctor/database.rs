//! The database: whether it can be opened, and whether it is of this version. It is never brought
//! up to date here: a server may be running on it.

use secrecy::ExposeSecret;
use secrecy::SecretString;

use crate::clock::TimestampMs;
use crate::doctor::Line;
use crate::store;
use crate::store::StoreError;
use crate::store::glance::Seen;

/// How far the clock of a shared database may be off, in milliseconds, before `serve` refuses it.
const CLOCKS_APART_MAX_MS: i64 = 5_000;

pub(super) async fn examine(url: &SecretString, now_ms: TimestampMs) -> Vec<Line> {
    match store::glance::at(url.expose_secret()).await {
        Ok(seen) => lines(&seen, now_ms),
        Err(error) => vec![unusable(&error)],
    }
}

fn lines(seen: &Seen, now_ms: TimestampMs) -> Vec<Line> {
    let known = seen.known;
    let mut lines = vec![match seen.found {
        None => Line::warn(
            "database",
            "There is no database of fromguard's yet.",
            "Start fromguard serve, which makes it.",
        ),
        Some(found) if found > known => unusable(&StoreError::Newer { found, known }),
        Some(found) if found < known => Line::warn(
            "database",
            format!("The database is of an older version: its schema is {found}, this program's is {known}."),
            "Start this version's fromguard serve, which brings it up to date; take a backup before.",
        ),
        Some(_) => Line::ok("database", "The database can be read and is up to date."),
    }];
    let apart_ms = seen.clock_ms.map_or(0, |clock_ms| now_ms.saturating_sub(clock_ms).saturating_abs());
    if apart_ms > CLOCKS_APART_MAX_MS {
        lines.push(Line::fail(
            "database",
            format!("This machine's clock is {} s from the database server's.", apart_ms / 1_000),
            "Set both by NTP: serve refuses to start more than 5 s from it.",
        ));
    }
    lines
}

fn unusable(error: &StoreError) -> Line {
    let remedy = match error {
        StoreError::Newer { .. } => "Use that version's program.",
        StoreError::Unreachable { .. } | StoreError::Refused { .. } | StoreError::Url(_) => {
            "Mend that, or FROMGUARD_DATABASE_URL."
        }
        _ => "Run doctor as the user that runs serve, and check the disk.",
    };
    Line::fail("database", format!("The database cannot be used: {error}."), remedy)
}
