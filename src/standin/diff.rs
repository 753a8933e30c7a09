//! What changed between two trees, as GitHub lists the files of a pull request.
//!
//! Facts (<https://docs.github.com/en/rest/pulls/pulls>, and community discussion
//! 213491): a file's `patch` is left out when it is large, and past about 20,000
//! patch lines in one answer the remaining files show neither patch nor counts.

use std::collections::BTreeMap;
use std::collections::HashMap;

use gix::ObjectId;
use gix_imara_diff::Algorithm;
use gix_imara_diff::BasicLineDiffPrinter;
use gix_imara_diff::Diff;
use gix_imara_diff::InternedInput;
use gix_imara_diff::UnifiedDiffConfig;

use super::git::Entry;
use super::git::Git;
use super::git::MODE_SUBMODULE;
use super::git::MODE_TREE;

/// A blob larger than this is not compared line by line.
const COMPARED_LIMIT_BYTES: u64 = 1024 * 1024;
/// A longer patch of one file is left out.
const PATCH_LIMIT_LINES: usize = 3_000;
/// Patch lines in one answer, after which files show no changes.
const ANSWER_PATCH_LIMIT_LINES: usize = 20_000;
/// Shared lines, in percent, that make a removed and an added file one renamed file (git's default).
const RENAME_PERCENT: usize = 50;
/// Removed × added files that are compared for similarity (git's `diff.renameLimit` is about the same).
const RENAME_PAIRS: usize = 400 * 400;

/// The list of a pull request's files ends here, however many there are.
pub(super) const FILES_LIMIT: usize = 3_000;

/// One changed file.
#[derive(Debug, Clone)]
pub(super) struct ChangedFile {
    pub(super) path: String,
    pub(super) previous_path: Option<String>,
    pub(super) status: Status,
    /// The blob at the head; of a removed file, at the base.
    pub(super) oid: ObjectId,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
}

/// GitHub's words for what happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Added,
    Removed,
    Modified,
    Renamed,
    /// Only the mode or the type changed.
    Changed,
}

impl Status {
    /// As the REST API spells it: a deleted file is `removed`.
    pub(super) fn rest(self) -> &'static str {
        match self {
            Status::Added => "added",
            Status::Removed => "removed",
            Status::Modified => "modified",
            Status::Renamed => "renamed",
            Status::Changed => "changed",
        }
    }

    /// As the GraphQL API spells it: a removed file is `DELETED`.
    pub(super) fn graphql(self) -> &'static str {
        match self {
            Status::Added => "ADDED",
            Status::Removed => "DELETED",
            Status::Modified => "MODIFIED",
            Status::Renamed => "RENAMED",
            Status::Changed => "CHANGED",
        }
    }
}

/// How many lines a file gained and lost, and how.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    pub(super) additions: u32,
    pub(super) deletions: u32,
    pub(super) patch: Option<String>,
}

/// The files that differ, sorted by path. `base` is absent when the histories have nothing in common.
pub(super) fn changed_files(git: &Git, base: Option<ObjectId>, head: ObjectId) -> Vec<ChangedFile> {
    let mut files = Vec::new();
    let mut open = vec![(String::new(), base, Some(head))];
    while let Some((folder, base, head)) = open.pop() {
        let base = children(git, base);
        let mut head = children(git, head);
        for (name, old) in base {
            let new = head.remove(&name);
            pair(&join(&folder, &name), Some(old), new, &mut open, &mut files);
        }
        for (name, new) in head {
            pair(&join(&folder, &name), None, Some(new), &mut open, &mut files);
        }
    }
    let mut files = renames(git, files);
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

type Folders = Vec<(String, Option<ObjectId>, Option<ObjectId>)>;

fn pair(
    path: &str,
    old: Option<Entry>,
    new: Option<Entry>,
    open: &mut Folders,
    files: &mut Vec<ChangedFile>,
) {
    if let (Some(old), Some(new)) = (&old, &new)
        && old.oid == new.oid
        && old.mode == new.mode
    {
        return;
    }
    let split = |entry: Option<Entry>| match entry {
        Some(entry) if entry.mode == MODE_TREE => (Some(entry.oid), None),
        other => (None, other),
    };
    let (old_folder, old) = split(old);
    let (new_folder, new) = split(new);
    if old_folder.is_some() || new_folder.is_some() {
        open.push((path.to_owned(), old_folder, new_folder));
    }
    let (status, oid) = match (&old, &new) {
        (Some(old), Some(new)) if old.oid == new.oid => (Status::Changed, new.oid),
        (Some(_), Some(new)) => (Status::Modified, new.oid),
        (None, Some(new)) => (Status::Added, new.oid),
        (Some(old), None) => (Status::Removed, old.oid),
        (None, None) => return,
    };
    let blob =
        |entry: Option<Entry>| entry.filter(|entry| entry.mode != MODE_SUBMODULE).map(|entry| entry.oid);
    files.push(ChangedFile {
        path: path.to_owned(),
        previous_path: None,
        status,
        oid,
        old: blob(old),
        new: blob(new),
    });
}

fn children(git: &Git, tree: Option<ObjectId>) -> BTreeMap<String, Entry> {
    let entries = tree.and_then(|tree| git.tree(tree)).unwrap_or_default();
    entries.into_iter().map(|entry| (entry.path.clone(), entry)).collect()
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Joins removed and added files that hold the same, or about the same.
fn renames(git: &Git, files: Vec<ChangedFile>) -> Vec<ChangedFile> {
    let (mut removed, rest): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| file.status == Status::Removed && file.old.is_some());
    let (mut added, mut kept): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|file| file.status == Status::Added && file.new.is_some());

    added.retain(|new| match removed.iter().position(|old| old.oid == new.oid) {
        Some(at) => {
            kept.push(renamed(&removed.remove(at), new));
            false
        }
        None => true,
    });
    if removed.len() * added.len() <= RENAME_PAIRS {
        let lines: Vec<_> = removed.iter().map(|file| line_counts(git, file.oid)).collect();
        let mut taken = vec![false; removed.len()];
        added.retain(|new| {
            let mine = line_counts(git, new.oid);
            let best = (0..removed.len())
                .filter(|&at| !taken[at])
                .map(|at| (similarity_percent(&lines[at], &mine), at))
                .filter(|(percent, _)| *percent >= RENAME_PERCENT)
                .max();
            match best {
                Some((_, at)) => {
                    taken[at] = true;
                    kept.push(renamed(&removed[at], new));
                    false
                }
                None => true,
            }
        });
        let mut taken = taken.into_iter();
        removed.retain(|_| !taken.next().unwrap_or_default());
    }
    kept.append(&mut removed);
    kept.append(&mut added);
    kept
}

fn renamed(old: &ChangedFile, new: &ChangedFile) -> ChangedFile {
    ChangedFile {
        path: new.path.clone(),
        previous_path: Some(old.path.clone()),
        status: Status::Renamed,
        oid: new.oid,
        old: old.old,
        new: new.new,
    }
}

/// Each line with the number of its bytes over all its occurrences.
fn line_counts(git: &Git, oid: ObjectId) -> HashMap<Vec<u8>, usize> {
    let mut counts = HashMap::new();
    for line in comparable(git, Some(oid)).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
        *counts.entry(line.to_vec()).or_default() += line.len();
    }
    counts
}

fn similarity_percent(one: &HashMap<Vec<u8>, usize>, other: &HashMap<Vec<u8>, usize>) -> usize {
    let largest = one.values().sum::<usize>().max(other.values().sum());
    let shared: usize =
        one.iter().filter_map(|(line, bytes)| other.get(line).map(|others| *bytes.min(others))).sum();
    (shared * 100).checked_div(largest).unwrap_or(0)
}

/// Line counts and patch of one file.
pub(super) fn lines(git: &Git, file: &ChangedFile) -> Lines {
    let (Some(old), Some(new)) = (comparable(git, file.old), comparable(git, file.new)) else {
        return Lines::default();
    };
    let (old, new) = (String::from_utf8_lossy(&old), String::from_utf8_lossy(&new));
    let input = InternedInput::new(old.as_ref(), new.as_ref());
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    let (additions, deletions) = (diff.count_additions(), diff.count_removals());
    if additions + deletions == 0 {
        return Lines::default();
    }
    diff.postprocess_lines(&input);
    let printer = BasicLineDiffPrinter(&input.interner);
    let patch = diff.unified_diff(&printer, UnifiedDiffConfig::default(), &input).to_string();
    let patch = (patch.lines().count() <= PATCH_LIMIT_LINES).then_some(patch);
    Lines { additions, deletions, patch }
}

/// Line counts and patches of one answer's files, with what GitHub leaves out of a long answer left out.
pub(super) fn answer_lines(git: &Git, files: &[ChangedFile]) -> Vec<Lines> {
    let mut spent_lines = 0;
    let spend = |file: &ChangedFile| {
        if spent_lines > ANSWER_PATCH_LIMIT_LINES {
            return Lines::default();
        }
        let lines = lines(git, file);
        spent_lines += lines.patch.as_ref().map_or(0, |patch| patch.lines().count());
        lines
    };
    files.iter().map(spend).collect()
}

/// A side's bytes, empty when the file is not on that side, or `None` when git would call it binary or it is too large.
fn comparable(git: &Git, oid: Option<ObjectId>) -> Option<Vec<u8>> {
    let Some(oid) = oid else {
        return Some(Vec::new());
    };
    if git.size(oid)? > COMPARED_LIMIT_BYTES {
        return None;
    }
    git.blob(oid).filter(|bytes| !is_binary(bytes))
}

/// Whether git takes the bytes for binary: a NUL among the first 8,000 (`buffer_is_binary` in git's xdiff-interface.c).
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(8_000)].contains(&0)
}
