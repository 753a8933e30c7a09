//! Several `fromguard serve` on one PostgreSQL database: killed in the middle of their work,
//! cut off from the database, or never reaching it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;
mod harness;

use std::collections::BTreeMap;
use std::io::BufRead;
use std::io::BufReader;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use fromguard::standin::PullPlace;
use fromguard::standin::Standin;
use fromguard::standin::StandinOptions;
use fromguard::standin::repository::Builder;
use fromguard::standin::repository::Change;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use sqlx::Connection;
use sqlx::PgConnection;
use sqlx::Row;
use sqlx::postgres::PgListener;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use self::harness::POLICY;
use self::harness::database;
use self::harness::within;

/// How often a replica is killed; each time new pull requests are under way.
const KILLS: usize = 4;

const REPOSITORIES: usize = 4;

/// A running `fromguard serve`.
struct Replica {
    child: Child,
    address: String,
    log: Arc<Mutex<Vec<String>>>,
}

/// `fromguard serve` for the stand-in, with nothing of this process's environment.
fn program(standin: &Standin, database_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fromguard"));
    command
        .arg("serve")
        .env_clear()
        .env("FROMGUARD_LISTEN", "127.0.0.1:0")
        .env("FROMGUARD_DATABASE_URL", database_url)
        .env("FROMGUARD_GITHUB_API_URL", standin.base_url())
        .env("FROMGUARD_APP_ID", standin.app_id().to_string())
        .env("FROMGUARD_PRIVATE_KEY", standin.app_private_key_pem())
        .env("FROMGUARD_WEBHOOK_SECRET", standin.webhook_secret())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

impl Replica {
    /// Starts one and waits until it listens.
    fn start(standin: &Standin, database_url: &str) -> Replica {
        let mut child = program(standin, database_url).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let address = loop {
            let line = lines.next().unwrap_or_else(|| panic!("it ended: {:?}", log.lock().unwrap())).unwrap();
            let event: Value = serde_json::from_str(&line).expect("every line is JSON");
            log.lock().unwrap().push(line);
            if let Some(address) = event["address"].as_str() {
                break address.to_owned();
            }
        };
        let rest = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                rest.lock().unwrap().push(line);
            }
        });
        Replica { child, address, log }
    }

    fn webhook(&self) -> String {
        format!("http://{}/webhook", self.address)
    }

    /// As `kill -9` does.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, as an update does.
    fn stop(mut self) {
        let asked = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success());
        assert!(self.child.wait().unwrap().success(), "{:?}", self.log.lock().unwrap());
    }

    /// The status of an answer to a GET.
    async fn get(&self, path: &str) -> u16 {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log.lock().unwrap().join("\n"));
        }
    }
}

/// Writes down every lease that changes hands, by the database's clock, and tells who listens.
async fn audit(database: &database::Schema) -> PgListener {
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let statements = AssertSqlSafe(format!(
        "CREATE TABLE audit (repository BIGINT, head TEXT, before TEXT, before_until_ms BIGINT, after TEXT, at_ms BIGINT);
         CREATE FUNCTION note() RETURNS TRIGGER LANGUAGE plpgsql AS $$
         BEGIN
           IF OLD.lease IS DISTINCT FROM NEW.lease THEN
             INSERT INTO audit VALUES (NEW.repository, NEW.head, OLD.lease, OLD.due_ms, NEW.lease,
                                       EXTRACT(EPOCH FROM clock_timestamp()) * 1000);
           END IF;
           NOTIFY {};
           RETURN NEW;
         END $$;
         CREATE TRIGGER note AFTER UPDATE ON heads FOR EACH ROW EXECUTE FUNCTION note();",
        database.name
    ));
    sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
    let mut listener = PgListener::connect(&database.url).await.unwrap();
    listener.listen(&database.name).await.unwrap();
    listener
}

/// Delivers what waits to a replica that dies meanwhile, and what it did not answer to the other.
async fn deliver_to_the_dying(standin: &Standin, dying: &mut Replica, other: &Replica) {
    standin.deliver_to(&dying.webhook());
    let (delivered, ()) = tokio::join!(standin.deliver_all_at_once(), async { dying.kill() });
    for delivered in delivered.unwrap() {
        if delivered.status != Some(202) {
            standin.redeliver(&delivered.guid).unwrap();
        }
    }
    deliver(standin, other).await;
}

/// Delivers what waits to a replica that takes it.
async fn deliver(standin: &Standin, replica: &Replica) {
    standin.deliver_to(&replica.webhook());
    for delivered in standin.deliver_all_at_once().await.unwrap() {
        assert_eq!(delivered.status, Some(202), "{}", delivered.what);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_conclude_everything_while_they_are_killed_again_and_again() {
    let database = database::new_schema().await;
    let options = StandinOptions { latency: Duration::from_millis(20), ..StandinOptions::default() };
    let standin = Standin::start(options).await.unwrap();
    standin.install("acme");
    let folders = tempfile::tempdir().unwrap();
    let mut repositories: Vec<_> = (0..REPOSITORIES)
        .map(|number| {
            let name = format!("acme/shop{number}");
            let folder = folders.path().join(number.to_string());
            let mut builder = Builder::init(&folder).unwrap();
            let files = [("Dockerfile", "FROM alpine:3.20\n"), (".github/fromguard.yml", POLICY)];
            let files = files.map(|(path, text)| (path, Change::File(text.as_bytes())));
            let main = builder.commit("main", "the beginning", &files).unwrap();
            standin.add_repository(&name, &folder).unwrap();
            (name, builder, main)
        })
        .collect();

    let mut replicas = [0, 1].map(|_| Replica::start(&standin, &database.url));
    let mut changes = audit(&database).await;
    let mut expected: Vec<(PullPlace, &str)> = Vec::new();
    for kill in 0..KILLS {
        for (name, builder, main) in &mut repositories {
            for (kind, image, conclusion) in
                [("good", "node:24", "success"), ("bad", "evil.example/miner:1", "failure")]
            {
                let branch = format!("{kind}{kill}");
                let text = format!("FROM alpine:3.20\nFROM {image}\n# {kill}\n");
                builder.branch(&branch, main).unwrap();
                builder
                    .commit(&branch, "a change", &[("Dockerfile", Change::File(text.as_bytes()))])
                    .unwrap();
                expected.push((standin.open_pull_request(name, "main", &branch).unwrap(), conclusion));
            }
        }
        let victim = kill % 2;
        deliver(&standin, &replicas[victim]).await;

        // One pull request moves while its first head may be under way, and its replica dies.
        let (pull, conclusion) = &mut expected[kill * 2 * REPOSITORIES];
        let (_, builder, _) = &mut repositories[0];
        let text = format!("FROM evil.example/miner:{kill}\n");
        let branch = format!("good{kill}");
        builder.commit(&branch, "another", &[("Dockerfile", Change::File(text.as_bytes()))]).unwrap();
        standin.push(pull, &branch).unwrap();
        *conclusion = "failure";
        let [one, two] = &mut replicas;
        let (dying, living) = if victim == 0 { (one, two) } else { (two, one) };
        deliver_to_the_dying(&standin, dying, living).await;
        replicas[victim] = Replica::start(&standin, &database.url);
    }

    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    within("nothing is wanted any more", async {
        loop {
            let wanted = "SELECT COUNT(*) FROM heads WHERE due_ms IS NOT NULL";
            let wanted: i64 = sqlx::query(wanted).fetch_one(&mut connection).await.unwrap().get(0);
            if wanted == 0 {
                break;
            }
            changes.recv().await.unwrap();
        }
    })
    .await;
    for replica in replicas {
        replica.stop();
    }

    for (pull, conclusion) in &expected {
        let run = standin.check_run(pull, "fromguard").unwrap().unwrap_or_else(|| panic!("{pull:?}: lost"));
        assert_eq!(run.conclusion.as_deref(), Some(*conclusion), "{pull:?}: {}", run.title);
        let comments = standin.comments(pull).unwrap();
        let ours = comments.iter().filter(|comment| comment.by_app).count();
        assert_eq!(ours, usize::from(*conclusion == "failure"), "{pull:?}: comments");
    }
    never_at_once(&mut connection, expected.len() + KILLS).await;
}

/// Every head was leased, and no lease was given to another before it had run out.
async fn never_at_once(connection: &mut PgConnection, heads: usize) {
    let leases = sqlx::query(
        "SELECT repository, head, before, before_until_ms, after, at_ms FROM audit ORDER BY at_ms",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    let mut taken: BTreeMap<(i64, String), usize> = BTreeMap::new();
    let mut taken_over = 0;
    for lease in &leases {
        let (before, after): (Option<String>, Option<String>) = (lease.get("before"), lease.get("after"));
        if after.is_some() {
            *taken.entry((lease.get("repository"), lease.get("head"))).or_default() += 1;
        }
        if before.is_some() && after.is_some() {
            taken_over += 1;
            let (until_ms, at_ms): (i64, i64) = (lease.get("before_until_ms"), lease.get("at_ms"));
            assert!(until_ms <= at_ms, "a lease was taken {} ms before its end", until_ms - at_ms);
        }
    }
    assert_eq!(taken.len(), heads, "each head was judged");
    assert!(taken_over > 0, "no replica died in the middle of a judgement: the test shows nothing");
}

/// Stands between a replica and the server, and can be cut.
struct Wire {
    listener: TcpListener,
    server: String,
}

impl Wire {
    /// The wire, and the URL that goes through it.
    async fn to(url: &str) -> (Wire, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        let (before, rest) = url.split_once('@').unwrap();
        let (server, path) = rest.split_once('/').unwrap();
        let through = format!("{before}@{here}/{path}");
        (Wire { listener, server: server.to_owned() }, through)
    }

    /// Carries what is said until it is dropped; then every connection breaks.
    async fn carry(self: Arc<Wire>) {
        let mut connections = JoinSet::new();
        loop {
            let (mut near, _) = self.listener.accept().await.unwrap();
            let mut far = TcpStream::connect(&self.server).await.unwrap();
            connections.spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await.ok() });
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_a_replica_refuses_deliveries_and_is_not_ready() {
    let database = database::new_schema().await;
    let standin = Standin::start(StandinOptions::default()).await.unwrap();
    standin.install("acme");
    let folder = tempfile::tempdir().unwrap();
    let mut builder = Builder::init(folder.path()).unwrap();
    builder.commit("main", "the beginning", &[("Dockerfile", Change::File(b"FROM alpine\n"))]).unwrap();
    builder.commit("topic", "a change", &[("Dockerfile", Change::File(b"FROM node\n"))]).unwrap();
    standin.add_repository("acme/shop", folder.path()).unwrap();

    let (wire, url) = Wire::to(&database.url).await;
    let wire = Arc::new(wire);
    let carrying = tokio::spawn(Arc::clone(&wire).carry());
    let starting = standin_replica(&standin, &url);
    let replica = within("the replica starts", starting).await;
    assert_eq!(replica.get("/readyz").await, 200);
    standin.deliver_to(&replica.webhook());

    carrying.abort();
    let _ = carrying.await;
    let pull = standin.open_pull_request("acme/shop", "main", "topic").unwrap();
    let refused = standin.deliver_all().await.unwrap();
    assert_eq!(refused[0].status, Some(503), "it is not acknowledged");
    assert_eq!(replica.get("/readyz").await, 503);
    assert_eq!(replica.get("/healthz").await, 200, "restarting it would not help");

    let carrying = tokio::spawn(Arc::clone(&wire).carry());
    within("the delivery is taken", async {
        loop {
            standin.redeliver(&refused[0].guid).unwrap();
            if standin.deliver_all().await.unwrap()[0].status == Some(202) {
                break;
            }
        }
    })
    .await;
    assert_eq!(replica.get("/readyz").await, 200);
    let (seen, mut see) = tokio::sync::watch::channel(());
    standin.observe(move |_| {
        let _ = seen.send(());
    });
    within("it is judged", async {
        while standin.check_run(&pull, "fromguard").unwrap().is_none_or(|run| run.conclusion.is_none()) {
            see.changed().await.unwrap();
        }
    })
    .await;
    replica.stop();
    carrying.abort();
}

/// Starts a replica without keeping this runtime from carrying what it says meanwhile.
async fn standin_replica(standin: &Standin, url: &str) -> Replica {
    tokio::task::block_in_place(|| Replica::start(standin, url))
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_said_at_start() {
    let standin = Standin::start(StandinOptions::default()).await.unwrap();
    let unreachable = "postgres://user:secret@127.0.0.1:1/fromguard";
    let refused = program(&standin, unreachable).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("127.0.0.1:1 as"), "{said}");
    assert!(said.contains("check that the server runs and that FROMGUARD_DATABASE_URL is right"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}
