//! Whether a signature holds, and whose it is. What is merely present is nobody's.
//!
//! Signatures by the operator's keys are verified, in three layouts: cosign's
//! "simple signing" payloads, DSSE envelopes, and Sigstore bundles around such an
//! envelope. A key of the operator's is proof enough: whether a transparency log has
//! its signature is not asked. A bundle with a certificate is not verified here.
//!
//! Layouts: sigstore/cosign `specs/SIGNATURE_SPEC.md`; secure-systems-lab/dsse
//! `protocol.md`, version 1; sigstore/protobuf-specs `sigstore_bundle.proto`.

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

use super::operator::Operator;

/// How cosign's keys sign: ECDSA unless somebody chose otherwise.
const ALGORITHMS: [&dyn VerificationAlgorithm; 4] =
    [&ECDSA_P256_SHA256_ASN1, &ECDSA_P384_SHA384_ASN1, &ED25519, &RSA_PKCS1_2048_8192_SHA256];

/// The type of what an in-toto attestation signs.
const IN_TOTO: &str = "application/vnd.in-toto+json";
/// What a simple signing payload says it is.
const SIMPLE_SIGNING: &str = "cosign container image signature";

/// Verifies signatures.
pub(super) struct Verifying {
    keys: Vec<Key>,
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
    /// What is attested; `None` for a signature of the image alone.
    pub(super) statement: Option<Statement>,
}

/// Why a signature proves nothing, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unproven {
    /// It does not hold.
    Wrong(String),
    /// This version cannot tell.
    NotVerified(String),
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
    /// With the operator's keys.
    ///
    /// # Errors
    /// When a key cannot be read.
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
        Ok(Verifying { keys })
    }

    /// A Sigstore bundle about a digest.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub(super) fn bundle(&self, text: &[u8], digest: &Digest) -> Result<Verified, Unproven> {
        let bundle: Value = serde_json::from_slice(text).map_err(unreadable)?;
        if bundle.pointer("/verificationMaterial/publicKey").is_none() {
            let why = "a keyless signature, which this version does not verify";
            return Err(Unproven::NotVerified(why.to_owned()));
        }
        match bundle.get("dsseEnvelope") {
            Some(envelope) => self.envelope(envelope.to_string().as_bytes(), digest),
            None => Err(Unproven::Wrong("it attests nothing of an image".to_owned())),
        }
    }

    /// A payload of cosign's older layout, and its signature in base64.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub(super) fn simple(
        &self,
        payload: &[u8],
        signature: &str,
        digest: &Digest,
    ) -> Result<Verified, Unproven> {
        let by = self.signed(payload, signature)?;
        let read: Value = serde_json::from_slice(payload).map_err(unreadable)?;
        let critical = &read["critical"];
        let image = &critical["image"]["docker-manifest-digest"];
        if critical["type"] != SIMPLE_SIGNING || *image != digest.as_str() {
            return Err(Unproven::Wrong("it is the signature of another image".to_owned()));
        }
        Ok(Verified { signer: by.signer.clone(), statement: None })
    }

    /// A DSSE envelope with an in-toto statement about a digest.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub(super) fn envelope(&self, text: &[u8], digest: &Digest) -> Result<Verified, Unproven> {
        let envelope: Envelope = serde_json::from_slice(text).map_err(unreadable)?;
        if envelope.payload_type != IN_TOTO {
            return Err(Unproven::Wrong(format!(
                "it attests nothing that is read: {}",
                envelope.payload_type
            )));
        }
        let payload = STANDARD.decode(&envelope.payload).map_err(unreadable)?;
        let mut signed = format!("DSSEv1 {} {IN_TOTO} {} ", IN_TOTO.len(), payload.len()).into_bytes();
        signed.extend_from_slice(&payload);
        let mut by = envelope.signatures.iter().filter_map(|one| self.signed(&signed, &one.sig).ok());
        let signer = by.next().ok_or_else(of_nobody)?.signer.clone();
        let statement: Statement = serde_json::from_slice(&payload).map_err(unreadable)?;
        if !statement.is_about(digest) {
            return Err(Unproven::Wrong("it attests another image".to_owned()));
        }
        Ok(Verified { signer, statement: Some(statement) })
    }

    /// The key that signed these bytes.
    fn signed(&self, bytes: &[u8], signature: &str) -> Result<&Key, Unproven> {
        let signature = STANDARD.decode(signature).map_err(unreadable)?;
        let holds = |key: &&Key| key.parsed.iter().any(|parsed| parsed.verify_sig(bytes, &signature).is_ok());
        self.keys.iter().find(holds).ok_or_else(of_nobody)
    }
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
