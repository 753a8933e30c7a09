//! cosign's older layout: a signature or an envelope under the tag `.sig` or `.att`,
//! and its certificate and what a log says of it in annotations of the layer. Made
//! into the bundle that it would be today; nothing is verified here.
//!
//! ```text
//! dev.cosignproject.cosign/signature      base64
//! dev.sigstore.cosign/certificate         PEM
//! dev.sigstore.cosign/chain               PEM, the authorities above it
//! dev.sigstore.cosign/bundle              {"SignedEntryTimestamp", "Payload": {"body", "integratedTime", "logIndex", "logID"}}
//! dev.sigstore.cosign/rfc3161timestamp    {"SignedRFC3161Timestamp"}
//! ```
//!
//! Layout: sigstore/cosign `specs/SIGNATURE_SPEC.md`, "Properties".

use std::collections::BTreeMap;
use std::fmt::Display;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use sigstore_verify::types::Bundle;
use sigstore_verify::types::Sha256Hash;

use super::super::unproven::Unproven;
use super::MAX_PARTS;

const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const LOG: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// What a log answered when the signature was put into it: its promise to keep it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Promise {
    signed_entry_timestamp: String,
    payload: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    body: String,
    integrated_time: i64,
    log_index: i64,
    #[serde(rename = "logID")]
    log_id: String,
}

/// What kind of entry it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    api_version: String,
    kind: String,
}

#[derive(Deserialize)]
struct Timestamp {
    #[serde(rename = "SignedRFC3161Timestamp")]
    signed: String,
}

/// Whether there is a certificate.
pub(in super::super) fn is_certified(annotations: &BTreeMap<String, String>) -> bool {
    annotations.contains_key(CERTIFICATE)
}

/// The bundle around a `messageSignature` or a `dsseEnvelope`.
///
/// # Errors
/// When the annotations cannot be read, or are of a form that is not known.
pub(in super::super) fn read(
    annotations: &BTreeMap<String, String>,
    content: &str,
    signed: Value,
) -> Result<Bundle, Unproven> {
    let text = |key: &str| annotations.get(key).map_or("", String::as_str);
    let pem = [CERTIFICATE, CHAIN].map(text).join("\n");
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes())
        .take(MAX_PARTS + 1)
        .map(|certificate| Ok(json!({"rawBytes": STANDARD.encode(certificate.map_err(unreadable)?)})))
        .collect::<Result<Vec<Value>, Unproven>>()?;
    let entry = annotations.get(LOG).map(|text| entry(text)).transpose()?;
    let timestamp = annotations.get(TIMESTAMP).map(|text| serde_json::from_str::<Timestamp>(text));
    let timestamp = timestamp.transpose().map_err(unreadable)?;
    // The first version is content with a promise of the log, the second wants its proof.
    let version = if entry.is_some() { "0.1" } else { "0.2" };
    super::read(json!({
        "mediaType": format!("application/vnd.dev.sigstore.bundle+json;version={version}"),
        "verificationMaterial": {
            "x509CertificateChain": {"certificates": certificates},
            "tlogEntries": entry.into_iter().collect::<Vec<Value>>(),
            "timestampVerificationData": {
                "rfc3161Timestamps":
                    timestamp.iter().map(|one| json!({"signedTimestamp": one.signed})).collect::<Vec<Value>>(),
            },
        },
        content: signed,
    }))
}

/// The entry of the log, which a promise is about.
fn entry(text: &str) -> Result<Value, Unproven> {
    let Promise { signed_entry_timestamp, payload } = serde_json::from_str(text).map_err(unreadable)?;
    let body = STANDARD.decode(&payload.body).map_err(unreadable)?;
    let body: Body = serde_json::from_slice(&body).map_err(unreadable)?;
    Ok(json!({
        "logIndex": payload.log_index.to_string(),
        "logId": {"keyId": Sha256Hash::from_hex(&payload.log_id).map_err(unreadable)?.to_base64()},
        "kindVersion": {"kind": body.kind, "version": body.api_version},
        "integratedTime": payload.integrated_time.to_string(),
        "inclusionPromise": {"signedEntryTimestamp": signed_entry_timestamp},
        "canonicalizedBody": payload.body,
    }))
}

fn unreadable(error: impl Display) -> Unproven {
    Unproven::Wrong(format!("what proves it cannot be read: {error}"))
}
