//! `fromguard policy`: every command on files of its own.

use super::Sandbox;
use super::Value;

const POLICY: &str = "\
version: 1
mode: enforce
unknown: fail
when-unsure: fail
trust:
  internal:
    images: [\"registry.example.com/base/*\"]
    require: {digest: true}
  official: {images: [\"hub:official\"]}
where:
  - name: production
    paths: [\"services/**\"]
    only-from: [internal]
exceptions:
  - {id: EX-1, images: [\"docker.io/foo/bar\"], rules: [unknown], until: 2027-01-31, owner: \"@a\", reason: b}
tests:
  - {image: \"node:24\", expect: pass}
  - {image: \"registry.example.com/base/jre:21\", expect: fail, why: digest}
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.write(&[(".github/fromguard.yml", POLICY)]);
    sandbox
}

#[test]
fn explain_says_what_decided_and_where_it_stands() {
    let sandbox = sandbox();
    let explain = |arguments: &[&str]| {
        let ran = sandbox.run(&[&["policy", "explain", "--as-of", "2026-11-25"], arguments].concat());
        (ran.status, ran.stdout)
    };
    let (status, said) = explain(&["node:24"]);
    assert_eq!(
        (status, said.as_str()),
        (
            0,
            "node:24\nread as: docker.io/library/node:24\nused in: Dockerfile (final-stage)\nverdict: pass\nsource: official\n\n  \
             `docker.io/library/node:24` comes from the source `official`: `hub:official` covers it (.github/fromguard.yml:9:23)\n    \
             `node:24` is read as `docker.io/library/node:24`\n"
        )
    );
    let (status, said) = explain(&["node:24", "--path", "services/api/Dockerfile", "--role", "copy-from"]);
    assert_eq!(status, 1);
    assert!(
        said.contains(
            "production: `docker.io/library/node:24` comes from the source `official`, and the place `production` takes \
             only `internal` (fail, enforce)\n  `only-from` of the place `production` (.github/fromguard.yml:13:5)\n"
        ),
        "{said}"
    );
    let (_, said) = explain(&["registry.example.com/base/team/app"]);
    assert!(
        said.contains(
            "`registry.example.com/base/*` covers one level; `registry.example.com/base/**` would cover what is below \
             (.github/fromguard.yml:7:14)"
        ),
        "{said}"
    );
    let (status, said) = explain(&["foo/bar:1"]);
    assert_eq!(status, 0);
    assert!(
        said.contains("lifted unknown: ") && said.contains("(exception EX-1 until 2027-01-31: b, for @a)"),
        "{said}"
    );
    let late = sandbox.run(&["policy", "explain", "foo/bar:1", "--as-of", "2027-02-01"]);
    assert!(
        late.stdout.contains("the exception `EX-1` ended on 2027-01-31 (.github/fromguard.yml:15:10)"),
        "{}",
        late.stdout
    );
    let role = sandbox.run(&["policy", "explain", "node", "--role", "stage"]);
    assert!(role.status == 2 && role.stderr.contains("final-stage"), "{}", role.stderr);
    let none = Sandbox::empty().run(&["policy", "explain", "node"]);
    assert!(
        none.status == 2 && none.stderr.contains("there is no .github/fromguard.yml here"),
        "{}",
        none.stderr
    );
}

#[test]
fn test_runs_what_the_author_expects() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["policy", "test"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, ".github/fromguard.yml: 2 tests hold\n"));
    sandbox.write(&[("bad.yml", &POLICY.replace("expect: pass", "expect: fail"))]);
    for command in ["test", "validate"] {
        let ran = sandbox.run(&["policy", command, "bad.yml"]);
        assert_eq!(ran.status, 2);
        assert!(
            ran.stdout.contains("this test fails: `node:24` in `Dockerfile` is `pass` and not `fail`"),
            "{}",
            ran.stdout
        );
        assert!(ran.stdout.contains("--> bad.yml:17:32"), "{}", ran.stdout);
    }
}

#[test]
fn diff_lists_what_changes_its_verdict() {
    let sandbox = sandbox();
    sandbox.write(&[
        ("Dockerfile", "FROM node:24\nCOPY --from=foo/bar / /\nCOPY --from=ghcr.io/a/b / /\n"),
        (
            "new.yml",
            &POLICY
                .replace(
                    "  official: {images: [\"hub:official\"]}\n",
                    "  foo: {images: [\"docker.io/foo/*\"]}\n",
                )
                .replace("  - {image: \"node:24\", expect: pass}\n", ""),
        ),
    ]);
    let diff =
        |new: &str| sandbox.run(&["policy", "diff", "--as-of", "2026-11-25", ".github/fromguard.yml", new]);
    let ran = diff("new.yml");
    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (
            0,
            "Dockerfile:1:6: docker.io/library/node:24: pass → fail\n  \
             unknown: `docker.io/library/node:24` comes from no source this policy trusts\n\
             exception EX-1: lifts nothing any more\n\
             1 of 3 image uses change their verdict: 1 pass → fail\n"
        )
    );
    assert_eq!(diff(".github/fromguard.yml").stdout, "no verdict changes on 3 image uses\n");
    sandbox.write(&[("broken.yml", "version: 1\n")]);
    let broken = diff("broken.yml");
    assert!(broken.status == 2 && broken.stdout.contains("`mode` is missing"), "{}", broken.stdout);
}

#[test]
fn schema_prints_what_editors_check_by() {
    let ran = Sandbox::empty().run(&["policy", "schema"]);
    let schema: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.status, &schema["title"]), (0, &Value::from("fromguard policy, version 1")));
}
