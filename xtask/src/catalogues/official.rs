//! `library/` of docker-library/official-images: for each name its tags and its source,
//! and the names that are gone with the day on which they went.
//!
//! ```text
//! file  := stanza { blank-line stanza }
//! field := name ":" value { newline whitespace value }      "#" begins a comment line
//! ```

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use anyhow::Context;
use anyhow::Result;

use super::Checkout;

/// The text of `official-images.json`.
pub(super) fn catalogue(checkout: &Checkout) -> Result<String> {
    let names = checkout.names("library")?;
    let mut lines = Vec::new();
    for name in &names {
        let (source, tags) = read(&checkout.file(&format!("library/{name}"))?);
        let source = source.with_context(|| format!("library/{name} has no GitRepo"))?;
        let tags: Vec<String> = tags.iter().map(|tag| format!("{tag:?}")).collect();
        lines.push(format!("{name:?}: {{\"source\": {source:?}, \"tags\": [{}]}}", tags.join(", ")));
    }
    let removed: Vec<String> =
        removed(checkout, &names)?.iter().map(|(name, day)| format!("{name:?}: {day:?}")).collect();
    Ok(format!(
        "{{\n{},\n\"images\": {{\n{}\n}},\n\"removed\": {{\n{}\n}}\n}}\n",
        checkout.origin(),
        lines.join(",\n"),
        removed.join(",\n")
    ))
}

/// The first source repository of a file, and every tag that it lists, sorted by bytes.
fn read(text: &str) -> (Option<String>, BTreeSet<String>) {
    let (mut source, mut tags) = (None, BTreeSet::new());
    let mut field = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let value = match line.split_once(':').filter(|_| !line.starts_with([' ', '\t'])) {
            Some((name, value)) => {
                field = name;
                value
            }
            None => line,
        };
        match field {
            "Tags" | "SharedTags" => {
                tags.extend(value.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned));
            }
            "GitRepo" if source.is_none() => source = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    (source, tags)
}

/// Names that stood in `library/` once, each with the last day on which it went.
fn removed(checkout: &Checkout, names: &[String]) -> Result<BTreeMap<String, String>> {
    let log = checkout.git(&[
        "log",
        "--no-renames",
        "--diff-filter=D",
        "--format=day %cs",
        "--name-only",
        "--",
        "library",
    ])?;
    let mut removed = BTreeMap::new();
    let mut day = "";
    for line in log.lines() {
        if let Some(of_commit) = line.strip_prefix("day ") {
            day = of_commit;
        } else if let Some(name) = line.strip_prefix("library/")
            // `MAINTAINERS` lay there too.
            && name.chars().all(|c| !c.is_ascii_uppercase())
            && !names.iter().any(|known| known == name)
        {
            // The newest commit comes first.
            removed.entry(name.to_owned()).or_insert_with(|| day.to_owned());
        }
    }
    Ok(removed)
}
