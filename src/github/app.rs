//! The App's identity: the JWT that proves it, and the installation tokens that
//! it is exchanged for, each narrowed to one repository and the organisation's
//! `.github`, cached until shortly before it ends, and minted once however many
//! ask at the same time.
//!
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app>

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

use http::Method;
use jsonwebtoken::Algorithm;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::Header;
use secrecy::ExposeSecret;
use secrecy::SecretString;
use serde::Deserialize;
use serde::Serialize;

use crate::clock::Clock;
use crate::clock::TimestampMs;
use crate::counts;
use crate::github::SetUpError;
use crate::github::client::Answer;
use crate::github::client::Call;
use crate::github::client::Client;
use crate::github::error::Error;
use crate::github::pace::Cost;
use crate::github::pace::Pace;
use crate::github::pace::Payer;
use crate::ids::InstallationId;
use crate::ids::RepositoryId;
use crate::ids::RepositoryPlace;

/// How far in the past a JWT says it was issued, against clocks that run ahead.
const JWT_BACKDATED_S: i64 = 60;
/// How long a JWT lives; GitHub takes at most 600 s from its own now.
const JWT_LIFE_S: i64 = 540;
/// A JWT or token that ends sooner than this is not used any more.
const JWT_MARGIN_MS: i64 = 60_000;
const TOKEN_MARGIN_MS: i64 = 5 * 60_000;
/// How long a token without the organisation's `.github` is used before that
/// repository is asked for again: it may have been made or added meanwhile.
const NARROW_TOKEN_LIFE_MS: i64 = 10 * 60_000;
/// How many repositories' tokens are kept before ended ones are swept out.
const SWEEP_AT: usize = 4_096;

/// The repository that holds an organisation's policy.
pub(crate) const ORGANISATION_REPOSITORY: &str = ".github";

/// The App and its tokens.
pub(crate) struct App {
    id: u64,
    key: EncodingKey,
    client: Client,
    pace: Arc<Pace>,
    jwt: Mutex<Option<Jwt>>,
    tokens: Mutex<HashMap<Key, Slot>>,
}

type Key = (InstallationId, RepositoryId);
/// Whoever holds the inner lock mints; the others wait and find the token there.
type Slot = Arc<tokio::sync::Mutex<Option<Token>>>;

struct Jwt {
    secret: SecretString,
    until_ms: TimestampMs,
}

/// An installation token.
#[derive(Clone)]
pub(crate) struct Token {
    secret: Arc<SecretString>,
    until_ms: TimestampMs,
}

impl Token {
    pub(crate) fn secret(&self) -> &SecretString {
        &self.secret
    }
}

impl App {
    pub(crate) fn new(
        id: u64,
        private_key: &SecretString,
        client: Client,
        pace: Arc<Pace>,
    ) -> Result<App, SetUpError> {
        let key = EncodingKey::from_rsa_pem(private_key.expose_secret().trim().as_bytes())
            .map_err(|error| SetUpError::PrivateKey(error.to_string()))?;
        Ok(App { id, key, client, pace, jwt: Mutex::default(), tokens: Mutex::default() })
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    fn clock(&self) -> &Clock {
        self.client.clock()
    }

    /// The JWT, signed anew when the last one is about to end.
    pub(crate) fn jwt(&self) -> Result<SecretString, Error> {
        #[derive(Serialize)]
        struct Claims {
            iss: String,
            iat: i64,
            exp: i64,
        }

        let now_ms = self.clock().now_ms();
        let mut cached = self.jwt.lock().expect("no holder of the JWT panics");
        if let Some(jwt) = cached.as_ref().filter(|jwt| jwt.until_ms - JWT_MARGIN_MS > now_ms) {
            return Ok(jwt.secret.clone());
        }
        let now_s = now_ms.div_euclid(1_000);
        let claims =
            Claims { iss: self.id.to_string(), iat: now_s - JWT_BACKDATED_S, exp: now_s + JWT_LIFE_S };
        let secret = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key)
            .map_err(|error| Error::Key { reason: error.to_string() })?;
        let jwt = Jwt { secret: SecretString::from(secret), until_ms: claims.exp * 1_000 };
        let secret = jwt.secret.clone();
        *cached = Some(jwt);
        Ok(secret)
    }

    /// A REST call in the App's own name.
    pub(crate) async fn rest(&self, call: Call<'_>) -> Result<Answer, Error> {
        let (jwt, cost) = (self.jwt()?, Cost::of_rest(&call.method));
        self.pace.send(Payer::App, cost, self.clock(), self.client.rest(&jwt, call)).await
    }

    /// A REST call in the App's name that an installation wants.
    async fn rest_for(&self, installation: InstallationId, call: Call<'_>) -> Result<Answer, Error> {
        let (jwt, cost) = (self.jwt()?, Cost::of_rest(&call.method));
        self.pace.send_for(installation, cost, self.clock(), self.client.rest(&jwt, call)).await
    }

    /// A token for this repository, out of the cache if it lives long enough.
    pub(crate) async fn token(&self, place: &RepositoryPlace) -> Result<Token, Error> {
        let slot = self.slot(place);
        let mut cached = slot.lock().await;
        if let Some(token) = cached.as_ref().filter(|token| self.lives(token)) {
            return Ok(token.clone());
        }
        let token = self.mint(place).await?;
        *cached = Some(token.clone());
        Ok(token)
    }

    /// Forgets a token that GitHub refused, unless another took its place already.
    pub(crate) async fn refused(&self, place: &RepositoryPlace, token: &Token) {
        let slot = self.slot(place);
        let mut cached = slot.lock().await;
        if cached.as_ref().is_some_and(|it| it.secret.expose_secret() == token.secret.expose_secret()) {
            *cached = None;
        }
    }

    fn lives(&self, token: &Token) -> bool {
        token.until_ms > self.clock().now_ms()
    }

    fn slot(&self, place: &RepositoryPlace) -> Slot {
        let mut tokens = self.tokens.lock().expect("no holder of the tokens panics");
        if tokens.len() >= SWEEP_AT {
            tokens.retain(|_, slot| match slot.try_lock() {
                Ok(token) => token.as_ref().is_some_and(|token| self.lives(token)),
                Err(_) => true,
            });
        }
        Arc::clone(tokens.entry((place.installation, place.id)).or_default())
    }

    async fn mint(&self, place: &RepositoryPlace) -> Result<Token, Error> {
        let name = place.name.name.as_str();
        let both = if name == ORGANISATION_REPOSITORY {
            Narrowed { repositories: Some(vec![name]), repository_ids: None }
        } else {
            Narrowed { repositories: Some(vec![name, ORGANISATION_REPOSITORY]), repository_ids: None }
        };
        match self.exchange(place, &both).await {
            // One of the two is out of the installation's reach, or the repository
            // was renamed: by its number, alone.
            Err(Error::Unprocessable { .. }) => {
                let alone = Narrowed { repositories: None, repository_ids: Some([place.id]) };
                let mut token = self.exchange(place, &alone).await?;
                token.until_ms = token.until_ms.min(self.clock().now_ms() + NARROW_TOKEN_LIFE_MS);
                Ok(token)
            }
            other => other,
        }
    }

    async fn exchange(&self, place: &RepositoryPlace, body: &Narrowed<'_>) -> Result<Token, Error> {
        #[derive(Deserialize)]
        struct Minted {
            token: String,
            expires_at: String,
        }

        let path = format!("/app/installations/{}/access_tokens", place.installation);
        let call = Call::send(Method::POST, "the installation", &path, body);
        let minted: Minted = self.rest_for(place.installation, call).await?.json()?;
        let expires_at: jiff::Timestamp = minted
            .expires_at
            .parse()
            .map_err(|_| Error::Malformed { reason: "a token whose expires_at is no time".into() })?;
        counts::TOKENS_MINTED.add();
        Ok(Token {
            secret: Arc::new(SecretString::from(minted.token)),
            until_ms: expires_at.as_millisecond() - TOKEN_MARGIN_MS,
        })
    }

    /// A token that lists what an installation reaches, and may do nothing else.
    pub(crate) async fn metadata_token(&self, installation: InstallationId) -> Result<SecretString, Error> {
        #[derive(Serialize)]
        struct Body {
            permissions: Permissions,
        }
        #[derive(Serialize)]
        struct Permissions {
            metadata: &'static str,
        }
        #[derive(Deserialize)]
        struct Minted {
            token: String,
        }

        let path = format!("/app/installations/{installation}/access_tokens");
        let body = Body { permissions: Permissions { metadata: "read" } };
        let call = Call::send(Method::POST, "the installation", &path, &body);
        let minted: Minted = self.rest_for(installation, call).await?.json()?;
        counts::TOKENS_MINTED.add();
        Ok(SecretString::from(minted.token))
    }

    /// Whether the installation covers every repository of its account.
    pub(crate) async fn covers_all(&self, installation: InstallationId) -> Result<bool, Error> {
        #[derive(Deserialize)]
        struct Installation {
            repository_selection: String,
        }

        let path = format!("/app/installations/{installation}");
        let call = Call::get("the installation", &path);
        let found: Installation = self.rest_for(installation, call).await?.json()?;
        Ok(found.repository_selection == "all")
    }
}

#[derive(Serialize)]
struct Narrowed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    repositories: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository_ids: Option<[RepositoryId; 1]>,
}
