//! Keeps what registries said in the store. Answers that come at the same time are
//! committed together: each commit waits for the disk.

use std::mem;
use std::sync::Mutex;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::clock::TimestampMs;
use crate::registry::Archive;
use crate::registry::Archived;
use crate::store::LearntText;
use crate::store::Store;

/// The store as an archive.
pub(super) struct Kept {
    store: Store,
    waiting: Mutex<Vec<LearntText>>,
    committing: tokio::sync::Mutex<()>,
}

impl Kept {
    pub(super) fn new(store: Store) -> Kept {
        Kept { store, waiting: Mutex::default(), committing: tokio::sync::Mutex::default() }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<LearntText>> {
        self.waiting.lock().expect("no holder of what waits panics")
    }
}

impl Archive for Kept {
    fn load<'a>(&'a self, kind: &'a str, key: &'a str) -> BoxFuture<'a, Option<(String, TimestampMs)>> {
        async move {
            let learnt = self.store.learnt(kind, key).await;
            learnt
                .inspect_err(|error| tracing::warn!(%error, kind, "kept evidence could not be read"))
                .ok()?
        }
        .boxed()
    }

    fn save(&self, archived: Archived) -> BoxFuture<'_, ()> {
        async move {
            let Archived { kind, key, value, at_ms, until_ms } = archived;
            self.waiting().push(LearntText { kind, key, value, at_ms, until_ms });
            // Whoever comes next commits for all who wait.
            let _turn = self.committing.lock().await;
            let all = mem::take(&mut *self.waiting());
            if !all.is_empty()
                && let Err(error) = self.store.keep_learnt(&all).await
            {
                tracing::warn!(%error, "evidence could not be kept; it will be asked for again");
            }
        }
        .boxed()
    }
}
