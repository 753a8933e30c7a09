//! The App itself: who it is, what it may, what it is told, and whether its clock is GitHub's.

use crate::doctor::Level;
use crate::doctor::Line;
use crate::doctor::Subject;
use crate::doctor::manifest;
use crate::doctor::manifest::Manifest;
use crate::doctor::unasked;
use crate::github::inspect::AppAsked;
use crate::github::inspect::AppFacts;

/// A difference of clocks that nobody minds, in seconds.
const CLOCKS_APART_OK_S: i64 = 10;
/// How far ahead of GitHub's our clock may be before GitHub refuses what we sign: it is dated
/// back by this much.
const AHEAD_MAX_S: i64 = 60;
/// How far behind: what we sign lives nine minutes and is used for eight.
const BEHIND_MAX_S: i64 = 480;

/// Where the App's settings are.
pub(super) struct Settings(String);

impl Settings {
    pub(super) fn of(app: Option<&AppFacts>, api_url: &str) -> Settings {
        let Some(app) = app else {
            let github = match api_url {
                "https://api.github.com" => "https://github.com",
                other => other.trim_end_matches("/api/v3"),
            };
            return Settings(format!("{github}/settings/apps"));
        };
        let page = &app.html_url;
        // GitHub Enterprise Server has `/github-apps/`.
        let before = ["/apps/", "/github-apps/"].iter().find_map(|mark| page.rsplit_once(mark));
        let github = before.map_or(page.as_str(), |(github, _)| github);
        let whose = match app.owner.kind.as_str() {
            "Organization" => format!("organizations/{}/", app.owner.login),
            _ => String::new(),
        };
        Settings(format!("{github}/{whose}settings/apps/{}", app.slug))
    }

    pub(super) fn page(&self) -> &str {
        &self.0
    }

    fn permissions(&self) -> String {
        format!("{}/permissions", self.0)
    }

    pub(super) fn deliveries(&self) -> String {
        format!("{}/advanced", self.0)
    }
}

/// Everything that GitHub's answer about the App shows.
pub(super) fn examine(asked: &AppAsked, settings: &Settings, subject: &Subject) -> Vec<Line> {
    let mut lines = Vec::new();
    let clock = clock(asked);
    let clock_is_off = clock.as_ref().is_some_and(|line| line.level == Level::Fail);
    match &asked.app {
        Ok(app) => lines.push(Line::ok(
            "app",
            format!("The App is {:?}, number {}, of {}.", app.name, subject.github.app_id, app.owner.login),
        )),
        Err(error) => lines.push(match unasked("app", "The App", error, None, subject) {
            line if clock_is_off => {
                Line::fail("app", line.message, "Set the clock first, as the next line says.")
            }
            line => line,
        }),
    }
    lines.extend(clock);
    if let Ok(app) = &asked.app {
        let manifest = Manifest::bundled();
        permissions(app, &manifest, settings, &mut lines);
        events(app, &manifest, settings, &mut lines);
    }
    lines
}

fn clock(asked: &AppAsked) -> Option<Line> {
    const REMEDY: &str =
        "Set this machine's clock by NTP (chrony, systemd-timesyncd, the host of the container).";
    let ahead_s = ahead_s(asked)?;
    let apart = match ahead_s {
        0.. => format!("This machine's clock is {ahead_s} s ahead of GitHub's"),
        _ => format!("This machine's clock is {} s behind GitHub's", -ahead_s),
    };
    Some(match ahead_s {
        _ if !(-BEHIND_MAX_S..=AHEAD_MAX_S).contains(&ahead_s) => {
            Line::fail("clock", format!("{apart}: GitHub refuses what it signs."), REMEDY)
        }
        _ if ahead_s.abs() > CLOCKS_APART_OK_S => {
            let limit = if ahead_s > 0 { AHEAD_MAX_S } else { BEHIND_MAX_S };
            Line::warn("clock", format!("{apart}; from {limit} s GitHub refuses what it signs."), REMEDY)
        }
        _ => Line::ok("clock", "This machine's clock agrees with GitHub's."),
    })
}

/// By how many seconds at least our clock is ahead. GitHub's shows whole seconds, and the answer
/// was on its way for some time.
fn ahead_s(asked: &AppAsked) -> Option<i64> {
    let earliest_ms = asked.github_ms?;
    let latest_ms = earliest_ms + 999;
    let ahead_ms = match () {
        () if asked.before_ms > latest_ms => asked.before_ms - latest_ms,
        () if asked.after_ms < earliest_ms => asked.after_ms - earliest_ms,
        () => 0,
    };
    Some(ahead_ms / 1_000)
}

fn permissions(app: &AppFacts, manifest: &Manifest, settings: &Settings, lines: &mut Vec<Line>) {
    let missing = manifest.missing(&app.permissions);
    for (name, level) in &missing {
        let message = format!(
            "The App lacks the permission {name}: {level}; without it {}.",
            manifest::lost_without_permission(name)
        );
        let remedy = format!(
            "Set {:?} to {:?} at {}, and let each account that installed the App accept it.",
            manifest::title(name),
            manifest::level_title(level),
            settings.permissions(),
        );
        // Only policies whose reviewers are teams need it.
        lines.push(match *name {
            "members" => Line::warn("permissions", message, remedy),
            _ => Line::fail("permissions", message, remedy),
        });
    }
    if missing.is_empty() {
        lines.push(Line::ok("permissions", "The App has every permission that it needs."));
    }
    let excess: Vec<String> =
        manifest.excess(&app.permissions).iter().map(|(name, level)| format!("{name}: {level}")).collect();
    if !excess.is_empty() {
        let message = format!("The App may do more than it needs to: {}.", excess.join(", "));
        let remedy = format!("Take it back at {}; whoever has its key has it too.", settings.permissions());
        lines.push(Line::warn("permissions", message, remedy));
    }
}

fn events(app: &AppFacts, manifest: &Manifest, settings: &Settings, lines: &mut Vec<Line>) {
    let missing: Vec<&String> = manifest.events.iter().filter(|event| !app.events.contains(event)).collect();
    for event in &missing {
        let first = match event.as_str() {
            "merge_group" => " (it is shown once the App has the permission merge_queues: read)",
            _ => "",
        };
        lines.push(Line::fail(
            "events",
            format!("The App is not told of {event}; without it {}.", manifest::lost_without_event(event)),
            format!(
                "Tick {:?} under \"Subscribe to events\"{first} at {}.",
                manifest::title(event),
                settings.permissions()
            ),
        ));
    }
    if missing.is_empty() {
        lines.push(Line::ok("events", "The App is told of every event that it needs."));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::Error;

    fn ahead(github_ms: i64, before_ms: i64, after_ms: i64) -> Option<i64> {
        let app = Err(Error::TimedOut { limit_ms: 1 });
        ahead_s(&AppAsked { app, github_ms: Some(github_ms), before_ms, after_ms })
    }

    #[test]
    fn neither_a_slow_answer_nor_a_date_in_whole_seconds_is_a_difference() {
        assert_eq!(ahead(100_000, 100_990, 101_500), Some(0));
        assert_eq!(ahead(105_000, 100_000, 109_000), Some(0));
        assert_eq!(ahead(100_000, 131_000, 131_200), Some(30));
        assert_eq!(ahead(131_000, 100_000, 101_000), Some(-30));
    }
}
