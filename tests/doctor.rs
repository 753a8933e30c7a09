//! `fromguard doctor`, the real program, against the stand-in for GitHub and a real receiver: a
//! setting is broken, and the line that a user reads says so and what to do.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::process::Output;

use fromguard::clock::Clock;
use fromguard::github::signature::WebhookSecrets;
use fromguard::ids::InstallationId;
use fromguard::server::Pieces;
use fromguard::server::Server;
use fromguard::standin::Endpoint;
use fromguard::standin::Fault;
use fromguard::standin::Standin;
use fromguard::standin::StandinOptions;
use fromguard::standin::repository::Builder;
use fromguard::standin::repository::Change;
use fromguard::store::Store;
use secrecy::SecretString;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::contract::Contract;

const POLICY: &str = "\
version: 1
mode: enforce
unknown: fail
reviewers: [\"@acme/security\"]
trust: {official: {images: [\"hub:official\"]}}
";

/// An App that is set up as it should be, installed on the organisation `acme`, whose policy and
/// repository `acme/shop` are in order.
struct Patient {
    standin: Standin,
    installation: InstallationId,
    secret: String,
    database: String,
    /// Where below its address the stand-in has its API.
    api: &'static str,
    folder: tempfile::TempDir,
    server: JoinHandle<()>,
    _contract: Contract,
}

impl Patient {
    async fn healthy() -> Patient {
        Patient::with(StandinOptions::default()).await
    }

    async fn with(options: StandinOptions) -> Patient {
        let standin = Standin::start(options).await.unwrap();
        let contract = Contract::watch(&standin);
        let installation = standin.install("acme");
        let folder = tempfile::tempdir().unwrap();
        let secret = standin.webhook_secret();
        let server = receiver(&standin, &secret).await;
        let database = format!("sqlite:{}", folder.path().join("fromguard.db").display());
        // What serve leaves behind.
        drop(Store::open(&database).await.unwrap());
        let patient =
            Patient { standin, installation, secret, database, api: "", folder, server, _contract: contract };
        patient.policy("acme/.github", "fromguard.yml", POLICY);
        patient.repository("acme/shop", "README.md", "A shop.\n");
        let app = patient.standin.app_id();
        patient.standin.protect_by_rule("acme/shop", "main", "fromguard", Some(app)).unwrap();
        patient.standin.announce_installed(installation);
        patient.standin.deliver_all().await.unwrap();
        patient
    }

    fn repository(&self, name: &str, path: &str, text: &str) -> Builder {
        let mut builder = Builder::init(&self.folder.path().join(name.replace('/', "+"))).unwrap();
        builder.commit("main", "Begin", &[(path, Change::File(text.as_bytes()))]).unwrap();
        self.standin.add_repository(name, Path::new(builder.path())).unwrap();
        builder
    }

    fn policy(&self, repository: &str, path: &str, text: &str) {
        drop(self.repository(repository, path, text));
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fromguard"));
        command
            .arg("doctor")
            .args(arguments)
            .env_clear()
            .env("FROMGUARD_GITHUB_API_URL", self.standin.base_url() + self.api)
            .env("FROMGUARD_APP_ID", self.standin.app_id().to_string())
            .env("FROMGUARD_PRIVATE_KEY", self.standin.app_private_key_pem())
            .env("FROMGUARD_WEBHOOK_SECRET", &self.secret)
            .env("FROMGUARD_DATABASE_URL", &self.database);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// What is said, with addresses of this run replaced, and the exit status.
    async fn says(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments).await;
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), text)
    }

    /// The lines of one check, as scripts read them.
    async fn lines(&self, check: &str, arguments: &[&str]) -> Vec<Seen> {
        let output = self.run(&[&["--format", "json"], arguments].concat()).await;
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let lines = document["checks"].as_array().unwrap().iter();
        let seen: Vec<Seen> = lines
            .filter(|line| line["check"] == check)
            .map(|line| Seen {
                level: text(line, "level"),
                message: text(line, "message"),
                remedy: text(line, "remedy"),
                detail: text(line, "detail"),
            })
            .collect();
        assert_eq!(output.status.code() == Some(0), document["fail"] == 0, "{document:#}");
        assert!(!seen.is_empty(), "nothing about {check}: {document:#}");
        seen
    }

    /// The only line of one check.
    async fn line(&self, check: &str, arguments: &[&str]) -> Seen {
        let mut lines = self.lines(check, arguments).await;
        assert_eq!(lines.len(), 1, "{lines:#?}");
        lines.remove(0)
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Debug)]
struct Seen {
    level: String,
    message: String,
    remedy: String,
    detail: String,
}

impl Seen {
    fn expect(&self, level: &str, message: &str, remedy: &str) {
        assert_eq!(self.level, level, "{self:#?}");
        assert!(self.message.contains(message), "{self:#?}");
        assert!(self.remedy.contains(remedy), "{self:#?}");
        assert_eq!(self.remedy.is_empty(), level == "ok", "whatever is not right says what to do: {self:#?}");
    }
}

/// A server of ours that knows `secret`, where GitHub delivers to.
async fn receiver(standin: &Standin, secret: &str) -> JoinHandle<()> {
    let pieces = Pieces {
        store: Store::open("sqlite::memory:").await.unwrap(),
        clock: Clock::system(),
        secrets: Some(WebhookSecrets::new(&[SecretString::from(secret)]).unwrap()),
    };
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into(), pieces).await.unwrap();
    standin.deliver_to(&format!("http://{}/webhook", server.address().unwrap()));
    tokio::spawn(async move { server.run(std::future::pending()).await.unwrap() })
}

const SHOP: [&str; 2] = ["--repo", "acme/shop"];

#[tokio::test(flavor = "multi_thread")]
async fn all_is_well() {
    let patient = Patient::healthy().await;
    let (status, text) = patient.says(&SHOP).await;
    let url = patient.standin.webhook_url();
    let delivered = text.lines().find(|line| line.contains("last delivery")).unwrap_or_default();
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.contains("delivery") && !line.contains(&url)).collect();
    assert!(delivered.starts_with("ok    GitHub's last delivery (installation, 20"), "{text}");
    assert!(text.contains(&format!("ok    GitHub delivers to {url}, signed, as JSON.\n")), "{text}");
    assert_eq!(
        lines.join("\n"),
        "\
ok    The database can be read and is up to date.
ok    The App is \"fromguard\", number 4242, of fromguard.
ok    This machine's clock agrees with GitHub's.
ok    The App has every permission that it needs.
ok    The App is told of every event that it needs.
ok    A server answers a signed ping there: the webhook secret is its own.
ok    Installed on acme: none suspended, everything accepted.
ok    acme has enough left of its limits: 5000 of 5000 requests, 5000 of 5000
      GraphQL points.
ok    The policy acme/.github/fromguard.yml loads and enforces.
ok    acme/shop has no policy of its own: the organisation's counts.
ok    main of acme/shop requires fromguard from this App (ruleset 42 of
      acme/shop).

13 ok, 0 to know of, 0 to mend"
    );
    assert_eq!(status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_is_missing_and_another_is_too_much() {
    let mut options = StandinOptions::default();
    options.permissions.retain(|(name, _)| name != "merge_queues" && name != "members");
    options.permissions.push(("secrets".to_owned(), "read".to_owned()));
    let patient = Patient::with(options).await;
    let lines = patient.lines("permissions", &[]).await;
    lines[0].expect("warn", "members: read; without it an approval by a member of a team", "\"Members\"");
    lines[1].expect(
        "fail",
        "lacks the permission merge_queues: read; without it GitHub does not ask for a merge group's check",
        "Set \"Merge queues\" to \"Read-only\" at ",
    );
    assert!(lines[1].remedy.contains("/organizations/fromguard/settings/apps/fromguard/permissions"));
    lines[2].expect("warn", "more than it needs to: secrets: read", "Take it back");
    // It is the App's to ask for, and not the account's to accept.
    patient.line("installations", &[]).await.expect("ok", "Installed on acme", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_missing() {
    let mut options = StandinOptions::default();
    options.events.retain(|event| event != "merge_group");
    let patient = Patient::with(options).await;
    let line = patient.line("events", &[]).await;
    line.expect(
        "fail",
        "not told of merge_group; without it a merge queue waits for ever",
        "Tick \"Merge group\"",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_runs_with_another_secret_than_this_environment() {
    let mut patient = Patient::healthy().await;
    patient.secret = format!("{}, a new secret of the operator's", patient.secret);
    let line = patient.line("ping", &[]).await;
    line.expect(
        "fail",
        "a ping signed with secret 2 of 2 in FROMGUARD_WEBHOOK_SECRET (401)",
        "Start it with the secret",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn github_signs_with_another_secret_than_the_server_s() {
    let mut patient = Patient::healthy().await;
    "a secret that GitHub was not told".clone_into(&mut patient.secret);
    patient.server.abort();
    patient.server = receiver(&patient.standin, &patient.secret).await;
    patient.standin.announce_installed(patient.installation);
    patient.standin.deliver_all().await.unwrap();
    patient.line("ping", &[]).await.expect("ok", "the webhook secret is its own", "");
    let line = patient.line("deliveries", &[]).await;
    line.expect("fail", "was refused (401): GitHub signs with another secret", "to the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_cannot_be_reached() {
    let patient = Patient::healthy().await;
    patient.standin.deliver_to("http://127.0.0.1:1/webhook");
    // GitHub got through a moment ago, so it may be only this machine that does not.
    let line = patient.line("ping", &[]).await;
    line.expect("warn", "http://127.0.0.1:1/webhook cannot be reached from this machine: ", "only GitHub");
    patient.standin.announce_installed(patient.installation);
    patient.standin.deliver_all().await.unwrap();
    patient.line("ping", &[]).await.expect(
        "fail",
        "cannot be reached from this machine: ",
        "Start fromguard serve",
    );
    patient.line("deliveries", &[]).await.expect(
        "fail",
        "got no answer",
        "/settings/apps/fromguard/advanced shows",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_leads_elsewhere() {
    let patient = Patient::healthy().await;
    let url = patient.standin.webhook_url();
    patient.standin.deliver_to(&url.replace("/webhook", "/hook"));
    patient.line("ping", &[]).await.expect("fail", "answers a signed ping with 404", "must end in /webhook");
    patient.standin.deliver_to("");
    patient.line("webhook", &[]).await.expect("fail", "The App has no webhook", "https://YOUR.HOST/webhook");
}

async fn with_clock_ahead_by(ahead_s: i64) -> Patient {
    let now_ms = Clock::system().now_ms();
    let jwt_clock = Clock::manual(now_ms - ahead_s * 1_000);
    Patient::with(StandinOptions { jwt_clock, ..StandinOptions::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_is_off() {
    let patient = with_clock_ahead_by(600).await;
    let line = patient.line("clock", &[]).await;
    line.expect("fail", " s ahead of GitHub's: GitHub refuses what it signs.", "by NTP");
    patient.line("app", &[]).await.expect(
        "fail",
        "GitHub refused our credentials (401)",
        "Set the clock first",
    );
    // The rest is looked at nevertheless, and the same reason is not explained again.
    patient.line("database", &[]).await.expect("ok", "up to date", "");
    patient.line("webhook", &[]).await.expect("fail", "(401)", "Mend what the line of the App says first.");

    let patient = with_clock_ahead_by(-120).await;
    let line = patient.line("clock", &[]).await;
    line.expect("warn", " s behind GitHub's; from 480 s GitHub refuses what it signs.", "by NTP");
    patient.line("app", &[]).await.expect("ok", "number 4242", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_broken() {
    let patient = Patient::healthy().await;
    patient.policy("acme/broken", ".github/fromguard.yml", "version: 1\nunknwon: fail\n");
    let line = patient.line("policy", &["--repo", "acme/broken"]).await;
    line.expect("fail", "acme/broken/.github/fromguard.yml cannot be used", "fromguard policy validate");
    for shown in
        ["unknwon: fail", "^^^^^^^", "acme/broken/.github/fromguard.yml:2:1", "cannot be used: 1 error"]
    {
        assert!(line.detail.contains(shown), "{shown}: {}", line.detail);
    }
    let (status, text) = patient.says(&["--repo", "acme/broken"]).await;
    assert_eq!(status, 1);
    assert!(text.contains("\n      2 | unknwon: fail\n"), "as validate shows it, indented: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_policy() {
    let patient = Patient::healthy().await;
    patient.standin.install("solo");
    patient.repository("solo/app", "README.md", "An app.\n");
    let lines = patient.lines("organisation policy", &[]).await;
    lines[1].expect(
        "ok",
        "There is no solo/.github/fromguard.yml: of solo, each repository's own policy",
        "",
    );
    let line = patient.line("policy", &["--repo", "solo/app"]).await;
    line.expect("warn", "There is no policy for solo/app", "docs/policy.md");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_organisation_s_policy_is_out_of_reach() {
    let patient = Patient::healthy().await;
    let installation = patient.standin.install_selected("beta");
    patient.policy("beta/.github", "fromguard.yml", POLICY);
    patient.repository("beta/app", "README.md", "An app.\n");
    patient.standin.select(installation, "beta/app").unwrap();
    let lines = patient.lines("organisation policy", &[]).await;
    lines[1].expect(
        "warn",
        "beta/.github does not exist or is not among the repositories selected",
        "add that repository",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_is_required_without_its_source_or_not_at_all() {
    let patient = Patient::healthy().await;
    for (name, app) in [("acme/open", None), ("acme/other", Some(15_368))] {
        patient.repository(name, "README.md", "Code.\n");
        patient.standin.protect(name, "main", "fromguard", app).unwrap();
    }
    patient.repository("acme/free", "README.md", "Code.\n");
    patient.standin.protect("acme/free", "main", "tests", None).unwrap();
    let line = patient.line("required check", &["--repo", "acme/open"]).await;
    line.expect(
        "fail",
        "main of acme/open requires fromguard from anybody (the branch's protection)",
        "Choose this App as the check's expected source",
    );
    let line = patient.line("required check", &["--repo", "acme/other"]).await;
    line.expect("fail", "waits for fromguard from another App, number 15368", "Choose this App, number 4242");
    let line = patient.line("required check", &["--repo", "acme/free"]).await;
    line.expect("warn", "does not require the check fromguard", "with this App as its expected source");
    // Required twice, once with the source: a forged check satisfies only one of them.
    let app = patient.standin.app_id();
    patient.standin.protect_by_rule("acme/open", "main", "fromguard", Some(app)).unwrap();
    patient.line("required check", &["--repo", "acme/open"]).await.expect("ok", "from this App", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_is_suspended_or_behind() {
    let patient = Patient::healthy().await;
    let beta = patient.standin.install("beta");
    patient.standin.permit(beta, "merge_queues", None);
    patient.standin.suspend(patient.installation);
    let lines = patient.lines("installations", &[]).await;
    lines[0].expect("fail", "The installation on acme is suspended since ", "Unsuspend it at ");
    lines[1].expect(
        "fail",
        "beta has not accepted what the App asks for now: merge_queues: read.",
        "an owner of beta",
    );
    // The repository there cannot be looked at, and that is said.
    patient.line("repository", &SHOP).await.expect(
        "fail",
        "acme/shop cannot be looked at: GitHub forbids it (403)",
        "Unsuspend",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_is_not_installed_where_it_is_looked_for() {
    let patient = Patient::healthy().await;
    let line = patient.line("repository", &["--repo", "acme/nowhere"]).await;
    line.expect("fail", "The App is not installed on acme/nowhere, or there is no such repository", "Add it");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_server_sets_no_limits() {
    let mut patient = Patient::healthy().await;
    patient.api = "/api/v3";
    let status = 404;
    let body = r#"{"message":"Rate limiting is not enabled."}"#.to_owned();
    let not_enabled = Fault::Status { status, headers: Vec::new(), body };
    patient.standin.fail_next(Endpoint::rest("GET", "/rate_limit"), not_enabled, 1);
    patient.line("limits", &[]).await.expect("ok", "This GitHub Enterprise Server sets no limits.", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_nearly_used_up() {
    let patient = Patient::healthy().await;
    patient.standin.spend(patient.installation, 4_600);
    let line = patient.line("limits", &[]).await;
    line.expect(
        "warn",
        "acme has little left of its limits: 400 of 5000 requests",
        "Judgements wait when nothing is left",
    );
    patient.standin.spend(patient.installation, 400);
    patient.line("limits", &[]).await.expect(
        "fail",
        "0 of 5000 requests",
        "See what else uses the App's key",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_github_does_not_answer_keeps_nothing_else_from_being_looked_at() {
    let patient = Patient::healthy().await;
    let down = Fault::Status { status: 502, headers: Vec::new(), body: "<html>".to_owned() };
    for template in
        ["/app/hook/config", "/app/installations", "/repos/{owner}/{repo}/rules/branches/{branch}"]
    {
        patient.standin.fail_next(Endpoint::rest("GET", template), down.clone(), 1);
    }
    patient.standin.fail_next(Endpoint::graphql(), Fault::GraphqlErrorIn200 { kind: String::new() }, 1);
    let (status, text) = patient.says(&SHOP).await;
    assert_eq!(status, 1);
    let levels: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split("  ").next())
        .filter(|word| ["ok", "warn", "fail"].contains(word))
        .collect();
    // The database, the App, its clock, permissions and events; no webhook but the log of deliveries; no
    // installations; of the repository no policy and no rules, and no protection that requires the check.
    assert_eq!(levels, ["ok", "ok", "ok", "ok", "ok", "fail", "ok", "fail", "fail", "fail"], "{text}");
    assert_eq!(patient.standin.faults_left(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_there() {
    let patient = Patient::healthy().await;
    patient.standin.fail_next(Endpoint::any(), Fault::Drop, 1_000);
    let line = patient.line("app", &[]).await;
    line.expect(
        "fail",
        "The App cannot be looked at: GitHub cannot be reached",
        "Check that this machine reaches http://",
    );
    patient.line("database", &[]).await.expect("ok", "up to date", "");
    patient.standin.clear_faults();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_not_made_and_not_brought_up_to_date() {
    let mut patient = Patient::healthy().await;
    let path = patient.folder.path().join("new.db");
    patient.database = format!("sqlite:{}", path.display());
    patient.line("database", &[]).await.expect("warn", "There is no database", "Start fromguard serve");
    assert!(!path.exists());
    // While a server is running on it.
    let store = Store::open(&patient.database).await.unwrap();
    patient.line("database", &[]).await.expect("ok", "is up to date", "");
    drop(store);

    let path = patient.folder.path().join("text.db");
    patient.database = format!("sqlite:{}", path.display());
    std::fs::write(&path, "a text that is long enough to be taken for the header of a database\n".repeat(20))
        .unwrap();
    patient.line("database", &[]).await.expect(
        "fail",
        "The database cannot be used",
        "the user that runs serve",
    );
}

#[test]
fn nothing_is_set_up() {
    let output = Command::new(env!("CARGO_BIN_EXE_fromguard"))
        .arg("doctor")
        .env_clear()
        .env("FROMGUARD_STATE_DIR", "/nowhere")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    for step in ["app-manifest/manifest.json", "FROMGUARD_PRIVATE_KEY_FILE", "docs/configuration.md"] {
        assert!(said.contains(step), "{said}");
    }
    assert!(output.stdout.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_costs_an_installation_little() {
    let patient = Patient::healthy().await;
    patient.standin.reset_traffic();
    patient.says(&SHOP).await;
    let traffic = patient.standin.traffic();
    // What is asked as the App costs no installation anything.
    let spent = traffic.requests.iter().filter(|request| {
        !request.template.starts_with("/app") && !request.template.ends_with("/installation")
    });
    assert_eq!(spent.count(), 7, "{}", traffic.describe());
}
