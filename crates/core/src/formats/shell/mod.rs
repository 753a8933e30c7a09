//! Shell scripts: what the commands in them pull, and what they build.
//!
//! `lexer`, `steps` and `heredoc` read a script into commands in one pass; `scope` knows
//! variables, `expand` makes fields of words, `run` walks over the commands in order,
//! `argv` knows options and `commands` what the arguments of each tool mean.
//! `docs/shell.md` says what is found.
//!
//! Other formats read the scripts in them through [`read`].

mod ansi;
mod argv;
mod array;
mod commands;
mod expand;
mod field;
mod heredoc;
mod justfile;
mod lexer;
mod makefile;
mod run;
mod scope;
mod steps;
#[cfg(test)]
mod tests;
mod word;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use crate::formats::Claim;
use crate::formats::Extracted;
use crate::formats::Files;
use crate::formats::Format;
use crate::formats::dockerfile::Dockerfile;
use crate::formats::uses::Finder;
use crate::formats::value::Value;
use crate::source::Mapped;
use crate::source::RepoPath;
use crate::source::SourceFile;

use self::run::Run;

/// The id of the format.
const FORMAT: &str = "shell";

/// The format `shell`.
pub struct Shell;

impl Format for Shell {
    fn id(&self) -> &'static str {
        FORMAT
    }

    fn claims(&self, path: &RepoPath) -> Claim {
        if Kind::of(path.name()).is_some() { Claim::Yes } else { Claim::No }
    }

    fn may_depend(&self, candidate: &RepoPath, changed: &RepoPath) -> bool {
        if Dockerfile.claims(changed) == Claim::No {
            return false;
        }
        let folder = candidate.folder();
        let is_above = folder.is_empty()
            || changed
                .folder()
                .strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_above || matches!(folder, "scripts" | "script" | "hack" | "ci" | ".ci" | "build" | "tools" | "bin")
    }

    fn extract(&self, file: &SourceFile, _files: &mut Files<'_>) -> Extracted {
        let mut extracted = Extracted::default();
        let own = file.path().folder();
        // A script is run from the root, or from where it stands.
        let folders: &[&str] = if own.is_empty() { &[""] } else { &["", own] };
        let finder = Finder { file, format: FORMAT };
        match Kind::of(file.path().name()) {
            _ if !may_hold_images(file.text()) => {}
            Some(Kind::Makefile) => makefile::read(finder, folders, &mut extracted),
            Some(Kind::Justfile) => justfile::read(finder, folders, &mut extracted),
            _ => {
                let text = Mapped::verbatim(file.text(), 0);
                let local = RefCell::default();
                let script = Script {
                    finder,
                    text: &text,
                    foreign: &[],
                    environment: &|_| None,
                    folders,
                    local: &local,
                };
                read_any(&script, &mut extracted);
            }
        }
        // What several scripts of the file say alike is said once.
        run::distinct(&mut extracted.builds);
        extracted.uses.sort_by_key(|usage| usage.span);
        extracted.problems.sort_by(|a, b| (&a.at, &a.message).cmp(&(&b.at, &b.message)));
        extracted.problems.dedup();
        extracted
    }
}

/// How a file holds its scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Script,
    Makefile,
    Justfile,
}

impl Kind {
    /// By the name of the file.
    fn of(name: &str) -> Option<Kind> {
        let lower = name.to_ascii_lowercase();
        let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| lower.ends_with(suffix));
        match lower.as_str() {
            "makefile" | "gnumakefile" => Some(Kind::Makefile),
            "justfile" | ".justfile" => Some(Kind::Justfile),
            _ if lower.starts_with("makefile.") && !ends(&[".md", ".am", ".in", ".txt"]) => {
                Some(Kind::Makefile)
            }
            _ if ends(&[".mk", ".mak", ".makefile"]) => Some(Kind::Makefile),
            _ if ends(&[".just"]) => Some(Kind::Justfile),
            _ if ends(&[".sh", ".bash", ".zsh", ".ksh", ".envrc"]) => Some(Kind::Script),
            _ => None,
        }
    }
}

/// A script in a file: a file of its own, a step of a workflow, a `RUN`.
pub(super) struct Script<'a> {
    /// The file and the format that the script is found by.
    pub(super) finder: Finder<'a>,
    /// The text that a shell gets.
    pub(super) text: &'a Mapped,
    /// Expressions of the format around it, sorted, none inside another:
    /// they are put in before a shell sees the text.
    pub(super) foreign: &'a [Foreign],
    /// What a variable is that the script does not set; `None` when nobody knows.
    pub(super) environment: &'a dyn Fn(&str) -> Option<Vec<Value>>,
    /// The folders that the script may run in, from the root of the repository on;
    /// none when that is not known.
    pub(super) folders: &'a [&'a str],
    /// References that earlier commands of the same job built or tagged: no sources,
    /// unless they are pulled.
    pub(super) local: &'a RefCell<BTreeSet<String>>,
}

/// An expression that is put into a script before a shell sees it: `${{ matrix.image }}`.
#[derive(Debug, Clone)]
pub(super) struct Foreign {
    /// Where it stands in the text of the script.
    pub(super) range: Range<usize>,
    /// What it may be; a member that is not known says why.
    pub(super) values: Vec<Value>,
}

/// Adds the uses, problems and builds of a script to what was found in its file.
pub(super) fn read(script: &Script<'_>, extracted: &mut Extracted) {
    if may_hold_images(script.text.text()) {
        read_any(script, extracted);
    }
}

/// The same, whatever the text looks like.
fn read_any(script: &Script<'_>, extracted: &mut Extracted) {
    Run::new(script, extracted).finish();
}

/// Whether a text may hold a command that names an image, at a glance.
pub(super) fn may_hold_images(text: &str) -> bool {
    commands::may_hold_one(text.as_bytes())
}
