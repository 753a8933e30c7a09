//! A faithful GitHub on loopback over local git repositories, for tests and `rehearse`.
//!
//! It has state and rejects what GitHub rejects: 51 annotations, a bad JWT, a
//! token that does not cover the repository, a summary of 65,536 bytes. Tests
//! converse with it: open a pull request, deliver the webhook, expect a check run.
//!
//! It listens on loopback only, writes nothing to the repositories it reads but the
//! merge commits of a merge queue, and shares no code with the client and the webhook receiver it tests: shared code
//! would hide its bugs. Refuses to know what fromguard is for.

mod answer;
mod auth;
mod conversation;
mod diff;
mod faults;
mod files;
mod git;
mod graphql;
mod http;
mod limits;
mod merge_box;
pub mod repository;
mod rest;
mod shape;
mod state;
mod time;
mod traffic;
mod webhook;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::answer::Answer;
use self::answer::Request;
use self::auth::App;
pub use self::conversation::CheckRunView;
pub use self::conversation::CommentView;
pub use self::conversation::MergeGroup;
pub use self::conversation::PullPlace;
pub use self::faults::Endpoint;
pub use self::faults::Fault;
use self::faults::Faults;
pub use self::merge_box::MergeBox;
use self::rest::Call;
use self::shape::Shapes;
use self::state::State;
pub use self::traffic::Exchange;
pub use self::traffic::Record;
pub use self::traffic::Traffic;
pub use self::webhook::Delivered;
use self::webhook::Deliveries;
pub use self::webhook::Delivery;
use self::webhook::Target;
use crate::clock::Clock;

/// How a stand-in is set up. The default serves an App of a fresh key at the machine's time.
pub struct StandinOptions {
    /// The App's id.
    pub app_id: u64,
    /// The App's slug: its comments are by `slug[bot]`.
    pub app_slug: String,
    /// The App's private key in PEM; without one a key is made, once per process.
    pub app_private_key: Option<String>,
    /// What the App may do in an installation, name and `read` or `write`.
    pub permissions: Vec<(String, String)>,
    /// The events that the App is subscribed to.
    pub events: Vec<String>,
    /// Where deliveries go: `http://127.0.0.1:3000/webhook`. It can be set later with [`Standin::deliver_to`].
    pub webhook_url: Option<String>,
    /// What deliveries are signed with.
    pub webhook_secret: String,
    /// The stand-in's time: tokens expire by it, slow answers wait for it, everything is dated by it.
    pub clock: Clock,
    /// The time that JWTs are judged by and answers are sent at, apart because clients sign at the machine's time.
    pub jwt_clock: Clock,
    /// How long each answer is held back, so that requests sent together overlap as they do over a network.
    pub latency: Duration,
    /// Requests an hour, and GraphQL points an hour, for an installation.
    pub hourly_limit: u32,
    /// Entries of a recursive tree, past which it is truncated.
    pub tree_limit: usize,
    /// The port on loopback; 0 takes a free one.
    pub port: u16,
}

impl Default for StandinOptions {
    fn default() -> StandinOptions {
        let permissions = [
            ("checks", "write"),
            ("contents", "read"),
            ("members", "read"),
            ("merge_queues", "read"),
            ("metadata", "read"),
            ("pull_requests", "write"),
        ];
        StandinOptions {
            app_id: 4_242,
            app_slug: "fromguard".to_owned(),
            app_private_key: None,
            permissions: permissions.map(|(name, level)| (name.to_owned(), level.to_owned())).to_vec(),
            events: EVENTS.map(str::to_owned).to_vec(),
            webhook_url: None,
            webhook_secret: "a secret of the stand-in's own".to_owned(),
            clock: Clock::system(),
            jwt_clock: Clock::system(),
            latency: Duration::ZERO,
            hourly_limit: limits::HOURLY_LIMIT,
            tree_limit: limits::TREE_LIMIT_ENTRIES,
            port: 0,
        }
    }
}

/// The events that the App is subscribed to unless told otherwise.
const EVENTS: [&str; 7] =
    ["check_run", "check_suite", "merge_group", "pull_request", "pull_request_review", "push", "repository"];

/// The stand-in could not do what it was asked. Whose doing it is stands in each message.
#[derive(Debug, Error)]
pub enum StandinError {
    /// The machine: no port on loopback.
    #[error("the stand-in for GitHub cannot listen on loopback: {0}")]
    Listen(#[from] std::io::Error),
    /// The operator: the key given is not an RSA key.
    #[error("the stand-in for GitHub cannot use the App's private key: {0}")]
    Key(String),
    /// The caller: the folder holds no git repository.
    #[error("{0} is not a git repository that can be read")]
    NotARepository(String),
    /// The caller: there is no such thing.
    #[error("the stand-in for GitHub has no {what} {name}")]
    Unknown {
        /// Repository, pull request, branch or commit, delivery.
        what: &'static str,
        /// What it was called.
        name: String,
    },
    /// The caller: deliveries have nowhere to go.
    #[error("no webhook address is set")]
    NoWebhook,
}

/// A running stand-in; it stops when dropped.
pub struct Standin {
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

type Observer = Box<dyn Fn(&Exchange) + Send + Sync>;

/// What the listener and the conversation share.
struct Shared {
    app: App,
    base_url: String,
    clock: Clock,
    jwt_clock: Clock,
    latency: Duration,
    hourly_limit: u32,
    tree_limit: usize,
    state: Mutex<State>,
    faults: Mutex<Faults>,
    traffic: Mutex<Traffic>,
    observers: Mutex<Vec<Observer>>,
    deliveries: Mutex<Deliveries>,
    target: Mutex<Target>,
    /// How many requests are being answered.
    answering: watch::Sender<usize>,
}

/// The state behind a lock: a handler that panicked leaves it as usable as it was.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Standin {
    /// Starts a stand-in on a port of its own, inside the caller's tokio runtime.
    ///
    /// # Errors
    /// When loopback has no port to give, or the key is not an RSA key.
    pub async fn start(options: StandinOptions) -> Result<Standin, StandinError> {
        let private_key_pem = match options.app_private_key {
            Some(pem) => pem,
            None => generated_key()?,
        };
        let public_key = auth::public_key(&private_key_pem).map_err(StandinError::Key)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let app = App {
            id: options.app_id,
            owner: options.app_slug.clone(),
            slug: options.app_slug,
            private_key_pem,
            public_key,
            permissions: options.permissions.into_iter().collect(),
            events: options.events,
        };
        let shared = Arc::new(Shared {
            app,
            base_url,
            clock: options.clock,
            jwt_clock: options.jwt_clock,
            latency: options.latency,
            hourly_limit: options.hourly_limit,
            tree_limit: options.tree_limit,
            state: Mutex::default(),
            faults: Mutex::default(),
            traffic: Mutex::default(),
            observers: Mutex::default(),
            deliveries: Mutex::default(),
            target: Mutex::new(Target {
                url: options.webhook_url.unwrap_or_default(),
                secret: options.webhook_secret,
            }),
            answering: watch::Sender::new(0),
        });
        let server = tokio::spawn(http::serve(listener, Arc::clone(&shared)));
        Ok(Standin { shared, server })
    }

    /// The API's address, without a `/` at its end; the GraphQL API is at `/graphql` below it.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.shared.base_url.clone()
    }

    /// The App's id.
    #[must_use]
    pub fn app_id(&self) -> u64 {
        self.shared.app.id
    }

    /// The App's private key, PKCS#1 in PEM as GitHub hands it out.
    #[must_use]
    pub fn app_private_key_pem(&self) -> String {
        self.shared.app.private_key_pem.clone()
    }

    /// What deliveries are signed with.
    #[must_use]
    pub fn webhook_secret(&self) -> String {
        lock(&self.shared.target).secret.clone()
    }

    /// Lets the next `times` requests to an endpoint meet a fault.
    pub fn fail_next(&self, endpoint: Endpoint, fault: Fault, times: u32) {
        self.fail_after(0, endpoint, fault, times);
    }

    /// Lets `skip` requests to an endpoint pass, and the next `times` meet a fault.
    pub fn fail_after(&self, skip: u32, endpoint: Endpoint, fault: Fault, times: u32) {
        lock(&self.shared.faults).order(endpoint, fault, skip, times);
    }

    /// Waits until no request is being answered: what a client that went away had asked for
    /// is done by then.
    pub async fn has_answered(&self) {
        // The sender is ours, so it is there.
        let _ = self.shared.answering.subscribe().wait_for(|answering| *answering == 0).await;
    }

    /// How many ordered faults have not been met yet.
    #[must_use]
    pub fn faults_left(&self) -> u32 {
        lock(&self.shared.faults).left()
    }

    /// Forgets the faults that have not been met yet.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// The requests since the start or the last [`Standin::reset_traffic`].
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        lock(&self.shared.traffic).clone()
    }

    /// Begins to count anew.
    pub fn reset_traffic(&self) {
        lock(&self.shared.traffic).requests.clear();
    }

    /// Shows every exchange to `observer` from now on, before its answer goes out.
    pub fn observe(&self, observer: impl Fn(&Exchange) + Send + Sync + 'static) {
        lock(&self.shared.observers).push(Box::new(observer));
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// One key per process: making one takes longer than most tests.
fn generated_key() -> Result<String, StandinError> {
    static KEY: OnceLock<Result<String, String>> = OnceLock::new();
    KEY.get_or_init(auth::generate_key).clone().map_err(StandinError::Key)
}

impl Shared {
    fn shapes(&self) -> Shapes<'_> {
        Shapes { base_url: &self.base_url, app: &self.app }
    }

    fn template(&self, request: &Request) -> String {
        if request.path == http::GRAPHQL {
            return http::GRAPHQL.to_owned();
        }
        rest::route(request).map_or_else(|| request.path.clone(), |route| route.template.to_owned())
    }

    fn meet(&self, request: &Request, template: &str) -> Option<Fault> {
        lock(&self.faults).meet(&request.method, template, &request.body)
    }

    fn answer(&self, request: &Request) -> Answer {
        let webhook_url = lock(&self.target).url.clone();
        let mut state = lock(&self.state);
        let now_ms = self.clock.now_ms();
        let mut call = Call {
            request,
            state: &mut state,
            app: &self.app,
            shapes: self.shapes(),
            now_ms,
            jwt_now_ms: self.jwt_clock.now_ms(),
            hourly_limit: self.hourly_limit,
            tree_limit: self.tree_limit,
            deliveries: &self.deliveries,
            webhook_url: &webhook_url,
            caller: None,
        };
        let is_graphql = request.path == http::GRAPHQL && request.method == "POST";
        let outcome = if is_graphql {
            graphql::answer(&mut call)
        } else {
            match rest::route(request) {
                Some(route) => (route.handler)(&mut call),
                None => Err(Answer::not_found()),
            }
        };
        let answer = outcome.unwrap_or_else(|refused| refused);
        let resource = if is_graphql { "graphql" } else { "core" };
        let caller = call.caller;
        limits::report(answer, &mut state, caller, resource, self.hourly_limit, now_ms)
            .with_header("date", time::http(self.jwt_clock.now_ms()))
            .with_header("x-github-media-type", "github.v3; format=json")
            .with_header("x-github-request-id", "0000:0000:0000:0000:0000")
    }

    fn record(&self, record: Record, exchange: &Exchange) {
        lock(&self.traffic).requests.push(record);
        for observer in lock(&self.observers).iter() {
            observer(exchange);
        }
    }
}
