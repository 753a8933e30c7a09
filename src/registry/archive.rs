//! Where answers outlive the process: another part of fromguard keeps them, and
//! understands none of them.

use std::sync::Arc;
use std::sync::OnceLock;

use aws_lc_rs::digest;
use futures_util::future::BoxFuture;

use super::keyless::BUNDLED;
use super::operator::Operator;
use crate::clock::TimestampMs;

/// Keeps answers. What fails to be kept is asked for again: nobody hears of it.
pub trait Archive: Send + Sync {
    /// The text of an answer, and when it was had.
    fn load<'a>(&'a self, kind: &'a str, key: &'a str) -> BoxFuture<'a, Option<(String, TimestampMs)>>;

    /// Keeps an answer, unless a newer one is kept.
    fn save(&self, archived: Archived) -> BoxFuture<'_, ()>;
}

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// What kind of fact it is, with the version of its form.
    pub kind: String,
    /// What it is of.
    pub key: String,
    /// What was said.
    pub value: String,
    /// When.
    pub at_ms: TimestampMs,
    /// From when on it is of no use.
    pub until_ms: TimestampMs,
}

/// The archive, from when on there is one; all clones are the same.
#[derive(Clone, Default)]
pub(super) struct Archives(Arc<OnceLock<Arc<dyn Archive>>>);

impl Archives {
    pub(super) fn get(&self) -> Option<&Arc<dyn Archive>> {
        self.0.get()
    }

    /// Keeps answers there from now on; the first archive stays.
    pub(super) fn set(&self, archive: Arc<dyn Archive>) {
        let _ = self.0.set(archive);
    }
}

/// What stands for everything that decides which signatures hold: a signature that was found
/// good by a key or a root is of no use once the operator takes that away, or once fromguard
/// verifies otherwise.
pub(super) fn verified_by(operator: &Operator) -> String {
    // Taken apart, so that a new field has to be thought about.
    let Operator { rows: _, keys, scanners, trust_root, scans: _ } = operator;
    let root = trust_root.clone().unwrap_or_else(|| BUNDLED.concat());
    let text = format!("{} {keys:?} {scanners:?} {root}", env!("CARGO_PKG_VERSION"));
    let sum = digest::digest(&digest::SHA256, text.as_bytes());
    sum.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use fromguard_core::trust::Signer;

    use super::super::operator::KnownKey;
    use super::*;

    #[test]
    fn whatever_decides_which_signatures_hold_ends_what_was_found_by_it() {
        let signer = Signer { issuer: "https://issuer.example".to_owned(), identity: "somebody".to_owned() };
        let bundled = Operator::default();
        let key = KnownKey { pem: "a key".to_owned(), signer: signer.clone() };
        let keyed = Operator { keys: vec![key], ..Operator::default() };
        let scanned = Operator { scanners: vec![signer], ..Operator::default() };
        let of = |root: String| Operator { trust_root: Some(root), ..Operator::default() };
        let mut all = vec![&bundled, &keyed, &scanned].into_iter().map(verified_by).collect::<Vec<_>>();
        all.push(verified_by(&of("another root".to_owned())));
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "each is another");
        // The bundled roots are among it, as they stand: newer ones verify otherwise.
        assert_eq!(verified_by(&bundled), verified_by(&of(BUNDLED.concat())));
    }
}
