#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::day::Day;
use crate::policy::Scope;
use crate::policy::load;
use crate::source::RepoPath;

fn imported(name: &str, text: &str) -> Imported {
    import(&SourceFile::new(RepoPath::new(name), text))
}

/// The policy that a file becomes; it loads.
#[track_caller]
fn policy(name: &str, text: &str) -> String {
    match imported(name, text) {
        Imported::Policy(policy) => {
            let file = Arc::new(SourceFile::new(RepoPath::new("fromguard.yml"), policy.as_str()));
            let loaded = load(file, Scope::Repository, Day::from_unix_ms(0));
            assert!(!loaded.is_broken(), "{policy}\n{:#?}", loaded.diagnostics);
            policy
        }
        Imported::Refused(why) => panic!("{why}"),
    }
}

#[test]
fn hadolint_trusts_hosts() {
    let text = "ignored: [DL3026, DL3008]\ntrustedRegistries:\n  - docker.io\n  - my-company.com:5000\n  - '*.gcr.io'\n  \
        - '*.corp.example'\n  - '*corp.example'\n  - registry.example.*\n  - '*'\n  - quay.io\n  - ghcr.io/acme\n  - trusted\n";
    insta::assert_snapshot!(policy(".hadolint.yaml", text));
}

#[test]
fn gatekeeper_compares_the_beginning_of_a_text() {
    let text = r#"
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sAllowedRepos
metadata: {name: repos}
spec:
  match: {kinds: [{apiGroups: [""], kinds: [Pod]}], namespaces: [default]}
  parameters:
    repos:
      - registry.example.com
      - registry.example.org/
      - ghcr.io/acme
      - quay.io/acme/
      - openpolicyagent/
      - nginx
      - 123456789123.dkr.ecr.eu-west-1.amazonaws.com/
      - ghcr.io/
      - "gcr.io/acme/app:1.2"
      - "redis:7"
      - ""
      - "Bad Name"
---
kind: K8sDisallowedRepos
spec: {parameters: {repos: [k8s.gcr.io/, docker.io/bitnamilegacy, ghcr.io/acme/bad]}}
---
kind: K8sDisallowedTags
spec: {parameters: {tags: [latest, "b@d"], exemptImages: ["ghcr.io/acme/x:latest", "ghcr.io/acme/*"]}}
---
kind: K8sImageDigests
spec: {}
"#;
    insta::assert_snapshot!(policy("constraint.yaml", text));
}

#[test]
fn a_beginning_that_ends_in_a_slash_is_below_it_and_not_it() {
    let text = "kind: K8sAllowedRepos\nspec: {parameters: {repos: [acme/app/, ghcr.io/acme/app/]}}\n";
    let policy = policy("constraint.yaml", text);
    assert!(policy.contains("- \"docker.io/acme/app/**\""), "{policy}");
    assert!(policy.contains("- \"ghcr.io/acme/app/**\""), "{policy}");
    assert!(!policy.contains("app\" "), "{policy}");
}

#[test]
fn gatekeepers_second_version_has_globs() {
    let text = "kind: K8sAllowedReposv2\nspec: {parameters: {allowedImages: [\"openpolicyagent/*\", \"myregistry.azurecr.io/*\", \
        \"ubuntu:20.14\", \"registry.example.com/postgres\", \"*\", \"ghcr.io/*/x\"]}}\n";
    insta::assert_snapshot!(policy("constraint.yaml", text));
}

#[test]
fn kyverno_has_image_patterns() {
    let text = r#"
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: images}
spec:
  rules:
    - name: registries
      exclude: {any: []}
      validate:
        pattern:
          spec:
            =(initContainers): [{image: "eu.foo.io/* | bar.io/* | *.corp.example/* | foo* | nginx | ghcr.io/*/x"}]
            containers: [{image: "eu.foo.io/* | bar.io/* | *.corp.example/* | foo* | nginx | ghcr.io/*/x"}]
    - name: tags
      validate:
        foreach:
          - {list: request.object.spec.containers, pattern: {image: "*:*"}}
          - {list: request.object.spec.containers, pattern: {image: "!*:latest & !*:dev"}}
    - name: digests
      validate: {pattern: {spec: {containers: [{(image): "*@sha256:*"}]}}}
    - name: blocked
      validate: {pattern: {spec: {containers: [{image: "!k8s.gcr.io/*"}]}}}
    - name: second
      validate: {pattern: {spec: {containers: [{image: "ghcr.io/acme/*"}]}}}
    - name: dynamic
      validate: {pattern: {spec: {containers: [{image: "{{registry}}/*"}]}}}
    - name: other
      validate: {pattern: {metadata: {labels: {app: "?*"}}}}
    - name: mutates
      mutate: {}
"#;
    insta::assert_snapshot!(policy("policy.yaml", text));
}

#[test]
fn containers_policy_has_scopes() {
    let text = r#"{
    "default": [{"type": "reject"}],
    "transports": {
        "docker": {
            "registry.example.com": [{"type": "insecureAcceptAnything"}],
            "registry.example.com/bad": [{"type": "reject"}],
            "registry.example.com/production": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k"}],
            "registry.access.redhat.com": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k"}],
            "docker.io/library/busybox:latest": [{"type": "insecureAcceptAnything"}],
            "docker.io/acme": [{"type": "insecureAcceptAnything"}],
            "docker.io": [{"type": "reject"}],
            "*.corp.example": [{"type": "insecureAcceptAnything"}],
            "*.com": [{"type": "insecureAcceptAnything"}],
            "bogus/x": [{"type": "insecureAcceptAnything"}]
        },
        "dir": {"": [{"type": "insecureAcceptAnything"}]}
    }
}"#;
    insta::assert_snapshot!(policy("policy.json", text));
    let open = policy(
        "policy.json",
        r#"{"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": {
        "registry.example.com/a": [{"type": "sigstoreSigned", "keyPath": "/k"}], "quay.io": [{"type": "reject"}], "quay.io/acme": [{"type": "insecureAcceptAnything"}]}}}"#,
    );
    insta::assert_snapshot!(open);
}

#[test]
fn a_build_policy_has_allow_lists() {
    let text = r#"package docker

default allow := false

allow if input.local
allow if input.git
allow if not input.image

# Registries
allow if {
  input.image.host == "docker.io"  # Docker Hub
}

allow if input.image.host == "registry.example.com"

company := [
  "platform/base",
  "platform/jre",
]

allow if {
  input.image.host == "ghcr.io"
  input.image.repo in company
}

allow if {
  input.image.repo in ["alpine", "grafana/grafana"]
  input.image.tag == "3.22"
}

allow if { input.image.fullRepo == "quay.io/acme/app"; input.image.checksum == "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }

allow if startswith(input.image.fullRepo, "gcr.io/acme/")
allow if startswith(input.image.repo, "myorg")

allow if {
  input.image.host == "dhi.io"
  input.image.hasProvenance
}

allow if input.image.isCanonical
allow if input.image

deny_msg contains msg if {
  input.image.tag == "latest"
}

decision := {"allow": allow}
"#;
    insta::assert_snapshot!(policy("Dockerfile.rego", text));
    assert!(policy("Dockerfile.rego", "package docker\ndefault allow := true\n").contains("unknown: allow"));
}

#[test]
fn what_is_none_of_them_says_what_can_be_read() {
    let Imported::Refused(why) = imported("x.yaml", "a: b\n") else { panic!("it is read") };
    assert!(why.starts_with("this is none of the policies that can be read: hadolint's"), "{why}");
    let Imported::Refused(why) = imported("x.yaml", "a: [\n") else { panic!("it is read") };
    assert!(why.starts_with("line 1: this is neither YAML nor JSON"), "{why}");
    assert_eq!(
        imported(".hadolint.yaml", "trustedRegistries: []\n"),
        Imported::Refused("nothing in it can be said here".to_owned())
    );
}

/// Texts that somebody may have written into one of those policies.
fn name() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "registry.example.com",
        "ghcr.io",
        "docker.io",
        "acme",
        "library",
        "nginx",
        "localhost:5000",
        "*",
        "*.",
        "/",
        "/",
        ":",
        ":1.2",
        "@",
        "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "A",
        "é",
        " ",
        ".",
        "-",
        "?",
        "!",
        "|",
        "&",
        "\"",
        "'",
        "\n",
        "#",
        "{{x}}",
        "\\",
        "`",
        "\u{202e}",
    ]);
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_is_imported_loads_and_lets_nothing_more_through(texts in prop::collection::vec(name(), 1..4)) {
        let list = serde_json::to_string(&texts).unwrap();
        for (file, text) in [
            (".hadolint.yaml", format!("{{\"trustedRegistries\": {list}}}")),
            ("c.yaml", format!("{{\"kind\": \"K8sAllowedRepos\", \"spec\": {{\"parameters\": {{\"repos\": {list}}}}}}}")),
            ("c.yaml", format!("{{\"kind\": \"K8sAllowedReposv2\", \"spec\": {{\"parameters\": {{\"allowedImages\": {list}}}}}}}")),
            ("c.yaml", format!("{{\"kind\": \"K8sDisallowedTags\", \"spec\": {{\"parameters\": {{\"tags\": {list}, \"exemptImages\": {list}}}}}}}")),
            ("k.yaml", format!("{{\"apiVersion\": \"kyverno.io/v1\", \"spec\": {{\"rules\": [{{\"validate\": {{\"pattern\": {{\"image\": {}}}}}}}]}}}}", serde_json::to_string(&texts.join(" | ")).unwrap())),
            ("p.json", format!("{{\"default\": [{{\"type\": \"reject\"}}], \"transports\": {{\"docker\": {{{}: [{{\"type\": \"insecureAcceptAnything\"}}], {}: [{{\"type\": \"signedBy\"}}]}}}}}}", serde_json::to_string(&texts[0]).unwrap(), serde_json::to_string(&texts[texts.len() - 1]).unwrap())),
            ("d.rego", format!("allow if input.image.fullRepo in {list}\nallow if {{\ninput.image.host in {list}\ninput.image.repo == \"x\"\n}}\n")),
        ] {
            if let Imported::Policy(policy) = imported(file, &text) {
                let source = Arc::new(SourceFile::new(RepoPath::new("fromguard.yml"), policy.as_str()));
                let loaded = load(source, Scope::Repository, Day::from_unix_ms(0));
                prop_assert!(!loaded.is_broken(), "{}\n{:#?}", policy, loaded.diagnostics);
            }
        }
    }

    /// Gatekeeper lets an image through when its text begins with one of the texts;
    /// whatever passes here passes there, written in the same way.
    #[test]
    fn a_beginning_never_trusts_what_it_did_not_cover(
        prefix in "(registry[.]example[.]com|ghcr[.]io|docker[.]io|acme|nginx)(/|/acme|/acme/|/acme/app|/acme/app:1)?",
        image in "(registry[.]example[.]com|registry[.]example[.]com[.]evil[.]io|ghcr[.]io|docker[.]io|acme|acmeevil)/(acme|acme-evil|x)(/app|/apps)?(:1|:12)?",
    ) {
        let text = format!("{{\"kind\": \"K8sAllowedRepos\", \"spec\": {{\"parameters\": {{\"repos\": [\"{prefix}\"]}}}}}}");
        let Imported::Policy(policy) = imported("c.yaml", &text) else { return Ok(()) };
        let file = Arc::new(SourceFile::new(RepoPath::new("fromguard.yml"), policy.as_str()));
        let policies = crate::policy::Policies::load(crate::policy::Found::Absent, crate::policy::Found::File(file), Day::from_unix_ms(0));
        let usage = crate::image::ImageUse::supposed(
            &image,
            RepoPath::new("Dockerfile"),
            crate::image::Role::FinalStage,
            crate::image::Stage::Final,
        );
        let passes = policies.judge(&usage, &crate::trust::Evidence::none()).unwrap().verdict == crate::policy::Verdict::Pass;
        // Docker Hub has two spellings, and gatekeeper compares the one that is written.
        let written = [image.clone(), image.trim_start_matches("docker.io/").to_owned(), format!("docker.io/{image}")];
        prop_assert!(!passes || written.iter().any(|image| image.starts_with(&prefix)), "{} lets {} through:\n{}", prefix, image, policy);
    }
}
