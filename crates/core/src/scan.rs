//! The sans-IO driver of a scan: told which paths there are, it says which
//! files it wants; fed with them, it says which more; at the end, what was found.
//!
//! The same [`Scan`] runs over a working tree, a git commit or the GitHub API.
//! A symbolic link is followed inside the tree, and its target read under the
//! link's own name.
//!
//! Files say how others are built (a compose file gives a Dockerfile its arguments),
//! so those that are built are extracted after all others. And a changed file may
//! decide what another one uses: who scans the files of a change also tells what
//! changed at either end ([`Scan::affected_by`]), and is asked for the paths of the
//! tree where they are needed.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::OnceLock;

use crate::formats;
use crate::formats::Claim;
use crate::formats::Extracted;
use crate::formats::Files;
use crate::formats::Format;
use crate::formats::Parsed;
use crate::formats::Rendering;
use crate::formats::Wanted;
use crate::formats::dockerfile::Dockerfile;
use crate::formats::dockerfile::Inputs;
use crate::image::ImageUse;
use crate::source::Content;
use crate::source::Location;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Span;
use crate::source::Tree;
use crate::source::Unreadable;

/// How many links are followed from one path. Linux follows 40; nobody chains
/// more than two or three.
const MAX_LINK_HOPS: usize = 8;
/// How many times the extraction of one file may ask for more files.
const MAX_ROUNDS: usize = 8;
/// How many files that did not change are read because they may depend on one
/// that did.
const MAX_DEPENDENTS: usize = 1_000;

/// A scan under way.
#[derive(Default)]
pub struct Scan {
    /// Every file that was begun.
    begun: HashSet<Job>,
    /// Those that are not done, with the rounds they took.
    open: HashMap<Job, Open>,
    /// What was fed. The text of a file in which nothing was found is dropped,
    /// unless another file looked at it.
    contents: HashMap<RepoPath, Content>,
    /// What another file looked at, or asked for.
    shared: HashSet<RepoPath>,
    /// The files whose text is to be dropped.
    emptied: Vec<RepoPath>,
    asked: HashSet<RepoPath>,
    next: VecDeque<RepoPath>,
    /// The jobs that wait for a path.
    waiting: HashMap<RepoPath, Vec<Job>>,
    tree: Option<Arc<Tree>>,
    /// The jobs that wait for the tree.
    waiting_for_tree: BTreeSet<Job>,
    /// What changed at either end, where a change is scanned.
    changed: Option<BTreeSet<RepoPath>>,
    /// What files say of how others are built.
    builds: HashMap<RepoPath, Vec<Inputs>>,
    /// The same, each once.
    known_builds: HashSet<(RepoPath, Inputs)>,
    /// Jobs that can go on.
    ready: Vec<Job>,
    /// Jobs of files that are built, whose text is there.
    held: BTreeSet<Job>,
    /// What files make of images that stand elsewhere.
    renderings: BTreeMap<RepoPath, Rendering>,
    /// What several extractions look at as YAML.
    parsed: Parsed,
    scanned: Scanned,
}

/// A path, and whether it is read as a Dockerfile that another file names, rather
/// than by the formats that claim it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Job {
    path: RepoPath,
    named_dockerfile: bool,
}

/// Runs a task for each number below a count, in whatever order and beside each
/// other if it likes: extraction is where a scan's time goes, and pure.
pub type Runner<'r> = &'r dyn Fn(usize, &(dyn Fn(usize) + Sync));

struct Open {
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
            scan.open(path, false);
        }
        scan
    }

    /// A scan of a whole tree.
    #[must_use]
    pub fn of_tree(tree: Tree) -> Scan {
        let mut scan = Scan::new(tree.paths().cloned());
        scan.tree = Some(Arc::new(tree));
        scan
    }

    /// Tells which files changed, at this end or the other: files that depend on
    /// them are scanned too. That needs the paths of the tree where a changed file
    /// may decide another ([`Scan::wants_tree`]).
    pub fn affected_by(&mut self, changed: impl IntoIterator<Item = RepoPath>) {
        self.changed = Some(changed.into_iter().collect());
        self.open_dependents();
    }

    /// Whether the paths of the tree are needed to go on.
    #[must_use]
    pub fn wants_tree(&self) -> bool {
        if self.tree.is_some() {
            return false;
        }
        let may_decide = |changed: &BTreeSet<RepoPath>| changed.iter().any(formats::may_decide_others);
        !self.waiting_for_tree.is_empty() || self.changed.as_ref().is_some_and(may_decide)
    }

    /// Hands in the paths of the tree, at least those that a format claims.
    pub fn feed_tree(&mut self, tree: Arc<Tree>) {
        self.tree = Some(tree);
        self.open_dependents();
        for job in std::mem::take(&mut self.waiting_for_tree) {
            self.advance(&job);
        }
        self.work(&one_by_one, false);
    }

    /// The files to fetch next. Each is asked for once, except that a file whose
    /// text was dropped because nothing was found in it may be asked for again
    /// when a link or another file leads to it. Empty when the scan is done, or
    /// goes on only with the tree.
    pub fn wanted(&mut self) -> Vec<RepoPath> {
        self.next.drain(..).collect()
    }

    /// Hands in a file that was wanted. [`Content::Missing`] is an answer.
    pub fn feed(&mut self, path: &RepoPath, content: Content) {
        self.feed_all([(path.clone(), content)], &one_by_one);
    }

    /// Hands in many files; what can be extracted then is, by way of `run`.
    pub fn feed_all(&mut self, files: impl IntoIterator<Item = (RepoPath, Content)>, run: Runner<'_>) {
        for (path, content) in files {
            let waiters = self.waiting.remove(&path).unwrap_or_default();
            self.contents.insert(path, content);
            for waiter in waiters {
                let Some(open) = self.open.get_mut(&waiter) else { continue };
                open.missing = open.missing.saturating_sub(1);
                if open.missing == 0 {
                    self.advance(&waiter);
                }
            }
        }
        self.work(run, false);
    }

    /// What was found. A wanted file that was never fed is a problem.
    #[must_use]
    pub fn finish(mut self) -> Scanned {
        self.work(&one_by_one, true);
        let mut unread: Vec<RepoPath> = self.open.keys().map(|job| job.path.clone()).collect();
        unread.sort();
        unread.dedup();
        for path in unread {
            let reason = "it was asked for and not handed in".to_owned();
            self.refuse(&path, &Unreadable::Failed { reason });
        }
        let mut scanned = self.scanned;
        let place = |usage: &ImageUse| (usage.file.clone(), usage.span, usage.role, usage.decided_at.clone());
        scanned.uses.sort_by_cached_key(place);
        join(&mut scanned.uses);
        mark_replaced(&mut scanned.uses, &self.renderings);
        scanned.problems.sort_by(|a, b| a.at.cmp(&b.at));
        // What is wrong with a chart is told by those around it, too.
        scanned.problems.dedup();
        scanned
    }

    /// Begins with a path, unless no format claims it or it has been begun.
    fn open(&mut self, path: RepoPath, named_dockerfile: bool) {
        if !named_dockerfile && !formats::is_claimed(&path) {
            return;
        }
        let job = Job { path: path.clone(), named_dockerfile };
        if !self.begun.insert(job.clone()) {
            return;
        }
        self.open.insert(job.clone(), Open { rounds: 0, missing: 1 });
        match self.contents.contains_key(&path) {
            true => self.advance(&job),
            false => self.want(path, job),
        }
    }

    /// Begins with the files that may depend on a changed one.
    fn open_dependents(&mut self) {
        let (Some(tree), Some(changed)) = (self.tree.clone(), &self.changed) else { return };
        let dependents: Vec<RepoPath> = formats::dependents(&tree, changed).cloned().collect();
        if let Some(first) = dependents.get(MAX_DEPENDENTS) {
            self.scanned.problems.push(Problem {
                at: Location { file: first.clone(), span: Span::default() },
                code: ProblemCode::Limit,
                message: format!(
                    "more than {MAX_DEPENDENTS} files may depend on what changed; this one and those after it are not read"
                ),
            });
        }
        for path in dependents.into_iter().take(MAX_DEPENDENTS) {
            self.open(path, false);
        }
    }

    /// Extracts what can be, and what that makes ready, until nothing is; at the
    /// `end` with what there is.
    fn work(&mut self, run: Runner<'_>, end: bool) {
        loop {
            if self.ready.is_empty() {
                self.release(end);
            }
            if self.ready.is_empty() {
                return;
            }
            let mut jobs = std::mem::take(&mut self.ready);
            // What waited for the tree and for a file is ready twice.
            let mut once = HashSet::new();
            jobs.retain(|job| once.insert(job.clone()));
            let jobs: Vec<(Job, Arc<SourceFile>)> =
                jobs.into_iter().filter_map(|job| self.text_of(&job).map(|file| (job, file))).collect();
            let found: Vec<OnceLock<(Extracted, Wanted)>> = jobs.iter().map(|_| OnceLock::new()).collect();
            let (formats, asked) = (Formats { scan: self }, &jobs);
            let mut left: Vec<usize> = (0..jobs.len()).collect();
            while !left.is_empty() {
                run(left.len(), &|at| {
                    let index = left.get(at).copied().unwrap_or_default();
                    if let (Some((job, file)), Some(found)) = (asked.get(index), found.get(index)) {
                        let (extracted, wanted) = formats.ask(job, file);
                        // What needs what another one is making runs again when all have run.
                        if !wanted.is_busy {
                            found.get_or_init(|| (extracted, wanted));
                        }
                    }
                });
                left.retain(|index| found.get(*index).is_some_and(|found| found.get().is_none()));
            }
            // What one of them looked at is needed when it is extracted again.
            let looked_at = found.iter().filter_map(OnceLock::get).flat_map(|(_, wanted)| &wanted.used);
            self.shared.extend(looked_at.cloned());
            for ((job, file), found) in jobs.into_iter().zip(found) {
                if let Some((extracted, wanted)) = found.into_inner() {
                    self.settle(&job, file, extracted, &wanted, end);
                }
            }
            // Not before: what was extracted beside them may point into them.
            for path in std::mem::take(&mut self.emptied) {
                if self.shared.contains(&path) {
                    continue;
                }
                // Whoever wants it later asks again.
                self.contents.remove(&path);
                self.asked.remove(&path);
            }
        }
    }

    /// Lets the files go on that are built, when nothing is left that could say how;
    /// at the `end` in any case.
    fn release(&mut self, end: bool) {
        let others_are_done = self.open.len() == self.held.len();
        if end || (others_are_done && !self.wants_tree()) {
            self.ready.extend(std::mem::take(&mut self.held));
        }
        if end {
            self.ready.extend(std::mem::take(&mut self.waiting_for_tree));
        }
    }

    /// Lets `waiter` wait for `path`, which is fetched unless it was already.
    fn want(&mut self, path: RepoPath, waiter: Job) {
        if path != waiter.path {
            self.shared.insert(path.clone());
        }
        self.waiting.entry(path.clone()).or_default().push(waiter);
        if self.asked.insert(path.clone()) {
            self.next.push_back(path);
        }
    }

    /// Lets a file go on that has what it waited for.
    fn advance(&mut self, job: &Job) {
        let first = formats_of(job).next();
        if first.is_some_and(|(format, _)| format.is_built()) {
            self.held.insert(job.clone());
        } else {
            self.ready.push(job.clone());
        }
    }

    /// The text of a file that is open; `None` when it has to wait for another
    /// path, or there is none.
    fn text_of(&mut self, job: &Job) -> Option<Arc<SourceFile>> {
        let text = match follow(&self.contents, &job.path) {
            Lookup::Needs(target) => {
                self.await_all(job, BTreeSet::from([target]));
                return None;
            }
            Lookup::Broken(unreadable) => {
                self.refuse_job(job, &unreadable);
                return None;
            }
            Lookup::Found(Content::Text(text)) => Arc::clone(text),
            Lookup::Found(Content::Unreadable(unreadable)) => {
                let unreadable = unreadable.clone();
                self.refuse_job(job, &unreadable);
                return None;
            }
            Lookup::Found(Content::Missing | Content::Symlink(_)) => {
                self.open.remove(job);
                return None;
            }
        };
        let open = self.open.get_mut(job)?;
        open.rounds += 1;
        Some(Arc::new(SourceFile::new(job.path.clone(), text)))
    }

    /// Takes in what was extracted from a file, or waits for what that needs.
    fn settle(
        &mut self,
        job: &Job,
        file: Arc<SourceFile>,
        mut extracted: Extracted,
        wanted: &Wanted,
        end: bool,
    ) {
        let needs: BTreeSet<RepoPath> = wanted
            .files
            .iter()
            .filter_map(|wanted| match follow(&self.contents, wanted) {
                Lookup::Needs(target) => Some(target),
                _ => None,
            })
            .collect();
        // Others may say how it is built: who they are is seen in the tree.
        let takes_arguments = extracted.takes_arguments && self.changed.is_some();
        let waits_for_tree = !end && self.tree.is_none() && (wanted.tree || takes_arguments);
        if waits_for_tree {
            self.waiting_for_tree.insert(job.clone());
        }
        let rounds = self.open.get(job).map_or(0, |open| open.rounds);
        if !needs.is_empty() && !end && rounds < MAX_ROUNDS {
            self.await_all(job, needs);
            return;
        }
        if waits_for_tree {
            return;
        }
        if !needs.is_empty() {
            extracted.problems.push(Problem {
                at: Location { file: job.path.clone(), span: Span::default() },
                code: ProblemCode::Limit,
                message: format!(
                    "the files that this one refers to lead to more files {MAX_ROUNDS} times over; shorten the chain"
                ),
            });
        }
        self.open.remove(job);
        self.take(&job.path, file, extracted);
    }

    /// Takes in what was found in a file.
    fn take(&mut self, path: &RepoPath, file: Arc<SourceFile>, mut extracted: Extracted) {
        self.scanned.files_scanned += usize::from(!extracted.is_foreign);
        let builds = std::mem::take(&mut extracted.builds);
        let says_builds = !builds.is_empty();
        for build in builds {
            if self.known_builds.insert((build.dockerfile.clone(), build.inputs.clone())) {
                self.builds.entry(build.dockerfile.clone()).or_default().push(build.inputs);
            }
            // Under a Dockerfile's own name it may be begun already, or is to be.
            let named = formats_of(&Job { path: build.dockerfile.clone(), named_dockerfile: false })
                .next()
                .is_none_or(|(format, _)| !format.is_built());
            self.open(build.dockerfile, named);
        }
        if let Some(rendering) = extracted.rendering.take() {
            // What becomes of an image is said of the use that its own file has.
            let held: BTreeSet<RepoPath> = rendering.places.iter().map(|(at, _)| at.file.clone()).collect();
            held.into_iter().for_each(|path| self.open(path, false));
            self.renderings.insert(path.clone(), rendering);
        }
        if extracted.uses.is_empty() && extracted.problems.is_empty() {
            // What is built will point to where it was said how.
            if !says_builds {
                self.emptied.push(path.clone());
            }
            return;
        }
        self.keep_sources(&extracted);
        self.scanned.sources.insert(path.clone(), file);
        self.scanned.uses.append(&mut extracted.uses);
        self.scanned.problems.append(&mut extracted.problems);
    }

    fn await_all(&mut self, job: &Job, needs: BTreeSet<RepoPath>) {
        if let Some(open) = self.open.get_mut(job) {
            open.missing = needs.len();
        }
        for need in needs {
            self.want(need, job.clone());
        }
    }

    /// Keeps the other files that uses and problems point into.
    fn keep_sources(&mut self, extracted: &Extracted) {
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

    /// Gives up a file that cannot be read: a problem where its name says that it
    /// is of a format, or another file says so.
    fn refuse_job(&mut self, job: &Job, unreadable: &Unreadable) {
        self.open.remove(job);
        if formats_of(job).any(|(_, claim)| claim == Claim::Yes) {
            self.refuse(&job.path, unreadable);
        }
    }

    fn refuse(&mut self, path: &RepoPath, unreadable: &Unreadable) {
        self.scanned.problems.push(Problem {
            at: Location { file: path.clone(), span: Span::default() },
            code: ProblemCode::Unreadable,
            message: format!("this file cannot be scanned: it is {unreadable}"),
        });
    }
}

/// Joins what several files tell of one reference: an included file alone, and the
/// one that includes it with its variables.
fn join(uses: &mut Vec<ImageUse>) {
    uses.dedup_by(|next, first| {
        let same = (&next.file, next.span, next.role, next.stage, next.reachable, &next.decided_at)
            == (&first.file, first.span, first.role, first.stage, first.reachable, &first.decided_at);
        if same {
            first.targets.append(&mut next.targets);
            first.targets.sort();
            first.targets.dedup();
            first.via.append(&mut next.via);
            let mut known = HashSet::new();
            first.via.retain(|via| known.insert(via.clone()));
        }
        same
    });
}

/// Runs tasks one after another.
fn one_by_one(count: usize, task: &(dyn Fn(usize) + Sync)) {
    (0..count).for_each(task);
}

/// What extraction may look at of a scan, from any thread.
struct Formats<'s> {
    scan: &'s Scan,
}

impl Formats<'_> {
    /// Asks the formats of a file in turn, until one does not call it foreign.
    fn ask(&self, job: &Job, file: &SourceFile) -> (Extracted, Wanted) {
        let contents = &self.scan.contents;
        let known = |wanted: &RepoPath| match follow(contents, wanted) {
            Lookup::Found(content) => Some(content.clone()),
            Lookup::Broken(unreadable) => Some(Content::Unreadable(unreadable)),
            Lookup::Needs(_) => None,
        };
        let builds = self.scan.builds.get(&job.path).map_or(&[][..], Vec::as_slice);
        let mut files = Files::new(&known)
            .with_tree(self.scan.tree.as_deref())
            .with_builds(builds)
            .with_parsed(&self.scan.parsed);
        let mut extracted = Extracted::foreign();
        for (format, _) in formats_of(job) {
            extracted = format.extract(file, &mut files);
            if !extracted.is_foreign {
                break;
            }
        }
        (extracted, files.into_wanted())
    }
}

/// Marks the uses that everything which deploys them replaces. A file that others are
/// built from is not asked: those say what becomes of it.
fn mark_replaced(uses: &mut [ImageUse], renderings: &BTreeMap<RepoPath, Rendering>) {
    let parts: BTreeSet<&RepoPath> = renderings.values().flat_map(|rendering| &rendering.parts).collect();
    let mut is_left: HashMap<&Location, bool> = HashMap::new();
    for (_, rendering) in renderings.iter().filter(|(path, _)| !parts.contains(path)) {
        for (at, left) in &rendering.places {
            *is_left.entry(at).or_default() |= *left;
        }
    }
    if is_left.is_empty() {
        return;
    }
    for usage in uses {
        let at = Location { file: usage.file.clone(), span: usage.span };
        match is_left.get(&at) {
            Some(true) => usage.reachable = true,
            Some(false) => (usage.reachable, usage.replaced) = (false, true),
            None => {}
        }
    }
}

/// The formats that read a file, in turn.
fn formats_of(job: &Job) -> impl Iterator<Item = (&'static dyn Format, Claim)> {
    let named: Option<(&'static dyn Format, Claim)> =
        job.named_dockerfile.then_some((&Dockerfile, Claim::Yes));
    let claimed = (!job.named_dockerfile).then(|| formats::formats_for(&job.path));
    named.into_iter().chain(claimed.into_iter().flatten())
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

    /// What cannot be read is a problem unless the name says that it is no text; a text is
    /// read whatever it is called.
    #[test]
    fn a_picture_is_no_dockerfile_whatever_its_name_begins_with() {
        let picture = || Content::from_bytes(vec![0x89, b'P', b'N', b'G', 0]);
        let scanned = scan(&[
            ("Dockerfile", picture()),
            ("Dockerfile.latin1.jpg", Content::from_bytes(vec![0xFF, 0xD8])),
            ("Dockerfile.png", picture()),
            ("Dockerfile.text.png", text("FROM a\n")),
            ("dockerfile.svg", text("<svg/>\n")),
        ]);
        assert_eq!(
            messages(&scanned),
            ["Dockerfile: this file cannot be scanned: it is a binary file (it holds NUL bytes)"]
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
    fn a_text_that_others_ask_for_is_asked_for_twice_at_most() {
        let mut files = vec![
            ("c/Chart.yaml".to_owned(), "name: c\n"),
            ("c/values.yaml".to_owned(), "image: {repository: a, tag: 1}\n"),
        ];
        for number in 0..12 {
            files.push((format!("c/templates/{number}.yaml"), "kind: None\n"));
            files.push((
                format!("c/templates/_{number}.tpl"),
                "{{ define \"x\" }}\nimage: {{ .Values.image.repository }}\n{{ end }}",
            ));
        }
        let mut scan = Scan::of_tree(files.iter().map(|(path, _)| RepoPath::new(path)).collect());
        let mut asked: HashMap<RepoPath, usize> = HashMap::new();
        loop {
            let wanted = scan.wanted();
            if wanted.is_empty() {
                break;
            }
            for path in wanted {
                *asked.entry(path.clone()).or_default() += 1;
                let found = files.iter().find(|(name, _)| name == path.as_str());
                scan.feed(&path, found.map_or(Content::Missing, |(_, found)| text(found)));
            }
        }
        let scanned = scan.finish();
        assert_eq!(scanned.problems, []);
        assert_eq!(scanned.uses.len(), 1);
        assert!(asked.values().max() <= Some(&2), "{asked:?}");
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
