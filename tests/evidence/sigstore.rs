//! An instance of Sigstore of the tests' own: an authority that gives certificates for
//! ten minutes, its log of certificates, a transparency log and a timestamp authority,
//! each with a key that is made anew. It signs as cosign and
//! `actions/attest-build-provenance` do, and `trusted_root` says whom to believe.

use std::time::Duration;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::CertificateParams;
use rcgen::CustomExtension;
use rcgen::DistinguishedName;
use rcgen::DnType;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::Issuer;
use rcgen::KeyPair;
use rcgen::PublicKeyData;
use rcgen::SanType;
use serde_json::Value;
use serde_json::json;

/// 2025-06-01T00:00:00Z: from then on certificates are valid, in seconds.
pub(crate) const CERTIFIED_S: i64 = 1_748_736_000;
/// For so long.
const VALID_S: u64 = 600;
/// The arc of the extensions that Fulcio gives, and of the list of SCTs (RFC 6962).
const FULCIO: [u64; 8] = [1, 3, 6, 1, 4, 1, 57264, 1];
const SCTS: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
/// The name of the timestamp authority's own authority, and its number of the former.
const TIMES: &str = "times.example";
const SERIAL: u8 = 7;

/// The whole instance.
pub(crate) struct Sigstore {
    authority: Authority,
    certificates: Log,
    entries: Log,
    times: Authority,
    /// The timestamp authority itself.
    clock: EcdsaKeyPair,
    clock_certificate: Vec<u8>,
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Vec<u8>,
    public: Vec<u8>,
}

struct Log {
    pair: EcdsaKeyPair,
    public: Vec<u8>,
}

/// Somebody with a certificate, and its key.
pub(crate) struct Person {
    certificate: Vec<u8>,
    pem: String,
    pair: EcdsaKeyPair,
}

impl Person {
    /// The same certificate in front of another's key.
    pub(crate) fn with_key_of(self, other: Person) -> Person {
        Person { pair: other.pair, ..self }
    }
}

/// What somebody signed that the log has: the log's word, and the entry.
struct Entry {
    body: String,
    promise: String,
    at_s: i64,
}

impl Sigstore {
    pub(crate) fn new() -> Sigstore {
        let times = Authority::new(TIMES);
        let (key, clock) = keys();
        let mut params = params("clock.example");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::TimeStamping];
        params.serial_number = Some(vec![SERIAL].into());
        let certificate = params.signed_by(&key, &times.issuer).expect("a certificate");
        Sigstore {
            authority: Authority::new("sigstore.example"),
            certificates: Log::new(),
            entries: Log::new(),
            times,
            clock,
            clock_certificate: certificate.der().to_vec(),
        }
    }

    /// Whom to believe. Without logs it is as GitHub's own: by timestamps alone.
    pub(crate) fn trusted_root(&self, logs: bool) -> String {
        let since = json!({"start": "2025-01-01T00:00:00Z"});
        let log = |log: &Log| {
            json!({
                "baseUrl": "https://log.example", "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(&log.public), "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": since,
                },
                "logId": {"keyId": STANDARD.encode(sha256(&log.public))},
            })
        };
        let chain = |certificates: &[&[u8]]| {
            let certificates: Vec<Value> =
                certificates.iter().map(|der| json!({"rawBytes": STANDARD.encode(der)})).collect();
            json!({"uri": "https://authority.example", "certChain": {"certificates": certificates}, "validFor": since})
        };
        let mut root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "certificateAuthorities": [chain(&[&self.authority.certificate])],
            "timestampAuthorities": [chain(&[&self.clock_certificate, &self.times.certificate])],
        });
        if logs {
            root["tlogs"] = json!([log(&self.entries)]);
            root["ctlogs"] = json!([log(&self.certificates)]);
        }
        root.to_string()
    }

    /// A certificate for somebody, with what else it says by the last number of each
    /// extension; in the log of certificates unless it is kept from it.
    pub(crate) fn certify(
        &self,
        issuer: &str,
        identity: &str,
        claims: &[(u64, &str)],
        logged: bool,
    ) -> Person {
        let (key, pair) = keys();
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name = DistinguishedName::new();
        params.subject_alt_names = vec![SanType::URI(identity.try_into().expect("an address"))];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        params.not_before = rcgen::date_time_ymd(2025, 6, 1);
        params.not_after = params.not_before + Duration::from_secs(VALID_S);
        params.serial_number = Some(vec![1].into());
        for (number, text) in [(8, issuer)].iter().chain(claims) {
            let oid = [FULCIO.as_slice(), &[*number]].concat();
            params
                .custom_extensions
                .push(CustomExtension::from_oid_content(&oid, tlv(0x0c, &[text.as_bytes()])));
        }
        if logged {
            let before = params.signed_by(&key, &self.authority.issuer).expect("a certificate");
            let list = self.certificates.certificate_timestamp(before.der(), &self.authority.public);
            params.custom_extensions.push(CustomExtension::from_oid_content(&SCTS, tlv(0x04, &[&list])));
        }
        let certificate = params.signed_by(&key, &self.authority.issuer).expect("a certificate");
        Person { certificate: certificate.der().to_vec(), pem: certificate.pem(), pair }
    }

    /// A bundle around an attestation, with the log's proof.
    pub(crate) fn attest(&self, who: &Person, statement: &Value, at_s: i64) -> Value {
        let (envelope, entry) = self.attested(who, statement, at_s);
        let body = STANDARD.decode(&entry.body).expect("base64");
        let id = sha256(&self.entries.public);
        let mut bundle = bundle(who, &envelope);
        bundle["verificationMaterial"]["tlogEntries"] = json!([{
            "logIndex": "0", "logId": {"keyId": STANDARD.encode(id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"}, "integratedTime": entry.at_s.to_string(),
            "inclusionPromise": {"signedEntryTimestamp": entry.promise},
            "inclusionProof": self.entries.prove(&body), "canonicalizedBody": entry.body,
        }]);
        bundle
    }

    /// The same by the second version of the log, which keeps no time: the timestamp
    /// authority says when.
    pub(crate) fn attest_anew(&self, who: &Person, statement: &Value, time: &str) -> Value {
        let mut bundle = self.attest_unlogged(who, statement, time);
        let envelope = &bundle["dsseEnvelope"];
        let (payload, signature) = (&envelope["payload"], envelope["signatures"][0]["sig"].clone());
        let payload = STANDARD.decode(payload.as_str().expect("text")).expect("base64");
        let signed = [pae(payload.len()).as_bytes(), &payload].concat();
        let body = json!({
            "apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": {
                "data": {"algorithm": "SHA2_256", "digest": STANDARD.encode(sha256(&signed))},
                "signature": {"content": signature, "verifier": {
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "x509Certificate": {"rawBytes": STANDARD.encode(&who.certificate)},
                }},
            }},
        });
        let body = body.to_string();
        bundle["verificationMaterial"]["tlogEntries"] = json!([{
            "logIndex": "0", "logId": {"keyId": STANDARD.encode(sha256(&self.entries.public))},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
            "inclusionProof": self.entries.prove(body.as_bytes()), "canonicalizedBody": STANDARD.encode(body),
        }]);
        bundle
    }

    /// A bundle around an attestation of which only the timestamp authority knows.
    pub(crate) fn attest_unlogged(&self, who: &Person, statement: &Value, time: &str) -> Value {
        let (envelope, signature) = enveloped(who, statement);
        let mut bundle = bundle(who, &envelope);
        let token = STANDARD.encode(self.timestamp(&signature, time));
        bundle["verificationMaterial"]["timestampVerificationData"] =
            json!({"rfc3161Timestamps": [{"signedTimestamp": token}]});
        bundle
    }

    /// The annotations of a payload that cosign 2 signs.
    pub(crate) fn sign(&self, who: &Person, payload: &[u8], at_s: i64) -> Value {
        let signature = STANDARD.encode(sign(&who.pair, payload));
        let entry = self.entries.take(
            json!({
                "apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {
                    "data": {"hash": {"algorithm": "sha256", "value": hex(&sha256(payload))}},
                    "signature": {"content": signature, "publicKey": {"content": STANDARD.encode(&who.pem)}},
                },
            }),
            at_s,
        );
        let mut annotations = self.older(who, entry);
        annotations["dev.cosignproject.cosign/signature"] = signature.into();
        annotations
    }

    /// The envelope and the annotations of what cosign 2 attests.
    pub(crate) fn attest_older(&self, who: &Person, statement: &Value, at_s: i64) -> (Value, Value) {
        let (envelope, entry) = self.attested(who, statement, at_s);
        (envelope, self.older(who, entry))
    }

    fn older(&self, who: &Person, entry: Entry) -> Value {
        let log = json!({
            "SignedEntryTimestamp": entry.promise,
            "Payload": {
                "body": entry.body, "integratedTime": entry.at_s, "logIndex": 0,
                "logID": hex(&sha256(&self.entries.public)),
            },
        });
        json!({"dev.sigstore.cosign/certificate": who.pem, "dev.sigstore.cosign/bundle": log.to_string()})
    }

    fn attested(&self, who: &Person, statement: &Value, at_s: i64) -> (Value, Entry) {
        let (envelope, signature) = enveloped(who, statement);
        let payload = STANDARD.decode(envelope["payload"].as_str().expect("it is there")).expect("base64");
        let body = json!({
            "apiVersion": "0.0.1", "kind": "dsse", "spec": {
                "envelopeHash": {"algorithm": "sha256", "value": hex(&sha256(envelope.to_string().as_bytes()))},
                "payloadHash": {"algorithm": "sha256", "value": hex(&sha256(&payload))},
                "signatures": [{"signature": STANDARD.encode(signature), "verifier": STANDARD.encode(&who.pem)}],
            },
        });
        (envelope, self.entries.take(body, at_s))
    }

    /// A timestamp token (RFC 3161, in the SignedData of RFC 5652) of a signature, at a
    /// time as ASN.1 writes it.
    fn timestamp(&self, of: &[u8], time: &str) -> Vec<u8> {
        let sha256_with = tlv(0x30, &[&oid(&[2, 16, 840, 1, 101, 3, 4, 2, 1])]);
        let imprint = tlv(0x30, &[&sha256_with, &tlv(0x04, &[&sha256(of)])]);
        let number = |number: u8| tlv(0x02, &[&[number]]);
        let policy = oid(&[1, 3, 6, 1, 4, 1, 57264, 2]);
        let stamp = [&number(1), &policy, &imprint, &number(1), &tlv(0x18, &[time.as_bytes()])];
        let stamp = tlv(0x30, &stamp.map(Vec::as_slice));
        let of_stamp = oid(&[1, 2, 840, 113_549, 1, 9, 16, 1, 4]);
        let attribute = |number: u64, value: &[u8]| {
            tlv(0x30, &[&oid(&[1, 2, 840, 113_549, 1, 9, number]), &tlv(0x31, &[value])])
        };
        let attributes = [attribute(3, &of_stamp), attribute(4, &tlv(0x04, &[&sha256(&stamp)]))];
        let attributes: Vec<&[u8]> = attributes.iter().map(Vec::as_slice).collect();
        let signature = sign(&self.clock, &tlv(0x31, &attributes));
        let name = tlv(0x30, &[&oid(&[2, 5, 4, 3]), &tlv(0x0c, &[TIMES.as_bytes()])]);
        let name = tlv(0x30, &[&tlv(0x31, &[&name])]);
        let signer = tlv(
            0x30,
            &[
                &number(1),
                &tlv(0x30, &[&name, &number(SERIAL)]),
                &sha256_with,
                &tlv(0xa0, &attributes),
                &tlv(0x30, &[&oid(&[1, 2, 840, 10045, 4, 3, 2])]),
                &tlv(0x04, &[&signature]),
            ],
        );
        let content = tlv(0x30, &[&of_stamp, &tlv(0xa0, &[&tlv(0x04, &[&stamp])])]);
        let data = tlv(0x30, &[&number(3), &tlv(0x31, &[&sha256_with]), &content, &tlv(0x31, &[&signer])]);
        tlv(0x30, &[&oid(&[1, 2, 840, 113_549, 1, 7, 2]), &tlv(0xa0, &[&data])])
    }
}

impl Authority {
    fn new(name: &str) -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate").der().to_vec();
        let public = key.subject_public_key_info();
        Authority { issuer: Issuer::new(params, key), certificate, public }
    }
}

impl Log {
    fn new() -> Log {
        let (key, pair) = keys();
        Log { pair, public: key.subject_public_key_info() }
    }

    /// The proof that an entry is in the log, which is the only one in it.
    fn prove(&self, body: &[u8]) -> Value {
        let root = STANDARD.encode(sha256(&[&[0], body].concat()));
        let state = format!("log.example\n1\n{root}\n");
        let signature = sign(&self.pair, state.as_bytes());
        let signature = STANDARD.encode([&sha256(&self.public)[..4], &signature].concat());
        json!({
            "logIndex": "0", "rootHash": root, "treeSize": "1", "hashes": [],
            "checkpoint": {"envelope": format!("{state}\n\u{2014} log.example {signature}\n")},
        })
    }

    /// Takes an entry, and promises to keep it.
    fn take(&self, body: Value, at_s: i64) -> Entry {
        let body = STANDARD.encode(body.to_string());
        let id = hex(&sha256(&self.public));
        // In the order and without the spaces of canonical JSON.
        let promised = format!(r#"{{"body":"{body}","integratedTime":{at_s},"logID":"{id}","logIndex":0}}"#);
        Entry { body, promise: STANDARD.encode(sign(&self.pair, promised.as_bytes())), at_s }
    }

    /// The list with this log's timestamp of a certificate (RFC 6962, 3.2 and 3.3).
    fn certificate_timestamp(&self, certificate: &[u8], authority: &[u8]) -> Vec<u8> {
        let time = u64::try_from(CERTIFIED_S * 1_000).expect("after 1970").to_be_bytes();
        // SEQUENCE, two bytes of length, and inside it the same: what is to be signed.
        let length = usize::from(u16::from_be_bytes([certificate[6], certificate[7]]));
        let unsigned = &certificate[4..8 + length];
        let three = u32::try_from(unsigned.len()).expect("it is small").to_be_bytes();
        let signed =
            [&[0, 0], time.as_slice(), &[0, 1], &sha256(authority), &three[1..], unsigned, &[0, 0]].concat();
        let signature = sign(&self.pair, &signed);
        let timestamp =
            [&[0], sha256(&self.public).as_slice(), &time, &[0, 0, 4, 3], &sized(&signature)].concat();
        sized(&sized(&timestamp))
    }
}

/// Bytes behind their length in two.
fn sized(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).expect("it is small").to_be_bytes(), bytes].concat()
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// One key, for certificates and for signing.
fn keys() -> (KeyPair, EcdsaKeyPair) {
    let key = KeyPair::generate().expect("a key");
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key.serialize_der());
    (key, pair.expect("it is of that kind"))
}

/// An envelope with a statement, and its signature.
fn enveloped(who: &Person, statement: &Value) -> (Value, Vec<u8>) {
    let payload = statement.to_string();
    let signed = format!("{}{payload}", pae(payload.len()));
    let signature = sign(&who.pair, signed.as_bytes());
    let envelope = json!({
        "payloadType": "application/vnd.in-toto+json", "payload": STANDARD.encode(&payload),
        "signatures": [{"sig": STANDARD.encode(&signature)}],
    });
    (envelope, signature)
}

/// What stands before a payload where it is signed.
fn pae(length: usize) -> String {
    format!("DSSEv1 28 application/vnd.in-toto+json {length} ")
}

/// A bundle without any proof of when it was made.
fn bundle(who: &Person, envelope: &Value) -> Value {
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"certificate": {"rawBytes": STANDARD.encode(&who.certificate)}},
        "dsseEnvelope": envelope,
    })
}

fn sign(pair: &EcdsaKeyPair, bytes: &[u8]) -> Vec<u8> {
    pair.sign(&SystemRandom::new(), bytes).expect("it signs").as_ref().to_vec()
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value of DER.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).expect("it is small").to_be_bytes();
    let length = match content.len() {
        0..=127 => vec![length[1]],
        128..=255 => vec![0x81, length[1]],
        _ => vec![0x82, length[0], length[1]],
    };
    [&[tag], length.as_slice(), &content].concat()
}

/// An object identifier of DER.
fn oid(arcs: &[u64]) -> Vec<u8> {
    let mut content = Vec::new();
    for arc in std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied()) {
        let groups = (0..10).rev().map(|group| (arc >> (7 * group)) & 0x7f);
        let groups: Vec<u64> = groups.skip_while(|group| *group == 0).collect();
        let last = groups.len().saturating_sub(1);
        for (at, group) in groups.iter().enumerate() {
            let more = if at == last { 0 } else { 0x80 };
            content.push(u8::try_from(*group).expect("seven bits") | more);
        }
        if groups.is_empty() {
            content.push(0);
        }
    }
    tlv(0x06, &[&content])
}
