//! The JSON Schema that editors check a policy by: it takes what the loader takes,
//! and refuses what the loader refuses for its form.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its own examples should stop")]

use std::fs;
use std::sync::Arc;

use fromguard_core::day::Day;
use fromguard_core::policy;
use fromguard_core::policy::Scope;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;
use fromguard_core::yaml;
use fromguard_core::yaml::Limits;
use fromguard_core::yaml::Node;
use fromguard_core::yaml::Shape;
use fromguard_core::yaml::Style;
use serde_json::Value;
use serde_json::json;

/// A YAML value as an editor sees it (YAML 1.2.2, section 10.3, "Core Schema").
fn value(node: Node<'_>) -> Value {
    match node.shape() {
        Shape::Mapping(mapping) => mapping
            .entries()
            .map(|(key, below)| (key.scalar().unwrap().text.to_owned(), value(below)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Shape::Sequence(sequence) => sequence.items().map(value).collect(),
        Shape::Alias(_) => Value::Null,
        Shape::Scalar(scalar) if node.is_null() || scalar.style != Style::Plain => match node.is_null() {
            true => Value::Null,
            false => json!(scalar.text),
        },
        Shape::Scalar(scalar) => match scalar.text {
            "true" => json!(true),
            "false" => json!(false),
            text => match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(number), _) => json!(number),
                (_, Ok(number)) => json!(number),
                _ => json!(text),
            },
        },
    }
}

fn read(text: &str) -> Value {
    let read = yaml::read(text, Limits { bytes: 1 << 20, depth: 32, nodes: 1 << 16, documents: 2 });
    assert!(read.errors.is_empty(), "{text}: {:?}", read.errors);
    value(read.documents[0].root())
}

fn wrong(text: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(&policy::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(&read(text)).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn loads(text: &str) -> bool {
    let file = Arc::new(SourceFile::new(RepoPath::new("fromguard.yml"), text));
    !policy::load(file, Scope::Organisation, Day::parse("2026-11-25").unwrap()).is_broken()
}

fn completed(text: &str) -> String {
    let missing = ["version: 1", "mode: observe", "unknown: review"].into_iter().filter(|line| {
        let key = line.split_once(':').unwrap().0;
        !text.lines().any(|line| line.starts_with(&format!("{key}:")))
    });
    missing.map(|line| format!("{line}\n")).collect::<String>() + text + "\n"
}

#[test]
fn the_published_schema_is_the_loaders() {
    let published = fs::read_to_string("schema/fromguard.v1.json").unwrap();
    assert_eq!(
        published,
        policy::schema(),
        "write it again: fromguard policy schema > schema/fromguard.v1.json"
    );
}

#[test]
fn every_example_of_the_documents_is_taken() {
    let page = fs::read_to_string("docs/policy.md").unwrap();
    let mut blocks: Vec<String> = page
        .split("\n```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.strip_prefix("yaml\n"))
        .map(completed)
        .collect();
    for folder in ["docs/examples", "docs/examples/cookbook"] {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        blocks.extend(files.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap()));
    }
    assert!(blocks.len() > 15, "{}", blocks.len());
    for block in blocks {
        assert_eq!(wrong(&block), Vec::<String>::new(), "{block}");
    }
}

#[test]
fn what_is_refused_for_its_form_is_refused_by_both() {
    for text in [
        "version: 2",
        "mode: enforced",
        "unknown: maybe",
        "when-unsure: allow",
        "judge: all",
        "unknwon: fail",
        "skip-paths: docs",
        "skip-paths: []",
        "skip-paths: [\"/a\"]",
        "skip-paths: [a, a]",
        "trust: {}",
        "trust: []",
        "trust: {a: {}}",
        "trust: {a: {require: {digest: true}}}",
        "trust: {digest: {images: [\"hub:official\"]}}",
        "trust: {\"a b\": {images: [\"hub:official\"]}}",
        "trust: {a: {images: [node]}}",
        "trust: {a: {images: [\"hub:offical\"]}}",
        "trust: {a: {images: [\"hub:official\"], require: {digest: \"true\"}}}",
        "trust: {a: {images: [\"hub:official\"], require: {digest: false}}}",
        "trust: {a: {images: [\"hub:official\"], require: {tag: suported}}}",
        "trust: {a: {images: [\"hub:official\"], require: {forbid-tags: [\"-x\"]}}}",
        "trust: {a: {images: [\"ghcr.io/a/*\"], require: {signed-by: {issuer: \"https://x.example\"}}}}",
        "trust: {a: {images: [\"ghcr.io/a/*\"], require: {signed-by: {issuer: x, identity: \"a@b.example\"}}}}",
        "trust: {a: {images: [\"ghcr.io/a/*\"], require: {provenance: {builder: x}}}}",
        "trust: {a: {images: [\"hub:verified-publisher\"], publishers: [\"A B\"]}}",
        "scrutinise: {end-of-life: true}",
        "scrutinise: {pushed-within: 30}",
        "scrutinise: {vulnerabilities: {critical-fixable: 0}}",
        "block: [k8s.gcr.io]",
        "block: [{because: x}]",
        "replace: {node: x}",
        "where: [{name: a, mode: observe}]",
        "where: [{name: a, unknown: allow}]",
        "where: [{unknown: fail}]",
        "where: [{name: a, paths: [], unknown: fail}]",
        "where: [{name: a, stages: last, unknown: fail}]",
        "exceptions: [{id: EX}]",
        "exceptions: [{id: EX, images: [\"docker.io/a/b\"], rules: [block], until: 2027-01-31, owner: a, reason: b}]",
        "exceptions: [{id: EX, images: [\"docker.io/a/b\"], rules: [unknown], until: 31.1.2027, owner: a, reason: b}]",
        "exceptions: [{id: EX, images: [\"docker.io/a/b\"], rules: [unknown], until: 2027-01-31, owner: \" \", reason: b}]",
        "repos-may: {add-exceptions: {max-days: 0}}",
        "repos-may: {}",
        "reviewers: [acme]",
        "contact: [\"https://x\"]",
        "tests: [{image: node}]",
        "tests: [{image: node, expect: passes}]",
    ] {
        let whole = completed(text);
        assert!(!loads(&whole), "the loader takes {text}");
        assert!(!wrong(&whole).is_empty(), "the schema takes {text}");
    }
}
