//! The exception that would let a use pass, ready to paste: the one place that
//! writes one.

use std::collections::BTreeSet;

use super::Judgement;
use super::Policies;
use super::PolicyFile;
use super::REPOSITORY_POLICY_PATH;
use super::exception::Exception;
use super::wording::is_formatting;
use crate::day::Day;
use crate::image::ImageRef;
use crate::image::ImageUse;
use crate::image::Pattern;
use crate::source::RepoPath;

/// How long a proposed exception lasts, where the organisation does not allow less.
const LASTS_DAYS: u32 = 14;
/// The most of an image's name that stands in an id, in bytes.
const MAX_ID_NAME_BYTES: usize = 40;

/// An exception that would let a use pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The policy file that it can stand in.
    pub file: RepoPath,
    /// The last day on which it would hold.
    pub until: Day,
    /// The item of `exceptions`, with `owner` and `reason` to be filled in.
    pub yaml: String,
}

impl Policies {
    /// The exception that would lift everything that is against a use. `None` when
    /// none can: it is blocked, or it is not known which image it is.
    #[must_use]
    pub fn exception_for(&self, usage: &ImageUse, judgement: &Judgement) -> Option<Proposal> {
        let mut images: BTreeSet<String> = BTreeSet::new();
        let mut rules: Vec<&str> = Vec::new();
        for finding in &judgement.findings {
            images.insert(pattern_of(finding.liftable_as.as_ref()?)?);
            if !rules.contains(&finding.rule.as_str()) {
                rules.push(&finding.rule);
            }
        }
        let first = judgement.findings.first()?.liftable_as.as_ref()?;
        let (file, max_days) = self.place_for_exceptions()?;
        let until = self.day.plus(LASTS_DAYS.min(max_days.unwrap_or(LASTS_DAYS)));
        let images: Vec<String> = images.iter().map(|image| yaml_text(image)).collect();
        let yaml = format!(
            "- id: {}\n  images: [{}]\n  paths: [{}]\n  rules: [{}]\n  until: {until}\n  owner: \"@who-answers-for-it\"\n  reason: \"why it is needed, and what ends it\"\n",
            self.free_id(first, until),
            images.join(", "),
            yaml_text(&glob_of(&usage.file)),
            rules.join(", "),
        );
        Some(Proposal { file, until, yaml })
    }

    /// Where an exception for this repository can stand, and the most days it may last there.
    fn place_for_exceptions(&self) -> Option<(RepoPath, Option<u32>)> {
        let own = match &self.repository {
            PolicyFile::Read(loaded) => loaded.file.path().clone(),
            PolicyFile::Absent | PolicyFile::Unreadable { .. } => RepoPath::new(REPOSITORY_POLICY_PATH),
        };
        match &self.organisation {
            PolicyFile::Absent => Some((own, None)),
            organisation => {
                let policy = organisation.policy()?;
                Some(match policy.max_exception_days {
                    Some(days) => (own, Some(days)),
                    None => (policy.file.path().clone(), None),
                })
            }
        }
    }

    fn free_id(&self, image: &ImageRef, until: Day) -> String {
        let name = image.repository.rsplit('/').next().unwrap_or_default();
        let name = name.get(..MAX_ID_NAME_BYTES).unwrap_or(name);
        let id = format!("{name}-until-{until}");
        let taken: BTreeSet<&str> = self
            .loaded()
            .flat_map(|policy| &policy.exceptions.list)
            .map(|exception: &Exception| exception.id.value.as_str())
            .collect();
        let numbered = (2..).map(|number| format!("{id}-{number}"));
        std::iter::once(id.clone()).chain(numbered).find(|id| !taken.contains(id.as_str())).unwrap_or(id)
    }
}

/// The narrowest pattern that covers an image; an open one has only its name.
fn pattern_of(image: &ImageRef) -> Option<String> {
    let name = image.name();
    let text = match (&image.digest, &image.tag) {
        (Some(digest), _) => format!("{name}@{digest}"),
        (None, Some(tag)) => format!("{name}:{tag}"),
        (None, None) => name,
    };
    Pattern::parse(&text)
        .ok()
        .filter(|pattern| pattern.check_not_broad().is_ok())
        .map(|pattern| pattern.to_string())
}

/// A path as a glob: what a glob cannot hold becomes `*`.
fn glob_of(path: &RepoPath) -> String {
    let mut glob = String::new();
    for (at, c) in path.as_str().char_indices() {
        let special = matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\') || (at == 0 && c == '!');
        match special {
            true if glob.ends_with('*') => {}
            true => glob.push('*'),
            false => glob.push(c),
        }
    }
    glob
}

/// A text in double quotes (YAML 1.2.2, section 7.3.1): one line that shows what it is.
fn yaml_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            _ if c.is_control() || is_formatting(c) => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}
