//! The OCI distribution API (specification 1.1), read only: what a tag stands for,
//! manifests, indexes, referrers, small blobs; with Basic and Bearer authentication.
//!
//! A registry is asked once how it lets in, and a token is fetched once for each
//! repository scope, so that 50 images cost 50 HEADs. Everything goes through the
//! guard. What is fetched by digest is checked against it.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fromguard_core::image::Digest;
use fromguard_core::image::ImageRef;
use http::HeaderMap;
use http::HeaderValue;
use http::Method;
use http::StatusCode;
use http::header::LINK;
use secrecy::ExposeSecret;
use serde::Deserialize;
use url::Url;

use super::challenge::Challenge;
use super::error::Error;
use super::guard::Answer;
use super::guard::Credentials;
use super::guard::Guard;
use super::guard::Request;
use super::guard::Way;
use super::manifest::Descriptor;
use super::manifest::INDEX_TYPE;
use super::manifest::MANIFEST_TYPES;
use super::manifest::Manifest;
use super::manifest::digest_of;
use super::manifest::has_digest;
use super::shelf::Lifetimes;
use super::shelf::Shelf;
use crate::clock::TimestampMs;

/// How long it is remembered how a registry lets in, and that it does not answer.
const DOORS: Lifetimes = Lifetimes {
    fresh: Duration::from_secs(3_600),
    stale: Duration::from_secs(3_600),
    error: Duration::from_secs(30),
};
/// How long a token holds whose realm does not say.
const TOKEN_SECONDS: i64 = 60;
/// A token is not used in its last seconds.
const TOKEN_MARGIN_SECONDS: i64 = 10;
/// Nor longer than this.
const TOKEN_MAX_SECONDS: i64 = 3_600;
/// How many repositories have a token at once.
const MAX_TOKENS: usize = 4096;
/// How many pages of referrers are read.
const MAX_PAGES: usize = 3;
/// The largest blob that is fetched, in bytes.
const MAX_BLOB_BYTES: u64 = 4 * 1024 * 1024;
/// The longest token that is taken, in bytes.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// A registry's repository, and who asks for it.
#[derive(Clone)]
pub(super) struct Place {
    way: Arc<Way>,
    repository: String,
    /// Whether the operator's credentials may be used: what is learnt with them is
    /// shown in private repositories only.
    as_user: bool,
}

/// What a repository is asked with, and until when that holds.
type Pass = Arc<tokio::sync::Mutex<Option<(HeaderValue, TimestampMs)>>>;

/// Asks registries; cheap to clone.
#[derive(Clone)]
pub(super) struct Client {
    guard: Guard,
    /// How each registry lets in, by its name.
    doors: Arc<Shelf<String, Challenge>>,
    passes: Arc<Mutex<HashMap<Scope, Pass>>>,
}

/// What a pass is for: registry, repository, and whether credentials are used.
type Scope = (String, String, bool);

/// What an image says of itself: claims, and proof of nothing.
pub(super) type Labels = BTreeMap<String, String>;

/// An image's configuration, as far as it is read.
#[derive(Deserialize)]
struct Config {
    config: Option<Labelled>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Labelled {
    labels: Option<Labels>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<i64>,
}

impl Client {
    pub(super) fn new(guard: Guard) -> Client {
        Client { guard, doors: Arc::new(Shelf::new(DOORS)), passes: Arc::default() }
    }

    /// The place of an image; an error when its registry is not contacted.
    pub(super) fn place(&self, image: &ImageRef, contact: &[String], private: bool) -> Result<Place, Error> {
        let way = self.guard.way(&image.registry, contact)?;
        let as_user = private && way.row.credentials.is_some();
        Ok(Place { way, repository: image.repository.clone(), as_user })
    }

    /// The digest that a tag stands for. Docker Hub does not count it as a pull.
    pub(super) async fn head(&self, place: &Place, tag: &str) -> Result<Digest, Error> {
        let path = format!("manifests/{tag}");
        let answer = self.ask(place, Method::HEAD, &path, MANIFEST_TYPES).await?;
        match stated_digest(&answer.headers) {
            Some(digest) => Ok(digest),
            // The header is optional; what is there can be hashed.
            None => {
                let answer = self.ask(place, Method::GET, &path, MANIFEST_TYPES).await?;
                Ok(digest_of(&answer.body))
            }
        }
    }

    /// A manifest or index by its digest.
    pub(super) async fn manifest(&self, place: &Place, digest: &Digest) -> Result<Manifest, Error> {
        let answer = self.ask(place, Method::GET, &format!("manifests/{digest}"), MANIFEST_TYPES).await?;
        check(&answer.body, digest)?;
        read(&answer.body)
    }

    /// The manifest that a tag stands for now, and its digest; `None` when there is no such tag.
    pub(super) async fn tagged(&self, place: &Place, tag: &str) -> Result<Option<(Digest, Manifest)>, Error> {
        match self.ask(place, Method::GET, &format!("manifests/{tag}"), MANIFEST_TYPES).await {
            Ok(answer) => Ok(Some((digest_of(&answer.body), read(&answer.body)?))),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A small blob.
    pub(super) async fn blob(&self, place: &Place, descriptor: &Descriptor) -> Result<Bytes, Error> {
        let limit_bytes = usize::try_from(MAX_BLOB_BYTES).unwrap_or(usize::MAX);
        if descriptor.size > MAX_BLOB_BYTES {
            return Err(Error::TooLarge { limit_bytes });
        }
        let digest =
            descriptor.digest().ok_or_else(|| Error::Malformed("a blob without a digest".to_owned()))?;
        let answer = self.ask(place, Method::GET, &format!("blobs/{digest}"), "*/*").await?;
        check(&answer.body, &digest)?;
        Ok(answer.body)
    }

    /// What refers to a digest: by the referrers API or, where a registry has none,
    /// by the tag that stands for it.
    pub(super) async fn referrers(&self, place: &Place, digest: &Digest) -> Result<Vec<Descriptor>, Error> {
        let mut found = Vec::new();
        let mut next = place.url(&format!("referrers/{digest}"))?;
        for page in 0..MAX_PAGES {
            let answer = match self.ask_at(place, Method::GET, next.clone(), INDEX_TYPE).await {
                Ok(answer) => answer,
                Err(Error::NotFound) if page == 0 => {
                    let tagged = self.tagged(place, &referrers_tag(digest)).await?;
                    return Ok(tagged.map(|(_, index)| index.manifests).unwrap_or_default());
                }
                Err(error) => return Err(error),
            };
            found.extend(read(&answer.body)?.manifests);
            match next_page(&answer.headers) {
                Some(link) => {
                    next = next.join(&link).map_err(|error| Error::Malformed(error.to_string()))?;
                }
                None => return Ok(found),
            }
        }
        Err(Error::Malformed(format!("more than {MAX_PAGES} pages of referrers")))
    }

    /// The labels of an image; of an index, those of its first image.
    pub(super) async fn labels(&self, place: &Place, digest: &Digest) -> Result<Labels, Error> {
        let mut manifest = self.manifest(place, digest).await?;
        if let Some(child) = manifest.manifests.first().and_then(Descriptor::digest) {
            manifest = self.manifest(place, &child).await?;
        }
        let Some(config) = &manifest.config else { return Ok(Labels::new()) };
        let config = self.blob(place, config).await?;
        let config: Config = serde_json::from_slice(&config)
            .map_err(|error| Error::Malformed(format!("an image's configuration: {error}")))?;
        Ok(config.config.and_then(|config| config.labels).unwrap_or_default())
    }

    async fn ask(&self, place: &Place, method: Method, path: &str, accept: &str) -> Result<Answer, Error> {
        self.ask_at(place, method, place.url(path)?, accept).await
    }

    async fn ask_at(&self, place: &Place, method: Method, url: Url, accept: &str) -> Result<Answer, Error> {
        let mut renewed = false;
        loop {
            let authorization = self.authorization(place, renewed).await?;
            let shown = authorization.is_some();
            let request = Request { method: method.clone(), url: url.as_str(), accept, authorization };
            let answer = self.guard.send(&place.way, request).await?;
            // A token may end early; a second one is not asked for again.
            if answer.status == StatusCode::UNAUTHORIZED && shown && !renewed {
                renewed = true;
                continue;
            }
            return succeeded(answer);
        }
    }

    /// What has to be shown for a repository, `None` where nothing has to be.
    async fn authorization(&self, place: &Place, renew: bool) -> Result<Option<HeaderValue>, Error> {
        let credentials = place.way.row.credentials.as_ref().filter(|_| place.as_user);
        match self.challenge(&place.way).await? {
            Challenge::Open => Ok(None),
            Challenge::Basic => match credentials {
                Some(credentials) => Ok(Some(basic(credentials)?)),
                None => Err(Error::Denied),
            },
            Challenge::Bearer { realm, service } => {
                let pass = self.pass(place);
                let mut pass = pass.lock().await;
                let now_ms = self.guard.clock().now_ms();
                match &*pass {
                    Some((shown, until_ms)) if now_ms < *until_ms && !renew => {
                        return Ok(Some(shown.clone()));
                    }
                    _ => {}
                }
                let (shown, seconds) = self.token(place, &realm, service.as_deref(), credentials).await?;
                *pass = Some((shown.clone(), now_ms.saturating_add(seconds * 1_000)));
                Ok(Some(shown))
            }
        }
    }

    fn pass(&self, place: &Place) -> Pass {
        let mut passes = self.passes.lock().expect("no holder panics");
        if passes.len() >= MAX_TOKENS {
            passes.clear();
        }
        let key = (place.way.row.name.clone(), place.repository.clone(), place.as_user);
        Arc::clone(passes.entry(key).or_default())
    }

    /// How a registry lets in, asked of its root.
    async fn challenge(&self, way: &Way) -> Result<Challenge, Error> {
        let asked = self.doors.get(&way.row.name, self.guard.clock(), |_| async {
            let url = format!("{}/v2/", way.row.origin());
            let accept = "application/json";
            let request = Request { method: Method::GET, url: &url, accept, authorization: None };
            let answer = self.guard.send(way, request).await?;
            match answer.status {
                StatusCode::UNAUTHORIZED => Challenge::of(&answer.headers)
                    .ok_or_else(|| Error::Malformed("a refusal that does not say what it wants".to_owned())),
                // Some registries have no root and show everything.
                StatusCode::NOT_FOUND => Ok(Challenge::Open),
                _ => succeeded(answer).map(|_| Challenge::Open),
            }
        });
        Ok(asked.await?.value)
    }

    /// A token for pulling from a repository, and for how many seconds it is good.
    async fn token(
        &self,
        place: &Place,
        realm: &str,
        service: Option<&str>,
        credentials: Option<&Credentials>,
    ) -> Result<(HeaderValue, i64), Error> {
        let mut url = Url::parse(realm).map_err(|error| Error::Malformed(format!("the realm: {error}")))?;
        place.way.permits(&url)?;
        {
            let mut query = url.query_pairs_mut();
            if let Some(service) = service {
                query.append_pair("service", service);
            }
            query.append_pair("scope", &format!("repository:{}:pull", place.repository));
        }
        let authorization = credentials.map(basic).transpose()?;
        let request =
            Request { method: Method::GET, url: url.as_str(), accept: "application/json", authorization };
        let answer = succeeded(self.guard.send(&place.way, request).await?)?;
        let answer: TokenAnswer = serde_json::from_slice(&answer.body)
            .map_err(|error| Error::Malformed(format!("the token: {error}")))?;
        let token = answer.token.or(answer.access_token).filter(|token| token.len() <= MAX_TOKEN_BYTES);
        let token = token.ok_or_else(|| Error::Malformed("the realm gave no token".to_owned()))?;
        let seconds =
            answer.expires_in.unwrap_or(TOKEN_SECONDS).min(TOKEN_MAX_SECONDS) - TOKEN_MARGIN_SECONDS;
        Ok((secret(format!("Bearer {token}"))?, seconds.max(1)))
    }
}

impl Place {
    fn url(&self, path: &str) -> Result<Url, Error> {
        let text = format!("{}/v2/{}/{path}", self.way.row.origin(), self.repository);
        Url::parse(&text).map_err(|error| Error::Malformed(error.to_string()))
    }

    /// The registry's name, for people.
    pub(super) fn registry(&self) -> &str {
        &self.way.row.name
    }

    /// Whether what is learnt here is learnt with credentials.
    pub(super) fn as_user(&self) -> bool {
        self.as_user
    }
}

/// The tag that stands for the referrers of a digest where there is no API for
/// them: distribution specification 1.1, "Referrers tag schema".
fn referrers_tag(digest: &Digest) -> String {
    let (algorithm, hex) = digest.as_str().split_once(':').unwrap_or((digest.as_str(), ""));
    format!("{algorithm}-{}", &hex[..hex.len().min(64)])
}

/// An answer that brings what was asked for.
pub(super) fn succeeded(answer: Answer) -> Result<Answer, Error> {
    match answer.status {
        status if status.is_success() => Ok(answer),
        StatusCode::NOT_FOUND => Err(Error::NotFound),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Error::Denied),
        status if status.is_server_error() => {
            Err(Error::Unreachable(format!("it answers HTTP {}", status.as_u16())))
        }
        status => Err(Error::Malformed(format!("HTTP {}", status.as_u16()))),
    }
}

fn basic(credentials: &Credentials) -> Result<HeaderValue, Error> {
    let text = format!("{}:{}", credentials.user, credentials.password.expose_secret());
    secret(format!("Basic {}", STANDARD.encode(text)))
}

fn secret(text: String) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(text)
        .map_err(|_| Error::Malformed("a token that is no header value".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn stated_digest(headers: &HeaderMap) -> Option<Digest> {
    Digest::parse(headers.get("docker-content-digest")?.to_str().ok()?).ok()
}

/// The target of `Link: <…>; rel="next"`.
fn next_page(headers: &HeaderMap) -> Option<String> {
    let link = headers.get(LINK)?.to_str().ok()?;
    let (target, parameters) = link.strip_prefix('<')?.split_once('>')?;
    parameters.contains("next").then(|| target.to_owned())
}

fn check(bytes: &[u8], digest: &Digest) -> Result<(), Error> {
    match has_digest(bytes, digest) {
        true => Ok(()),
        false => Err(Error::Malformed(format!("what it serves as {digest} has another digest"))),
    }
}

fn read(bytes: &[u8]) -> Result<Manifest, Error> {
    serde_json::from_slice(bytes).map_err(|error| Error::Malformed(format!("a manifest: {error}")))
}
