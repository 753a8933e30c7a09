//! What BuildKit answered, and the golden files that keep it: one fact a line.
//!
//! ```text
//! file  := { "# " text } { "=== " case-name { fact } }
//! fact  := "syntax: " message                       nothing can be built
//!        | "frontend: " reference | "frontend fails: " text
//!        | "onbuild: " name                         as a trigger names it
//!        | "onbuild of a stage: " name              a stage of this file, if a child here runs it
//!        | runs [ " (" platforms ")" ] ( ": " image | " fails: " message )
//! runs  := "default" | "target " name | "every stage"
//! ```
//!
//! Platforms stand only where they differ, `target on machine` for a cross build. Runs of other targets are
//! there when they ask for an image that the default one does not, or fail.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What BuildKit made of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Why the text cannot be built, whatever is asked for.
    pub(crate) syntax: Option<String>,
    /// The image that reads the file: in normal form, or as written when it is
    /// no reference.
    pub(crate) frontend: Option<Result<String, String>>,
    /// What the triggers name that is no stage of the file.
    pub(crate) onbuild: Vec<String>,
    /// What the triggers name that is a stage of the file.
    pub(crate) onbuild_of_a_stage: Vec<String>,
    /// The build of the stage that is last.
    pub(crate) default: Runs,
    /// The builds of other stages.
    pub(crate) others: Runs,
    facts: Vec<String>,
}

/// What some builds asked for, all platforms together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Runs {
    /// The images, as BuildKit asks for them (with a tag or a digest).
    pub(crate) images: BTreeSet<String>,
    /// Why builds failed.
    pub(crate) errors: Vec<String>,
}

impl Answer {
    /// Reads the facts of one case.
    ///
    /// # Errors
    /// With the line that is no fact.
    pub(crate) fn read(facts: impl IntoIterator<Item = String>) -> Result<Answer, String> {
        let mut answer = Answer::default();
        for fact in facts {
            let (head, value) = fact.split_once(": ").ok_or_else(|| format!("not a fact: {fact}"))?;
            let value = value.to_owned();
            let (head, fails) = match head.strip_suffix(" fails") {
                Some(head) => (head, true),
                None => (head, false),
            };
            match head.split([' ', '(']).next().unwrap_or_default() {
                "syntax" => answer.syntax = Some(value),
                "frontend" => answer.frontend = Some(if fails { Err(value) } else { Ok(value) }),
                "onbuild" if head == "onbuild" => answer.onbuild.push(value),
                "onbuild" => answer.onbuild_of_a_stage.push(value),
                "default" => answer.default.add(value, fails),
                "target" | "every" => answer.others.add(value, fails),
                _ => return Err(format!("not a fact: {fact}")),
            }
            answer.facts.push(fact);
        }
        Ok(answer)
    }

    /// The facts, one a line.
    pub(crate) fn facts(&self) -> &[String] {
        &self.facts
    }
}

impl Runs {
    fn add(&mut self, value: String, fails: bool) {
        if fails {
            self.errors.push(value);
        } else {
            self.images.insert(value);
        }
    }
}

/// Reads a golden file: each case's name and answer.
///
/// # Errors
/// With the line that is no fact.
pub(crate) fn read(text: &str) -> Result<Vec<(String, Answer)>, String> {
    let mut cases: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        match (line.strip_prefix("=== "), cases.last_mut()) {
            (Some(name), _) => cases.push((name.to_owned(), Vec::new())),
            (None, Some((_, facts))) => facts.push(line.to_owned()),
            (None, None) => return Err(format!("a fact before the first case: {line}")),
        }
    }
    cases.into_iter().map(|(name, facts)| Ok((name, Answer::read(facts)?))).collect()
}

/// Writes a golden file. `versions` says what answered.
pub(crate) fn write(versions: &str, cases: &[(String, Answer)]) -> String {
    let mut out = format!("# Written by `cargo xtask oracle`; answered by {versions}.\n");
    for (name, answer) in cases {
        let _ = writeln!(out, "\n=== {name}");
        for fact in answer.facts() {
            let _ = writeln!(out, "{fact}");
        }
    }
    out
}
