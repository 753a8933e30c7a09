//! The user's reference holds: each of its examples loads, and is judged as it says.

use super::*;

const PAGE: &str = include_str!("../../../../../docs/policy.md");

/// The fenced blocks of the page: what stands after the fence, and the text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let mut parts = PAGE.split("\n```");
    parts.next();
    let mut blocks = Vec::new();
    while let Some(block) = parts.next() {
        blocks.push(block.split_once('\n').expect("a fence ends its line"));
        parts.next().expect("every fence is closed");
    }
    blocks
}

/// A part of a policy with the mandatory keys that it leaves out.
fn completed(text: &str) -> String {
    let mut whole = String::new();
    for line in ["version: 1", "mode: observe", "unknown: review"] {
        let key = line.split_once(':').expect("a key").0;
        if !text.lines().any(|line| line.starts_with(&format!("{key}:"))) {
            whole.push_str(&format!("{line}\n"));
        }
    }
    whole + text + "\n"
}

#[test]
fn every_example_of_the_page_loads_and_is_judged_as_it_says() {
    let mut last = Policies::none();
    let (mut loaded, mut judged) = (0, 0);
    for (kind, text) in blocks() {
        match kind {
            "yaml" => {
                assert_eq!(
                    errors(&completed(text)).lines().find(|line| line.contains(" error: ")),
                    None,
                    "{text}"
                );
                let whole = load(file("fromguard.yml", &completed(text)), Scope::Organisation, day());
                assert_eq!(shown(&whole.clone().with_tests(day())), shown(&whole), "{text}");
                last = sound(alone(&completed(text)));
                loaded += 1;
            }
            "yaml error" => assert!(errors(&completed(text)).contains(" error: "), "{text}"),
            "yaml repository" => {
                sound(both(STARTER, text));
            }
            "judged" => {
                for line in text.lines() {
                    let (reference, wanted) = line.split_once('→').expect("an arrow");
                    let mut words = reference.split_whitespace().rev();
                    let mut usage = image(words.next().expect("a reference"));
                    if let Some(path) = words.next() {
                        usage.file = RepoPath::new(path);
                    }
                    assert_eq!(verdict(&last, &usage), wanted.trim(), "{line}");
                    judged += 1;
                }
            }
            other => panic!("nothing tests a block of the kind {other:?}"),
        }
    }
    assert!(loaded > 10 && judged > 10, "{loaded} {judged}");
}

#[test]
fn the_page_speaks_of_every_key() {
    for keys::Key { name: key, .. } in keys::FILE.known {
        let example = |(kind, text): &(&str, &str)| {
            *kind == "yaml" && text.lines().any(|line| line.starts_with(&format!("{key}:")))
        };
        assert!(blocks().iter().any(example), "no example of `{key}`");
        assert!(PAGE.contains(&format!("| [`{key}`]")), "`{key}` is not in the table");
    }
    let below = [
        &keys::SOURCE,
        &keys::REQUIRE,
        &keys::BLOCK,
        &keys::PLACE,
        &keys::EXCEPTION,
        &keys::ADD_EXCEPTIONS,
        &keys::SIGNED_BY,
        &keys::PROVENANCE,
        &keys::SCRUTINISE,
        &keys::VULNERABILITIES,
        &keys::TEST,
        &keys::RULE,
    ];
    for keys::Key { name: key, .. } in below.into_iter().flat_map(|keys| keys.known) {
        let example = |(kind, text): &(&str, &str)| *kind == "yaml" && text.contains(&format!("{key}:"));
        assert!(blocks().iter().any(example), "no example of `{key}`");
    }
    assert!(PAGE.contains(STARTER), "the page and docs/examples/fromguard.yml differ");
}
