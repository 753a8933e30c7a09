use super::*;

const ORGANISATION: &str = r#"
version: 1
mode: observe
unknown: review
judge: touched
skip-paths: ["testdata/**"]
trust:
  official: {images: ["hub:official"]}
  internal: {images: ["registry.example.com/base/**"], require: {digest: true}}
mirrors: {registry.example.com/hub/**: docker.io/**}
"#;

/// The findings as `rule verdict effect mode`.
fn findings(policies: &Policies, reference: &str) -> Vec<String> {
    let judgement = policies.judge(&image(reference), &Evidence::none()).unwrap();
    let line = |finding: &Finding| {
        format!("{} {} {:?} {:?}", finding.rule, finding.verdict.as_str(), finding.effect, finding.mode)
    };
    judgement.findings.iter().map(line).collect()
}

#[test]
fn no_policy_judges_nothing() {
    let policies = Policies::none();
    assert_eq!(policies.status(), PolicyStatus::None);
    assert_eq!(policies.judge(&image("node"), &Evidence::none()), None);
    assert_eq!((policies.mode(), policies.judge_scope()), (None, JudgeScope::Changed));
}

#[test]
fn a_repository_sees_the_organisations_sources_and_mirrors() {
    let policies = sound(both(ORGANISATION, "version: 1\n"));
    assert_eq!(policies.status(), PolicyStatus::Loaded);
    assert_eq!(policies.mode(), Some(Mode::Observe));
    assert_eq!(policies.judge_scope(), JudgeScope::Touched);
    assert_eq!(verdict(&policies, &image("node")), "pass [official]");
    assert_eq!(verdict(&policies, &image("registry.example.com/hub/library/node")), "pass [official]");
    assert_eq!(findings(&policies, "docker.io/foo/bar"), ["unknown review Review Observe"]);
    assert!(policies.is_skipped(&RepoPath::new("testdata/Dockerfile")));
}

#[test]
fn each_file_is_evaluated_alone_and_the_worse_result_is_taken() {
    let policies = sound(both(
        ORGANISATION,
        "version: 1\nmode: enforce\nunknown: fail\njudge: repository\nblock: [{images: [\"docker.io/library/node:0.*\"]}]\n",
    ));
    assert_eq!((policies.mode(), policies.judge_scope()), (Some(Mode::Enforce), JudgeScope::Repository));
    assert_eq!(findings(&policies, "docker.io/foo/bar"), ["unknown fail Fail Enforce"]);
    assert_eq!(findings(&policies, "node:0.12"), ["block fail Fail Enforce"]);
    assert_eq!(findings(&policies, "registry.example.com/base/x"), ["digest fail Fail Enforce"]);
    assert_eq!(verdict(&policies, &image("node:24")), "pass [official]");
}

#[test]
fn a_repository_cannot_loosen_anything() {
    let looser = sound(both(
        &ORGANISATION.replace("observe", "enforce").replace("review", "fail"),
        "version: 1\nmode: observe\nunknown: allow\nwhen-unsure: review\njudge: changed\n",
    ));
    assert_eq!(findings(&looser, "docker.io/foo/bar"), ["unknown fail Fail Enforce"]);
    assert_eq!((looser.mode(), looser.judge_scope()), (Some(Mode::Enforce), JudgeScope::Touched));
    for key in [
        "trust: {a: {images: [\"ghcr.io/evil/**\"]}}",
        "mirrors: {registry.example.com/x/**: docker.io/**}",
        "reviewers: [\"@evil\"]",
        "skip-paths: [\"**\"]",
        "contact: [evil.io]",
        "scrutinise: {}",
        "exceptions: []",
        "repos-may: {add-exceptions: {max-days: 14}}",
    ] {
        let policies = both(ORGANISATION, &format!("version: 1\n{key}\n"));
        assert_eq!(policies.status(), PolicyStatus::Broken, "{key}");
        assert_eq!(findings(&policies, "ghcr.io/evil/x"), ["unknown review Review Observe"]);
        assert!(!policies.is_skipped(&RepoPath::new("Dockerfile")));
    }
}

#[test]
fn a_broken_or_unreadable_organisation_leaves_nothing_trusted() {
    let broken = both("version: 1\nmode: enforce\n", "version: 1\n");
    assert_eq!(broken.status(), PolicyStatus::Broken);
    assert_eq!(findings(&broken, "node"), ["unsure undecided Review Enforce"]);
    let unreadable =
        Found::Unreadable { path: "fromguard.yml".to_owned(), reason: "GitHub answered 500".to_owned() };
    let policies = Policies::load(unreadable, Found::File(file(REPOSITORY_POLICY_PATH, STARTER)), day());
    assert_eq!(policies.status(), PolicyStatus::Unreadable);
    assert!(policies.loaded().next().is_none(), "`trust` may not stand under an organisation's policy");
}

#[test]
fn a_proposed_file_is_read_under_the_same_organisation() {
    let policies = sound(both(ORGANISATION, "version: 1\n"));
    assert!(policies.load_proposed(file(REPOSITORY_POLICY_PATH, STARTER)).is_broken());
    assert!(!Policies::none().load_proposed(file(REPOSITORY_POLICY_PATH, STARTER)).is_broken());
}

#[test]
fn what_stands_at_the_path_is_told_apart() {
    let path = RepoPath::new(REPOSITORY_POLICY_PATH);
    let found = |content| Found::from_content(&path, content);
    assert!(matches!(found(crate::source::Content::Missing), Found::Absent));
    assert!(matches!(found(crate::source::Content::Symlink("x".to_owned())), Found::Unreadable { .. }));
    assert!(matches!(found(crate::source::Content::from_bytes(vec![0xff])), Found::Unreadable { .. }));
    assert!(matches!(found(crate::source::Content::from_bytes(b"version: 1".to_vec())), Found::File(_)));
}
