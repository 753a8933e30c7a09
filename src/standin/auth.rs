//! Who calls: the App by its JWT, or an installation by its token, and what that may reach.
//!
//! Facts: <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>.
//! Verifies with its own code rather than the App's: shared code would hide its own bugs.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::Pkcs8V1Der;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::KeyPair as _;
use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use aws_lc_rs::signature::UnparsedPublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::answer::Answer;
use super::answer::Request;
use super::state::Permissions;
use super::state::Repository;
use super::state::State;
use super::state::Token;
use crate::clock::TimestampMs;

/// The longest that a JWT may be valid, in seconds.
const JWT_LIFETIME_LIMIT_S: i64 = 600;

/// The GitHub App that installations and check runs belong to.
#[derive(Debug)]
pub(super) struct App {
    pub(super) id: u64,
    pub(super) slug: String,
    pub(super) owner: String,
    pub(super) private_key_pem: String,
    pub(super) public_key: Vec<u8>,
    pub(super) permissions: Permissions,
    pub(super) events: Vec<String>,
}

/// A new RSA key as GitHub hands it out: PKCS#1 in PEM.
pub(super) fn generate_key() -> Result<String, String> {
    let key = KeyPair::generate(KeySize::Rsa2048).map_err(|_| "an RSA key could not be made".to_owned())?;
    let pkcs8: Pkcs8V1Der<'_> = key.as_der().map_err(|_| "the RSA key could not be written".to_owned())?;
    // RFC 5958: version, algorithm, then the PKCS#1 key as an octet string that ends the structure.
    let der = pkcs8.as_ref();
    let at = der
        .windows(2)
        .skip(4)
        .position(|bytes| bytes == [0x30, 0x82])
        .map(|at| at + 4)
        .ok_or_else(|| "the RSA key is not in the expected form".to_owned())?;
    let text = STANDARD.encode(&der[at..]);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    Ok(format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", lines.join("\n")))
}

/// The public key that belongs to a private one in PEM, PKCS#1 or PKCS#8.
pub(super) fn public_key(pem: &str) -> Result<Vec<u8>, String> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    let der = STANDARD.decode(body).map_err(|_| "the App's private key is not PEM".to_owned())?;
    let key = KeyPair::from_der(&der)
        .or_else(|_| KeyPair::from_pkcs8(&der))
        .map_err(|_| "the App's private key is not an RSA key of 2048 to 8192 bits".to_owned())?;
    Ok(key.public_key().as_ref().to_vec())
}

/// The credentials of a request, without their scheme.
fn bearer(request: &Request) -> Option<&str> {
    let (scheme, value) = request.header("authorization")?.split_once(' ')?;
    ["bearer", "token"].contains(&scheme.to_ascii_lowercase().as_str()).then_some(value.trim())
}

/// Lets the App itself through, by its JWT.
pub(super) fn app(request: &Request, app: &App, now_ms: TimestampMs) -> Result<(), Answer> {
    let undecodable = || Answer::error(401, "A JSON web token could not be decoded");
    let token = bearer(request).ok_or_else(undecodable)?;
    let (signed, signature) = token.rsplit_once('.').ok_or_else(undecodable)?;
    let (header, claims) = signed.split_once('.').ok_or_else(undecodable)?;
    let decode =
        |part: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    let header = decode(header).ok_or_else(undecodable)?;
    let claims = decode(claims).ok_or_else(undecodable)?;
    if header["alg"] != "RS256" {
        return Err(undecodable());
    }
    let issuer = match &claims["iss"] {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    if issuer != Some(app.id) {
        return Err(Answer::error(404, "Integration not found"));
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| undecodable())?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &app.public_key)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| undecodable())?;

    let now_s = now_ms.div_euclid(1000);
    let refused = |why: &str| Err(Answer::error(401, why));
    match claims["exp"].as_i64() {
        Some(expires_s) if expires_s > now_s + JWT_LIFETIME_LIMIT_S => {
            refused("'Expiration time' claim ('exp') is too far in the future")
        }
        Some(expires_s) if expires_s > now_s => match claims["iat"].as_i64() {
            Some(issued_s) if issued_s <= now_s => Ok(()),
            _ => refused(
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            ),
        },
        _ => refused(
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        ),
    }
}

/// The installation token of a request, if it is known and has not expired.
pub(super) fn token(request: &Request, state: &State, now_ms: TimestampMs) -> Result<Token, Answer> {
    bearer(request)
        .and_then(|value| state.tokens.get(value))
        .filter(|token| token.expires_ms > now_ms && state.installations.contains_key(&token.installation))
        .cloned()
        .ok_or_else(|| Answer::error(401, "Bad credentials"))
}

/// How far a token may go in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// With the token's own permissions.
    Granted,
    /// It is public, so anyone may read it.
    PublicOnly,
    /// To the token it does not exist.
    Hidden,
}

/// How far `token` goes in `repository`.
pub(super) fn reach(token: &Token, state: &State, repository: &Repository) -> Reach {
    let installed =
        state.installations.get(&token.installation).is_some_and(|found| found.reaches(repository));
    let narrowed = token.repositories.as_ref().is_none_or(|only| only.contains(&repository.id));
    match (installed && narrowed, repository.private) {
        (true, _) => Reach::Granted,
        (false, false) => Reach::PublicOnly,
        (false, true) => Reach::Hidden,
    }
}

/// What a call needs: any one of these permissions, at this level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    pub(super) any_of: &'static [&'static str],
    pub(super) write: bool,
}

impl Needs {
    pub(super) const fn read(any_of: &'static [&'static str]) -> Needs {
        Needs { any_of, write: false }
    }

    pub(super) const fn write(any_of: &'static [&'static str]) -> Needs {
        Needs { any_of, write: true }
    }

    /// Whether the permissions suffice.
    pub(super) fn met_by(self, permissions: &Permissions) -> bool {
        self.any_of.iter().any(|name| match permissions.get(*name).map(String::as_str) {
            Some("write" | "admin") => true,
            Some(_) => !self.write,
            None => false,
        })
    }
}
