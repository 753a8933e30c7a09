//! What a judgement costs: how many requests, and how many of them wait for one another.
//! The rows are those of the plan (docs/operations.md, "What a judgement costs").

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use fromguard::standin::StandinOptions;
use fromguard::standin::repository::Change;

use crate::harness;
use crate::harness::House;
use crate::harness::POLICY;
use crate::harness::Repo;

const POLICY_PATH: &str = ".github/fromguard.yml";
const TRUSTED: &str = "FROM node:24\n";
const FILES: &str = "/repos/{owner}/{repo}/pulls/{pull_number}/files";

/// A house whose answers take a while, so that what is sent together overlaps, with a
/// token that is minted.
async fn warm() -> (House, Repo) {
    let options = StandinOptions { latency: Duration::from_millis(80), ..StandinOptions::default() };
    let house = House::with(options, harness::settings()).await;
    let mut repo = house.repository("shop", &[(POLICY_PATH, POLICY), ("Dockerfile", TRUSTED)]);
    repo.branch("warm", &[("README.md", "warm\n")]);
    house.standin.open_pull_request(&repo.name, "main", "warm").unwrap();
    house.deliver().await;
    (house, repo)
}

/// A row of the plan.
struct Row {
    what: &'static str,
    changes: Vec<(String, String)>,
    conclusion: &'static str,
    requests: usize,
    sequential: usize,
}

fn row(what: &'static str, conclusion: &'static str, requests: usize, sequential: usize) -> Row {
    Row { what, changes: Vec::new(), conclusion, requests, sequential }
}

impl Row {
    fn with(mut self, path: &str, text: &str) -> Row {
        self.changes.push((path.to_owned(), text.to_owned()));
        self
    }

    fn with_documents(mut self, count: usize) -> Row {
        self.changes.extend((0..count).map(|n| (format!("docs/{n:04}.md"), "text\n".to_owned())));
        self
    }
}

/// `count` stages of unknown images: as many annotations.
fn unknown(count: usize) -> String {
    (0..count).map(|n| format!("FROM docker.io/evil/miner{n}:1 AS s{n}\n")).collect()
}

#[tokio::test]
async fn every_row_of_the_plan_costs_what_it_says() {
    let (house, mut repo) = warm().await;
    // The compare that confirms the merge base is one request beside the contents.
    let compare = 1;
    let rows = [
        row("no candidates", "success", 2, 2).with("README.md", "shop\n"),
        row("an added file: nothing stood there before", "success", 3, 3).with("api/Dockerfile", TRUSTED),
        row("clean", "success", 3 + compare, 3).with("Dockerfile", "FROM node:22\n"),
        row("one violation", "failure", 4 + compare, 3).with("Dockerfile", &unknown(1)),
        row("50 annotations", "failure", 4 + compare, 3).with("Dockerfile", &unknown(50)),
        row("120 annotations", "failure", 4 + 2 + compare, 3 + 2).with("Dockerfile", &unknown(120)),
        row("150 files, none a candidate", "success", 2 + 2, 2).with_documents(150),
        row("150 files, clean", "success", 3 + 2 + compare, 3)
            .with_documents(149)
            .with("Dockerfile", "FROM node:20\n"),
    ];
    for (number, row) in rows.into_iter().enumerate() {
        let files: Vec<(&str, &str)> =
            row.changes.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let branch = format!("row-{number}");
        repo.branch(&branch, &files);
        house.standin.reset_traffic();
        let pull = house.standin.open_pull_request(&repo.name, "main", &branch).unwrap();
        house.deliver().await;
        assert_eq!(house.conclusion(&pull), row.conclusion, "{}", row.what);
        let traffic = house.standin.traffic();
        let cost = (traffic.total(), traffic.longest_chain());
        assert_eq!(cost, (row.requests, row.sequential), "{}:\n{}", row.what, traffic.describe());
    }
}

#[tokio::test]
async fn closing_a_pull_request_costs_one_question() {
    let (house, mut repo) = warm().await;
    repo.branch("feature", &[("Dockerfile", "FROM node:22\n")]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    house.standin.reset_traffic();
    house.standin.close(&pull).unwrap();
    house.deliver().await;
    let traffic = house.standin.traffic();
    assert_eq!((traffic.total(), traffic.longest_chain()), (1, 1), "{}", traffic.describe());
}

#[tokio::test]
async fn asking_again_costs_one_look_at_the_runs_that_stand() {
    let (house, mut repo) = warm().await;
    repo.branch("feature", &[("README.md", "feature\n")]);
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    house.standin.reset_traffic();
    house.standin.rerequest_all(&pull).unwrap();
    house.deliver().await;
    let traffic = house.standin.traffic();
    let looks = traffic.count("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs");
    assert_eq!(looks, 1, "{}", traffic.describe());
    assert_eq!(house.conclusion(&pull), "success");
}

/// The texts of files that GraphQL answered with since the last look.
struct Texts(Arc<Mutex<Vec<String>>>);

impl Texts {
    fn watch(house: &House) -> Texts {
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&seen);
        house.standin.observe(move |exchange| {
            let body = String::from_utf8_lossy(&exchange.response_body).into_owned();
            if exchange.template == "/graphql" {
                let texts = body
                    .split("\"text\":\"")
                    .skip(1)
                    .map(|rest| rest.split("\\n").next().unwrap_or_default().to_owned());
                kept.lock().unwrap().extend(texts.filter(|text| text.starts_with("FROM")));
            }
        });
        Texts(seen)
    }

    fn take(&self) -> Vec<String> {
        let mut texts = std::mem::take(&mut *self.0.lock().unwrap());
        texts.sort();
        texts
    }
}

#[tokio::test]
async fn a_push_that_changes_one_file_reads_only_the_new_blob() {
    let (house, mut repo) = warm().await;
    let texts = Texts::watch(&house);
    let paths: Vec<String> = (0..20).map(|n| format!("services/s{n:02}/Dockerfile")).collect();
    let on_main: Vec<String> = (0..20).map(|n| format!("FROM node:24 AS main{n:02}\n")).collect();
    let on_branch: Vec<String> = (0..20).map(|n| format!("FROM node:22 AS branch{n:02}\n")).collect();
    let files = |texts: &[String]| -> Vec<(String, String)> {
        paths.iter().cloned().zip(texts.iter().cloned()).collect()
    };
    let commit = |repo: &mut Repo, branch: &str, files: &[(String, String)]| {
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        repo.commit(branch, &files)
    };
    repo.main = commit(&mut repo, "main", &files(&on_main));
    repo.builder.branch("feature", &repo.main.clone()).unwrap();
    commit(&mut repo, "feature", &files(&on_branch));
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(texts.take().len(), 40, "both ends of each file");

    let pushed = repo.commit("feature", &[("services/s07/Dockerfile", "FROM node:20 AS pushed\n")]);
    house.standin.reset_traffic();
    house.standin.push(&pull, &pushed.0).unwrap();
    house.deliver().await;
    assert_eq!(texts.take(), ["FROM node:20 AS pushed"]);
    assert_eq!(house.conclusion(&pull), "success");
    // The list of files runs beside the first query.
    let traffic = house.standin.traffic();
    assert_eq!((traffic.total(), traffic.longest_chain()), (5, 3), "{}", traffic.describe());
    assert_eq!(traffic.count("GET", FILES), 1);

    // The same commit once more reads nothing at all.
    house.standin.rerequest_all(&pull).unwrap();
    house.deliver().await;
    assert_eq!(texts.take(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_file_that_becomes_a_link_with_the_same_blob_is_read_as_a_link() {
    let (house, mut repo) = warm().await;
    // The file is a harmless Dockerfile; as a link its text is the name of another file.
    let name = "FROM node:24";
    repo.branch(
        "feature",
        &[("api/Dockerfile", name), (&format!("api/{name}"), "FROM docker.io/evil/miner:1\n")],
    );
    let pull = house.standin.open_pull_request(&repo.name, "main", "feature").unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "success");
    let linked = repo.change("feature", &[("api/Dockerfile", Change::Symlink(name))]);
    house.standin.push(&pull, &linked.0).unwrap();
    house.deliver().await;
    assert_eq!(house.conclusion(&pull), "failure");
}
