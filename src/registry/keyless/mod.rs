//! Keyless signatures: made with a key that nobody keeps, and a certificate in which
//! an authority says for some minutes whose key it was (Sigstore).
//!
//! What must hold, by one trust root: the certificate leads to an authority of the
//! root, was valid when the signature was made, and stands in a log of certificates;
//! when that was, a transparency log or a timestamp authority says; the log has this
//! signature, certificate and payload; and the signature is over what it should be.
//! `sigstore-verify` checks all of that. A root without logs (GitHub's own, for
//! private repositories) vouches by its timestamps alone.
//!
//! The bundled roots are those that `sigstore-trust-root` carries (Apache-2.0; of
//! 2026-10-23 in 0.15.1, taken there from the TUF repositories of Sigstore's public
//! instance and of GitHub, which sign them). The operator's file may name others.
//!
//! Whoever wants can have a certificate of the public instance: that a signature holds
//! says who made it, and nothing of whether they are to be trusted. Knows no image.

mod older;

use fromguard_core::trust::Signer;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use sigstore_verify::CertificateError;
use sigstore_verify::Error;
use sigstore_verify::VerificationPolicy;
use sigstore_verify::VerificationResult;
use sigstore_verify::Verifier;
use sigstore_verify::trust_root::SIGSTORE_GITHUB_TRUSTED_ROOT;
use sigstore_verify::trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT;
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::Artifact;
use sigstore_verify::types::Bundle;
use sigstore_verify::types::VerificationMaterialContent;

use super::unproven::Unproven;
use crate::clock::TimestampMs;
pub(super) use older::is_certified;
pub(super) use older::read as read_older;

/// How many log entries, timestamps and certificates one signature may bring, each.
const MAX_PARTS: usize = 8;
/// The longest certificate or timestamp that is read, in bytes.
const MAX_PART_BYTES: usize = 64 * 1024;
/// The longest state of a log that is read, in bytes: each line may be a signature.
const MAX_CHECKPOINT_BYTES: usize = 16 * 1024;

/// The bundled roots: of Sigstore's public instance, and of GitHub.
pub(super) const BUNDLED: [&str; 2] = [SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_GITHUB_TRUSTED_ROOT];

/// Who says whose a workflow of GitHub's is.
const GITHUB_ACTIONS: &str = "https://token.actions.githubusercontent.com";
/// What a certificate calls a runner that is not the repository owner's own.
const GITHUB_HOSTED: &str = "github-hosted";

/// Verifies by trust roots.
pub(super) struct Keyless {
    roots: Vec<Root>,
}

struct Root {
    verifier: Verifier,
    /// Whether what it vouches for stands in a transparency log.
    logs: bool,
    /// Whether its certificates stand in a log of certificates.
    logs_certificates: bool,
    /// The only issuer that it is believed about, and those below its address.
    about: Option<&'static str>,
}

/// Who signed, and from where, as the certificate has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certified {
    pub(super) signer: Signer,
    pub(super) workload: Workload,
}

/// What a certificate says of the job that it was given to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Workload {
    /// Whether it ran on a machine of GitHub's.
    pub(super) github_hosted: bool,
    /// The repository that it ran for.
    pub(super) source: Option<Source>,
    /// When it signed: the first time that was proven.
    pub(super) signed_ms: TimestampMs,
}

/// A repository as a certificate has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) address: String,
    /// Whether everybody could read it then.
    pub(super) public: bool,
}

impl Keyless {
    /// By the public instance of Sigstore, and by GitHub's own about GitHub's workflows.
    pub(super) fn bundled() -> Result<Keyless, String> {
        let [public, github] = BUNDLED;
        let (public, github) = (roots(public, None)?, roots(github, Some(GITHUB_ACTIONS))?);
        Ok(Keyless { roots: public.into_iter().chain(github).collect() })
    }

    /// By the roots of a `trusted_root.json`, of which there may be several, one after
    /// the other, as `gh attestation trusted-root` prints them.
    pub(super) fn configured(text: &str) -> Result<Keyless, String> {
        match roots(text, None)? {
            none if none.is_empty() => Err("there is none in it".to_owned()),
            roots => Ok(Keyless { roots }),
        }
    }

    /// Who signed.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub(super) fn verify(&self, bundle: &Bundle, artifact: &Artifact<'_>) -> Result<Certified, Unproven> {
        bounded(bundle)?;
        let logged = !bundle.verification_material.tlog_entries.is_empty();
        let mut why = None;
        for root in self.roots.iter().filter(|root| root.logs == logged) {
            match root.verify(bundle, artifact) {
                Ok(certified) => return Ok(certified),
                Err(unproven) => why = why.or(Some(unproven)),
            }
        }
        Err(why.unwrap_or_else(|| {
            let what = if logged { "a transparency log that is not known" } else { "no transparency log" };
            Unproven::Wrong(format!("it stands in {what}"))
        }))
    }
}

/// Reads a bundle, in the JSON of `sigstore_bundle.proto`.
///
/// # Errors
/// When it is of no form that is known: a newer one proves nothing, and refutes nothing.
pub(super) fn read(bundle: Value) -> Result<Bundle, Unproven> {
    serde_json::from_value(bundle).map_err(|error| {
        Unproven::NotVerified(format!("a keyless signature of a form that is not read: {error}"))
    })
}

impl Root {
    fn verify(&self, bundle: &Bundle, artifact: &Artifact<'_>) -> Result<Certified, Unproven> {
        let mut policy = VerificationPolicy::any_identity();
        if !self.logs {
            policy = policy.skip_tlog_unsafe();
        }
        if !self.logs_certificates {
            policy = policy.skip_sct();
        }
        let result = self.verifier.verify(artifact.clone(), bundle, &policy).map_err(unproven)?;
        if !result.certificate_verified() || result.tlog_verified() != self.logs {
            return Err(Unproven::Wrong("it was not verified whole".to_owned()));
        }
        let certified =
            certified(&result).ok_or_else(|| Unproven::Wrong("its certificate names nobody".to_owned()))?;
        match self.about {
            Some(issuer) if !is_below(&certified.signer.issuer, issuer) => {
                let why =
                    "its certificate is of an authority that is believed about GitHub's workflows alone";
                Err(Unproven::Wrong(why.to_owned()))
            }
            _ => Ok(certified),
        }
    }
}

fn roots(text: &str, about: Option<&'static str>) -> Result<Vec<Root>, String> {
    let documents = serde_json::Deserializer::from_str(text).into_iter::<TrustedRoot>();
    documents
        .map(|root| {
            let root = root.map_err(|error| error.to_string())?;
            Ok(Root {
                verifier: Verifier::new(&root).map_err(|error| error.to_string())?,
                logs: !root.tlogs.is_empty(),
                logs_certificates: !root.ctlogs.is_empty(),
                about,
            })
        })
        .collect()
}

/// What a certificate says that was verified; `None` when it names nobody.
fn certified(result: &VerificationResult) -> Option<Certified> {
    let signer =
        Signer { issuer: result.issuer()?.to_owned(), identity: result.identity()?.as_str().to_owned() };
    let claims = &result.certificate()?.ci_claims;
    let hosted = claims.runner_environment.as_deref() == Some(GITHUB_HOSTED);
    let source = claims.source_repository_uri.clone().map(|address| Source {
        address,
        public: claims.source_repository_visibility_at_signing.as_deref() == Some("public"),
    });
    let github_hosted = hosted && is_below(&signer.issuer, GITHUB_ACTIONS);
    let signed_ms = result.verified_timestamps().iter().min()?.as_millisecond();
    Some(Certified { signer, workload: Workload { github_hosted, source, signed_ms } })
}

/// An issuer, or one that an enterprise has below its address.
fn is_below(issuer: &str, address: &str) -> bool {
    issuer.strip_prefix(address).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whoever can push to a registry makes these: what checking costs is bounded.
fn bounded(bundle: &Bundle) -> Result<(), Unproven> {
    let material = &bundle.verification_material;
    let entries = &material.tlog_entries;
    let timestamps = &material.timestamp_verification_data.rfc3161_timestamps;
    let certificates: Vec<usize> = match &material.content {
        VerificationMaterialContent::Certificate(certificate) => vec![certificate.raw_bytes.len()],
        VerificationMaterialContent::X509CertificateChain { certificates } => {
            certificates.iter().map(|one| one.raw_bytes.len()).collect()
        }
        _ => Vec::new(),
    };
    let checkpoints = entries.iter().filter_map(|entry| entry.inclusion_proof.as_ref());
    let fits = [entries.len(), timestamps.len(), certificates.len()].iter().all(|count| *count <= MAX_PARTS)
        && certificates.iter().all(|bytes| *bytes <= MAX_PART_BYTES)
        && timestamps.iter().all(|one| one.signed_timestamp.len() <= MAX_PART_BYTES)
        && checkpoints
            .map(|proof| proof.checkpoint.envelope().len())
            .all(|bytes| bytes <= MAX_CHECKPOINT_BYTES);
    match fits {
        true => Ok(()),
        false => Err(Unproven::NotVerified("a keyless signature with more proof than is read".to_owned())),
    }
}

fn unproven(error: Error) -> Unproven {
    match error {
        Error::UnsupportedBundle(why) | Error::UnsupportedArtifact(why) => {
            Unproven::NotVerified(format!("a keyless signature of a form that is not read: {why}"))
        }
        Error::Certificate(CertificateError::ChainInvalid(why)) => Unproven::Wrong(format!(
            "its certificate leads to no authority that is trusted, or was not valid when it signed: {why}"
        )),
        error => Unproven::Wrong(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
