use super::*;

#[test]
fn the_starter_loads_without_a_word() {
    assert_eq!(errors(STARTER), "");
    assert_eq!(STARTER.lines().count(), 6);
    assert_eq!(errors(&STARTER.replace('\n', "\r\n")), "");
    assert_eq!(errors(&format!("\u{feff}{STARTER}")), "");
}

#[test]
fn the_full_example_loads_without_a_word_and_its_tests_hold() {
    let text = include_str!("../../../../../docs/examples/full.yml");
    let loaded = load(file("fromguard.yml", text), Scope::Organisation, day());
    assert_eq!(shown(&loaded.clone().with_tests(day())), "");
    assert_eq!(loaded.policy.map(|policy| policy.tests()), Some(3));
    for key in keys::FILE.known {
        assert!(text.lines().any(|line| line.starts_with(&format!("{}:", key.name))), "{}", key.name);
    }
}

/// A file of these lines after the mandatory ones; what is said of it, without positions.
#[track_caller]
pub(super) fn says(lines: &str, message: &str, help: &str) {
    let text = format!("version: 1\nmode: observe\nunknown: review\n{lines}\n");
    let loaded = load(file("fromguard.yml", &text), Scope::Organisation, day());
    assert!(loaded.is_broken(), "{lines} is not an error");
    let found = loaded
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.message == message && diagnostic.help.as_deref().unwrap_or("") == help);
    assert!(found, "{lines}\n{}", shown(&loaded));
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_place() {
    let text = r#"version: 2
mode: enforced
unknwon: review
when-unsure: [review]
judge: &x repository
skip-paths: ["/a", "b/", "c/**.yml"]
trust:
  unknown: {images: ["hub:official"]}
  a: {images: [node, "docker.io/node", "ghcr.io/acme", "hub:verified-publisher", "hub:oficial"], publishers: [x]}
  b: {images: "ghcr.io/acme/**", require: {digest: yes, signed-by: {}, tag: suported}}
  c: {}
  d: {images: []}
  d: {images: ["ghcr.io/*/x"]}
  e: {images: ["ghcr.io/acme/**", "ghcr.io/acme/**"], require: {forbid-tags: ["-x"]}}
  f: {images: ["ghcr.io/acme/**"]}
  g: {images: ["k8s.gcr.io/pause", "quay.io/*/x"]}
block:
  - images: ["k8s.gcr.io/**"]
    because: ""
  - {becuase: x}
replace: {docker.io/library/node: registry.example.com/x/**}
mirrors:
  a.example.com/**: b.example.com/**
  b.example.com/x: docker.io/library/x
where: []
contact: ["https://x"]
reviewers: [acme]
<<: *x
"#;
    insta::assert_snapshot!(errors(text));
}

#[test]
fn a_file_that_is_no_policy_says_why() {
    for (text, wanted) in [
        ("", "1:1 error: the policy is empty"),
        ("# nothing\n", "1:1 error: the policy is empty"),
        ("---\n", "1:4 error: the policy is empty"),
        ("~", "1:1 error: the policy is empty"),
        ("[a]", "1:1 error: a policy must be keys and values, and here is a list"),
        ("text", "1:1 error: a policy must be keys and values, and here is a single value"),
        ("{}", "1:1 error: a policy is empty"),
        ("version: 1\nmode: observe\nunknown: fail\n---\na: b\n", "5:1 error: a policy is one document"),
        ("version: 1\n  mode: x\n", "2:7 error: this is not YAML"),
        ("a: [1, 2", "1:4 error: this is not YAML"),
        ("version: !!int 1\nmode: observe\nunknown: fail", "1:10 error: a policy has no tags (`!`)"),
    ] {
        assert!(errors(text).contains(wanted), "{text:?}:\n{}", errors(text));
    }
    let long = format!("# {}\n{STARTER}", "x".repeat(MAX_POLICY_BYTES));
    assert!(errors(&long).contains("error: the policy is 262"), "{}", errors(&long));
    let many = format!("version: 1\n{}", (0..2000).map(|key| format!("k{key}: 1\n")).collect::<String>());
    assert!(errors(&many).contains("error: and 1002 problems more, from here on"), "{}", errors(&many));
    let deep = format!("version: {}{}", "[".repeat(5000), "]".repeat(5000));
    assert!(errors(&deep).contains("error"), "{}", errors(&deep));
}

#[test]
fn what_must_stand_is_missed() {
    let missing = errors("trust: {official: {images: [\"hub:official\"]}}");
    for key in ["version", "mode", "unknown"] {
        assert!(missing.contains(&format!("`{key}` is missing")), "{missing}");
    }
    let under = load(file("x", "version: 1\n"), Scope::RepositoryUnderOrganisation(None), day());
    assert_eq!(shown(&under), "");
    assert!(load(file("x", "judge: changed\n"), Scope::RepositoryUnderOrganisation(None), day()).is_broken());
}

#[test]
fn values_of_the_wrong_kind_say_what_to_write() {
    says(
        "judge: change",
        "`judge` is `changed`, `touched` or `repository`, not `change`",
        "did you mean `changed`?",
    );
    says("when_unsure: fail", "`when_unsure` is not a key of a policy", "did you mean `when-unsure`?");
    says(
        "when-unsure: allow",
        "`when-unsure` is `review` or `fail`, not `allow`",
        "write `review` or `fail`",
    );
    says("block: {images: []}", "`block` must be a list, and here is keys and values", "write a list");
    says(
        "block: [k8s.gcr.io]",
        "an item of `block` must be keys and values, and here is a single value",
        "write keys and values",
    );
    says(
        "skip-paths: docs",
        "`skip-paths` must be a list, and here is a single value",
        "write it in brackets: [\"docs\"]",
    );
    says("trust:", "`trust` must be keys and values, and here is nothing", "write keys and values");
    says(
        "trust: {a b: {images: [\"ghcr.io/acme/**\"]}}",
        "`a b` cannot be a name: it stands in every message",
        "write letters, digits, `-`, `_` and `.`, at most 64",
    );
    says("mode: enforce", "`mode` stands here twice, first on line 2", "keep one of them");
    says(
        "reviewers: [\"@a b\"]",
        "`@a b` is not a user or a team of GitHub",
        "write `@user` or `@organisation/team`, in quotes",
    );
    says(
        "contact: [\"*.example.com\"]",
        "`*.example.com` is not a host",
        "write one host, with a port if it is not 443: `registry.example.com`",
    );
    says(
        "block: [{images: [\"hub:official\"]}]",
        "`hub:official` can stand in `trust` only",
        "write a pattern, as `docker.io/library/**`",
    );
    says("skip-paths: [a, a]", "this repeats line 4 of the same list", "remove one of them");
}

#[test]
fn a_trusted_crowd_must_be_meant() {
    const LIFT: &str = "or put `i-trust-everyone: true` beside the list if you mean it";
    let source = |pattern: &str| format!("trust: {{a: {{images: [\"{pattern}\"]}}}}");
    says(
        &source("docker.io/**"),
        "everybody can push to `docker.io`: `docker.io/**` does not say whose images are trusted",
        &format!("name the owner, as `docker.io/acme/**`, {LIFT}"),
    );
    says(
        &source("*.azurecr.io/base/**"),
        "`*.azurecr.io` covers every customer of `*.azurecr.io`: there the host names the owner",
        &format!("write the host in full, as `acme.azurecr.io/…`, {LIFT}"),
    );
    says(
        &source("*.docker.io/acme/**"),
        "`*.docker.io` covers `registry-1.docker.io`, where everybody can push",
        &format!("write the host and the owner in full, {LIFT}"),
    );
    for (policy, sound) in [
        ("trust: {a: {images: [\"docker.io/**\"], i-trust-everyone: true}}", true),
        ("trust: {a: {images: [\"docker.io/acme/**\"], i-trust-everyone: true}}", false),
        ("trust: {a: {images: [\"docker.io/acme/**\"], i-trust-everyone: false}}", false),
        ("block: [{images: [\"docker.io/**\", \"*.azurecr.io/**\"]}]", true),
        ("mirrors: {registry.example.com/hub/**: docker.io/**}", true),
    ] {
        let said = errors(&format!("version: 1\nmode: observe\nunknown: review\n{policy}"));
        assert_eq!(said.is_empty(), sound, "{policy}\n{said}");
    }
}

#[test]
fn a_tie_names_both_lines() {
    let tie = |one: &str, two: &str| {
        let text = format!(
            "version: 1\nmode: observe\nunknown: fail\ntrust:\n  one: {{images: [\"{one}\"]}}\n  two: {{images: [\"{two}\"]}}\n"
        );
        errors(&text)
    };
    assert_eq!(
        tie("ghcr.io/acme/**", "GHCR.io:443/acme/**"),
        "6:18 error: the sources `one` (line 5) and `two` (line 6) name the same images equally exactly, \
         so that it is not clear which applies\n    | \"GHCR.io:443/acme/**\"\n    = make one of the two more specific, or keep it in one source\n"
    );
    for (one, two, tied) in [
        ("hub:official", "hub:official", true),
        ("ghcr.io/acme/a*", "ghcr.io/acme/*a", true),
        ("ghcr.io/acme/a*", "ghcr.io/acme/b*", false),
        ("ghcr.io/acme/x:1.*", "ghcr.io/acme/x:*.1", true),
        ("ghcr.io/acme/x:1.*", "ghcr.io/acme/x:2.*", false),
        ("ghcr.io/acme/x:1", "ghcr.io/acme/x:2", false),
        ("ghcr.io/acme/x:1", "ghcr.io/acme/x", false),
        ("*.example.com/ab*", "*.example.com/a*b", true),
        ("*.x.example.com/*", "*.example.com/*zz", true),
        ("a.example.com/x/**", "*.example.com/x/**", false),
        ("hub:official", "docker.io/library/**", false),
        ("ghcr.io/acme/*", "ghcr.io/acme/**", false),
        ("ghcr.io/acme/*/x", "ghcr.io/acme/x/*", false),
    ] {
        assert_eq!(!tie(one, two).is_empty(), tied, "{one} {two}\n{}", tie(one, two));
        assert_eq!(!tie(two, one).is_empty(), tied, "{two} {one}");
    }
}

#[test]
fn what_could_never_be_trusted_is_said() {
    let source = |pattern: &str, block: &str| {
        errors(&format!(
            "version: 1\nmode: observe\nunknown: fail\ntrust: {{a: {{images: [\"{pattern}\"]}}}}\nblock: [{{images: [\"{block}\"]}}]\n"
        ))
    };
    for (pattern, block, inside) in [
        ("ghcr.io/acme/**", "ghcr.io/**", true),
        ("ghcr.io/acme/**", "ghcr.io/acme/**", true),
        ("ghcr.io/acme/x", "ghcr.io/*/x", true),
        ("ghcr.io/acme/x:1.2", "ghcr.io/acme/x:1.*", true),
        ("ghcr.io/acme/x:1.2", "ghcr.io/acme/x", true),
        ("docker.io/acme/x", "registry-1.docker.io/acme/**", true),
        ("hub:official", "docker.io/library/**", true),
        ("hub:official", "docker.io/**", true),
        ("*.a.example.com/x", "*.example.com/**", true),
        ("ghcr.io/acme/**", "ghcr.io/acme/x/**", false),
        ("ghcr.io/acme/**", "ghcr.io/acme/*", false),
        ("ghcr.io/acme/x", "ghcr.io/acme/x:1", false),
        ("ghcr.io/acme/x", "ghcr.io/acme/**:latest", false),
        ("*.example.com/x", "a.example.com/**", false),
        ("hub:official", "docker.io/library/node", false),
    ] {
        let said = source(pattern, block);
        assert_eq!(said.contains("wholly inside the block"), inside, "{pattern} {block}\n{said}");
    }
}

#[test]
fn a_supported_tag_is_known_of_official_images_only() {
    says(
        "trust: {a: {images: [\"hub:official\", \"ghcr.io/acme/**\"], require: {tag: supported}}}",
        "`tag: supported` is known of official images only, and `ghcr.io/acme/**` is none",
        "move `hub:official` and this requirement to a source of their own",
    );
}

#[test]
fn rewrites_are_checked() {
    let same = "a.example.com/x";
    says(&format!("replace: {{{same}: {same}}}"), "both sides are the same", "remove the entry");
    says(
        "replace: {a.example.com/x:1: b.example.com/x}",
        "`replace` rewrites names: the tag is kept",
        "write it without tag and digest",
    );
    says(
        "mirrors: {a.example.com/x/**: \"*.example.com/**\"}",
        "the right side of `mirrors` must be one place",
        "write its host in full",
    );
    says(
        "mirrors: {a.example.com/x*: b.example.com/x}",
        "`mirrors` knows only a final `/**`, no `*` in a segment",
        "write one entry for each repository, or `/**` on both sides",
    );
    says(
        "mirrors: {a.example.com/**: docker.io/**, A.example.com:443/**: ghcr.io/**}",
        "`a.example.com/**` stands here twice, first on line 4",
        "keep one of them",
    );
    says(
        "mirrors: {a.example.com/**: a.example.com/x/**}",
        "`a.example.com/x/**` is itself a mirror, on line 4",
        "write the place where the images come from in the end",
    );
}

#[test]
fn under_enforce_somebody_should_be_able_to_settle_a_review() {
    let said = errors("version: 1\nmode: enforce\nunknown: fail\n");
    assert_eq!(
        said,
        "2:7 notice: something here can end in `review`, and nobody is named who could settle it\n    | enforce\n    = name them: `reviewers: [\"@organisation/team\"]`\n"
    );
    assert_eq!(errors("version: 1\nmode: enforce\nunknown: fail\nwhen-unsure: fail\n"), "");
    assert_eq!(errors("version: 1\nmode: enforce\nunknown: fail\nreviewers: [\"@a\"]\n"), "");
    let place = "version: 1\nmode: observe\nunknown: review\nwhere: [{name: p, mode: enforce}]\n";
    assert!(
        errors(place).starts_with("4:25 notice: something here can end in `review`"),
        "{}",
        errors(place)
    );
    assert_eq!(errors("version: 1\nmode: observe\nunknown: review\n"), "");
}

#[test]
fn skipped_paths_and_hosts_are_read() {
    let policies = sound(alone(
        "version: 1\nmode: observe\nunknown: fail\nskip-paths: [\"**/testdata/**\"]\ncontact: [\"R.example.com:443\"]\nreviewers: [\"@a/b\", \"@c\"]\n",
    ));
    assert!(policies.is_skipped(&RepoPath::new("a/testdata/Dockerfile")));
    assert!(!policies.is_skipped(&RepoPath::new("a/Dockerfile")));
    let policy = policies.repository.policy().unwrap();
    assert_eq!(policy.contact(), ["r.example.com"]);
    assert_eq!(policy.reviewers(), ["@a/b", "@c"]);
}
