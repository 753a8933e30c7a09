//! The sans-IO driver of a scan: told which paths there are, it says which
//! files it wants; fed with them, it says which more; at the end, what was found.
//!
//! The same [`Scan`] runs over a working tree, a git commit or the GitHub API.
//! A symbolic link is followed inside the tree, and its target read under the
//! link's own name.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::formats;
use crate::formats::Files;
use crate::formats::Format;
use crate::image::ImageUse;
use crate::source::Content;
use crate::source::Location;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Span;
use crate::source::Unreadable;

/// How many links are followed from one path. Linux follows 40; nobody chains
/// more than two or three.
const MAX_LINK_HOPS: usize = 8;
/// How many times the extraction of one file may ask for more files.
const MAX_ROUNDS: usize = 8;

/// A scan under way.
#[derive(Default)]
pub struct Scan {
    /// Files to be extracted that are not done, with the rounds they took.
    open: HashMap<RepoPath, Open>,
    /// What was fed. The text of a file in which nothing was found is dropped.
    contents: HashMap<RepoPath, Content>,
    asked: HashSet<RepoPath>,
    next: VecDeque<RepoPath>,
    /// The files that wait for a path.
    waiting: HashMap<RepoPath, Vec<RepoPath>>,
    scanned: Scanned,
}

struct Open {
    format: &'static dyn Format,
    rounds: usize,
    /// Paths that it waits for.
    missing: usize,
}

/// What a scan found. Uses and problems are sorted by file and span.
#[derive(Debug, Clone, Default)]
pub struct Scanned {
    /// Every use of an image.
    pub uses: Vec<ImageUse>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// The files that hold a use, a problem, or a place of a `via`.
    pub sources: BTreeMap<RepoPath, Arc<SourceFile>>,
    /// How many files were read; not those that only have a format's name.
    pub files_scanned: usize,
}

/// Where a path leads when its links are followed as far as they are known.
enum Lookup<'c> {
    Found(&'c Content),
    /// This has to be fetched first.
    Needs(RepoPath),
    Broken(Unreadable),
}

impl Scan {
    /// A scan of these paths; paths that no format claims are ignored.
    #[must_use]
    pub fn new(paths: impl IntoIterator<Item = RepoPath>) -> Scan {
        let mut scan = Scan::default();
        for path in paths {
            let Some(format) = formats::format_for(&path) else { continue };
            if scan.open.insert(path.clone(), Open { format, rounds: 0, missing: 1 }).is_none() {
                scan.want(path.clone(), path);
            }
        }
        scan
    }

    /// The files to fetch next. Each is asked for once, except that a file whose
    /// text was dropped because nothing was found in it may be asked for again
    /// when a link or another file leads to it. Empty when the scan is done.
    pub fn wanted(&mut self) -> Vec<RepoPath> {
        self.next.drain(..).collect()
    }

    /// Hands in a file that was wanted. [`Content::Missing`] is an answer.
    pub fn feed(&mut self, path: &RepoPath, content: Content) {
        self.contents.insert(path.clone(), content);
        for waiter in self.waiting.remove(path).unwrap_or_default() {
            let Some(open) = self.open.get_mut(&waiter) else { continue };
            open.missing = open.missing.saturating_sub(1);
            if open.missing == 0 {
                self.advance(&waiter);
            }
        }
    }

    /// What was found. A wanted file that was never fed is a problem.
    #[must_use]
    pub fn finish(mut self) -> Scanned {
        let mut unread: Vec<RepoPath> = self.open.keys().cloned().collect();
        unread.sort();
        for path in unread {
            let reason = "it was asked for and not handed in".to_owned();
            self.refuse(&path, &Unreadable::Failed { reason });
        }
        let mut scanned = self.scanned;
        scanned.uses.sort_by(|a, b| (&a.file, a.span).cmp(&(&b.file, b.span)));
        scanned.problems.sort_by(|a, b| a.at.cmp(&b.at));
        scanned
    }

    /// Lets `waiter` wait for `path`, which is fetched unless it was already.
    fn want(&mut self, path: RepoPath, waiter: RepoPath) {
        self.waiting.entry(path.clone()).or_default().push(waiter);
        if self.asked.insert(path.clone()) {
            self.next.push_back(path);
        }
    }

    /// Goes as far with a file as what was fed allows.
    fn advance(&mut self, path: &RepoPath) {
        let text = match follow(&self.contents, path) {
            Lookup::Needs(target) => {
                self.await_all(path, BTreeSet::from([target]));
                return;
            }
            Lookup::Broken(unreadable) => {
                self.refuse(path, &unreadable);
                return;
            }
            Lookup::Found(Content::Text(text)) => Arc::clone(text),
            Lookup::Found(Content::Unreadable(unreadable)) => {
                let is_text = !matches!(unreadable, Unreadable::Binary | Unreadable::NotUtf8 { .. });
                if !is_text && self.open.get(path).is_some_and(|open| open.format.may_be_binary(path)) {
                    self.open.remove(path);
                    return;
                }
                let unreadable = unreadable.clone();
                self.refuse(path, &unreadable);
                return;
            }
            Lookup::Found(Content::Missing | Content::Symlink(_)) => {
                self.open.remove(path);
                return;
            }
        };
        let Some(open) = self.open.get_mut(path) else { return };
        open.rounds += 1;
        let (format, rounds) = (open.format, open.rounds);
        let file = Arc::new(SourceFile::new(path.clone(), text));
        let known = |wanted: &RepoPath| match follow(&self.contents, wanted) {
            Lookup::Found(content) => Some(content.clone()),
            Lookup::Broken(unreadable) => Some(Content::Unreadable(unreadable)),
            Lookup::Needs(_) => None,
        };
        let mut files = Files::new(&known);
        let mut extracted = format.extract(&file, &mut files);
        let needs: BTreeSet<RepoPath> = files
            .into_wanted()
            .iter()
            .filter_map(|wanted| match follow(&self.contents, wanted) {
                Lookup::Needs(target) => Some(target),
                _ => None,
            })
            .collect();
        if !needs.is_empty() {
            if rounds < MAX_ROUNDS {
                self.await_all(path, needs);
                return;
            }
            extracted.problems.push(Problem {
                at: Location { file: path.clone(), span: Span::default() },
                code: ProblemCode::Limit,
                message: format!(
                    "the files that this one refers to lead to more files {MAX_ROUNDS} times over; shorten the chain"
                ),
            });
        }
        self.open.remove(path);
        self.scanned.files_scanned += usize::from(!extracted.is_foreign);
        if extracted.uses.is_empty() && extracted.problems.is_empty() {
            // Whoever wants it later asks again.
            self.contents.remove(path);
            self.asked.remove(path);
            return;
        }
        self.keep_sources(&extracted);
        self.scanned.sources.insert(path.clone(), file);
        self.scanned.uses.append(&mut extracted.uses);
        self.scanned.problems.append(&mut extracted.problems);
    }

    fn await_all(&mut self, path: &RepoPath, needs: BTreeSet<RepoPath>) {
        if let Some(open) = self.open.get_mut(path) {
            open.missing = needs.len();
        }
        for need in needs {
            self.want(need, path.clone());
        }
    }

    /// Keeps the other files that uses and problems point into.
    fn keep_sources(&mut self, extracted: &formats::Extracted) {
        let places = extracted.uses.iter().flat_map(|usage| {
            usage.via.iter().map(|via| &via.at.file).chain([&usage.file, &usage.decided_at.file])
        });
        for path in places.chain(extracted.problems.iter().map(|problem| &problem.at.file)) {
            if self.scanned.sources.contains_key(path) {
                continue;
            }
            if let Lookup::Found(Content::Text(text)) = follow(&self.contents, path) {
                let file = SourceFile::new(path.clone(), Arc::clone(text));
                self.scanned.sources.insert(path.clone(), Arc::new(file));
            }
        }
    }

    fn refuse(&mut self, path: &RepoPath, unreadable: &Unreadable) {
        self.open.remove(path);
        self.scanned.problems.push(Problem {
            at: Location { file: path.clone(), span: Span::default() },
            code: ProblemCode::Unreadable,
            message: format!("this file cannot be scanned: it is {unreadable}"),
        });
    }
}

fn follow<'c>(contents: &'c HashMap<RepoPath, Content>, path: &RepoPath) -> Lookup<'c> {
    let mut at = path.clone();
    let mut first_target: Option<&str> = None;
    let broken = |target: Option<&str>| {
        Lookup::Broken(Unreadable::LinkBroken { target: target.unwrap_or_default().to_owned() })
    };
    for _ in 0..=MAX_LINK_HOPS {
        match contents.get(&at) {
            None => return Lookup::Needs(at),
            Some(Content::Symlink(target)) => {
                first_target.get_or_insert(target);
                match at.beside(target) {
                    Some(next) => at = next,
                    None => return Lookup::Broken(Unreadable::LinkOutside { target: target.clone() }),
                }
            }
            Some(Content::Missing) if first_target.is_some() => return broken(first_target),
            Some(content) => return Lookup::Found(content),
        }
    }
    broken(first_target)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a scan from a list of files; what is not listed is missing.
    fn scan(files: &[(&str, Content)]) -> Scanned {
        let mut scan = Scan::new(files.iter().map(|(path, _)| RepoPath::new(path)));
        for _ in 0..20 {
            for path in scan.wanted() {
                let content = files.iter().find(|(name, _)| *name == path.as_str());
                scan.feed(&path, content.map_or(Content::Missing, |(_, content)| content.clone()));
            }
        }
        scan.finish()
    }

    fn text(text: &str) -> Content {
        Content::Text(Arc::from(text))
    }

    fn link(target: &str) -> Content {
        Content::Symlink(target.to_owned())
    }

    fn messages(scanned: &Scanned) -> Vec<String> {
        scanned.problems.iter().map(|problem| format!("{}: {}", problem.at.file, problem.message)).collect()
    }

    #[test]
    fn asks_for_claimed_files_only_and_once() {
        let mut scan = Scan::new(["a/Dockerfile", "README.md", "a/Dockerfile"].map(RepoPath::new));
        assert_eq!(scan.wanted(), [RepoPath::new("a/Dockerfile")]);
        assert!(scan.wanted().is_empty());
        scan.feed(&RepoPath::new("a/Dockerfile"), text("FROM alpine:3\n"));
        assert!(scan.wanted().is_empty());
        let scanned = scan.finish();
        assert_eq!((scanned.uses.len(), scanned.files_scanned), (1, 1));
        assert!(scanned.sources.contains_key(&RepoPath::new("a/Dockerfile")));
    }

    #[test]
    fn sorts_and_drops_texts_without_findings() {
        let scanned = scan(&[
            ("z/Dockerfile", text("FROM z\n")),
            ("a/Dockerfile", text("FROM a\nFROM b\n")),
            ("m/Dockerfile", text("FROM scratch\n")),
        ]);
        let raws: Vec<&str> = scanned.uses.iter().map(|usage| usage.raw.as_str()).collect();
        assert_eq!(raws, ["a", "b", "z"]);
        assert_eq!((scanned.files_scanned, scanned.sources.len()), (3, 2));
    }

    #[test]
    fn does_not_count_what_only_has_the_name() {
        let scanned = scan(&[
            ("dockerfile_test.go", text("package a\n\nconst text = `\nFROM b\n`\n")),
            ("dockerfile.go", text("FROM a\n")),
        ]);
        assert_eq!((scanned.files_scanned, scanned.uses.len(), scanned.problems.len()), (1, 1, 0));
    }

    /// What is no text is a problem unless the name says so; a text is read whatever it is called.
    #[test]
    fn a_picture_is_no_dockerfile_whatever_its_name_begins_with() {
        let picture = || Content::from_bytes(vec![0x89, b'P', b'N', b'G', 0]);
        let scanned = scan(&[
            ("Dockerfile", picture()),
            ("Dockerfile.latin1.jpg", Content::from_bytes(vec![0xFF, 0xD8])),
            ("Dockerfile.lfs.png", Content::Unreadable(Unreadable::LfsPointer)),
            ("Dockerfile.png", picture()),
            ("Dockerfile.text.png", text("FROM a\n")),
            ("dockerfile.svg", text("<svg/>\n")),
        ]);
        assert_eq!(
            messages(&scanned),
            [
                "Dockerfile: this file cannot be scanned: it is a binary file (it holds NUL bytes)",
                "Dockerfile.lfs.png: this file cannot be scanned: it is a Git LFS pointer, its text is not in the repository",
            ]
        );
        let files: Vec<&str> = scanned.uses.iter().map(|usage| usage.file.as_str()).collect();
        assert_eq!((files, scanned.files_scanned), (vec!["Dockerfile.text.png"], 1));
    }

    #[test]
    fn reads_a_link_under_its_own_name() {
        let scanned = scan(&[
            ("app/Dockerfile", link("../base/image.txt")),
            ("base/image.txt", text("FROM alpine:3\n")),
        ]);
        assert_eq!(scanned.uses.len(), 1);
        assert_eq!(scanned.uses[0].file, RepoPath::new("app/Dockerfile"));
        assert_eq!(scanned.problems, []);
    }

    #[test]
    fn a_dropped_text_is_asked_for_again() {
        let scanned =
            scan(&[("a/Dockerfile", text("FROM scratch\n")), ("b/Dockerfile", link("../a/Dockerfile"))]);
        assert_eq!((scanned.files_scanned, scanned.problems), (2, Vec::new()));
    }

    #[test]
    fn links_that_lead_nowhere_are_problems() {
        let scanned = scan(&[
            ("a/Dockerfile", link("../../etc/passwd")),
            ("b/Dockerfile", link("gone")),
            ("c/Dockerfile", link("Dockerfile")),
            ("d/Dockerfile", link("/abs")),
        ]);
        assert_eq!(
            messages(&scanned),
            [
                r#"a/Dockerfile: this file cannot be scanned: it is a symbolic link out of the repository (to "../../etc/passwd")"#,
                r#"b/Dockerfile: this file cannot be scanned: it is a symbolic link that leads to no file (to "gone")"#,
                r#"c/Dockerfile: this file cannot be scanned: it is a symbolic link that leads to no file (to "Dockerfile")"#,
                r#"d/Dockerfile: this file cannot be scanned: it is a symbolic link out of the repository (to "/abs")"#,
            ]
        );
    }

    #[test]
    fn says_what_could_not_be_read_and_nothing_of_what_is_gone() {
        let scanned = scan(&[
            ("a/Dockerfile", Content::Unreadable(Unreadable::Submodule)),
            ("b/Dockerfile", Content::Missing),
        ]);
        assert_eq!(
            messages(&scanned),
            [
                "a/Dockerfile: this file cannot be scanned: it is a submodule, its text is in another repository"
            ]
        );
        assert_eq!(scanned.problems[0].code, ProblemCode::Unreadable);
    }

    #[test]
    fn a_wanted_file_that_is_never_fed_is_a_problem() {
        let mut scan = Scan::new([RepoPath::new("Dockerfile")]);
        let _ = scan.wanted();
        assert_eq!(scan.finish().problems.len(), 1);
    }
}
