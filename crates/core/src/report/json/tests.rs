use serde_json::Value;
use serde_json::json;

use super::*;
use crate::policy::Mode;
use crate::policy::PolicyFile;
use crate::report::bench;

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn sorted(mut keys: Vec<&str>) -> Vec<&str> {
    keys.sort_unstable();
    keys
}

const USE_KEYS: [&str; 18] = [
    "file",
    "format",
    "role",
    "line",
    "column",
    "end_line",
    "end_column",
    "raw",
    "status",
    "image",
    "registry",
    "repository",
    "tag",
    "digest",
    "reachable",
    "reason",
    "via",
    "",
];

#[test]
fn a_scan_has_the_keys_of_the_contract() {
    let scanned = bench::scanned(&[("a/Dockerfile", "ARG V=20\nFROM node:${V}\nFROM\n")]);
    let document = parse(&scan_json(&scanned));
    assert_eq!(sorted(keys(&document)), sorted(vec!["version", "uses", "problems", "files_scanned"]));
    assert_eq!(document["version"], 1);
    assert_eq!(document["files_scanned"], 1);
    let usage = &document["uses"][0];
    assert_eq!(sorted(keys(usage)), sorted(USE_KEYS[..17].to_vec()));
    assert_eq!(sorted(keys(&usage["via"][0])), ["column", "file", "line", "what"]);
    assert_eq!((&usage["line"], &usage["column"]), (&json!(2), &json!(6)));
    assert_eq!((&usage["end_line"], &usage["end_column"]), (&json!(2), &json!(15)));
    assert_eq!(usage["image"], "docker.io/library/node:20");
    assert_eq!((&usage["raw"], &usage["digest"]), (&json!("node:${V}"), &Value::Null));
    assert_eq!(sorted(keys(&document["problems"][0])), ["code", "column", "file", "line", "message"]);
}

#[test]
fn no_tag_is_invented_and_what_is_not_known_is_null() {
    let scanned =
        bench::scanned(&[("Dockerfile", "ARG T\nFROM node\nFROM ghcr.io/a/b:$T\nFROM $T\nFROM A/b/C\n")]);
    let document = parse(&scan_json(&scanned));
    let uses: Vec<_> = document["uses"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|usage| {
            (
                usage["status"].clone(),
                usage["image"].clone(),
                usage["repository"].clone(),
                usage["reason"].is_null(),
            )
        })
        .collect();
    assert_eq!(uses[0], (json!("resolved"), json!("docker.io/library/node"), json!("library/node"), true));
    assert_eq!(uses[1], (json!("partial"), Value::Null, json!("a/b"), false));
    assert_eq!(uses[2], (json!("unresolved"), Value::Null, Value::Null, false));
    assert_eq!(uses[3], (json!("invalid"), Value::Null, Value::Null, false));
}

#[test]
fn a_value_set_is_one_entry_a_member_null_first() {
    let mut scanned = bench::scanned(&[("Dockerfile", "FROM node:20\n")]);
    scanned.uses[0].targets = vec![
        Target::parse("node:22"),
        Target::Unresolved { reason: "who knows".to_owned() },
        Target::parse("node:20"),
    ];
    let document = parse(&scan_json(&scanned));
    let images: Vec<&Value> =
        document["uses"].as_array().expect("a list").iter().map(|u| &u["image"]).collect();
    assert_eq!(
        images,
        [&Value::Null, &json!("docker.io/library/node:20"), &json!("docker.io/library/node:22")]
    );
}

#[test]
fn a_check_adds_verdict_source_change_and_findings() {
    let subject = bench::subject(
        Some(&[("Dockerfile", "FROM node:20\n")]),
        &[("Dockerfile", "ARG B=evil.io/x:1\nFROM node:20\nCOPY --from=node / /\nFROM ${B}\n")],
    );
    let document = parse(&check_json(&bench::judge(subject, Mode::Enforce)));
    assert_eq!(document["conclusion"], "failure");
    let uses = document["uses"].as_array().expect("a list");
    assert_eq!(
        sorted(keys(&uses[0])),
        sorted([&USE_KEYS[..17], &["verdict", "source", "change", "counts", "lifted"]].concat())
    );
    assert_eq!((&uses[0]["verdict"], &uses[0]["source"]), (&json!("pass"), &json!("official")));
    let last = &uses[2];
    assert_eq!(
        (&last["verdict"], &last["source"], &last["change"]),
        (&json!("fail"), &Value::Null, &json!("introduced"))
    );
    let finding = &document["findings"][0];
    for key in ["verdict", "rule", "message", "explanation", "fix", "file", "line", "column", "at"] {
        assert!(!finding[key].is_null(), "{key}: {finding}");
    }
    assert_eq!((&finding["line"], &finding["at"]["line"]), (&json!(4), &json!(1)));
    assert_eq!(finding["fix"], "registry.example.com/base/x:1");
    assert_eq!(finding["policy"]["line"], 2);
}

#[test]
fn without_a_policy_verdicts_are_null() {
    let mut subject = bench::subject(None, &[("Dockerfile", "FROM node\n")]);
    subject.policies.repository = PolicyFile::Absent;
    let document = parse(&check_json(&bench::judge(subject, Mode::Enforce)));
    assert_eq!(document["conclusion"], "neutral");
    assert_eq!((&document["uses"][0]["verdict"], &document["findings"]), (&Value::Null, &json!([])));
}
