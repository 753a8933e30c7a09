//! Reads what images stand on a default branch, after a push that may have changed it and
//! once a day.

use std::collections::BTreeMap;

use fromguard_core::image::Role;
use fromguard_core::image::Target;
use fromguard_core::scan::Scanned;

use crate::clock::TimestampMs;
use crate::github;
use crate::github::fetch;
use crate::github::fetch::FetchError;
use crate::github::fetch::Stock;
use crate::store::StandingBranch;
use crate::store::StandingImage;
use crate::store::Stocktaking;
use crate::store::StoreError;
use crate::worker::Backoff;
use crate::worker::backoff;
use crate::worker::sweep::SURVEY_LEASE_MS;
use crate::worker::sweep::Sweeper;

/// How many different images of one repository are kept.
const MOST_IMAGES: usize = 5_000;
/// How often a branch that cannot be read is tried before the next push or day.
const MOST_ATTEMPTS: u32 = 5;

impl Sweeper {
    /// Reads one default branch that is due; `false` when none is.
    pub(super) async fn take_stock(&self, now_ms: TimestampMs) -> Result<bool, StoreError> {
        let Some(taking) = self.store.claim_stock(now_ms, SURVEY_LEASE_MS).await? else { return Ok(false) };
        let repository = self.github.repository(taking.place.clone());
        match fetch::stock(&repository, taking.head.as_ref()).await {
            Ok(Some(Stock { name, branch, head, scanned })) => {
                let images = scanned.as_ref().map(images);
                if let Some(images) = &images {
                    tracing::info!(repository = %name, %head, images = images.len(), "a default branch was read");
                }
                let found = StandingBranch { branch, head, images };
                self.store.finish_stock(&taking, &found, self.clock.now_ms()).await?;
            }
            Ok(None) => self.store.clear_stock(&taking).await?,
            Err(FetchError::GitHub(github::Error::NotFound { .. })) => {
                self.store.clear_stock(&taking).await?
            }
            Err(error) => self.not_taken(&taking, &error).await?,
        }
        Ok(true)
    }

    async fn not_taken(&self, taking: &Stocktaking, error: &FetchError) -> Result<(), StoreError> {
        let again = match error {
            FetchError::GitHub(error) if error.repeatable() => Some(error.retry_at_ms()),
            FetchError::NotYet(_) => Some(None),
            FetchError::GitHub(_) | FetchError::Hopeless(_) | FetchError::Panicked(_) => None,
        };
        let again = again.filter(|at_ms| at_ms.is_some() || taking.attempts < MOST_ATTEMPTS);
        let at_ms = again.map(|not_before_ms| {
            let (now_ms, random) = (self.clock.now_ms(), backoff::random());
            Backoff::default().next_ms(now_ms, taking.attempts, not_before_ms, random)
        });
        tracing::warn!(repository = %taking.place.name, %error, again = at_ms.is_some(), "a default branch was not read");
        self.store.retry_stock(taking, at_ms).await
    }
}

/// The images that are pulled, each once; what a build is called is none.
fn images(scanned: &Scanned) -> Vec<StandingImage> {
    let mut images: BTreeMap<String, StandingImage> = BTreeMap::new();
    let uses = scanned.uses.iter().filter(|usage| usage.role != Role::PullableOutput && !usage.replaced);
    for usage in uses {
        let line = scanned
            .sources
            .get(&usage.file)
            .map_or(1, |source| source.position(usage.span.start).line_1based as u64);
        for target in &usage.targets {
            let Target::Image(image) = target else { continue };
            let text = image.to_string();
            if images.len() >= MOST_IMAGES && !images.contains_key(&text) {
                continue;
            }
            let digest = image.digest.as_ref().map(ToString::to_string);
            let file = usage.file.to_string();
            let new = || StandingImage { image: text.clone(), digest, file, line, uses: 0 };
            images.entry(text.clone()).or_insert_with(new).uses += 1;
        }
    }
    images.into_values().collect()
}
