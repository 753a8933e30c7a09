//! Whether a signature holds, and whose it is. What is merely present is nobody's.
//!
//! Three layouts: cosign's "simple signing" payloads, DSSE envelopes, and Sigstore
//! bundles around such an envelope; each made with a key of the operator's, or
//! keyless. A key of the operator's is proof enough: whether a transparency log has
//! its signature is not asked. What keyless ones must prove, `keyless` says.
//!
//! Layouts: sigstore/cosign `specs/SIGNATURE_SPEC.md`; secure-systems-lab/dsse
//! `protocol.md`, version 1; sigstore/protobuf-specs `sigstore_bundle.proto`.

use std::collections::BTreeMap;

use aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1;
use aws_lc_rs::signature::ECDSA_P384_SHA384_ASN1;
use aws_lc_rs::signature::ED25519;
use aws_lc_rs::signature::ParsedPublicKey;
use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use aws_lc_rs::signature::VerificationAlgorithm;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fromguard_core::image::Digest;
use fromguard_core::trust::Signer;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;
use sigstore_verify::types::Artifact;
use sigstore_verify::types::ArtifactDigest;
use sigstore_verify::types::Bundle;
use sigstore_verify::types::DigestBytes;
use sigstore_verify::types::HashAlgorithm;
use sigstore_verify::types::SignatureContent;

use super::keyless;
use super::keyless::Certified;
use super::keyless::Keyless;
use super::keyless::Workload;
use super::operator::Operator;
use super::unproven::Unproven;

/// How cosign's keys sign: ECDSA unless somebody chose otherwise.
const ALGORITHMS: [&dyn VerificationAlgorithm; 4] =
    [&ECDSA_P256_SHA256_ASN1, &ECDSA_P384_SHA384_ASN1, &ED25519, &RSA_PKCS1_2048_8192_SHA256];

/// The type of what an in-toto attestation signs.
const IN_TOTO: &str = "application/vnd.in-toto+json";
/// What a simple signing payload says it is.
const SIMPLE_SIGNING: &str = "cosign container image signature";

/// The signature of a simple signing payload, in the annotations of its layer.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// What stands beside a layer of cosign's older layout.
pub(super) type Annotations = BTreeMap<String, String>;

/// Verifies signatures.
pub(super) struct Verifying {
    keys: Vec<Key>,
    keyless: Keyless,
    /// Whose scans count, beside those that the keys signed.
    scanners: Vec<Signer>,
}

struct Key {
    /// The key under each algorithm that it can be one of.
    parsed: Vec<ParsedPublicKey>,
    signer: Signer,
}

/// A signature that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Verified {
    pub(super) signer: Signer,
    /// Whether the operator's file names who signed: by a key, or as a scanner.
    pub(super) named: bool,
    /// What the certificate says of where it was signed; a key says nothing.
    pub(super) workload: Option<Workload>,
    /// What is attested; `None` for a signature of the image alone.
    pub(super) statement: Option<Statement>,
}

/// An in-toto statement, versions 0.1 and 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Statement {
    #[serde(rename = "predicateType")]
    pub(super) kind: String,
    #[serde(default)]
    subject: Vec<Subject>,
    #[serde(default)]
    pub(super) predicate: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Subject {
    #[serde(default)]
    digest: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
    #[serde(default)]
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Deserialize)]
struct EnvelopeSignature {
    sig: String,
}

impl Verifying {
    /// With the operator's keys and trust root.
    ///
    /// # Errors
    /// When a key or the root cannot be read.
    pub(super) fn new(operator: &Operator) -> Result<Verifying, String> {
        let mut keys = Vec::new();
        for known in &operator.keys {
            let wrong = |why: &str| format!("the key of {}: {why}", known.signer.identity);
            let der = SubjectPublicKeyInfoDer::from_pem_slice(known.pem.as_bytes())
                .map_err(|_| wrong("it is no public key in PEM"))?;
            let parsed = ALGORITHMS.into_iter().filter_map(|one| ParsedPublicKey::new(one, &der).ok());
            let parsed: Vec<ParsedPublicKey> = parsed.collect();
            if parsed.is_empty() {
                return Err(wrong("it is neither ECDSA (P-256, P-384) nor Ed25519 nor RSA"));
            }
            keys.push(Key { parsed, signer: known.signer.clone() });
        }
        let keyless = match &operator.trust_root {
            Some(text) => Keyless::configured(text),
            None => Keyless::bundled(),
        };
        let keyless = keyless.map_err(|why| format!("the trust root: {why}"))?;
        Ok(Verifying { keys, keyless, scanners: operator.scanners.clone() })
    }

    /// A Sigstore bundle about a digest.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub(super) fn bundle(&self, text: &[u8], digest: &Digest) -> Result<Verified, Unproven> {
        let bundle: Value = serde_json::from_slice(text).map_err(unreadable)?;
        let Some(envelope) = bundle.get("dsseEnvelope").cloned() else {
            return Err(Unproven::Wrong("it attests nothing of an image".to_owned()));
        };
        match bundle.pointer("/verificationMaterial/publicKey") {
            Some(_) => self.attested(envelope, None, digest),
            None => self.attested(envelope, Some(keyless::read(bundle)?), digest),
        }
    }

    /// A payload of cosign's older layout.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub(super) fn simple(
        &self,
        payload: &[u8],
        annotations: &Annotations,
        digest: &Digest,
    ) -> Result<Verified, Unproven> {
        let signature = annotations.get(SIGNATURE).map_or("", String::as_str);
        let verified = match self.signed(payload, signature) {
            Err(_) if keyless::is_certified(annotations) => {
                let signed = json!({"signature": signature});
                let bundle = keyless::read_older(annotations, "messageSignature", signed)?;
                self.by_certificate(&bundle, &Artifact::from_blob(payload))?
            }
            by_key => by_key?,
        };
        let read: Value = serde_json::from_slice(payload).map_err(unreadable)?;
        let critical = &read["critical"];
        let image = &critical["image"]["docker-manifest-digest"];
        if critical["type"] != SIMPLE_SIGNING || *image != digest.as_str() {
            return Err(Unproven::Wrong("it is the signature of another image".to_owned()));
        }
        Ok(verified)
    }

    /// A DSSE envelope of cosign's older layout, with an in-toto statement about a digest.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub(super) fn envelope(
        &self,
        text: &[u8],
        annotations: &Annotations,
        digest: &Digest,
    ) -> Result<Verified, Unproven> {
        let envelope: Value = serde_json::from_slice(text).map_err(unreadable)?;
        let bundle = match keyless::is_certified(annotations) {
            true => Some(keyless::read_older(annotations, "dsseEnvelope", envelope.clone())?),
            false => None,
        };
        self.attested(envelope, bundle, digest)
    }

    /// An envelope that a key signed, or, with the bundle around it, somebody with a certificate.
    fn attested(
        &self,
        envelope: Value,
        bundle: Option<Bundle>,
        digest: &Digest,
    ) -> Result<Verified, Unproven> {
        let envelope: Envelope = serde_json::from_value(envelope).map_err(unreadable)?;
        if envelope.payload_type != IN_TOTO {
            return Err(Unproven::Wrong(format!(
                "it attests nothing that is read: {}",
                envelope.payload_type
            )));
        }
        let (verified, payload) = match bundle {
            None => self.enveloped(&envelope)?,
            Some(bundle) => {
                let verified = self.by_certificate(&bundle, &Artifact::from_digest(artifact(digest)?))?;
                let SignatureContent::DsseEnvelope(envelope) = bundle.content else {
                    return Err(Unproven::Wrong("it attests nothing of an image".to_owned()));
                };
                (verified, envelope.payload.into_bytes())
            }
        };
        let statement: Statement = serde_json::from_slice(&payload).map_err(unreadable)?;
        if !statement.is_about(digest) {
            return Err(Unproven::Wrong("it attests another image".to_owned()));
        }
        Ok(Verified { statement: Some(statement), ..verified })
    }

    /// Whose key signed an envelope, and what is in it.
    fn enveloped(&self, envelope: &Envelope) -> Result<(Verified, Vec<u8>), Unproven> {
        let payload = STANDARD.decode(&envelope.payload).map_err(unreadable)?;
        let mut signed = format!("DSSEv1 {} {IN_TOTO} {} ", IN_TOTO.len(), payload.len()).into_bytes();
        signed.extend_from_slice(&payload);
        let mut by = envelope.signatures.iter().filter_map(|one| self.signed(&signed, &one.sig).ok());
        Ok((by.next().ok_or_else(of_nobody)?, payload))
    }

    /// Whose key signed these bytes.
    fn signed(&self, bytes: &[u8], signature: &str) -> Result<Verified, Unproven> {
        let signature = STANDARD.decode(signature).map_err(unreadable)?;
        let holds = |key: &&Key| key.parsed.iter().any(|parsed| parsed.verify_sig(bytes, &signature).is_ok());
        let key = self.keys.iter().find(holds).ok_or_else(of_nobody)?;
        Ok(Verified { signer: key.signer.clone(), named: true, workload: None, statement: None })
    }

    /// Whose certificate signed.
    fn by_certificate(&self, bundle: &Bundle, artifact: &Artifact<'_>) -> Result<Verified, Unproven> {
        let Certified { signer, workload } = self.keyless.verify(bundle, artifact)?;
        let named = self.scanners.iter().any(|one| signer.is(&one.issuer, &one.identity));
        Ok(Verified { signer, named, workload: Some(workload), statement: None })
    }
}

/// An image, as what is attested of it names it.
fn artifact(digest: &Digest) -> Result<ArtifactDigest, Unproven> {
    let (algorithm, hex) = digest.as_str().split_once(':').unwrap_or_default();
    let algorithm = match algorithm {
        "sha256" => HashAlgorithm::Sha2256,
        "sha512" => HashAlgorithm::Sha2512,
        _ => return Err(Unproven::NotVerified(format!("a keyless signature of a {algorithm} digest"))),
    };
    let bytes = DigestBytes::from_hex(hex).map_err(unreadable)?;
    ArtifactDigest::new(algorithm, bytes).map_err(unreadable)
}

fn unreadable(error: impl std::fmt::Display) -> Unproven {
    Unproven::Wrong(format!("it cannot be read: {error}"))
}

fn of_nobody() -> Unproven {
    Unproven::Wrong("it was made by no key that is known".to_owned())
}

impl Statement {
    fn is_about(&self, digest: &Digest) -> bool {
        let Some((algorithm, hex)) = digest.as_str().split_once(':') else { return false };
        self.subject.iter().any(|subject| subject.digest.get(algorithm).is_some_and(|other| other == hex))
    }
}
