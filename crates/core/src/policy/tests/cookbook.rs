//! The cookbook holds: each of its policies is a file that loads, whose tests pass,
//! and that judges as the page says.

use std::collections::BTreeMap;
use std::fs;

use super::*;

const PAGE: &str = include_str!("../../../../../docs/cookbook.md");
/// What the file of a repository's policy under the one before it ends in.
const REPOSITORY: &str = "-repository";

/// The fenced blocks of the page.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let parts: Vec<&str> = PAGE.split("\n```").collect();
    let fenced = parts.iter().skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').expect("a fence ends its line")).collect()
}

/// The policies of the folder, by name.
fn files() -> BTreeMap<String, String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/cookbook");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = entries.map(|path| {
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
    });
    named.collect()
}

#[test]
fn the_page_shows_every_policy_as_it_stands() {
    let files = files();
    let shown: BTreeMap<String, String> = blocks()
        .into_iter()
        .filter_map(|(kind, text)| Some((kind.strip_prefix("yaml ")?.to_owned(), format!("{text}\n"))))
        .collect();
    assert_eq!(shown, files);
    assert_eq!(PAGE.matches("\n## ").count(), 11);
    assert_eq!(files.keys().filter(|name| !name.ends_with(REPOSITORY)).count(), 11);
}

#[test]
fn every_policy_loads_and_its_tests_pass() {
    let files = files();
    for (name, text) in &files {
        let organisation = name
            .strip_suffix(REPOSITORY)
            .map(|name| load(file(ORGANISATION_POLICY_PATH, &files[name]), Scope::Organisation, day()));
        let scope = match &organisation {
            Some(loaded) => Scope::RepositoryUnderOrganisation(loaded.policy.as_ref()),
            None => Scope::Organisation,
        };
        let loaded = load(file(name, text), scope, day());
        assert!(!loaded.is_broken(), "{name}: {}", shown(&loaded));
        assert!(loaded.policy.as_ref().unwrap().tests() > 0, "{name}");
        let tried = loaded.with_tests(day());
        assert!(!tried.is_broken(), "{name}: {}", shown(&tried));
    }
}

#[test]
fn every_policy_judges_as_the_page_says() {
    let files = files();
    let mut policies = Policies::none();
    let mut judged = 0;
    for (kind, text) in blocks() {
        match kind.strip_prefix("yaml ") {
            Some(name) => {
                policies = match name.strip_suffix(REPOSITORY) {
                    Some(organisation) => sound(both(&files[organisation], text)),
                    None => sound(alone(text)),
                };
            }
            None => {
                assert_eq!(kind, "judged");
                for line in text.lines() {
                    let (reference, wanted) = line.split_once('→').expect("an arrow");
                    let mut words = reference.split_whitespace().rev();
                    let mut usage = image(words.next().expect("a reference"));
                    usage.file = words.next().map_or(usage.file, RepoPath::new);
                    assert_eq!(verdict(&policies, &usage), wanted.trim(), "{line}");
                    judged += 1;
                }
            }
        }
    }
    assert!(judged > 10, "{judged}");
}
