//! What must hold of every policy and every reference.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::image::ImageRef;
use crate::image::Pattern;

const TRUSTED: &str = r#"version: 1
mode: enforce
unknown: fail
when-unsure: fail
trust:
  official: {images: ["hub:official"]}
  internal: {images: ["registry.example.com/base/**", "registry.example.com:5000/x/*"]}
  owner: {images: ["docker.io/acme/**", "ghcr.io/acme/*", "*.example.org/team/app"]}
reviewers: ["@a"]
"#;

/// Shuffled keys of a mapping written one block after the other.
fn shuffled(blocks: &[&'static str]) -> impl Strategy<Value = String> + use<> {
    Just(blocks.to_vec()).prop_shuffle().prop_map(|blocks| blocks.concat())
}

fn keys_in_any_order() -> impl Strategy<Value = String> {
    let sources = shuffled(&[
        "  official: {images: [\"hub:official\"]}\n",
        "  team: {images: [\"docker.io/library/node\", \"ghcr.io/acme/**\"], require: {digest: true}}\n",
        "  app: {require: {forbid-tags: [latest]}, images: [\"ghcr.io/acme/app\", \"ghcr.io/acme/app:1.*\"]}\n",
        "  starred: {images: [\"ghcr.io/acme/a*\"]}\n",
    ]);
    let top = shuffled(&[
        "version: 1\n",
        "mode: enforce\n",
        "unknown: review\n",
        "when-unsure: fail\n",
        "trust:\nTRUST",
        "block:\n  - images: [\"ghcr.io/acme/bad\"]\n  - images: [\"docker.io/library/redis:1.*\"]\n",
        "mirrors: {registry.example.com/**: docker.io/**, registry.example.com/ghcr/**: ghcr.io/**}\n",
        "reviewers: [\"@a\"]\n",
    ]);
    (top, sources).prop_map(|(top, sources)| top.replace("TRUST", &sources))
}

static TRUSTING: LazyLock<Policies> = LazyLock::new(|| sound(alone(TRUSTED)));

/// A piece of text that tempts.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "registry.example.com",
        "REGISTRY.example.com",
        "evil.io",
        "docker.io",
        "index.docker.io",
        "registry-1.docker.io",
        "ghcr.io",
        "example.org",
        "a.example.org",
        "library",
        "acme",
        "base",
        "team",
        "app",
        "node",
        "x",
        "localhost",
        "/",
        "/",
        "/",
        "/",
        ":",
        ":443",
        ":5000",
        ":0443",
        ".",
        "-",
        "@",
        "..",
        "%2f",
        "*",
        "**",
        "xn--",
        "A",
        "é",
        "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ":latest",
        " ",
        "\u{0}",
        "//",
        "docker://",
    ])
}

/// A reference near the trusted ones: pieces in any order, or a trusted one with
/// pieces put in and bytes cut out.
fn tempting() -> impl Strategy<Value = String> {
    let trusted = prop::sample::select(vec![
        "node",
        "docker.io/library/node:24",
        "registry.example.com/base/x",
        "registry.example.com:5000/x/y:1",
        "docker.io/acme/app",
        "ghcr.io/acme/app:1",
        "a.example.org/team/app",
    ]);
    let mutated = (trusted, any::<prop::sample::Index>(), 0..3usize, prop::option::of(piece())).prop_map(
        |(text, at, cut, piece): (&str, prop::sample::Index, usize, Option<&str>)| {
            let at = at.index(text.len() + 1);
            format!("{}{}{}", &text[..at], piece.unwrap_or(""), &text[(at + cut).min(text.len())..])
        },
    );
    prop_oneof![mutated, prop::collection::vec(piece(), 1..9).prop_map(|pieces| pieces.concat())]
}

/// What `TRUSTED` trusts, said again without patterns: by comparing parts.
fn is_trusted(image: &ImageRef) -> bool {
    let host = image.registry.to_ascii_lowercase();
    let (name, port) =
        host.split_once(':').map_or((host.as_str(), 443), |(name, port)| (name, port.parse().unwrap_or(0)));
    let path: Vec<&str> = image.repository.split('/').collect();
    match (name, port, path.as_slice()) {
        ("registry.example.com", 443, ["base", _, ..]) => true,
        ("registry.example.com", 5000, ["x", _]) => true,
        ("docker.io", 443, ["acme", _, ..]) => true,
        ("docker.io", 443, ["library", name]) => crate::trust::official(name).is_some(),
        ("ghcr.io", 443, ["acme", _]) => true,
        (name, 443, ["team", "app"]) => name.len() > ".example.org".len() && name.ends_with(".example.org"),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_order_of_keys_never_matters(text in keys_in_any_order(), reference in prop::sample::select(vec![
        "node", "redis:1.2", "redis", "ghcr.io/acme/app:1.2", "ghcr.io/acme/app:latest", "ghcr.io/acme/bad",
        "ghcr.io/acme/abc", "registry.example.com/ghcr/acme/app:1.0", "registry.example.com/redis:1.0", "x.io/y",
    ])) {
        let fixed = "version: 1\nmode: enforce\nunknown: review\nwhen-unsure: fail\ntrust:\n  official: {images: [\"hub:official\"]}\n  team: {images: [\"docker.io/library/node\", \"ghcr.io/acme/**\"], require: {digest: true}}\n  app: {require: {forbid-tags: [latest]}, images: [\"ghcr.io/acme/app\", \"ghcr.io/acme/app:1.*\"]}\n  starred: {images: [\"ghcr.io/acme/a*\"]}\nblock:\n  - images: [\"ghcr.io/acme/bad\"]\n  - images: [\"docker.io/library/redis:1.*\"]\nmirrors: {registry.example.com/**: docker.io/**, registry.example.com/ghcr/**: ghcr.io/**}\nreviewers: [\"@a\"]\n";
        let usage = image(reference);
        prop_assert_eq!(verdict(&sound(alone(&text)), &usage), verdict(&sound(alone(fixed)), &usage));
    }

    #[test]
    fn only_the_same_image_passes(text in tempting()) {
        let passes = TRUSTING.judge(&image(&text), &Evidence::none()).unwrap().verdict == Verdict::Pass;
        let trusted = ImageRef::parse(&text).is_ok_and(|image| is_trusted(&image));
        prop_assert_eq!(passes, trusted, "{}", text);
    }

    #[test]
    fn a_repositorys_file_never_makes_anything_better(
        mode in "mode: (observe|enforce)\n", unknown in "(unknown: (allow|review|fail)\n)?",
        rest in "(when-unsure: (review|fail)\n)?(block: \\[\\{images: \\[ghcr[.]io/acme/\\*\\]\\}\\]\n)?(replace: \\{docker[.]io/library/node: ghcr[.]io/acme/node\\}\n)?",
        reference in tempting(),
    ) {
        let together = sound(both(TRUSTED, &format!("version: 1\n{mode}{unknown}{rest}")));
        let worst = |policies: &Policies| {
            let judgement = policies.judge(&image(&reference), &Evidence::none()).unwrap();
            let effect = judgement.findings.iter().filter(|one| one.mode == Mode::Enforce).map(|one| one.effect).max();
            (judgement.verdict, effect)
        };
        let (alone, both) = (worst(&TRUSTING), worst(&together));
        prop_assert!(both.0 >= alone.0 && both.1 >= alone.1, "{} {:?} {:?}", reference, alone, both);
    }

    #[test]
    fn loading_never_panics_and_never_trusts_what_is_broken(text in "(\\PC|\n|[:\\-\\[\\]{}&*!|>'\"#%@`, ]){0,200}") {
        let loaded = load(file("fromguard.yml", &text), Scope::Organisation, day());
        prop_assert_eq!(loaded.policy.is_none(), loaded.diagnostics.iter().any(|one| one.severity == Severity::Error));
        for diagnostic in &loaded.diagnostics {
            prop_assert!(text.get(diagnostic.span.start..diagnostic.span.end).is_some());
            prop_assert!(!diagnostic.message.chars().any(char::is_control));
            prop_assert!(!diagnostic.help.iter().any(|help| help.chars().any(char::is_control)));
        }
    }

    #[test]
    fn a_policy_with_bytes_changed_never_panics(at in 0..TRUSTED.len(), with in "\\PC{0,6}|\n|\t", drop in 0..20usize) {
        let end = (at + drop).min(TRUSTED.len());
        let text = format!("{}{with}{}", &TRUSTED[..at], &TRUSTED[end..]);
        let loaded = load(file("fromguard.yml", &text), Scope::Organisation, day());
        prop_assert_eq!(loaded.policy.is_none(), loaded.diagnostics.iter().any(|one| one.severity == Severity::Error));
    }

    #[test]
    fn a_pattern_reads_back_as_itself(text in tempting()) {
        if let Ok(pattern) = Pattern::parse(&text) {
            prop_assert_eq!(Pattern::parse(&pattern.to_string()), Ok(pattern.clone()));
            prop_assert!(pattern.overlaps(&pattern));
        }
    }

    #[test]
    fn the_index_finds_what_the_patterns_cover(
        patterns in prop::collection::vec("(\\*\\.)?(a|b)\\.(example|io)\\.org(/(x|y|x\\*|\\*|\\*y)){1,3}(/\\*\\*)?", 1..12),
        reference in "((a|b|c)\\.){1,2}(example|io)\\.org(/(x|y|xy|yy)){1,4}",
    ) {
        let patterns: Vec<Pattern> = patterns.iter().filter_map(|text| Pattern::parse(text).ok()).collect();
        let image = ImageRef::parse(&reference).unwrap();
        let mut index = matcher::Matcher::default();
        patterns.iter().enumerate().for_each(|(id, pattern)| index.insert(pattern, id));
        let mut found = Vec::new();
        index.find(&image.registry, &image.repository, &mut |id, hit| if hit == matcher::Hit::Covers { found.push(id) });
        found.sort_unstable();
        let wanted: Vec<usize> = (0..patterns.len()).filter(|id| patterns[*id].covers_name(&image)).collect();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn two_patterns_that_cover_one_image_overlap(
        one in "(\\*\\.)?(a\\.)?example\\.org(/(x|y|x\\*|\\*|\\*y)){1,3}(/\\*\\*)?(:(1|1\\.\\*|\\*1))?",
        two in "(\\*\\.)?(a\\.)?example\\.org(/(x|y|x\\*|\\*|\\*y)){1,3}(/\\*\\*)?(:(1|1\\.\\*|\\*1))?",
        reference in "(b\\.)?(a\\.)?example\\.org(/(x|y|xy|yy)){1,4}:(1|1\\.1|2)",
    ) {
        let (one, two) = (Pattern::parse(&one).unwrap(), Pattern::parse(&two).unwrap());
        let image = ImageRef::parse(&reference).unwrap();
        let covers = |pattern: &Pattern| pattern.covers_name(&image) && pattern.trusts_version(&image, false) == crate::image::PatternMatch::Yes;
        if covers(&one) && covers(&two) {
            prop_assert!(one.overlaps(&two) && two.overlaps(&one), "{} {}", one, two);
        }
    }
}
