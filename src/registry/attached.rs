//! What a registry keeps beside an image: signatures, attestations, bills of
//! materials. What is there is told apart from what was verified.
//!
//! Looked at, with a bound on the requests: the referrers of the digest (OCI
//! distribution 1.1, with the fallback of a tag), cosign's tags `.sig` and `.att`,
//! and the attestations that BuildKit puts into an index.

use fromguard_core::image::Digest;
use fromguard_core::trust::ScanResult;
use fromguard_core::trust::Signer;
use serde::Deserialize;
use serde::Serialize;

use super::client::Client;
use super::client::Place;
use super::error::Error;
use super::manifest::Descriptor;
use super::manifest::Manifest;
use super::scan;
use super::signature::Verified;
use super::signature::Verifying;
use super::unproven::Unproven;

/// How many requests are made for the things beside one image.
const MAX_REQUESTS: usize = 8;

/// The type of a Sigstore bundle, without its version.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// A payload of cosign's older layout.
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// A DSSE envelope.
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// The type of cosign's older layout as a referrer, without what it is and its version.
const COSIGN: &str = "application/vnd.dev.cosign.artifact.";
/// What kind of statement is inside, by who put it there.
const PREDICATES: [&str; 3] =
    ["dev.sigstore.bundle.predicateType", "predicateType", "in-toto.io/predicate-type"];
/// The statement that a bundle of cosign's makes when it only signs.
const SIGNS: &str = "https://sigstore.dev/cosign/sign/v1";
/// A provenance, of any version.
const PROVENANCE: &str = "https://slsa.dev/provenance/";
/// BuildKit's mark of an attestation in an index.
const BUILDKIT: (&str, &str) = ("vnd.docker.reference.type", "attestation-manifest");

/// Everything beside an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attached {
    /// What holds.
    pub(super) verified: Vec<Verified>,
    /// What is there and does not hold: why, for people.
    pub(super) refuted: Vec<String>,
    /// What is there and could not be looked at.
    pub(super) unread: Vec<Unread>,
    /// The kinds of statements that are there, verified or not.
    pub(super) kinds: Vec<String>,
    /// Whether there is a bill of materials; nobody vouches for it.
    pub(super) sbom: bool,
}

/// Something beside an image that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unread {
    /// The kind of its statement, where that is known.
    kind: Option<String>,
    /// What it is and why not, for people.
    why: String,
}

impl Attached {
    /// Who signed the image. Who signs that they built it answers for it as well;
    /// who attests anything else of it does not.
    pub(super) fn signers(&self) -> Vec<Signer> {
        let answers = |one: &&Verified| one.statement.as_ref().is_none_or(|statement| signs(&statement.kind));
        self.verified.iter().filter(answers).map(|one| one.signer.clone()).collect()
    }

    /// The newest scan that somebody signed whom the operator's file names: anybody
    /// can attest a scan of any image.
    pub(super) fn scan(&self) -> Option<ScanResult> {
        let named = self.verified.iter().filter(|one| one.named);
        let statements = named.filter_map(|one| one.statement.as_ref());
        let scans = statements.filter(|statement| statement.kind == scan::KIND);
        scans.filter_map(|statement| scan::read(&statement.predicate)).max_by_key(|scan| scan.day)
    }

    /// The provenance that holds, of each who signed one.
    pub(super) fn provenance(&self) -> impl Iterator<Item = &Verified> {
        self.verified.iter().filter(|one| {
            one.statement.as_ref().is_some_and(|statement| statement.kind.starts_with(PROVENANCE))
        })
    }

    /// Whether nothing is there that could prove something.
    pub(super) fn is_bare(&self) -> bool {
        self.verified.is_empty() && self.refuted.is_empty() && self.unread.is_empty()
    }

    /// Why it is not known who signed, where nobody did whose signature was read.
    pub(super) fn signature_unread(&self) -> Option<String> {
        self.unread_of(signs)
    }

    /// Why it is not known who built it.
    pub(super) fn provenance_unread(&self) -> Option<String> {
        self.unread_of(|kind| kind.starts_with(PROVENANCE))
    }

    /// Why it is not known what a scan found.
    pub(super) fn scan_unread(&self) -> Option<String> {
        self.unread_of(|kind| kind == scan::KIND)
    }

    fn unread_of(&self, is: impl Fn(&str) -> bool) -> Option<String> {
        let mut unread = self.unread.iter().filter(|one| one.kind.as_deref().is_none_or(&is));
        unread.next().map(|one| format!("there is {}", one.why))
    }

    /// Whether there is a provenance, of whomever.
    pub(super) fn claims_provenance(&self) -> bool {
        self.kinds.iter().any(|kind| kind.starts_with(PROVENANCE))
    }
}

/// Looks at what is beside an image.
///
/// # Errors
/// When what there is cannot be known.
pub(super) async fn read(
    client: &Client,
    verifying: &Verifying,
    place: &Place,
    digest: &Digest,
) -> Result<Attached, Error> {
    let mut reader =
        Reader { client, verifying, place, digest, requests: MAX_REQUESTS, found: Attached::default() };
    // Two at most: the API, and the tag where there is no API.
    reader.requests -= 2;
    let referrers = client.referrers(place, digest).await?;
    let tag = digest.as_str().replacen(':', "-", 1);
    for suffix in ["sig", "att"] {
        reader.requests -= 1;
        if let Some((_, manifest)) = client.tagged(place, &format!("{tag}.{suffix}")).await? {
            reader.layers(&manifest).await?;
        }
    }
    // What proves something first: a bill of materials need not be read to be there.
    let (first, last): (Vec<_>, Vec<_>) =
        referrers.into_iter().partition(|one| kind_of(one).is_none_or(is_read));
    for referrer in first.iter().chain(&last) {
        reader.referrer(referrer).await?;
    }
    let mut found = reader.found;
    found.kinds.sort();
    found.kinds.dedup();
    Ok(found)
}

struct Reader<'a> {
    client: &'a Client,
    verifying: &'a Verifying,
    place: &'a Place,
    digest: &'a Digest,
    requests: usize,
    found: Attached,
}

impl Reader<'_> {
    async fn referrer(&mut self, referrer: &Descriptor) -> Result<(), Error> {
        let kind = referrer.artifact_type.as_deref().unwrap_or_default();
        if is_sbom(kind) {
            self.found.sbom = true;
            return Ok(());
        }
        let statement = kind_of(referrer);
        self.note(statement);
        let holds = [BUNDLE, COSIGN, ENVELOPE].iter().any(|known| kind.starts_with(known));
        if !holds || statement.is_some_and(|kind| !is_read(kind)) {
            return Ok(());
        }
        let Some(digest) = referrer.digest() else { return Ok(()) };
        if !self.may_ask(statement) {
            return Ok(());
        }
        match self.had(self.client.manifest(self.place, &digest).await, statement)? {
            Some(manifest) => self.layers(&manifest).await,
            None => Ok(()),
        }
    }

    async fn layers(&mut self, manifest: &Manifest) -> Result<(), Error> {
        for layer in &manifest.layers {
            let kind = layer.media_type.as_str();
            let statement = if kind == SIMPLE_SIGNING { Some(SIGNS) } else { kind_of(layer) };
            self.note(statement);
            let reads = kind.starts_with(BUNDLE) || kind == SIMPLE_SIGNING || kind == ENVELOPE;
            if !reads || statement.is_some_and(|kind| !is_read(kind)) {
                continue;
            }
            if !self.may_ask(statement) {
                continue;
            }
            let blob = self.client.blob(self.place, layer).await;
            let Some(blob) = self.had(blob, statement)? else { continue };
            let verified = match kind {
                SIMPLE_SIGNING => self.verifying.simple(&blob, &layer.annotations, self.digest),
                ENVELOPE => self.verifying.envelope(&blob, &layer.annotations, self.digest),
                _ => self.verifying.bundle(&blob, self.digest),
            };
            match verified {
                Ok(verified) => {
                    self.note(verified.statement.as_ref().map(|statement| statement.kind.as_str()));
                    self.found.verified.push(verified);
                }
                Err(Unproven::Wrong(why)) => self.found.refuted.push(why),
                Err(Unproven::NotVerified(why)) => self.unread(statement, &why),
            }
        }
        Ok(())
    }

    /// Counts a request; past the bound it says that something was not read.
    fn may_ask(&mut self, kind: Option<&str>) -> bool {
        match self.requests.checked_sub(1) {
            Some(left) => {
                self.requests = left;
                true
            }
            None => {
                self.unread(kind, "more than is read");
                false
            }
        }
    }

    /// What was fetched; one thing that is broken does not hide the others.
    fn had<T>(&mut self, fetched: Result<T, Error>, kind: Option<&str>) -> Result<Option<T>, Error> {
        match fetched {
            Ok(fetched) => Ok(Some(fetched)),
            Err(error @ (Error::NotFound | Error::Malformed(_) | Error::TooLarge { .. })) => {
                self.unread(kind, &format!("something that cannot be read: {error}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn unread(&mut self, kind: Option<&str>, why: &str) {
        self.found.unread.push(Unread { kind: kind.map(str::to_owned), why: why.to_owned() });
    }

    fn note(&mut self, kind: Option<&str>) {
        let Some(kind) = kind else { return };
        self.found.sbom |= is_sbom(kind);
        self.found.kinds.push(kind.to_owned());
    }
}

/// Whether BuildKit put a bill of materials into an index: its attestations stand in
/// the index itself, and nobody signs them. Costs two requests more.
///
/// # Errors
/// When that cannot be known.
pub(super) async fn buildkit_sbom(client: &Client, place: &Place, digest: &Digest) -> Result<bool, Error> {
    let index = match client.manifest(place, digest).await {
        Err(Error::NotFound) => return Ok(false),
        index => index?,
    };
    let (key, value) = BUILDKIT;
    let mut children = index.manifests.iter();
    let one = children.find(|child| child.annotations.get(key).is_some_and(|kind| kind == value));
    let Some(digest) = one.and_then(Descriptor::digest) else { return Ok(false) };
    let manifest = client.manifest(place, &digest).await?;
    Ok(manifest.layers.iter().filter_map(kind_of).any(is_sbom))
}

fn kind_of(descriptor: &Descriptor) -> Option<&str> {
    PREDICATES.iter().find_map(|key| descriptor.annotations.get(*key)).map(String::as_str)
}

/// The kinds of statements whose content counts.
fn is_read(kind: &str) -> bool {
    signs(kind) || kind == scan::KIND
}

/// The kinds of statements whose signer answers for the image.
fn signs(kind: &str) -> bool {
    kind == SIGNS || kind.starts_with(PROVENANCE)
}

/// A bill of materials, by the type of an artifact or of a statement: SPDX or CycloneDX.
fn is_sbom(kind: &str) -> bool {
    [
        "application/spdx",
        "text/spdx",
        "application/vnd.cyclonedx",
        "https://spdx.dev/Document",
        "https://cyclonedx.org/bom",
    ]
    .iter()
    .any(|known| kind.starts_with(known))
}
