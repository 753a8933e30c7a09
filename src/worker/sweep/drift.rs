//! Looks again at the images that stand on default branches, a few every hour, and notes
//! what is otherwise than it was.

use fromguard_core::day::Day;
use fromguard_core::image::ImageRef;
use fromguard_core::trust::Drift;
use fromguard_core::trust::drift;
use futures_util::StreamExt;
use futures_util::stream;

use crate::registry::Inquiry;
use crate::store::LookedAt;
use crate::store::StoreError;
use crate::worker::sweep::HOUR_MS;
use crate::worker::sweep::SweepError;
use crate::worker::sweep::Sweeper;

/// How many images are looked at each hour, the longest ago first.
const MOST_AT_ONCE: i64 = 100;
/// How long an image is left alone after a look.
const EVERY_MS: i64 = 24 * HOUR_MS;
/// How many are looked at side by side: nobody waits.
const SIDE_BY_SIDE: usize = 4;

impl Sweeper {
    /// Looks at the images that are due.
    pub(super) async fn look_again(&self, inquiry: &Inquiry) -> Result<(), SweepError> {
        let before_ms = self.clock.now_ms().saturating_sub(EVERY_MS);
        let due = self.store.looks_due(before_ms, MOST_AT_ONCE).await?;
        let looks = stream::iter(due).map(|due| self.look(inquiry, due)).buffer_unordered(SIDE_BY_SIDE);
        let ended: Vec<Result<(), StoreError>> = looks.collect().await;
        Ok(ended.into_iter().collect::<Result<(), StoreError>>()?)
    }

    async fn look(&self, inquiry: &Inquiry, due: LookedAt) -> Result<(), StoreError> {
        let Ok(image) = ImageRef::parse(&due.image) else { return Ok(()) };
        let Some(look) = inquiry.look(&image).await else { return Ok(()) };
        let now_ms = self.clock.now_ms();
        // What an older version wrote otherwise is as if it had never looked.
        let seen = serde_json::from_str(&due.seen).unwrap_or_default();
        let before: Vec<Drift> = serde_json::from_str(&due.drift).unwrap_or_default();
        let (seen, notes) = drift(&image, &seen, &before, &look, Day::from_unix_ms(now_ms));
        for note in notes.iter().filter(|note| before.iter().all(|known| known.kind != note.kind)) {
            tracing::warn!(image = due.image, kind = ?note.kind, text = note.text, "an image in use has drifted");
        }
        let text = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
        self.store
            .keep_look(&LookedAt {
                looked_ms: now_ms,
                seen: text(serde_json::to_string(&seen)),
                drift: text(serde_json::to_string(&notes)),
                ..due
            })
            .await
    }
}
