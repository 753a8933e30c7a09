//! Which files a GitLab CI file includes, and which pipelines it starts.
//!
//! <https://docs.gitlab.com/ci/yaml/#include>. Local files stand in the tree, with
//! `*` and `**` in their paths; `remote`, `project`, `template` and `component` are
//! somewhere else and never fetched.

use crate::formats::value::Value;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Span;
use crate::source::Tree;
use crate::yaml::Mapping;
use crate::yaml::Node;

/// How many files one pattern may stand for.
const MAX_MATCHES: usize = 150;

/// An entry of `include`.
pub(super) struct Include {
    pub(super) place: Place,
    /// What names the file.
    pub(super) span: Span,
    /// The inputs that it is given.
    pub(super) inputs: Vec<(String, Value)>,
    /// Whether it is included only sometimes.
    pub(super) conditional: bool,
}

/// Where an included file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A path or pattern from the root of the repository on.
    Local(String),
    /// Somewhere that is not known; why.
    Unknown(String),
}

/// What a file includes.
pub(super) fn includes(root: Node<'_>, file: &SourceFile) -> Vec<Include> {
    root.at(&["include"]).map(|node| entries(node, file)).unwrap_or_default()
}

/// The files of the pipelines that a job starts.
pub(super) fn started(job: Mapping<'_>, file: &SourceFile) -> Vec<Include> {
    let trigger = job.find("trigger").and_then(|trigger| trigger.at(&["include"]));
    let mut entries = trigger.map(|node| entries(node, file)).unwrap_or_default();
    entries.retain(|entry| matches!(entry.place, Place::Local(_)) || entry.span != Span::default());
    entries
}

fn entries(node: Node<'_>, file: &SourceFile) -> Vec<Include> {
    match node.followed().and_then(Node::sequence) {
        Some(_) => node.list().filter_map(|entry| read(entry, file)).collect(),
        None => read(node, file).into_iter().collect(),
    }
}

fn read(entry: Node<'_>, file: &SourceFile) -> Option<Include> {
    let node = entry.followed()?;
    if let Some(text) = node.text() {
        let place = place("", text);
        return Some(Include { place, span: node.content_span(), inputs: Vec::new(), conditional: false });
    }
    let mapping = node.map()?;
    // A file that a job makes is no file of the repository, and a started pipeline
    // reads it as one; what is in it is not known.
    let (key, node) = ["local", "remote", "project", "template", "component", "artifact"]
        .into_iter()
        .find_map(|key| Some((key, mapping.find(key)?)))?;
    let inputs = mapping.find("inputs").and_then(Node::map).map(Mapping::merged).unwrap_or_default();
    let inputs = inputs.into_iter().filter_map(|(name, value)| {
        let name = name.text()?;
        let at = Location { file: file.path().clone(), span: value.content_span() };
        let value = match value.text() {
            Some(text) if !text.contains("$[[") => Value::known(text),
            _ => Value::unknown(format!("the input `{name}` is not followed")),
        };
        Some((name.to_owned(), value.placed(at, format!("the input `{name}`, given here"))))
    });
    Some(Include {
        place: place(key, node.text().unwrap_or("")),
        span: node.content_span(),
        inputs: inputs.collect(),
        conditional: mapping.find("rules").is_some(),
    })
}

fn place(key: &str, text: &str) -> Place {
    let remote =
        |what: &str| Place::Unknown(format!("remote: {what} is not in this repository, and is not fetched"));
    match key {
        "" if text.contains("://") => remote("the included file"),
        "remote" => remote("the included file"),
        "project" => remote("the included project"),
        "template" => remote("a template that comes with GitLab"),
        "component" => remote("the included component"),
        "artifact" => Place::Unknown("the pipeline is made by another job".to_owned()),
        _ if text.contains('$') => {
            Place::Unknown(format!("which file `{text}` is, is known only when it runs"))
        }
        _ => Place::Local(text.trim_start_matches('/').to_owned()),
    }
}

/// The files of a path or pattern; `None` when the tree is needed and not there.
pub(super) fn matching(pattern: &str, tree: Option<&Tree>) -> Option<Vec<RepoPath>> {
    if !pattern.contains('*') {
        return Some(vec![RepoPath::new(pattern)]);
    }
    let folder =
        pattern.split('*').next().and_then(|start| start.rsplit_once('/')).map_or("", |(folder, _)| folder);
    let is_yaml = |path: &&RepoPath| path.name().ends_with(".yml") || path.name().ends_with(".yaml");
    let paths = tree?.below(folder).filter(is_yaml);
    Some(paths.filter(|path| fits(pattern, path.as_str())).take(MAX_MATCHES).cloned().collect())
}

/// Whether a path fits a pattern: `*` stands for text without `/`, `**` for any text.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.as_bytes(), path.as_bytes());
    let (mut at, mut place) = (0, 0);
    // The last place to go back to, of each kind of star.
    let mut star: Option<(usize, usize)> = None;
    let mut deep: Option<(usize, usize)> = None;
    loop {
        if pattern[at..].starts_with(b"**/") {
            deep = Some((at + 3, place));
            star = None;
            at += 3;
        } else if pattern[at..].starts_with(b"**") {
            deep = Some((at + 2, place));
            star = None;
            at += 2;
        } else if pattern.get(at) == Some(&b'*') {
            star = Some((at + 1, place));
            at += 1;
        } else if at < pattern.len() && pattern.get(at) == path.get(place) {
            at += 1;
            place += 1;
        } else if at == pattern.len() && place == path.len() {
            return true;
        } else if let Some((next, from)) =
            star.filter(|(_, from)| path.get(*from).is_some_and(|byte| *byte != b'/'))
        {
            star = Some((next, from + 1));
            (at, place) = (next, from + 1);
        } else if let Some((next, from)) = deep.filter(|(_, from)| *from < path.len()) {
            deep = Some((next, from + 1));
            star = None;
            (at, place) = (next, from + 1);
        } else {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_a_part_of_a_path() {
        for (pattern, path) in [
            ("ci/*.yml", "ci/a.yml"),
            ("ci/**.yml", "ci/a/b.yml"),
            ("ci/**/*.yml", "ci/a/b/c.yml"),
            ("ci/**/*.yml", "ci/c.yml"),
            ("**/x-*-y.yml", "a/b/x-1-x-2-y.yml"),
            ("a.yml", "a.yml"),
        ] {
            assert!(fits(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in
            [("ci/*.yml", "ci/a/b.yml"), ("ci/*.yml", "ci/a.yaml"), ("*", "a/b"), ("a", "ab")]
        {
            assert!(!fits(pattern, path), "{pattern} {path}");
        }
    }
}
