//! What a registry keeps of an image, as far as it is read here: manifests and
//! indexes of the OCI image specification 1.1 and Docker's schema 2.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use fromguard_core::image::Digest;
use serde::Deserialize;

/// What is asked for under a tag or digest: an index before a manifest.
pub(super) const MANIFEST_TYPES: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// A list of manifests.
pub(super) const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// A manifest or an index: an index has `manifests`, a manifest has `layers`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Manifest {
    pub(super) config: Option<Descriptor>,
    pub(super) layers: Vec<Descriptor>,
    pub(super) manifests: Vec<Descriptor>,
}

/// What points at a manifest or blob. Its `urls` are not even read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    /// As it stands there; see [`Descriptor::digest`].
    pub(super) digest: String,
    pub(super) size: u64,
    pub(super) artifact_type: Option<String>,
    pub(super) annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// The digest; `None` when it is not one.
    pub(super) fn digest(&self) -> Option<Digest> {
        Digest::parse(&self.digest).ok()
    }
}

/// Whether bytes have a digest.
pub(super) fn has_digest(bytes: &[u8], wanted: &Digest) -> bool {
    let algorithm = match wanted.as_str().split_once(':') {
        Some(("sha256", _)) => &digest::SHA256,
        Some(("sha384", _)) => &digest::SHA384,
        Some(("sha512", _)) => &digest::SHA512,
        _ => return false,
    };
    wanted
        .as_str()
        .split_once(':')
        .is_some_and(|(_, hex)| hex == hex_of(digest::digest(algorithm, bytes).as_ref()))
}

/// The SHA-256 digest of bytes.
pub(super) fn digest_of(bytes: &[u8]) -> Digest {
    let text = format!("sha256:{}", hex_of(digest::digest(&digest::SHA256, bytes).as_ref()));
    Digest::parse(&text).expect("64 hex digits are a digest")
}

fn hex_of(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_bytes() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest_of(b"").as_str(), empty);
        assert!(has_digest(b"", &digest_of(b"")) && !has_digest(b"x", &digest_of(b"")));
        let other = Digest::parse(&format!("sha512:{}", "0".repeat(128))).expect("a digest");
        assert!(!has_digest(b"", &other));
    }
}
