//! What is known of an image beyond its name: facts, each with its source and its
//! time, and an explicit "not known" for everything else.
//!
//! Judging asks and never fetches: it takes the [`Evidence`] there is and says in
//! [`Wanted`] what else it would need. Who has a network fetches that and judges
//! again. Missing evidence is never a pass.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::day::Day;
use crate::image::Digest;
use crate::image::ImageRef;
use crate::image::glob_matches;

/// A fact with where and when it was learnt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact<T> {
    /// What is so.
    pub value: T,
    /// Who says so, for people: `Docker Hub`, `ghcr.io, verified by sigstore`.
    pub source: String,
    /// When it was learnt.
    pub day: Day,
}

/// What is known of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Learnt<T> {
    /// Nobody asked yet.
    #[default]
    NotAsked,
    /// It was asked for and could not be had: why, for people.
    Unavailable(String),
    /// It is known.
    Known(Fact<T>),
}

/// What is known of one image, by the reference that is judged (a mirror's origin).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dossier {
    /// What the tag stands for; of a reference with tag and digest.
    pub tag: Learnt<TagTruth>,
    /// The signatures that were verified.
    pub signatures: Learnt<Vec<Signer>>,
    /// The provenance that was verified, by each who signed one.
    pub provenance: Learnt<Vec<Provenance>>,
    /// Whether there is a bill of materials.
    pub sbom: Learnt<bool>,
    /// Whether this repository and digest stands on a default branch of the organisation.
    pub used_before: Learnt<bool>,
    /// The repository it is built from, proven by verified provenance; `None` when nothing proves one.
    pub source_repository: Learnt<Option<SourceRepository>>,
    /// The repository that a label of the image names (`org.opencontainers.image.source`): a
    /// claim, which is shown and proves nothing; `None` when there is no such label.
    pub claimed_source: Learnt<Option<String>>,
    /// The day on which the registry took this digest, never what the image claims.
    pub pushed: Learnt<Day>,
    /// The scan result that was verified or supplied; `None` when there is none.
    pub scan: Learnt<Option<ScanResult>>,
}

/// What a tag stands for in its registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagTruth {
    /// The digest now.
    pub digest: Digest,
    /// The digests of an index's children.
    pub children: Vec<Digest>,
    /// Digests that it was seen to stand for before.
    pub earlier: Vec<Digest>,
}

impl TagTruth {
    /// Whether the tag stands for a digest, or once did.
    #[must_use]
    pub fn covers(&self, digest: &Digest) -> bool {
        self.digest == *digest || self.children.contains(digest) || self.earlier.contains(digest)
    }
}

/// Whose key signed, as its certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// Who vouches for the identity: `https://token.actions.githubusercontent.com`.
    pub issuer: String,
    /// Who signed: an address of a workflow, or of a person.
    pub identity: String,
}

impl Signer {
    /// Whether this is who is meant. The issuer is compared exactly; a `*` of the
    /// identity stands for characters other than `/`.
    #[must_use]
    pub fn is(&self, issuer: &str, identity: &str) -> bool {
        let (mut wanted, mut found) = (identity.split('/'), self.identity.split('/'));
        self.issuer == issuer
            && loop {
                match (wanted.next(), found.next()) {
                    (Some(glob), Some(part)) if glob_matches(glob, part) => {}
                    (None, None) => break true,
                    _ => break false,
                }
            }
    }
}

/// Whether the identity of a signature, in which `*` may stand, says whose it is:
/// anybody can have an account on a host, so that the owner is what counts.
#[must_use]
pub fn names_somebody(identity: &str) -> bool {
    let named = |part: &str| !part.is_empty() && !part.contains('*');
    match identity.split_once("://") {
        Some((_, rest)) => rest
            .split_once('/')
            .is_some_and(|(host, path)| named(host) && path.split('/').next().is_some_and(named)),
        None => named(identity),
    }
}

/// Who built an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The builder's id as the attestation has it.
    pub builder: String,
    /// Whether that is a runner hosted by GitHub.
    pub github_hosted: bool,
    /// Who says so: anybody can say it of any image.
    pub signer: Signer,
}

/// The repository that an image is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRepository {
    /// Its address.
    pub address: String,
    /// Whether everybody can read it.
    pub public: bool,
    /// The day of its last push; `None` when that is not known.
    pub active: Option<Day>,
}

/// What a scanner found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanResult {
    /// Critical vulnerabilities for which there is a fix.
    pub critical_fixable: u32,
    /// The day of the scan.
    pub day: Day,
    /// Whether the operating system in the image was past its end of life on that day; `None`
    /// when the scanner does not say, or found none.
    pub end_of_life: Option<bool>,
}

/// The badge of a publisher on Docker Hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Badge {
    /// Docker verified who the publisher is.
    VerifiedPublisher,
    /// Sponsored open source.
    OpenSource,
    /// None.
    Community,
}

/// Everything that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    images: BTreeMap<ImageRef, Dossier>,
    /// By the namespace on Docker Hub.
    publishers: BTreeMap<String, Learnt<Badge>>,
}

/// One thing that judging wants to know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// A part of the dossier of an image.
    Image(ImageRef, Item),
    /// The badge of a namespace on Docker Hub.
    Publisher(String),
}

/// The parts of a [`Dossier`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// [`Dossier::tag`]
    Tag,
    /// [`Dossier::signatures`]
    Signatures,
    /// [`Dossier::provenance`]
    Provenance,
    /// [`Dossier::sbom`]
    Sbom,
    /// [`Dossier::used_before`]
    UsedBefore,
    /// [`Dossier::source_repository`]
    SourceRepository,
    /// [`Dossier::pushed`]
    Pushed,
    /// [`Dossier::scan`]
    Scan,
}

/// The publisher's namespace of an image on Docker Hub, whose host is in normal form;
/// official images have none.
#[must_use]
pub fn namespace<'a>(host: &str, repository: &'a str) -> Option<&'a str> {
    let (namespace, name) = repository.split_once('/').filter(|_| host == "docker.io")?;
    (namespace != "library" && !name.contains('/')).then_some(namespace)
}

static NOTHING: Dossier = Dossier {
    tag: Learnt::NotAsked,
    signatures: Learnt::NotAsked,
    provenance: Learnt::NotAsked,
    sbom: Learnt::NotAsked,
    used_before: Learnt::NotAsked,
    source_repository: Learnt::NotAsked,
    claimed_source: Learnt::NotAsked,
    pushed: Learnt::NotAsked,
    scan: Learnt::NotAsked,
};

impl Evidence {
    /// Nothing at all: what judging offline has.
    #[must_use]
    pub fn none() -> Evidence {
        Evidence::default()
    }

    /// What is known of an image.
    #[must_use]
    pub fn of(&self, image: &ImageRef) -> &Dossier {
        self.images.get(image).unwrap_or(&NOTHING)
    }

    /// The dossier of an image, to be filled in.
    pub fn of_mut(&mut self, image: &ImageRef) -> &mut Dossier {
        self.images.entry(image.clone()).or_default()
    }

    /// The badge of a namespace on Docker Hub.
    #[must_use]
    pub fn publisher(&self, namespace: &str) -> &Learnt<Badge> {
        self.publishers.get(namespace).unwrap_or(&Learnt::NotAsked)
    }

    /// Writes down the badge of a namespace on Docker Hub.
    pub fn set_publisher(&mut self, namespace: &str, badge: Learnt<Badge>) {
        self.publishers.insert(namespace.to_owned(), badge);
    }
}

impl<T> Learnt<T> {
    /// What is known, if it is.
    #[must_use]
    pub fn known(&self) -> Option<&Fact<T>> {
        match self {
            Learnt::Known(fact) => Some(fact),
            Learnt::NotAsked | Learnt::Unavailable(_) => None,
        }
    }

    /// Whether asking could still help.
    #[must_use]
    pub fn may_be_asked(&self) -> bool {
        matches!(self, Learnt::NotAsked)
    }
}
