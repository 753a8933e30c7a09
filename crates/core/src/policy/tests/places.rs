use super::judging::check;
use super::*;
use crate::image::Via;

const POLICY: &str = r#"
version: 1
mode: observe
unknown: review
trust:
  internal: {images: ["registry.example.com/base/**"]}
  official: {images: ["hub:official"]}
  tagged: {images: ["docker.io/acme/tool:1.*"]}
where:
  - name: production
    paths: ["services/**/Dockerfile*", "deploy/prod/**"]
    stages: final
    only-from: [internal]
    mode: enforce
  - name: examples
    paths: ["examples/**"]
    require: {digest: true, forbid-tags: ["*-rc*"]}
    unknown: fail
    when-unsure: fail
"#;

fn at(path: &str, text: &str) -> ImageUse {
    let usage = image(text);
    ImageUse { file: RepoPath::new(path), ..usage }
}

/// The findings as `rule verdict effect mode`, joined.
fn found(policies: &Policies, usage: &ImageUse) -> String {
    let judgement = policies.judge(usage, &Evidence::none()).unwrap();
    let line = |finding: &Finding| {
        let (effect, mode) = (format!("{:?}", finding.effect), format!("{:?}", finding.mode));
        format!(
            "{} {} {} {}",
            finding.rule,
            finding.verdict.as_str(),
            effect.to_lowercase(),
            mode.to_lowercase()
        )
    };
    judgement.findings.iter().map(line).collect::<Vec<_>>().join(" + ")
}

#[test]
fn a_place_asks_for_more_under_its_own_name() {
    let policies = sound(alone(POLICY));
    for (path, reference, wanted) in [
        ("Dockerfile", "node:24", ""),
        ("Dockerfile", "docker.io/foo/bar", "unknown review review observe"),
        ("services/a/Dockerfile", "registry.example.com/base/jre:21", ""),
        ("services/Dockerfile.dev", "node:24", "production fail fail enforce"),
        (
            "deploy/prod/x/y",
            "docker.io/foo/bar",
            "unknown review review enforce + production fail fail enforce",
        ),
        ("Services/a/Dockerfile", "node:24", ""),
        ("examples/a/Dockerfile", "node:24", "examples fail fail observe"),
        ("examples/Dockerfile", "node:24-rc1", "examples fail fail observe + examples fail fail observe"),
        (
            "examples/Dockerfile",
            "docker.io/foo/bar@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "unknown review review observe + examples fail fail observe",
        ),
        ("examples/Dockerfile", "Foo/BAR", "invalid fail fail observe"),
    ] {
        assert_eq!(found(&policies, &at(path, reference)), wanted, "{path} {reference}");
    }
    let judgement = policies.judge(&at("services/a/Dockerfile", "node:24"), &Evidence::none()).unwrap();
    assert_eq!(
        judgement.findings[0].message,
        "`docker.io/library/node:24` comes from the source `official`, and the place `production` takes only `internal`"
    );
    insta::assert_snapshot!(tree(&judgement.findings[0].explanation), @"
    `only-from` of the place `production` (.github/fromguard.yml:298)
      `node:24` is read as `docker.io/library/node:24`
      `hub:official` of the source `official` covers it (.github/fromguard.yml:126)
      the place `production` enforces it (.github/fromguard.yml:330)
    ");
}

#[test]
fn a_place_is_a_stage_too() {
    let policies = sound(alone(POLICY));
    let mut build = at("services/a/Dockerfile", "node:24");
    build.stage = Stage::Build;
    assert_eq!(found(&policies, &build), "");
    let builds = POLICY.replace("stages: final", "stages: build");
    let policies = sound(alone(&builds));
    assert_eq!(found(&policies, &build), "production fail fail enforce");
    assert_eq!(found(&policies, &at("services/a/Dockerfile", "node:24")), "");
    for every in ["    stages: all\n", ""] {
        let policies = sound(alone(&POLICY.replace("    stages: final\n", every)));
        assert_eq!(found(&policies, &build), "production fail fail enforce");
    }
}

#[test]
fn a_file_that_a_value_comes_from_is_in_the_place_too() {
    let policies = sound(alone(POLICY));
    let mut usage = at("compose.yaml", "node:24");
    assert_eq!(found(&policies, &usage), "");
    let place = Location { file: RepoPath::new("deploy/prod/.env"), span: Span::new(0, 1) };
    usage.via = vec![Via { at: place, what: "`.env`".to_owned() }];
    assert_eq!(found(&policies, &usage), "production fail fail enforce");
}

#[test]
fn absent_paths_are_everywhere() {
    let policy = "version: 1\nmode: observe\nunknown: allow\nwhere: [{name: all, unknown: review}]\n";
    check(policy, "docker.io/foo/bar → review all");
    let policies = sound(alone(policy));
    let judgement = policies.judge(&image("docker.io/foo/bar"), &Evidence::none()).unwrap();
    assert_eq!(
        judgement.findings[0].message,
        "`docker.io/foo/bar` comes from no source this policy trusts, which the place `all` does not take"
    );
}

#[test]
fn what_is_not_known_may_count_for_more_in_a_place() {
    let policies = sound(alone(POLICY));
    let unresolved = |path: &str| {
        let reason = "ARG `BASE` has no default".to_owned();
        ImageUse { file: RepoPath::new(path), ..usage(vec![Target::Unresolved { reason }], "${BASE}") }
    };
    assert_eq!(found(&policies, &unresolved("Dockerfile")), "unsure undecided review observe");
    assert_eq!(
        found(&policies, &unresolved("examples/Dockerfile")),
        "unsure undecided review observe + examples undecided fail observe"
    );
    assert_eq!(found(&policies, &unresolved("services/Dockerfile")), "unsure undecided review enforce");
    let problem = Problem {
        at: Location { file: RepoPath::new("examples/x"), span: Span::new(0, 0) },
        code: ProblemCode::Unreadable,
        message: "this file is binary".to_owned(),
    };
    let judgement = policies.judge_problem(&problem).unwrap();
    let found: Vec<(&str, Effect)> =
        judgement.findings.iter().map(|finding| (finding.rule.as_str(), finding.effect)).collect();
    assert_eq!(found, [("unreadable", Effect::Review), ("examples", Effect::Fail)]);
}

#[test]
fn a_source_that_may_apply_is_not_one_that_does() {
    let policies = sound(alone(
        &POLICY.replace("only-from: [internal]", "only-from: [tagged]").replace("    stages: final\n", ""),
    ));
    let digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let pinned = at("services/Dockerfile", &format!("docker.io/acme/tool:1.0@{digest}"));
    assert_eq!(
        found(&policies, &pinned),
        "unsure undecided review enforce + unknown review review enforce + production undecided review enforce"
    );
    let open =
        ImageUse { file: RepoPath::new("services/Dockerfile"), ..partial("docker.io/acme/tool", true) };
    assert_eq!(
        found(&policies, &open),
        "unsure undecided review enforce + production undecided review enforce"
    );
    let open = ImageUse {
        file: RepoPath::new("services/Dockerfile"),
        ..partial("registry.example.com/base/x", true)
    };
    assert_eq!(found(&policies, &open), "production fail fail enforce");
    let open = ImageUse {
        file: RepoPath::new("examples/Dockerfile"),
        ..partial("registry.example.com/base/x", true)
    };
    assert_eq!(
        found(&policies, &open),
        "examples undecided review observe + examples undecided fail observe"
    );
}

#[test]
fn a_repositorys_place_names_the_organisations_sources() {
    let organisation = "version: 1\nmode: observe\nunknown: review\nwhen-unsure: fail\ntrust: {internal: {images: [\"registry.example.com/base/**\"]}}\nwhere: [{name: pinned, require: {digest: true}}]\n";
    let policies = sound(both(
        organisation,
        "version: 1\nwhere: [{name: mine, paths: [\"prod/**\"], only-from: [internal], mode: enforce}]\n",
    ));
    assert_eq!(found(&policies, &at("x", "registry.example.com/base/x")), "pinned fail fail observe");
    assert_eq!(
        found(&policies, &at("prod/x", "docker.io/foo/bar")),
        "pinned fail fail observe + unknown review review enforce + mine fail fail enforce"
    );
    let broken =
        both(organisation, "version: 1\nwhere: [{name: mine, only-from: [internl], when-unsure: review}]\n");
    let PolicyFile::Read(loaded) = &broken.repository else { panic!("it was read") };
    assert_eq!(
        shown(loaded),
        "2:34 error: `internl` is not a source of `trust`\n    | internl\n    = did you mean `internal`?\n\
         2:57 error: the place `mine` is looser here than the file, which has `when-unsure: fail`\n    | review\n    = leave it out: a place can only harden\n"
    );
}

#[test]
fn a_place_cannot_loosen_anything() {
    use super::loading::says;
    let place = |keys: &str| format!("when-unsure: fail\nwhere: [{{name: p, {keys}}}]");
    says(
        &place("mode: observe"),
        "a place can only harden, and `mode: observe` is the loosest",
        "leave it out, or write `mode: enforce`",
    );
    says(
        &place("unknown: allow"),
        "a place can only harden, and `unknown: allow` is the loosest",
        "leave it out, or write `unknown: fail`",
    );
    says(
        &place("when-unsure: review"),
        "the place `p` is looser here than the file, which has `when-unsure: fail`",
        "leave it out: a place can only harden",
    );
    says(&place("require: {digest: false}"), "`digest: false` says nothing", "leave it out");
    says(
        &place("paths: [a]"),
        "the place `p` asks for nothing",
        "write `only-from`, `require`, `mode: enforce`, `unknown` or `when-unsure` in it",
    );
    says(
        &place("paths: [], unknown: fail"),
        "`paths` is an empty list",
        "write at least one item, or leave the key out",
    );
    says(
        &place("paths: [\"/a\"], unknown: fail"),
        "`/a`: paths are relative to the root of the repository",
        "write `a`",
    );
    says(&place("only-from: [x]"), "`x` is not a source of `trust`", "write the source under `trust` first");
    says(
        &place("stages: finale, unknown: fail"),
        "`stages` is `final`, `build` or `all`, not `finale`",
        "did you mean `final`?",
    );
    says(
        &place("require: {tag: supported}"),
        "`tag: supported` is known of official images only, and the place `p` takes others too",
        "write it under the source of `hub:official`, or limit the place to that with `only-from`",
    );
    says(
        "where: [{name: digest, unknown: fail}]",
        "`digest` is the id of a finding and cannot be a name",
        "choose another name, as `digest-images`",
    );
    says(
        "where: [{name: a, unknown: fail}, {name: a, mode: enforce}]",
        "the place `a` stands here twice, first on line 4",
        "give each a name of its own",
    );
    says(
        "where: [{unknown: fail}]",
        "an item of `where` has no `name`, which its findings carry",
        "write `name: production` in it",
    );
    let text = "version: 1\nmode: observe\nunknown: fail\nwhere: [{name: p, unknown: review}]\n";
    assert!(
        errors(text)
            .contains("4:28 error: the place `p` is looser here than the file, which has `unknown: fail`"),
        "{}",
        errors(text)
    );
}
