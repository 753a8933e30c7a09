#![allow(clippy::unwrap_used, reason = "tests")]

mod conformance;
mod limits;

use std::sync::Arc;

use super::*;
use crate::day::Day;
use crate::image::ImageUse;
use crate::image::Role;
use crate::image::Stage;
use crate::image::Target;
use crate::policy::Found;
use crate::policy::Judgement;
use crate::policy::Loaded;
use crate::policy::Policies;
use crate::policy::REPOSITORY_POLICY_PATH;
use crate::policy::Scope;
use crate::policy::load;
use crate::source::SourceFile;
use crate::trust::Evidence;

const POLICY: &str = r#"version: 1
mode: observe
unknown: allow
when-unsure: fail
trust:
  official: {images: ["hub:official"]}
  internal: {images: ["registry.example.com/base/**"]}
mirrors: {registry.example.com/hub/**: docker.io/**}
rules:
"#;

fn file(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile::new(RepoPath::new(REPOSITORY_POLICY_PATH), text))
}

fn usage(reference: &str) -> ImageUse {
    ImageUse::supposed(reference, RepoPath::new("services/a/Dockerfile"), Role::FinalStage, Stage::Final)
}

/// A policy with one rule.
fn policies(expression: &str) -> Policies {
    let rule =
        format!("  - {{name: a-rule, then: review, say: no, if: '{}'}}\n", expression.replace('\'', "''"));
    let policies =
        Policies::load(Found::Absent, Found::File(file(&format!("{POLICY}{rule}"))), Day::from_unix_ms(0));
    assert_eq!(said(&format!("{POLICY}{rule}")), "", "{expression}");
    policies
}

/// What is said of a file: `line:column message [help]` and the underlined text.
fn said(text: &str) -> String {
    let loaded: Loaded = load(file(text), Scope::Repository, Day::from_unix_ms(0));
    let mut out = String::new();
    for diagnostic in &loaded.diagnostics {
        let at = loaded.file.position(diagnostic.span.start);
        let help = diagnostic.help.as_deref().unwrap_or("");
        let under = loaded.file.slice(diagnostic.span);
        out.push_str(&format!(
            "{}:{} {} [{help}]\n    {under}\n",
            at.line_1based, at.column_1based, diagnostic.message
        ));
    }
    out
}

fn findings(judgement: &Judgement) -> String {
    let all: Vec<String> = judgement
        .findings
        .iter()
        .map(|finding| format!("{} {}", finding.verdict.as_str(), finding.rule))
        .collect();
    all.join(", ")
}

/// `reference → what the rule makes of it`, by an expression.
#[track_caller]
fn check(expression: &str, table: &str) {
    let policies = policies(expression);
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (reference, wanted) = line.split_once('→').expect("a line has an arrow");
        let judgement = policies.judge(&usage(reference.trim()), &Evidence::none()).unwrap();
        assert_eq!(findings(&judgement), wanted.trim(), "{expression}: {line}");
    }
}

#[test]
fn a_rule_reads_the_image() {
    check(
        r#"image.tier == "unknown" && image.registry != "quay.io""#,
        "node:24                         → 
         registry.example.com/base/x     → 
         quay.io/acme/x                  → 
         GHCR.io:443/acme/x              → review a-rule
         registry.example.com/hub/a/b    → review a-rule",
    );
    check(
        r#"image.tag == "" && image.digest == "" || image.tag.matches(r"^\d+$") && !image.official"#,
        "node:24 → 
         node → review a-rule
         acme/x:24 → review a-rule
         acme/x:24a → ",
    );
    check(
        r#"image.reference in ["docker.io/library/node:24", "ghcr.io/acme/x:1"]"#,
        "node:24 → review a-rule
         GHCR.io:443/acme/x:1 → review a-rule
         registry.example.com/hub/library/node:24 → review a-rule
         node → ",
    );
    check(
        r#"image.repository.startsWith("library/") && image.tag.size() > 2"#,
        "node:24 → \n node:24-slim → review a-rule",
    );
}

#[test]
fn a_rule_reads_where_the_use_stands() {
    let judge = |expression: &str| {
        findings(&policies(expression).judge(&usage("node:24"), &Evidence::none()).unwrap())
    };
    for yes in [
        r#"file.path == "services/a/Dockerfile" && file.name == "Dockerfile" && file.folder == "services/a""#,
        r#"use.role == "final-stage" && use.stage == "final" && use.format == "dockerfile" && use.reachable"#,
        r#"use.text == "node:24" && use.via.size() == 0 && use.via.all(f, f == "")"#,
        r#"file.path.contains("vices/") ? image.official : false"#,
        r#"["services/", "deploy/"].exists(p, file.path.startsWith(p))"#,
        r#"["a", "b"].map(x, "services/" + x)[0] == file.folder"#,
        r#"["a", "b"].filter(x, x != "a").size() == 1 && ["a", "b"].exists_one(x, x == "a")"#,
        r#"-1 + 3 * 2 - 10 / 5 == 7 % 4 && 1 < 2 && 2 <= 2 && 3 > 2 && "b" >= "a""#,
        "size(image.tag) == 2 && matches(image.tag, '4$')",
    ] {
        assert_eq!(judge(yes), "review a-rule", "{yes}");
    }
}

#[test]
fn what_is_not_known_is_unsure_and_never_a_pass() {
    check(r#"image.user in ["", "0", "root"]"#, "node:24 → undecided a-rule");
    check(r#"!(image.user == "root")"#, "node:24 → undecided a-rule");
    check(r#"image.tag == "1" && image.user == "root""#, "node:24 → ");
    check(r#"image.tag == "24" || image.user == "root""#, "node:24 → review a-rule");
    check(r#"pull_request.number > 3 || repository.owner == "acme""#, "node:24 → undecided a-rule");
    check(r#"1 / image.tag.size() == 1"#, "node → undecided a-rule");
    check(r#"["a"][image.tag.size()] == "a""#, "node:24 → undecided a-rule");
    let judgement = policies(r#"image.user == "root""#).judge(&usage("node:24"), &Evidence::none()).unwrap();
    assert_eq!(
        judgement.findings[0].message,
        "whether the rule `a-rule` applies to `node:24` cannot be decided: `image.user` is not known"
    );
    assert_eq!(
        judgement.findings[0].effect,
        crate::policy::Effect::Fail,
        "`when-unsure` decides what it counts as"
    );
}

#[test]
fn an_image_that_is_not_wholly_known_has_only_the_fields_that_are() {
    let target = |target: Target| ImageUse { targets: vec![target], ..usage("ghcr.io/acme/x:$TAG") };
    let name = crate::image::ImageRef::parse("ghcr.io/acme/x").unwrap();
    let partial = |complete| {
        let reason = "ARG `TAG` has no default".to_owned();
        target(Target::Partial(crate::image::Partial { name: name.clone(), complete, reason }))
    };
    let unresolved = target(Target::Unresolved { reason: "ARG `X` has no default".to_owned() });
    let judge = |expression: &str, usage: &ImageUse| {
        findings(&policies(expression).judge(usage, &Evidence::none()).unwrap())
    };

    assert_eq!(judge(r#"image.registry == "ghcr.io""#, &partial(true)), "review a-rule");
    assert_eq!(judge(r#"image.tier == "unknown""#, &partial(true)), "review a-rule");
    assert_eq!(judge(r#"image.tag == """#, &partial(true)), "undecided a-rule");
    assert_eq!(
        judge(r#"image.registry == "ghcr.io""#, &partial(false)),
        "undecided unsure, undecided a-rule"
    );
    assert_eq!(judge(r#"image.tier == "unknown""#, &unresolved), "undecided unsure, undecided a-rule");
    assert_eq!(judge(r#"file.name == "Dockerfile""#, &unresolved), "undecided unsure, review a-rule");
    let invalid = target(Target::parse("Bad:"));
    assert_eq!(judge("true", &invalid), "fail invalid");
}

#[test]
fn a_rule_can_fail_and_speak_and_only_adds() {
    let text = format!(
        "{POLICY}  - name: no-quay\n    if: image.registry == \"quay.io\"\n    then: fail\n    say: |\n      use our\n      registry\n  - {{name: silent, if: \"image.registry == 'quay.io'\", then: review}}\nblock: [{{images: [\"quay.io/bad/**\"]}}]\n"
    );
    let policies = Policies::load(Found::Absent, Found::File(file(&text)), Day::from_unix_ms(0));
    assert_eq!(said(&text), "");
    let judgement = policies.judge(&usage("quay.io/a/b:1"), &Evidence::none()).unwrap();
    assert_eq!(findings(&judgement), "fail no-quay, review silent");
    let messages: Vec<&str> = judgement.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages, ["`quay.io/a/b:1`: use our registry", "`quay.io/a/b:1` meets the rule `silent`"]);
    let explanation = &judgement.findings[0].explanation;
    assert_eq!(explanation.text, "the rule `no-quay` applies: `image.registry == \"quay.io\"`");
    assert_eq!(explanation.because[0].text, "`image.registry` is `quay.io`");
    let at = explanation.at.as_ref().unwrap();
    assert_eq!(&text[at.span.start..at.span.end], "image.registry == \"quay.io\"");
    assert_eq!(
        findings(&policies.judge(&usage("quay.io/bad/b:1"), &Evidence::none()).unwrap()),
        "fail block"
    );
    assert_eq!(policies.judge(&usage("node:24"), &Evidence::none()).unwrap().findings, []);
}

#[test]
fn a_rule_of_a_repository_sees_the_organisations_sources() {
    let organisation =
        "version: 1\nmode: observe\nunknown: allow\ntrust: {official: {images: [\"hub:official\"]}}\n";
    let rule = "version: 1\nrules: [{name: r, if: \"image.tier == 'official'\", then: fail}]\n";
    let judge = |organisation: &str| {
        let policies =
            Policies::load(Found::File(file(organisation)), Found::File(file(rule)), Day::from_unix_ms(0));
        findings(&policies.judge(&usage("node:24"), &Evidence::none()).unwrap())
    };
    assert_eq!(judge(organisation), "fail r");
    assert_eq!(judge("version: 1\nbroken: x\n"), "undecided unsure, undecided r");
}

#[test]
fn a_pull_request_is_known_where_there_is_one() {
    let circumstances =
        Circumstances { repository: Some(("acme".to_owned(), "shop".to_owned())), pull_request: Some(12) };
    let expression =
        r#"repository.owner + "/" + repository.name == "acme/shop" && pull_request.number == 12"#;
    let policies = policies(expression).under(circumstances);
    assert_eq!(findings(&policies.judge(&usage("node:24"), &Evidence::none()).unwrap()), "review a-rule");
}

#[test]
fn texts_and_lists_that_are_too_long_are_unsure() {
    let long = ImageUse { raw: "x".repeat(5000), ..usage("node:24") };
    assert_eq!(
        findings(&policies(r#"use.text == """#).judge(&long, &Evidence::none()).unwrap()),
        "undecided a-rule"
    );
    let via = |index: usize| crate::image::Via {
        at: Location { file: RepoPath::new(&format!("{index}.env")), span: Span::new(0, 0) },
        what: String::new(),
    };
    let long = ImageUse { via: (0..101).map(via).collect(), ..usage("node:24") };
    assert_eq!(
        findings(&policies("use.via.size() > 0").judge(&long, &Evidence::none()).unwrap()),
        "undecided a-rule"
    );
    let fits = ImageUse { via: (0..100).map(via).collect(), ..usage("node:24") };
    assert_eq!(
        findings(&policies("use.via.size() == 100").judge(&fits, &Evidence::none()).unwrap()),
        "review a-rule"
    );
}

#[test]
fn everything_wrong_in_rules_is_said_at_its_place() {
    let text = format!(
        r#"{POLICY}  - {{name: unsure, if: 'image.teir == "a" && imag.tag == "b" && tag == ""', then: reveiw}}
  - name: syntax
    if: image.tag = "latest"
    then: fail
  - name: syntax
    if: image.tag == "latest" and image.tag
    then: fail
  - {{name: a b, if: "image.tag", then: fail, say: ""}}
  - {{if: image == 1}}
  - {{name: c, then: fail, if: image.tag == 1 ||
      image.tag.startswith("v") || has(image.tag)
      || image.tag.lower() == "x" }}
  - {{name: d, then: fail, if: image.tag == }}
  - {{name: e, then: fail, if: 'use.via.exists(f, use.via.exists(g, f == g))'}}
  - {{name: f, then: fail, if: 'image.tag.matches(image.tag) || image.tag.matches("(")'}}
  - {{name: g, then: fail, if: "image.tag == \"a\" && \"it's\" == image.tga"}}
  - name: h
    then: fail
    if: |
      image.tag == "é"
        || image.tagg == 'x'
  - {{name: i, then: fail, if: 'use.via == "a" || "a" in image.tag || use.via.all(image, true) || image.tag.exists(x, true)'}}
  - {{name: j, then: fail, iff: "true"}}
  - {{name: k, then: fail, if: 'image.tag.user == "x" || image.tag.startsWith == "x" || [] == [1] || ["a", 1] == ["a"]'}}
  - just text
"#
    );
    insta::assert_snapshot!(said(&text));
}

#[test]
fn the_docs_hold_the_tables() {
    let page = include_str!("../../../../../docs/policy.md");
    assert!(page.contains(&fields::tables()), "docs/policy.md, \"rules\", must hold:\n{}", fields::tables());
}

#[test]
fn every_field_is_either_known_or_said_to_need_something() {
    let circumstances =
        Circumstances { repository: Some(("acme".to_owned(), "shop".to_owned())), pull_request: Some(12) };
    let usage = usage("node:24");
    let subject = Subject {
        usage: &usage,
        origin: Some(crate::image::ImageRef::parse("node:24").unwrap()),
        whole: true,
        tier: Some("official".to_owned()),
        circumstances: &circumstances,
    };
    for variable in &fields::VARIABLES {
        for field in variable.fields {
            let value = subject.value(variable.name, field.name);
            let kind = value.as_ref().map(|value| match value {
                values::Value::Bool(_) => "bool",
                values::Value::Int(_) => "int",
                values::Value::Text(_) => "string",
                values::Value::List(_) => "list(string)",
            });
            let wanted = (!field.about.contains("from the registry")).then(|| field.kind.name());
            assert_eq!(kind, wanted, "{}.{}", variable.name, field.name);
        }
    }
}
