//! How an App is set up on GitHub, asked for and not judged: its permissions and events, its
//! webhook, its installations and what they have left of their limits, what a branch requires.
//!
//! <https://docs.github.com/en/rest/apps/apps>, <https://docs.github.com/en/rest/repos/rules>

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::clock::TimestampMs;
use crate::github::GitHub;
use crate::github::client::Call;
use crate::github::client::segment;
use crate::github::error::Error;
use crate::github::repository::Repository;
use crate::github::repository::repository_path;
use crate::ids::InstallationId;
use crate::ids::RepositoryId;
use crate::ids::RepositoryName;
use crate::ids::RepositoryPlace;

/// How many pages of 100 installations, or of a branch's rules, are read.
const MAX_PAGES: usize = 100;
const PAGE: usize = 100;

/// Permissions: name to `read`, `write` or `admin`.
pub type Permissions = BTreeMap<String, String>;

/// An account.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Described")]
pub struct Account {
    /// Its name in addresses.
    pub login: String,
    /// `User` or `Organization`, where GitHub says so.
    pub kind: String,
}

/// An account as GitHub describes it; an enterprise has a slug in place of a login.
#[derive(Deserialize)]
struct Described {
    login: Option<String>,
    slug: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl From<Described> for Account {
    fn from(described: Described) -> Account {
        let Described { login, slug, kind } = described;
        Account { login: login.or(slug).unwrap_or_default(), kind: kind.unwrap_or_default() }
    }
}

/// The App as GitHub has it.
#[derive(Debug, Clone, Deserialize)]
pub struct AppFacts {
    /// Its name.
    pub name: String,
    /// Its name in addresses.
    #[serde(default)]
    pub slug: String,
    /// Its page.
    pub html_url: String,
    /// Whose it is.
    pub owner: Account,
    /// What it asks for of who installs it.
    pub permissions: Permissions,
    /// What it is told of.
    pub events: Vec<String>,
}

/// What GitHub said of the App, and when, by its clock and by ours.
#[derive(Debug)]
pub struct AppAsked {
    /// The App.
    pub app: Result<AppFacts, Error>,
    /// What GitHub's clock read, to the second; `None` when no answer came.
    pub github_ms: Option<TimestampMs>,
    /// What ours read before.
    pub before_ms: TimestampMs,
    /// And after.
    pub after_ms: TimestampMs,
}

/// Where and how deliveries are sent.
#[derive(Debug, Clone, Deserialize)]
pub struct HookConfig {
    /// The address.
    #[serde(default)]
    pub url: Option<String>,
    /// `json` or `form`.
    #[serde(default)]
    pub content_type: Option<String>,
    /// `1` when the receiver's certificate is not looked at; GitHub also writes a number.
    #[serde(default)]
    insecure_ssl: serde_json::Value,
    /// Asterisks; nothing when deliveries are not signed.
    #[serde(default)]
    secret: Option<String>,
}

impl HookConfig {
    /// Whether the receiver's certificate is not looked at.
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        self.insecure_ssl == "1" || self.insecure_ssl == 1
    }

    /// Whether deliveries are signed.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.secret.as_ref().is_some_and(|secret| !secret.is_empty())
    }
}

/// The App on an account.
#[derive(Debug, Clone, Deserialize)]
pub struct InstallationFacts {
    /// Its number.
    pub id: InstallationId,
    /// The account.
    pub account: Account,
    /// Its settings.
    pub html_url: String,
    /// `all` or `selected`.
    pub repository_selection: String,
    /// What the account has accepted.
    pub permissions: Permissions,
    /// Since when it is suspended.
    #[serde(default)]
    pub suspended_at: Option<String>,
}

/// What is left of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Of how many.
    pub limit: u64,
    /// How many.
    pub remaining: u64,
    /// When they are all there again.
    pub reset_ms: TimestampMs,
}

/// What is left to an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of requests.
    pub rest: Left,
    /// Of GraphQL's points.
    pub graphql: Left,
}

/// A repository and what it is.
pub struct FoundRepository {
    /// The way to it.
    pub repository: Repository,
    /// Its default branch.
    pub default_branch: String,
    /// Nothing can be written to it.
    pub archived: bool,
}

/// A check that must pass before something is merged into a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredCheck {
    /// Its name.
    pub name: String,
    /// The App that must report it; `None` lets anybody with write access do so.
    pub app: Option<u64>,
    /// What requires it: `the branch protection`, `ruleset 42 of acme/shop`.
    pub by: String,
}

impl GitHub {
    /// The App.
    pub async fn app_facts(&self) -> AppAsked {
        let clock = self.client().clock();
        let before_ms = clock.now_ms();
        let (answer, github_ms) = match self.app().jwt() {
            Ok(jwt) => self.client().rest_and_date(&jwt, Call::get("the App", "/app")).await,
            Err(error) => (Err(error), None),
        };
        let app = answer.and_then(|answer| answer.json());
        AppAsked { app, github_ms, before_ms, after_ms: clock.now_ms() }
    }

    /// Where its deliveries go.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn hook_config(&self) -> Result<HookConfig, Error> {
        let call = Call::get("the App's webhook", "/app/hook/config");
        self.app().rest(call).await?.json()
    }

    /// Where it is installed, suspended or not.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn installation_facts(&self) -> Result<Vec<InstallationFacts>, Error> {
        let mut found = Vec::new();
        for page in 1..=MAX_PAGES {
            let path = format!("/app/installations?per_page={PAGE}&page={page}");
            let call = Call::get("the installations", &path);
            let page: Vec<InstallationFacts> = self.app().rest(call).await?.json()?;
            let last = page.len() < PAGE;
            found.extend(page);
            if last {
                break;
            }
        }
        Ok(found)
    }

    /// What an installation has left; `None` where nothing is limited, as an Enterprise Server does
    /// unless its owner wants it. Asking costs nothing of it.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn limits(&self, installation: InstallationId) -> Result<Option<Limits>, Error> {
        #[derive(Deserialize)]
        struct Overview {
            resources: Resources,
        }
        #[derive(Deserialize)]
        struct Resources {
            core: Resource,
            graphql: Resource,
        }
        #[derive(Deserialize)]
        struct Resource {
            limit: u64,
            remaining: u64,
            reset: i64,
        }

        let token = self.app().metadata_token(installation).await?;
        let call = Call::get("the limits", "/rate_limit");
        let Overview { resources } = match self.client().rest(&token, call).await {
            Err(Error::NotFound { .. }) if self.client().is_enterprise_server() => return Ok(None),
            answer => answer?.json()?,
        };
        let left = |of: Resource| Left {
            limit: of.limit,
            remaining: of.remaining,
            reset_ms: of.reset.saturating_mul(1_000),
        };
        Ok(Some(Limits { rest: left(resources.core), graphql: left(resources.graphql) }))
    }

    /// A repository that the App is installed on.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the App does not reach it or it does not exist.
    pub async fn find(&self, name: &RepositoryName) -> Result<FoundRepository, Error> {
        #[derive(Deserialize)]
        struct Installation {
            id: InstallationId,
        }
        #[derive(Deserialize)]
        struct Listed {
            id: RepositoryId,
            name: String,
            owner: Account,
            default_branch: String,
            #[serde(default)]
            archived: bool,
        }

        let path = repository_path(name, "/installation");
        let call = Call::get("the repository's installation", &path);
        let installation: Installation = self.app().rest(call).await?.json()?;
        let token = self.app().metadata_token(installation.id).await?;
        let path = repository_path(name, "");
        let call = Call::get("the repository", &path);
        let listed: Listed = self.client().rest(&token, call).await?.json()?;
        let name = RepositoryName { owner: listed.owner.login, name: listed.name };
        let place = RepositoryPlace { installation: installation.id, id: listed.id, name };
        Ok(FoundRepository {
            repository: self.repository(place),
            default_branch: listed.default_branch,
            archived: listed.archived,
        })
    }
}

impl Repository {
    /// The checks that rulesets require on a branch.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn checks_required_by_rules(&self, branch: &str) -> Result<Vec<RequiredCheck>, Error> {
        #[derive(Deserialize)]
        struct Rule {
            #[serde(rename = "type")]
            kind: String,
            ruleset_id: Option<u64>,
            ruleset_source: Option<String>,
            #[serde(default)]
            parameters: serde_json::Value,
        }
        #[derive(Deserialize)]
        struct Parameters {
            required_status_checks: Vec<Check>,
        }
        #[derive(Deserialize)]
        struct Check {
            context: String,
            integration_id: Option<u64>,
        }

        let mut required = Vec::new();
        for page in 1..=MAX_PAGES {
            let path = format!("/rules/branches/{}?per_page={PAGE}&page={page}", segment(branch));
            let path = self.path(&path);
            let rules: Vec<Rule> = self.rest(Call::get("the branch's rules", &path)).await?.json()?;
            let last = rules.len() < PAGE;
            for rule in rules.into_iter().filter(|rule| rule.kind == "required_status_checks") {
                let of = rule.ruleset_source.map(|source| format!(" of {source}")).unwrap_or_default();
                let by = match rule.ruleset_id {
                    Some(id) => format!("ruleset {id}{of}"),
                    None => format!("a ruleset{of}"),
                };
                let parameters: Parameters = serde_json::from_value(rule.parameters)
                    .map_err(|_| Error::Malformed { reason: "a rule without its parameters".into() })?;
                required.extend(parameters.required_status_checks.into_iter().map(|check| RequiredCheck {
                    name: check.context,
                    app: check.integration_id,
                    by: by.clone(),
                }));
            }
            if last {
                break;
            }
        }
        Ok(required)
    }

    /// The checks that a branch's own protection requires; of a branch that does not exist, none.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn checks_required_by_protection(&self, branch: &str) -> Result<Vec<RequiredCheck>, Error> {
        #[derive(Deserialize)]
        struct Branch {
            protection: Option<Protection>,
        }
        #[derive(Deserialize)]
        struct Protection {
            required_status_checks: Option<Required>,
        }
        #[derive(Deserialize)]
        struct Required {
            #[serde(default)]
            checks: Vec<Check>,
        }
        #[derive(Deserialize)]
        struct Check {
            context: String,
            /// None, or a negative number, for any.
            app_id: Option<i64>,
        }

        let path = self.path(&format!("/branches/{}", segment(branch)));
        let found: Branch = match self.rest(Call::get("the branch", &path)).await {
            Ok(answer) => answer.json()?,
            Err(Error::NotFound { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let required = found.protection.and_then(|protection| protection.required_status_checks);
        let checks = required.map(|required| required.checks).unwrap_or_default();
        Ok(checks
            .into_iter()
            .map(|check| RequiredCheck {
                name: check.context,
                app: check.app_id.and_then(|app| u64::try_from(app).ok()),
                by: "the branch's protection".to_owned(),
            })
            .collect())
    }
}
