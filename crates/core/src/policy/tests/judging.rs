use super::*;

const POLICY: &str = r#"
version: 1
mode: enforce
unknown: review
when-unsure: fail
trust:
  internal:
    images: ["registry.example.com/approved-base/**"]
    require: {digest: true}
  official:
    images: ["hub:official"]
    require: {forbid-tags: [latest, "*-rc*"]}
  partners:
    images: ["ghcr.io/acme-oss/*", "*.registry.partner.net/prod/**"]
  pinned:
    images: ["docker.io/acme/tool:1.*"]
  exact:
    images: ["docker.io/acme/exact@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
block:
  - images: ["k8s.gcr.io/**", "docker.io/bitnamilegacy/**"]
    because: frozen, gets no security updates
  - images: ["docker.io/library/node:0.*", "quay.io/acme/bad@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"]
replace:
  docker.io/library/node: registry.example.com/approved-base/node
  k8s.gcr.io/**: registry.k8s.io/**
mirrors:
  registry.example.com/hub/**: docker.io/**
reviewers: ["@acme/security"]
"#;

const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// `reference → judgement`, one a line; `@A` and `@B` are digests.
#[track_caller]
pub(super) fn check(policy: &str, table: &str) {
    let policies = sound(alone(policy));
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (reference, wanted) = line.split_once('→').expect("a line has an arrow");
        let reference = reference.trim().replace("@A", &format!("@{A}")).replace("@B", &format!("@{B}"));
        assert_eq!(verdict(&policies, &image(&reference)), wanted.trim(), "{line}");
    }
}

#[test]
fn the_source_that_applies_brings_its_requirements() {
    check(
        POLICY,
        "registry.example.com/approved-base/node:24@A   → pass [internal]
         registry.example.com/approved-base/node:24     → fail digest [internal]
         registry.example.com/other/node@A              → review unknown
         node:24                                        → pass [official]
         node                                           → fail forbid-tags [official]
         node:latest@A                                  → fail forbid-tags [official]
         node@A                                         → fail unsure+forbid-tags [official]
         docker.io/library/redis:8-rc1                  → fail forbid-tags [official]
         ghcr.io/acme-oss/x                             → pass [partners]
         ghcr.io/acme-oss/x/y                           → review unknown
         eu.registry.partner.net/prod/x                 → pass [partners]
         a.b.registry.partner.net/prod/x/y              → pass [partners]
         registry.partner.net/prod/x                    → review unknown
         evilregistry.partner.net/prod/x                → review unknown
         docker.io/foo/bar:1                            → review unknown
         centos:7                                       → review unknown
         docker.io/library/made-up                      → review unknown",
    );
}

#[test]
fn a_tag_or_digest_in_a_pattern_is_read() {
    check(
        POLICY,
        "docker.io/acme/tool:1.4      → pass [pinned]
         docker.io/acme/tool:2        → review unknown
         docker.io/acme/tool          → review unknown
         docker.io/acme/tool@A        → review unknown
         docker.io/acme/tool:1.4@A    → review unsure+unknown
         docker.io/acme/exact:9@A     → pass [exact]
         docker.io/acme/exact@B       → review unknown
         docker.io/acme/exact:9       → review unknown",
    );
}

#[test]
fn an_unconfirmed_tag_is_the_worse_of_unsure_and_the_next_source() {
    let policy = r#"
version: 1
mode: observe
unknown: allow
trust:
  tagged: {images: ["docker.io/acme/a:1.*", "docker.io/acme/b:1.*", "docker.io/acme/b"]}
  wide: {images: ["docker.io/acme/**"]}
"#;
    check(
        policy,
        "docker.io/acme/a:1.0@A → undecided unsure [wide]
         docker.io/acme/a:2.0@A → pass [wide]
         docker.io/acme/b:1.0@A → pass [tagged]
         docker.io/acme/a:1.0   → pass [tagged]
         docker.io/acme/a:2.0   → pass [wide]",
    );
}

#[test]
fn block_always_wins_and_knows_every_name() {
    check(
        POLICY,
        "k8s.gcr.io/pause:3.9                              → fail block
         K8S.gcr.io:0443/pause:3.9                         → fail block
         k8s.gcr.io/a/b@A                                  → fail block
         docker.io/bitnamilegacy/redis                     → fail block
         bitnamilegacy/redis                               → fail block
         registry-1.docker.io/bitnamilegacy/redis          → fail block
         registry.hub.docker.com/bitnamilegacy/redis       → fail block
         index.docker.io/bitnamilegacy/redis               → fail block
         INDEX.docker.io:443/bitnamilegacy/redis           → fail block
         registry.example.com/hub/bitnamilegacy/redis      → fail block
         node:0.12@A                                       → fail block
         registry-1.docker.io/library/node:0.12            → fail block
         docker.io:443/node:0.12                           → fail block
         registry.example.com/hub/library/node:0.12        → fail block
         quay.io/acme/bad@B                                → fail block
         quay.io/acme/bad:1                                → review unsure+unknown
         quay.io/acme/bad@A                                → review unknown
         evil.io/k8s.gcr.io/pause                          → review unknown",
    );
}

#[test]
fn a_mirror_is_judged_as_its_origin() {
    check(
        POLICY,
        "registry.example.com/hub/library/node:24  → pass [official]
         registry.example.com/hub/node:24          → pass [official]
         registry.example.com/hub/library/node     → fail forbid-tags [official]
         registry.example.com/hub/foo/bar          → review unknown
         registry.example.com/hub                  → review unknown
         evil.io/hub/library/node:24               → review unknown",
    );
    let policies = sound(alone(POLICY));
    let judgement =
        policies.judge(&image("registry.example.com/hub/library/node"), &Evidence::none()).unwrap();
    assert!(judgement.findings[0].message.starts_with("`registry.example.com/hub/library/node` has no tag"));
}

#[test]
fn prefix_traps_never_pass() {
    let policy = "version: 1\nmode: enforce\nunknown: fail\ntrust:\n  official: {images: [\"hub:official\"]}\n  internal: {images: [\"registry.example.com/approved-base/**\", \"docker.io/acme/**\", \"*.mirror.example.org/x\"]}\nreviewers: [\"@a\"]\n";
    check(
        policy,
        "evil.io/docker.io/library/node:24                    → fail unknown
         registry.example.com.evil.io/approved-base/x         → fail unknown
         registry.example.com.evil.io/registry.example.com/approved-base/x → fail unknown
         xregistry.example.com/approved-base/x                → fail unknown+lookalike
         registry.example.comx/approved-base/x                → fail unknown+lookalike
         registry.example.com-evil.io/approved-base/x         → fail unknown
         registry.example.com:5000/approved-base/x            → fail unknown
         registry.example.com:4430/approved-base/x            → fail unknown
         registry.example.com:80/approved-base/x              → fail unknown
         registry.example.com/approved-base-evil/x            → fail unknown
         registry.example.com/approved-base                   → fail unknown
         registry.example.com/approved-basex/y                → fail unknown
         registry.example.com/x/approved-base/y               → fail unknown
         registry.example.com/approved-base/../evil/x         → fail invalid
         registry.example.com/approved-base//x                → fail invalid
         registry.example.com./approved-base/x                → fail invalid
         user@registry.example.com/approved-base/x            → fail invalid
         registry.example.com@evil.io/approved-base/x         → fail invalid
         registry.example.com:evil.io/approved-base/x         → fail invalid
         registry.example.com%2fapproved-base/x               → fail invalid
         xn--registry-9za.example.com/approved-base/x         → fail unknown
         régistry.example.com/approved-base/x                 → fail invalid
         registry。example.com/approved-base/x                 → fail invalid
         docker.io.evil.com/library/node                      → fail unknown
         docker.io:5000/library/node                          → fail unknown
         docker.io/docker.io/library/node                     → fail unknown
         docker.io/library/library/node                       → fail unknown
         docker.io/library/node/x                             → fail unknown
         library/node/x                                       → fail unknown
         docker.io/Library/node                               → fail invalid
         Library/node                                         → fail unknown
         Node/node                                            → fail unknown
         localhost/library/node                               → fail unknown
         localhost:443/library/node                           → fail unknown
         acme.docker.io/acme/x                                → fail unknown
         registry-1.docker.io/acme/x                          → fail unknown
         index.docker.io:443/acme/x                           → fail unknown
         docker.io/acme-evil/x                                → fail unknown
         acmeevil/x                                           → fail unknown
         mirror.example.org/x                                 → fail unknown
         a.mirror.example.org.evil.io/x                       → fail unknown
         .mirror.example.org/x                                → fail invalid
         amirror.example.org/x                                → fail unknown
         a.mirror.example.org/x/y                             → fail unknown
         docker.io/acme                                       → fail unknown",
    );
}

#[test]
fn other_spellings_of_the_same_image_pass() {
    let policy = "version: 1\nmode: observe\nunknown: fail\ntrust:\n  official: {images: [\"hub:official\"]}\n  internal: {images: [\"REGISTRY.example.com:443/approved-base/**\", \"[::1]:5000/x\"]}\n";
    check(
        policy,
        "node                                               → pass [official]
         library/node                                       → pass [official]
         docker.io/node                                     → pass [official]
         index.docker.io/node                               → pass [official]
         DOCKER.IO/library/node                             → pass [official]
         docker.io:443/library/node                         → pass [official]
         Registry.Example.Com/approved-base/x               → pass [internal]
         registry.example.com:443/approved-base/x           → pass [internal]
         registry.example.com:0443/approved-base/x          → pass [internal]
         [0:0:0:0:0:0:0:1]:5000/x                           → pass [internal]",
    );
}

#[test]
fn the_most_specific_source_applies_whatever_the_order() {
    let sources = [
        (
            "digested",
            "docker.io/acme/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ),
        ("literal-tag", "docker.io/acme/app:1.0"),
        ("tag-glob", "docker.io/acme/app:1.*"),
        ("exact", "docker.io/acme/app"),
        ("starred", "docker.io/acme/a*"),
        ("deep", "docker.io/acme/**"),
        ("nested", "docker.io/acme/app/**"),
        ("library", "docker.io/library/node"),
        ("hub", "hub:official"),
        ("host", "a.example.com/**"),
        ("hosts", "*.example.com/team/app"),
    ];
    let mut forward = String::from("version: 1\nmode: observe\nunknown: fail\ntrust:\n");
    let mut backward = forward.clone();
    for (name, pattern) in sources {
        forward.push_str(&format!("  {name}: {{images: [\"{pattern}\"]}}\n"));
    }
    for (name, pattern) in sources.iter().rev() {
        backward.push_str(&format!("  {name}: {{images: [\"{pattern}\"]}}\n"));
    }
    for policy in [forward, backward] {
        check(
            &policy,
            "docker.io/acme/app@A         → pass [digested]
             docker.io/acme/app:1.0       → pass [literal-tag]
             docker.io/acme/app:1.1       → pass [tag-glob]
             docker.io/acme/app:2         → pass [exact]
             docker.io/acme/abc           → pass [starred]
             docker.io/acme/xyz           → pass [deep]
             docker.io/acme/app/x         → pass [nested]
             node                         → pass [library]
             redis                        → pass [hub]
             a.example.com/team/app       → pass [host]
             b.example.com/team/app       → pass [hosts]",
        );
    }
}

#[test]
fn partial_references_are_judged_by_what_is_known() {
    let policies = sound(alone(POLICY));
    for (name, complete, wanted) in [
        ("docker.io/foo/bar", true, "review unknown"),
        ("docker.io/foo/bar", false, "undecided unsure"),
        ("ghcr.io/acme-oss/x", true, "pass [partners]"),
        ("ghcr.io/acme-oss/x", false, "undecided unsure"),
        ("registry.example.com/approved-base/x", true, "undecided unsure"),
        ("docker.io/library/redis", true, "undecided unsure"),
        ("docker.io/acme/tool", true, "undecided unsure"),
        ("docker.io/bitnamilegacy/redis", true, "fail block"),
        ("docker.io/bitnamilegacy/redis", false, "undecided unsure"),
        ("quay.io/acme/bad", true, "review unsure+unknown"),
        ("registry.example.com/hub/bitnamilegacy/x", true, "fail block"),
    ] {
        assert_eq!(verdict(&policies, &partial(name, complete)), wanted, "{name} {complete}");
    }
}

#[test]
fn the_worst_member_of_a_value_set_counts() {
    let policies = sound(alone(POLICY));
    let set = |names: &[&str]| usage(names.iter().map(|name| Target::parse(name)).collect(), "$IMAGE");
    assert_eq!(verdict(&policies, &set(&["node:24", "redis:8"])), "pass [official]");
    assert_eq!(verdict(&policies, &set(&["node:24", "docker.io/foo/bar:1"])), "review unknown");
    assert_eq!(
        verdict(&policies, &set(&["docker.io/foo/bar:1", "k8s.gcr.io/x", "node:24"])),
        "fail block+unknown"
    );
    assert_eq!(verdict(&policies, &set(&["Foo/BAR", "node:24"])), "fail invalid");
    assert_eq!(verdict(&policies, &usage(Vec::new(), "$IMAGE")), "undecided unsure");
    let judgement = policies.judge(&set(&["node:0.12", "k8s.gcr.io/x"]), &Evidence::none()).unwrap();
    assert!(
        judgement.findings.iter().all(|finding| finding.fix.is_none()),
        "one fix cannot stand for two images"
    );
}

#[test]
fn what_is_not_known_counts_as_when_unsure_says() {
    let policies = sound(alone(POLICY));
    let unresolved =
        usage(vec![Target::Unresolved { reason: "ARG `BASE` has no default".to_owned() }], "${BASE}");
    let judgement = policies.judge(&unresolved, &Evidence::none()).unwrap();
    let finding = &judgement.findings[0];
    assert_eq!(
        (finding.rule.as_str(), finding.verdict, finding.effect),
        ("unsure", Verdict::Undecided, Effect::Fail)
    );
    assert_eq!(finding.message, "`${BASE}` cannot be resolved: ARG `BASE` has no default");
    let problem = Problem {
        at: Location { file: RepoPath::new("Dockerfile"), span: Span::new(0, 0) },
        code: ProblemCode::Unreadable,
        message: "this file is binary\u{1b}[31m".to_owned(),
    };
    let judgement = policies.judge_problem(&problem).unwrap();
    let finding = &judgement.findings[0];
    assert_eq!(
        (finding.rule.as_str(), finding.effect, finding.mode),
        ("unreadable", Effect::Fail, Mode::Enforce)
    );
    assert_eq!(finding.message, "this file is binary\\u{1b}[31m");
}

#[test]
fn an_invalid_reference_fails_even_when_unknown_is_allowed() {
    let policy = "version: 1\nmode: observe\nunknown: allow\n";
    check(
        policy,
        "docker.io/foo/bar → pass
         foo/BAR           → fail invalid
         a:b:c             → fail invalid",
    );
}

#[test]
fn a_supported_tag_is_read_from_the_bundled_list() {
    let policy = "version: 1\nmode: observe\nunknown: fail\ntrust:\n  official: {images: [\"hub:official\"], require: {tag: supported}}\n";
    check(
        policy,
        "node:24          → pass [official]
         node             → pass [official]
         node:0.10        → fail tag [official]
         node:0.10@A      → fail tag [official]
         node:24@A        → undecided unsure [official]
         node@A           → undecided unsure [official]",
    );
}

#[test]
fn replacements_are_offered_with_their_own_verdict() {
    let policies = sound(alone(POLICY));
    let judgement =
        policies.judge(&image(&format!("k8s.gcr.io/a/pause:3.9@{A}")), &Evidence::none()).unwrap();
    let finding = &judgement.findings[0];
    assert_eq!(finding.fix.as_deref(), Some("registry.k8s.io/a/pause:3.9"));
    assert_eq!(
        finding.message,
        format!("`k8s.gcr.io/a/pause:3.9@{A}` is blocked: frozen, gets no security updates")
    );
    let judgement = policies.judge(&image("node:latest"), &Evidence::none()).unwrap();
    let finding = &judgement.findings[0];
    assert_eq!(finding.fix.as_deref(), Some("registry.example.com/approved-base/node:latest"));
    let offer = &finding.explanation.because.last().unwrap().text;
    assert_eq!(
        offer,
        "`replace` offers `registry.example.com/approved-base/node:latest`, which does not pass either: \
         `registry.example.com/approved-base/node:latest` is not pinned by digest, which the source `internal` requires"
    );
    assert_eq!(
        policies.judge(&image("node:24"), &Evidence::none()).unwrap().findings.len(),
        0,
        "what passes is left alone"
    );
}

#[test]
fn an_explanation_says_what_came_close_and_what_is_trusted() {
    let policies = sound(alone(STARTER));
    let explained = |text: &str| {
        let judgement = policies.judge(&image(text), &Evidence::none()).unwrap();
        let finding = judgement.findings.first().expect("it does not pass");
        finding.explanation.because.iter().map(|step| step.text.clone()).collect::<Vec<_>>().join("\n")
    };
    for (text, wanted) in [
        (
            "registry.example.com.evil.io/approved-base/x",
            "the host is `registry.example.com.evil.io`, not `registry.example.com`: it belongs to whoever owns `evil.io`",
        ),
        ("evil.io/docker.io/library/node:24", "`docker.io` stands in the path here: the host is `evil.io`"),
        (
            "evil.io/approved-base/x",
            "the host differs: it is `evil.io`, and `registry.example.com/approved-base/**` is trusted",
        ),
        (
            "centos",
            "`centos` is no official image any more and gets no updates since 2024-06-30, because CentOS Linux has \
             ended: use `docker.io/library/almalinux` or `docker.io/rockylinux/rockylinux` (Docker's official images, \
             2026-08-21)",
        ),
        ("library/noed", "`noed` is not in the list of official images"),
        (
            "registry-1.docker.io/library/node",
            "`registry-1.docker.io` is Docker Hub under another name; sources name it `docker.io`",
        ),
        (
            "registry.example.com/approved-base",
            "`registry.example.com/approved-base/**` covers what is below, not `registry.example.com/approved-base` itself",
        ),
        (
            "registry.example.com:5000/approved-base/x",
            "`registry.example.com` is trusted on its default port only",
        ),
        (
            "a.registry.example.com/approved-base/x",
            "`a.registry.example.com` is a host of its own; the policy names `registry.example.com` without its subdomains",
        ),
    ] {
        assert!(explained(text).contains(wanted), "{text}:\n{}", explained(text));
    }
    let policies = sound(alone(POLICY));
    let judgement = policies.judge(&image("ghcr.io/acme-oss/x/y"), &Evidence::none()).unwrap();
    assert_eq!(
        judgement.findings[0].message,
        "`ghcr.io/acme-oss/x/y` comes from no source this policy trusts"
    );
    insta::assert_snapshot!(tree(&judgement.findings[0].explanation), @"
    no source names it, and `unknown: review` decides (.github/fromguard.yml:35)
      `ghcr.io/acme-oss/*` covers one level; `ghcr.io/acme-oss/**` would cover what is below (.github/fromguard.yml:273)
      this policy trusts
        `internal`: `registry.example.com/approved-base/**` (.github/fromguard.yml:92)
        `official`: `hub:official` (.github/fromguard.yml:186)
        `partners`: `ghcr.io/acme-oss/*`, `*.registry.partner.net/prod/**` (.github/fromguard.yml:273)
        `pinned`: `docker.io/acme/tool:1.*` (.github/fromguard.yml:352)
        `exact`: `docker.io/acme/exact@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` (.github/fromguard.yml:401)
      what was tried too
        `registry.example.com/approved-base/**` names the host `registry.example.com`, not `ghcr.io` (.github/fromguard.yml:92)
        `hub:official` is about Docker Hub, `docker.io`, and the host is `ghcr.io` (.github/fromguard.yml:186)
        `*.registry.partner.net/prod/**` names the host `*.registry.partner.net`, not `ghcr.io` (.github/fromguard.yml:295)
        `docker.io/acme/tool:1.*` names the host `docker.io`, not `ghcr.io` (.github/fromguard.yml:352)
        `docker.io/acme/exact@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` names the host `docker.io`, not `ghcr.io` (.github/fromguard.yml:401)
    ");
}

/// Every pattern of a small policy is said to be tried, each with its place and the first
/// thing in which the image differs; of a large one their number.
#[test]
fn every_pattern_that_was_tried_says_why_it_does_not_cover() {
    let policy = r#"version: 1
mode: observe
unknown: review
trust:
  hub: {images: ["hub:official"]}
  vendors: {images: ["hub:verified-publisher"], publishers: [grafana]}
  team: {images: ["docker.io/acme/web-*", "docker.io/acme/a/b", "docker.io/acme/worker:1.*"]}
"#;
    let explained = |policies: &Policies, text: &str| {
        tree(&policies.judge(&image(text), &Evidence::none()).unwrap().findings[0].explanation)
    };
    let policies = sound(alone(policy));
    let said = explained(&policies, "acme/api:1");
    for wanted in [
        "`hub:official` covers images that are written without a publisher, as `node` (",
        "`hub:verified-publisher` is limited to `publishers`, which do not name `acme` (",
        "`docker.io/acme/web-*` has `web-*` where `api` stands here (",
        "`docker.io/acme/a/b` has `a` where `api` stands here (",
        "`docker.io/acme/worker:1.*` has `worker` where `api` stands here (",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
    assert!(explained(&policies, "nodes").contains("`nodes` is not in the list of official images"));
    assert!(
        explained(&policies, "nodes")
            .contains("`hub:verified-publisher` covers images of a publisher, as `grafana/loki` (")
    );
    let many: String =
        (0..30).map(|at| format!("  s{at}: {{images: [\"ghcr.io/acme/app-{at}\"]}}\n")).collect();
    let said = explained(&sound(alone(&format!("{policy}{many}"))), "acme/api:1");
    assert!(
        said.contains("35 patterns were tried, and none covers it") && !said.contains("ghcr.io/acme/app-7 "),
        "{said}"
    );
}

#[test]
fn messages_hold_no_control_characters() {
    let policies = sound(alone(POLICY));
    let bad = "a\nb`c\u{202e}\u{1b}[0m";
    for target in [
        Target::Invalid { text: bad.to_owned(), reason: bad.to_owned() },
        Target::Unresolved { reason: bad.to_owned() },
    ] {
        let judgement = policies.judge(&usage(vec![target], bad), &Evidence::none()).unwrap();
        let text =
            tree(&judgement.findings[0].explanation).replace('\n', "") + &judgement.findings[0].message;
        assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
    }
}

#[test]
fn what_a_build_is_called_is_judged_by_block_and_its_name_only() {
    let policies = sound(alone(
        &POLICY.replace("reviewers:", "where: [{name: p, require: {digest: true}}]\nreviewers:"),
    ));
    let output = |usage: ImageUse| ImageUse { role: Role::PullableOutput, ..usage };
    let unresolved = || usage(vec![Target::Unresolved { reason: "`X` is not set".to_owned() }], "${X}");
    for (usage, wanted) in [
        (image("docker.io/foo/bar:1"), "pass"),
        (image("node:latest"), "pass"),
        (image("node:0.12"), "fail block"),
        (image("ngnix"), "review lookalike"),
        (image("Foo/BAR"), "fail invalid"),
        (partial("docker.io/bitnamilegacy/redis", true), "fail block"),
        (partial("docker.io/foo/bar", true), "pass"),
        (partial("docker.io/foo/bar", false), "undecided unsure"),
        (unresolved(), "undecided unsure"),
    ] {
        assert_eq!(verdict(&policies, &output(usage.clone())), wanted, "{}", usage.raw);
    }
    let without_blocks = sound(alone(STARTER));
    assert_eq!(verdict(&without_blocks, &output(unresolved())), "pass");
}
