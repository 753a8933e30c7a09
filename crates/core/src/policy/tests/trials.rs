use super::loading::says;
use super::*;

const POLICY: &str = r#"
version: 1
mode: observe
unknown: review
when-unsure: fail
trust:
  internal: {images: ["registry.example.com/base/**"], require: {digest: true}}
  official: {images: ["hub:official"], require: {tag: supported}}
where:
  - {name: production, paths: ["prod/**"], stages: final, only-from: [internal]}
exceptions:
  - {id: EX, images: ["docker.io/foo/bar"], rules: [unknown], until: 2027-01-31, owner: "@a", reason: b}
tests:
"#;

fn run(test: &str) -> String {
    let text = format!("{POLICY}  - {test}\n");
    let loaded = load(file("fromguard.yml", &text), Scope::Organisation, day());
    assert!(!loaded.is_broken(), "{}", shown(&loaded));
    let ran = loaded.with_tests(day());
    assert_eq!(ran.is_broken(), ran.diagnostics.iter().any(|one| one.severity == Severity::Error));
    shown(&ran)
}

#[test]
fn what_is_expected_and_so_is_silent() {
    for test in [
        "{image: \"registry.example.com/base/x:24\", path: services/a/Dockerfile, expect: fail, why: digest}",
        "{image: \"registry.example.com.evil.io/base/x\", expect: review}",
        "{image: \"registry.example.com.evil.io/base/x\", expect: review, why: unknown}",
        // Neither a newer catalogue nor a date makes one fail.
        "{image: \"node:0.10\", expect: pass}",
        "{image: \"docker.io/foo/bar\", expect: review, why: unknown}",
        "{image: \"node:24\", path: prod/Dockerfile, expect: fail, why: production}",
        "{image: \"node:24\", path: prod/Dockerfile, stage: build, expect: pass}",
        "{image: \"Foo/BAR\", expect: fail, why: invalid}",
    ] {
        assert_eq!(run(test), "", "{test}");
    }
}

#[test]
fn a_test_that_fails_is_an_error_at_its_line() {
    assert_eq!(
        run("{image: \"node:24\", expect: fail}"),
        "14:32 error: this test fails: `node:24` in `Dockerfile` is `pass` and not `fail`: `docker.io/library/node:24` \
         comes from the source `official`: `hub:official` covers it\n    | fail\n    = mend the policy, or write `expect: \
         pass` if that is what it should say\n"
    );
    let said = run("{image: \"registry.example.com/base/x\", expect: fail, why: unknown}");
    assert_eq!(
        said,
        "14:63 error: this test fails: `registry.example.com/base/x` in `Dockerfile` has no finding `unknown`: `digest`: \
         `registry.example.com/base/x` is not pinned by digest, which the source `internal` requires\n    | unknown\n    \
         = mend the policy, or write `why: digest` if that is what it should say\n"
    );
}

#[test]
fn what_is_not_known_may_be_expected() {
    let policy =
        POLICY.replace("exceptions:", "block: [{images: [\"docker.io/library/redis:1\"]}]\nexceptions:");
    let run = |expect: &str| {
        let pinned = "node:24@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            .replace("node:24", "redis");
        let text = format!("{policy}  - {{image: \"{pinned}\", expect: {expect}}}\n");
        load(file("fromguard.yml", &text), Scope::Organisation, day()).with_tests(day()).is_broken()
    };
    assert!(!run("undecided") && !run("fail") && run("review") && run("pass"));
}

#[test]
fn a_test_has_to_be_one() {
    says("tests: [{image: node}]", "a test has no `expect`", "write `expect: pass` in it");
    says("tests: [{expect: pass}]", "a test has no `image`", "write `image: …` in it");
    says(
        "tests: [{image: node, expect: passes}]",
        "`expect` is `pass`, `review`, `fail` or `undecided`, not `passes`",
        "did you mean `pass`?",
    );
    says(
        "tests: [{image: node, expect: fail, why: digset}]",
        "nothing makes the finding `digset`",
        "the findings here are `unknown`, `unsure`, `invalid`, `unreadable`, `lookalike` and `pin-mismatch`",
    );
    says(
        "tests: [{image: node, expect: pass, why: unknown}]",
        "what passes has no finding",
        "remove `why`, or expect `review` or `fail`",
    );
}

#[test]
fn only_an_edit_runs_them() {
    let failing = format!("{POLICY}  - {{image: node, expect: fail}}\n");
    let policies = sound(alone(&failing));
    assert!(policies.load_proposed(file(REPOSITORY_POLICY_PATH, &failing)).is_broken());
}
