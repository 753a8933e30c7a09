//! What the organisation of a judged repository keeps itself, for the inquiry.

use std::collections::BTreeMap;

use fromguard_core::image::Digest;
use fromguard_core::trust::ScanFile;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::github::Repository;
use crate::github::fetch;
use crate::ids::Sha;
use crate::registry::Organisation;

/// The organisation of one judgement.
pub(super) struct Own {
    repository: Repository,
    /// Where the organisation's repository stands; `None` when it cannot be seen.
    tip: Option<Sha>,
}

impl Own {
    pub(super) fn new(repository: &Repository, tip: Option<Sha>) -> Own {
        Own { repository: repository.clone(), tip }
    }
}

impl Organisation for Own {
    fn scans(&self, digests: Vec<Digest>) -> BoxFuture<'_, Result<BTreeMap<Digest, Vec<ScanFile>>, String>> {
        async move {
            let Some(tip) = &self.tip else { return Ok(BTreeMap::new()) };
            let scans = fetch::supplied_scans(&self.repository, tip, &digests).await;
            scans.map_err(|error| format!("the organisation's scan results: {error}"))
        }
        .boxed()
    }
}
