//! What the organisation of a judged repository keeps itself, for the inquiry: scan
//! results in its repository `.github`, and the inventory of its default branches.

use std::collections::BTreeMap;

use fromguard_core::image::Digest;
use fromguard_core::image::ImageRef;
use fromguard_core::trust::ScanFile;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::github::Repository;
use crate::github::fetch;
use crate::ids::Sha;
use crate::registry::Organisation;
use crate::store::Store;

/// The organisation of one judgement.
pub(super) struct Own {
    repository: Repository,
    store: Store,
    /// Where the organisation's repository stands; `None` when it cannot be seen.
    tip: Option<Sha>,
}

impl Own {
    pub(super) fn new(repository: &Repository, store: &Store, tip: Option<Sha>) -> Own {
        Own { repository: repository.clone(), store: store.clone(), tip }
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

    fn standing(
        &self,
        digests: Vec<Digest>,
    ) -> BoxFuture<'_, Result<BTreeMap<Digest, Vec<ImageRef>>, String>> {
        async move {
            let texts: Vec<&str> = digests.iter().map(Digest::as_str).collect();
            let standing = match self.store.standing(self.repository.place().installation, &texts).await {
                Ok(Some(standing)) => standing,
                Ok(None) => return Err("no default branch was read yet".to_owned()),
                Err(error) => {
                    tracing::warn!(%error, "the inventory could not be read");
                    return Err("the inventory of default branches could not be read".to_owned());
                }
            };
            let images = |texts: &Vec<String>| {
                texts.iter().filter_map(|text| ImageRef::parse(text).ok()).collect::<Vec<_>>()
            };
            let of = |digest: &Digest| Some((digest.clone(), images(standing.get(digest.as_str())?)));
            Ok(digests.iter().filter_map(of).collect())
        }
        .boxed()
    }
}
