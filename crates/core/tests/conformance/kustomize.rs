//! Trees with kustomizations, and the images that kustomize renders from each.
//!
//! A `.cases` file holds `##### name`, then `=== path` and the text of each file. The
//! `.golden` file beside it holds `##### name`, then one image to a line, sorted, of
//! everything that is deployed: every kustomization that no other one is built from.
//! `error: ` says which of them does not build.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use fromguard_core::image::Target;
use fromguard_core::scan::Scan;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;

/// A tree of files.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) files: BTreeMap<String, String>,
}

/// Reads a `.cases` file.
pub(crate) fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut path = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("##### ") {
            cases.push(Case { name: name.to_owned(), files: BTreeMap::new() });
        } else if let Some(case) = cases.last_mut() {
            match line.strip_prefix("=== ") {
                Some(name) => name.clone_into(&mut path),
                None => *case.files.entry(path.clone()).or_default() += &format!("{line}\n"),
            }
        }
    }
    cases
}

/// Writes an answer as the golden file has it.
pub(crate) fn written(name: &str, images: &[String], errors: &[String]) -> String {
    let mut text = format!("##### {name}\n");
    for image in images {
        text += &format!("{image}\n");
    }
    for error in errors {
        text += &format!("error: {error}\n");
    }
    text
}

/// Reads a golden file: the images of each case, as references.
pub(crate) fn golden(text: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut answers: Vec<(String, BTreeSet<String>)> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix("##### ") {
            answers.push((name.to_owned(), BTreeSet::new()));
        } else if let Some((_, images)) = answers.last_mut() {
            images.insert(match line.strip_prefix("error: ") {
                Some(_) => line.to_owned(),
                None => shown(&Target::parse(line)),
            });
        }
    }
    answers
}

/// The images that fromguard finds to be deployed.
pub(crate) fn deployed(case: &Case) -> BTreeSet<String> {
    let path = |name: &str| RepoPath::new(name);
    let mut scan = Scan::of_tree(case.files.keys().map(|name| path(name)).collect());
    loop {
        let wanted = scan.wanted();
        if wanted.is_empty() {
            break;
        }
        for wanted in wanted {
            let text = case.files.get(wanted.as_str());
            let content = text.map_or(Content::Missing, |text| Content::Text(text.as_str().into()));
            scan.feed(&wanted, content);
        }
    }
    let scanned = scan.finish();
    let uses = scanned.uses.iter().filter(|usage| usage.reachable);
    uses.flat_map(|usage| usage.targets.iter().map(shown)).collect()
}

fn shown(target: &Target) -> String {
    match target {
        Target::Image(image) => image.to_string(),
        other => format!("{other:?}"),
    }
}
