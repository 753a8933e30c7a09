//! The whole App against the stand-in for GitHub: the real server on loopback, a
//! new store, the real worker. Tests converse: open a pull request, deliver
//! the webhooks, look at what GitHub shows. One clock, turned by hand, is
//! everybody's; nothing sleeps.

// Each test binary uses its own part of this.
#![allow(dead_code)]

pub(crate) mod database;

use std::future::Future;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use fromguard::clock::Clock;
use fromguard::github;
use fromguard::github::GitHub;
use fromguard::github::Timeouts;
use fromguard::github::signature::WebhookSecrets;
use fromguard::ids::InstallationId;
use fromguard::ids::RepositoryId;
use fromguard::ids::RepositoryName;
use fromguard::ids::RepositoryPlace;
use fromguard::ids::Sha;
use fromguard::registry::Inquiry;
use fromguard::server::Pieces;
use fromguard::server::Server;
use fromguard::standin::CheckRunView;
use fromguard::standin::PullPlace;
use fromguard::standin::Standin;
use fromguard::standin::StandinOptions;
use fromguard::standin::repository::Builder;
use fromguard::standin::repository::Change;
use fromguard::store::Store;
use fromguard::worker;
use fromguard::worker::Sweeper;
use fromguard::worker::Worker;
use secrecy::SecretString;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::contract::Contract;

/// 2026-06-01T00:00:00Z.
pub(crate) const START_MS: i64 = 1_780_272_000_000;

/// A test that waits this long for something waits for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// A policy that trusts Docker's official images and one registry, and enforces.
pub(crate) const POLICY: &str = "\
version: 1
mode: enforce
unknown: fail
trust:
  official: {images: [\"hub:official\"]}
  internal: {images: [\"registry.example.com/base/**\"]}
";

/// The App, and the GitHub that it talks to. Every exchange between them is held
/// against GitHub's published descriptions.
pub(crate) struct House {
    pub(crate) standin: Standin,
    pub(crate) store: Store,
    pub(crate) github: GitHub,
    pub(crate) clock: Clock,
    pub(crate) installation: InstallationId,
    pub(crate) settings: worker::Settings,
    inquiry: Option<Inquiry>,
    folders: tempfile::TempDir,
    server: JoinHandle<()>,
    worker: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    _contract: Option<Contract>,
}

/// Settings of a worker that never gives up its lease while a test looks away.
pub(crate) fn settings() -> worker::Settings {
    worker::Settings { concurrency: 4, ..worker::Settings::default() }
}

impl House {
    /// An App that is installed on the organisation `acme`, for all its repositories.
    pub(crate) async fn new() -> House {
        House::with(StandinOptions::default(), settings()).await
    }

    /// The same with options; the clocks are set here.
    pub(crate) async fn with(options: StandinOptions, settings: worker::Settings) -> House {
        House::built(options, settings, true, "").await
    }

    /// The same on a GitHub Enterprise Server.
    pub(crate) async fn of_enterprise() -> House {
        House::built(StandinOptions::default(), settings(), true, "/api/v3").await
    }

    /// The same where nobody holds the exchanges against the descriptions, which takes most of
    /// the time: for thousands of them.
    pub(crate) async fn unwatched(settings: worker::Settings) -> House {
        House::built(StandinOptions::default(), settings, false, "").await
    }

    async fn built(options: StandinOptions, settings: worker::Settings, watched: bool, api: &str) -> House {
        let clock = Clock::manual(START_MS);
        let options = StandinOptions { clock: clock.clone(), jwt_clock: clock.clone(), ..options };
        let standin = Standin::start(options).await.expect("the stand-in starts");
        let contract = watched.then(|| Contract::watch(&standin));
        let installation = standin.install("acme");
        let store = Store::open(&database::url().await).await.expect("a new store");
        let secrets = [SecretString::from(standin.webhook_secret())];
        let pieces = Pieces {
            store: store.clone(),
            clock: clock.clone(),
            secrets: Some(WebhookSecrets::new(&secrets).expect("a long secret")),
        };
        let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into(), pieces).await.expect("a free port");
        standin.deliver_to(&format!("http://{}/webhook", server.address().expect("an address")));
        let server =
            tokio::spawn(async move { server.run(std::future::pending()).await.expect("the server runs") });
        let api_url = standin.base_url() + api;
        let github_settings = github::Settings { api_url, ..github_settings(&standin) };
        let github = GitHub::new(&github_settings, clock.clone()).expect("the stand-in's key");
        let folders = tempfile::tempdir().expect("a folder");
        let mut house = House {
            standin,
            store,
            github,
            clock,
            installation,
            settings,
            inquiry: None,
            folders,
            server,
            worker: None,
            _contract: contract,
        };
        house.start_worker();
        house
    }

    /// Starts a worker; there is one from the beginning.
    pub(crate) fn start_worker(&mut self) {
        let (stop, stopped) = oneshot::channel();
        let worker =
            Worker::new(self.store.clone(), self.github.clone(), self.clock.clone(), self.settings.clone());
        let worker = match &self.inquiry {
            Some(inquiry) => worker.asking(inquiry.clone()),
            None => worker,
        };
        let running = tokio::spawn(async move {
            worker
                .run(async {
                    let _ = stopped.await;
                })
                .await;
        });
        self.worker = Some((stop, running));
    }

    /// Puts a worker in the place of the one there is, which asks for evidence.
    pub(crate) async fn ask(&mut self, inquiry: Inquiry) {
        self.stop_worker().await;
        self.inquiry = Some(inquiry);
        self.start_worker();
    }

    /// Lets the worker end what it does.
    pub(crate) async fn stop_worker(&mut self) {
        if let Some((stop, running)) = self.worker.take() {
            let _ = stop.send(());
            within("the worker stops", running).await.expect("the worker does not panic");
        }
    }

    /// Ends the worker in the middle of whatever it does, as `kill -9` would. What it had
    /// asked for is done before anybody can take over: GitHub gives up on a request after ten
    /// seconds, and the lease of who died outlives that.
    pub(crate) async fn kill_worker(&mut self) {
        if let Some((_, running)) = self.worker.take() {
            running.abort();
            let _ = running.await;
            self.standin.has_answered().await;
        }
    }

    /// A new repository `acme/{name}` whose branch `main` holds these files.
    pub(crate) fn repository(&self, name: &str, files: &[(&str, &str)]) -> Repo {
        self.repository_of(&format!("acme/{name}"), files)
    }

    /// A new repository of any account.
    pub(crate) fn repository_of(&self, full_name: &str, files: &[(&str, &str)]) -> Repo {
        let folder = self.folders.path().join(full_name.replace('/', "+"));
        let builder = Builder::init(&folder).expect("a repository");
        let (main, id) = (Sha(String::new()), RepositoryId(0));
        let mut repo = Repo { name: full_name.to_owned(), id, builder, main };
        repo.main = repo.commit("main", files);
        repo.id = self.standin.add_repository(&repo.name, Path::new(&folder)).expect("a repository");
        repo
    }

    /// Where a repository of the organisation is, for what is said to the store itself.
    pub(crate) fn place(&self, repo: &Repo) -> RepositoryPlace {
        let (owner, name) = repo.name.split_once('/').expect("owner/name");
        let name = RepositoryName { owner: owner.to_owned(), name: name.to_owned() };
        RepositoryPlace { installation: self.installation, id: repo.id, name }
    }

    /// Delivers what waits and lets the App work until it has nothing to do.
    pub(crate) async fn deliver(&self) {
        for delivered in self.standin.deliver_all().await.expect("a webhook address") {
            assert_eq!(delivered.status, Some(202), "{}", delivered.what);
        }
        self.settle().await;
    }

    /// Waits until nothing is due, turning the clock to whatever is put off.
    pub(crate) async fn settle(&self) {
        within("the App has nothing left to do", async {
            let mut changes = self.store.changes();
            loop {
                changes.borrow_and_update();
                // In this order: a lease that is taken in between is seen by the second look, and one that
                // is given back by the third.
                let before_ms = self.store.next_due_ms().await.expect("the store answers");
                let status = self.store.queue_status(self.clock.now_ms()).await.expect("the store answers");
                let due_ms = self.store.next_due_ms().await.expect("the store answers");
                if due_ms != before_ms {
                    continue;
                }
                if status.leased == 0 {
                    if status.waiting == 0 {
                        return;
                    }
                    let wait_ms = due_ms.unwrap_or_default() - self.clock.now_ms();
                    if let Ok(wait_ms @ 1..) = u64::try_from(wait_ms) {
                        self.clock.advance(Duration::from_millis(wait_ms));
                        continue;
                    }
                }
                changes.changed().await.expect("the store is open");
            }
        })
        .await;
    }

    fn sweeper(&self) -> Sweeper {
        let sweeper = Sweeper::new(self.store.clone(), self.github.clone(), self.clock.clone());
        match &self.inquiry {
            Some(inquiry) => sweeper.asking(inquiry.clone()),
            None => sweeper,
        }
    }

    /// Looks for what was lost, as far as that is due now, and lets the App work on it.
    pub(crate) async fn sweep_once(&self) {
        let sweeper = self.sweeper();
        within("nothing is left to sweep", async { while sweeper.step().await {} }).await;
        self.settle().await;
    }

    /// Looks for what was lost, turning the clock to whatever is put off of it.
    pub(crate) async fn sweep(&self) {
        self.sweep_once().await;
        while let Some(due_ms) = self.store.next_survey_ms().await.expect("the store answers") {
            let wait_ms = u64::try_from(due_ms - self.clock.now_ms()).unwrap_or(0);
            self.clock.advance(Duration::from_millis(wait_ms));
            self.sweep_once().await;
        }
    }

    /// Begins with an empty store, as when the disk was lost; the server keeps the old one.
    pub(crate) async fn forget_everything(&mut self) {
        self.store = Store::open(&database::url().await).await.expect("a new store");
    }

    /// Like [`House::settle`], after a worker died: its leases have to end first.
    pub(crate) async fn settle_from_leases(&self) {
        self.clock.advance(Duration::from_millis(self.settings.lease_ms.unsigned_abs() + 1));
        self.settle().await;
    }

    /// The run that decides for a pull request.
    pub(crate) fn run(&self, pull: &PullPlace) -> CheckRunView {
        let run = self.standin.check_run(pull, "fromguard").expect("the pull request");
        run.unwrap_or_else(|| panic!("no run on {pull:?}; asked:\n{}", self.standin.traffic().describe()))
    }

    /// How the deciding run ended.
    pub(crate) fn conclusion(&self, pull: &PullPlace) -> String {
        let run = self.run(pull);
        run.conclusion.unwrap_or(run.status)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.server.abort();
        if let Some((_, running)) = &self.worker {
            running.abort();
        }
    }
}

/// How the App reaches the stand-in.
pub(crate) fn github_settings(standin: &Standin) -> github::Settings {
    github::Settings {
        api_url: standin.base_url(),
        app_id: standin.app_id(),
        private_key: SecretString::from(standin.app_private_key_pem()),
        timeouts: Timeouts::default(),
    }
}

/// A git repository that the stand-in serves.
pub(crate) struct Repo {
    /// `acme/shop`.
    pub(crate) name: String,
    pub(crate) id: RepositoryId,
    pub(crate) builder: Builder,
    /// Where `main` was at the beginning.
    pub(crate) main: Sha,
}

impl Repo {
    /// Commits text files to a branch.
    pub(crate) fn commit(&mut self, branch: &str, files: &[(&str, &str)]) -> Sha {
        let changes: Vec<_> =
            files.iter().map(|(path, text)| (*path, Change::File(text.as_bytes()))).collect();
        self.change(branch, &changes)
    }

    /// Commits anything to a branch.
    pub(crate) fn change(&mut self, branch: &str, changes: &[(&str, Change<'_>)]) -> Sha {
        self.builder.commit(branch, "a change", changes).expect("a commit")
    }

    /// Starts a branch where `main` was at the beginning, and commits to it.
    pub(crate) fn branch(&mut self, branch: &str, files: &[(&str, &str)]) -> Sha {
        self.builder.branch(branch, &self.main).expect("a branch");
        self.commit(branch, files)
    }
}

/// Fails a test that would wait for ever.
pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}
