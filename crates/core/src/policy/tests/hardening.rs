//! What must hold of places, exceptions and days, whatever is written.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::image::ImageRef;

const POLICY: &str = r#"
version: 1
mode: observe
unknown: review
trust:
  official: {images: ["hub:official"], require: {forbid-tags: [latest]}}
  internal: {images: ["registry.example.com/base/**"], require: {digest: true}}
  owner: {images: ["docker.io/acme/app:1.*"]}
  verified: {images: ["hub:verified-publisher"], publishers: [grafana]}
block:
  - images: ["docker.io/library/redis:1.*"]
replace: {docker.io/library/node: registry.example.com/base/node}
"#;

static PLAIN: LazyLock<Policies> = LazyLock::new(|| sound(alone(POLICY)));

fn reference() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "node",
        "node:24",
        "redis:1.2",
        "redis",
        "registry.example.com/base/x",
        "docker.io/acme/app:1.0",
        "docker.io/acme/app",
        "docker.io/foo/bar:1",
        "grafana/loki:3",
        "ghrc.io/a/b",
        "Foo/BAR",
        "node:24@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "redis@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "docker.io/acme/app:1.0@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ])
}

/// A use of a reference: whole, open in its tag, or not known at all; in some file and stage.
fn any_use() -> impl Strategy<Value = ImageUse> {
    let file = prop::sample::select(vec!["Dockerfile", "prod/Dockerfile", "prod/a/b/c.yml", "x/prod"]);
    (reference(), file, any::<bool>(), 0..5u8).prop_map(|(text, file, build, kind)| {
        let target = match (kind, ImageRef::parse(text)) {
            (0, Ok(name)) => Target::Partial(Partial { name, complete: true, reason: "why".to_owned() }),
            (1, Ok(name)) => Target::Partial(Partial { name, complete: false, reason: "why".to_owned() }),
            (2, _) => Target::Unresolved { reason: "why".to_owned() },
            _ => Target::parse(text),
        };
        let stage = if build { Stage::Build } else { Stage::Final };
        ImageUse { file: RepoPath::new(file), stage, ..usage(vec![target], text) }
    })
}

fn place() -> impl Strategy<Value = String> {
    let paths = prop::option::of(prop::sample::select(vec!["\"**\"", "\"prod/**\"", "Dockerfile"]));
    let stages = prop::option::of(prop::sample::select(vec!["final", "build", "all"]));
    let only = prop::option::of(prop::sample::select(vec!["internal", "official", "owner, verified"]));
    let require = prop::option::of(prop::sample::select(vec![
        "{digest: true}",
        "{forbid-tags: [\"*\"]}",
        "{sbom: true}",
    ]));
    let rest = "(, mode: enforce)?(, unknown: (review|fail))?, when-unsure: (review|fail)";
    (paths, stages, only, require, rest).prop_map(|(paths, stages, only, require, rest)| {
        let mut place = String::from("name: p");
        for (key, value) in [("paths", paths), ("only-from", only)] {
            place.extend(value.map(|value| format!(", {key}: [{value}]")));
        }
        for (key, value) in [("stages", stages), ("require", require)] {
            place.extend(value.map(|value| format!(", {key}: {value}")));
        }
        format!("{{{place}{rest}}}")
    })
}

/// The worst that a judgement comes to, of everything and of what is enforced.
fn worst(judgement: &Judgement) -> (Verdict, Option<Effect>, Option<Effect>) {
    let effect =
        |least: Mode| judgement.findings.iter().filter(|one| one.mode >= least).map(|one| one.effect).max();
    (judgement.verdict, effect(Mode::Observe), effect(Mode::Enforce))
}

fn is_worse_or_same(one: &Judgement, than: &Judgement) -> bool {
    let (one, than) = (worst(one), worst(than));
    one.0 >= than.0 && one.1 >= than.1 && one.2 >= than.2
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_place_never_makes_anything_better(places in prop::collection::vec(place(), 1..3), usage in any_use()) {
        let items: Vec<String> = places
            .iter()
            .enumerate()
            .map(|(at, place)| place.replacen("name: p", &format!("name: p{at}"), 1))
            .collect();
        let harder = sound(alone(&format!("{POLICY}where: [{}]\nreviewers: [\"@a\"]\n", items.join(", "))));
        let none = Evidence::none();
        let (plain, hard) = (PLAIN.judge(&usage, &none).unwrap(), harder.judge(&usage, &none).unwrap());
        prop_assert!(is_worse_or_same(&hard, &plain), "{:?}\n{:?}\n{:?}", items, plain, hard);
        // What stood against it still does, under its own name.
        for finding in &plain.findings {
            prop_assert!(hard.findings.iter().any(|one| one.rule == finding.rule && one.effect >= finding.effect));
        }
    }

    #[test]
    fn an_exception_that_is_over_never_lifts_anything(
        until in 0..40_000i64, after in 1..4_000u32, usage in any_use(),
        rules in prop::sample::subsequence(vec!["unknown", "unsure", "digest", "forbid-tags", "lookalike", "p"], 1..=6),
    ) {
        let until = Day::from_unix_ms(until * 86_400_000);
        let text = format!(
            "{POLICY}where: [{{name: p, unknown: fail, when-unsure: fail}}]\nexceptions:\n  - {{id: EX, images: [\"docker.io/**\", \"registry.example.com/**\", \"ghrc.io/**\"], i-trust-everyone: true, rules: [{}], until: {until}, owner: \"@a\", reason: b}}\n",
            rules.join(", "),
        );
        let found = |text: &str, day: Day| {
            let policies = sound(Policies::load(Found::Absent, Found::File(file(REPOSITORY_POLICY_PATH, text)), day));
            policies.judge(&usage, &Evidence::none()).unwrap()
        };
        let over = found(&text, until.plus(after));
        prop_assert!(over.lifted.is_empty());
        let without = found(&text[..text.find("exceptions:").unwrap()], until);
        prop_assert_eq!(worst(&over), worst(&without));
        // On its last day it does, and only what it names.
        let last = found(&text, until);
        prop_assert!(last.lifted.iter().all(|one| rules.contains(&one.finding.rule.as_str())));
        prop_assert!(!last.lifted.iter().any(|one| one.finding.rule == "block"));
        let mut both: Vec<&str> = last.lifted.iter().map(|one| &one.finding).chain(&last.findings).map(|one| one.rule.as_str()).collect();
        let mut wanted: Vec<&str> = without.findings.iter().map(|one| one.rule.as_str()).collect();
        both.sort_unstable();
        wanted.sort_unstable();
        prop_assert_eq!(both, wanted);
    }

    #[test]
    fn a_repositorys_file_with_places_never_makes_anything_better(place in place(), usage in any_use()) {
        let together = sound(both(POLICY, &format!("version: 1\nwhere: [{place}]\n")));
        let none = Evidence::none();
        let (alone, both) = (PLAIN.judge(&usage, &none).unwrap(), together.judge(&usage, &none).unwrap());
        prop_assert!(is_worse_or_same(&both, &alone), "{}\n{:?}\n{:?}", place, alone, both);
    }

    #[test]
    fn what_is_not_wholly_known_never_passes_as_another_host(usage in any_use()) {
        let judgement = PLAIN.judge(&usage, &Evidence::none()).unwrap();
        match &usage.targets[0] {
            Target::Partial(partial) if !partial.complete => prop_assert_eq!(judgement.verdict, Verdict::Undecided),
            Target::Unresolved { .. } => prop_assert_eq!(judgement.verdict, Verdict::Undecided),
            Target::Invalid { .. } => prop_assert_eq!(judgement.verdict, Verdict::Fail),
            _ => {}
        }
    }

    #[test]
    fn a_normal_form_stays_as_it_is(text in "([a-zA-Z]{1,6}[.:]?){1,3}(/[a-z]{1,4}){0,3}(:[a-z0-9]{1,4})?") {
        if let Ok(image) = ImageRef::parse(&text) {
            let again = ImageRef::parse(&image.to_string());
            prop_assert_eq!(again, Ok(image));
        }
    }

    #[test]
    fn an_offered_exception_always_lets_the_use_pass(usage in any_use()) {
        let enforced = format!("{POLICY}where: [{{name: p, mode: enforce, when-unsure: fail}}]\nreviewers: [\"@a\"]\n");
        let policies = sound(alone(&enforced));
        let judgement = policies.judge(&usage, &Evidence::none()).unwrap();
        if let Some(proposal) = policies.exception_for(&usage, &judgement) {
            let pasted = sound(alone(&format!("{enforced}exceptions:\n{}", proposal.yaml)));
            prop_assert_eq!(pasted.judge(&usage, &Evidence::none()).unwrap().verdict, Verdict::Pass, "{}", proposal.yaml);
        }
    }
}
