//! Whether a delivery is from GitHub, and how it signs: `X-Hub-Signature-256`, an HMAC-SHA256 of the
//! raw body in hexadecimal after `sha256=`.
//!
//! <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>.
//! The older `X-Hub-Signature` (SHA-1) is not looked at.

use std::fmt;

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use secrecy::ExposeSecret;
use secrecy::SecretString;
use sha2::Sha256;
use thiserror::Error;

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// The shortest webhook secret taken, in bytes: 128 bits, when it is random.
pub const SECRET_MIN_BYTES: usize = 16;

const PREFIX: &[u8] = b"sha256=";
const MAC_BYTES: usize = 32;

/// The webhook secrets that are good now: more than one while they are being rotated.
#[derive(Clone)]
pub struct WebhookSecrets {
    /// Keyed once, cloned for every delivery.
    keyed: Vec<Hmac<Sha256>>,
}

/// The operator gave no webhook secret, or one that can be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("every webhook secret needs at least {SECRET_MIN_BYTES} bytes, and there must be one")]
pub struct WeakSecret;

/// A signature as the header says it; not yet known to be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; MAC_BYTES]);

impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookSecrets({} of them)", self.keyed.len())
    }
}

impl WebhookSecrets {
    /// Takes the secrets.
    ///
    /// # Errors
    /// When there is none, or one is shorter than [`SECRET_MIN_BYTES`].
    pub fn new(secrets: &[SecretString]) -> Result<WebhookSecrets, WeakSecret> {
        let keyed = secrets
            .iter()
            .map(|secret| {
                let secret = secret.expose_secret().as_bytes();
                if secret.len() < SECRET_MIN_BYTES {
                    return Err(WeakSecret);
                }
                Hmac::new_from_slice(secret).map_err(|_| WeakSecret)
            })
            .collect::<Result<Vec<_>, _>>()?;
        if keyed.is_empty() { Err(WeakSecret) } else { Ok(WebhookSecrets { keyed }) }
    }

    /// Whether one of the secrets made this signature of this body; takes the same time
    /// wherever they differ.
    #[must_use]
    pub fn verify(&self, signature: &Signature, body: &[u8]) -> bool {
        self.keyed.iter().any(|keyed| keyed.clone().chain_update(body).verify_slice(&signature.0).is_ok())
    }
}

impl Signature {
    /// Reads the header's value; `None` when it is not `sha256=` and 64 hexadecimal digits.
    #[must_use]
    pub fn read(header: &[u8]) -> Option<Signature> {
        let digits = header.strip_prefix(PREFIX)?;
        if digits.len() != 2 * MAC_BYTES {
            return None;
        }
        let mut mac = [0; MAC_BYTES];
        for (byte, pair) in mac.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex(pair[0])? << 4 | hex(pair[1])?;
        }
        Some(Signature(mac))
    }
}

/// What [`SIGNATURE_HEADER`] says of a body that is signed with a secret.
///
/// # Errors
/// When the secret is shorter than [`SECRET_MIN_BYTES`].
pub fn sign(secret: &SecretString, body: &[u8]) -> Result<String, WeakSecret> {
    let secrets = WebhookSecrets::new(std::slice::from_ref(secret))?;
    let mac = secrets.keyed.into_iter().next().ok_or(WeakSecret)?.chain_update(body).finalize();
    let mut signature = String::from("sha256=");
    for byte in mac.into_bytes() {
        signature.push_str(&format!("{byte:02x}"));
    }
    Ok(signature)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's page on validating deliveries.
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn secrets(secrets: &[&str]) -> Result<WebhookSecrets, WeakSecret> {
        let secrets: Vec<SecretString> = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
        WebhookSecrets::new(&secrets)
    }

    fn signature(text: &str) -> Option<Signature> {
        Signature::read(text.as_bytes())
    }

    #[test]
    fn the_published_example_verifies() {
        let secrets = secrets(&[SECRET]).expect("it is long enough");
        let right = signature(SIGNATURE).expect("it is well-formed");
        assert!(secrets.verify(&right, BODY));
        assert!(!secrets.verify(&right, b"Hello, World?"));
        let wrong = signature(&SIGNATURE.replace("3e17", "3e18")).expect("it is well-formed");
        assert!(!secrets.verify(&wrong, BODY));
    }

    #[test]
    fn the_published_example_is_signed_so() {
        assert_eq!(sign(&SecretString::from(SECRET), BODY).as_deref(), Ok(SIGNATURE));
        assert_eq!(sign(&SecretString::from("short"), BODY), Err(WeakSecret));
    }

    #[test]
    fn every_secret_verifies_while_they_are_rotated() {
        let right = signature(SIGNATURE).expect("it is well-formed");
        let both = secrets(&["the new secret, unused", SECRET]).expect("both are long enough");
        assert!(both.verify(&right, BODY));
        let later = secrets(&["the new secret, unused"]).expect("it is long enough");
        assert!(!later.verify(&right, BODY));
    }

    #[test]
    fn no_secret_and_short_secrets_are_refused() {
        for weak in [&[][..], &[""], &["fifteen bytes.."], &[SECRET, ""]] {
            assert!(secrets(weak).is_err(), "{weak:?}");
        }
        assert!(secrets(&["sixteen bytes..."]).is_ok());
    }

    #[test]
    fn other_forms_are_no_signatures() {
        let long = format!("{SIGNATURE}0");
        let sha1 = "sha1=757107ea0eb2509fc211221cce984b8a37570b6d";
        for text in ["", "sha256=", sha1, &SIGNATURE[..70], &long, &SIGNATURE.replace('7', "g")] {
            assert_eq!(signature(text), None, "{text}");
        }
        assert_eq!(signature(&SIGNATURE[7..]), None);
    }

    #[test]
    fn secrets_are_not_printed() {
        let secrets = secrets(&[SECRET]).expect("it is long enough");
        assert_eq!(format!("{secrets:?}"), "WebhookSecrets(1 of them)");
    }
}
