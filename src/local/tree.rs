//! A working tree, read as git would see it if everything in it were committed:
//! links are links, submodules are other repositories, and `.gitignore` hides
//! untracked files only.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;

use fromguard_core::formats;
use fromguard_core::scan::Scanned;
use fromguard_core::source::Content;
use fromguard_core::source::Location;
use fromguard_core::source::MAX_FILE_BYTES;
use fromguard_core::source::Problem;
use fromguard_core::source::ProblemCode;
use fromguard_core::source::RepoPath;
use fromguard_core::source::Span;
use fromguard_core::source::Unreadable;
use ignore::WalkBuilder;
use ignore::WalkState;

use crate::local::LocalError;
use crate::local::Repository;
use crate::local::on_all_processors;
use crate::local::scan;

/// The name that is never scanned: git's own folder, or a pointer to it.
const GIT: &str = ".git";

/// The largest file that is read only to see whether it changed, in bytes.
const MAX_COMPARED_BYTES: u64 = 64 * 1024 * 1024;

/// A folder, or one file, and the paths below it that a format claims.
pub struct WorkingTree {
    /// The folder that paths are relative to.
    root: PathBuf,
    /// The claimed paths, and where each stands on disk.
    claimed: BTreeMap<RepoPath, PathBuf>,
    /// Submodules that a format claims by their name.
    submodules: BTreeSet<RepoPath>,
    /// Folders that could not be listed.
    problems: Vec<Problem>,
}

impl WorkingTree {
    /// Lists a folder, or takes one file, whatever claims it.
    ///
    /// # Errors
    /// When nothing stands at `path`, or its git repository cannot be read.
    pub fn open(path: &Path) -> Result<WorkingTree, LocalError> {
        let metadata = fs::metadata(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => LocalError::NoSuchPath(path.to_owned()),
            _ => LocalError::Unreadable { path: path.to_owned(), reason: error.to_string() },
        })?;
        if !metadata.is_dir() {
            return Ok(WorkingTree::single(path));
        }
        // Walked under its real name, so that paths of the index can be compared.
        let root = path
            .canonicalize()
            .map_err(|error| LocalError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
        let mut tree =
            WorkingTree { root, claimed: BTreeMap::new(), submodules: BTreeSet::new(), problems: Vec::new() };
        let mut submodule_folders = BTreeSet::new();
        if let Some(repository) = Repository::discover(&tree.root)? {
            tree.add_tracked(&repository, &mut submodule_folders)?;
        }
        let nested = tree.walk(submodule_folders);
        for folder in nested {
            // A repository inside the tree has tracked files of its own.
            let added = Repository::discover(&folder).and_then(|repository| match repository {
                Some(repository) => tree.add_tracked(&repository, &mut BTreeSet::new()),
                None => Ok(()),
            });
            if let Err(error) = added {
                let below = folder.strip_prefix(&tree.root).unwrap_or(Path::new("")).to_owned();
                tree.problem(&below, format!("its tracked files are not known: {error}"));
            }
        }
        tree.problems.sort_by(|a, b| a.at.cmp(&b.at));
        Ok(tree)
    }

    fn single(path: &Path) -> WorkingTree {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let relative = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let shown = if relative { to_repo_path(path) } else { RepoPath::new(&name) };
        let root = match relative {
            true => PathBuf::new(),
            false => path.parent().map(Path::to_owned).unwrap_or_default(),
        };
        WorkingTree {
            root,
            claimed: BTreeMap::from([(shown, path.to_owned())]),
            submodules: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    /// The folder that paths are relative to.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The paths that a format claims, sorted.
    pub fn claimed(&self) -> impl Iterator<Item = &RepoPath> {
        self.claimed.keys()
    }

    /// Scans the tree.
    #[must_use]
    pub fn scan(&self) -> Scanned {
        self.scan_with(|_, _| {})
    }

    /// Scans the tree and shows every content that was read.
    pub(super) fn scan_with(&self, mut seen: impl FnMut(&RepoPath, &Content)) -> Scanned {
        let mut scanned = scan(self.claimed.keys().cloned(), |paths| {
            let contents = self.read_all(paths);
            paths.iter().zip(&contents).for_each(|(path, content)| seen(path, content));
            contents
        });
        scanned.problems.extend(self.problems.iter().cloned());
        scanned.problems.sort_by(|a, b| a.at.cmp(&b.at));
        scanned
    }

    /// Reads many paths, in their order.
    fn read_all(&self, paths: &[RepoPath]) -> Vec<Content> {
        let contents: Vec<OnceLock<Content>> = paths.iter().map(|_| OnceLock::new()).collect();
        on_all_processors(paths.len(), &|index| {
            contents[index].get_or_init(|| self.read(&paths[index]));
        });
        contents.into_iter().map(|content| content.into_inner().unwrap_or(Content::Missing)).collect()
    }

    /// Reads a path as git would: no link on the way to it is followed.
    #[must_use]
    pub fn read(&self, path: &RepoPath) -> Content {
        if self.submodules.contains(path) {
            return Content::Unreadable(Unreadable::Submodule);
        }
        let on_disk = match self.claimed.get(path) {
            Some(on_disk) => on_disk.clone(),
            None => match self.find(path) {
                Some(on_disk) => on_disk,
                None => return Content::Missing,
            },
        };
        read_file(&on_disk)
    }

    /// The bytes of a regular file that is no text, to compare it by; `None` when
    /// it is over [`MAX_COMPARED_BYTES`].
    pub(super) fn bytes(&self, path: &RepoPath) -> Option<Vec<u8>> {
        let on_disk = self.find(path)?;
        let metadata = fs::symlink_metadata(&on_disk).ok()?;
        let small = metadata.is_file() && metadata.len() <= MAX_COMPARED_BYTES;
        small.then(|| fs::read(&on_disk).ok()).flatten()
    }

    /// Where an unclaimed path stands on disk; `None` when a folder on the way is a link.
    fn find(&self, path: &RepoPath) -> Option<PathBuf> {
        let mut on_disk = self.root.clone();
        let mut parts = path.as_str().split('/').peekable();
        while let Some(part) = parts.next() {
            if part == ".." || part == GIT {
                return None;
            }
            on_disk.push(part);
            let is_folder = || fs::symlink_metadata(&on_disk).is_ok_and(|metadata| metadata.is_dir());
            if parts.peek().is_some() && !is_folder() {
                return None;
            }
        }
        Some(on_disk)
    }

    /// Adds the claimed paths of an index that lie below the root and exist.
    fn add_tracked(
        &mut self,
        repository: &Repository,
        submodule_folders: &mut BTreeSet<PathBuf>,
    ) -> Result<(), LocalError> {
        for tracked in repository.tracked()? {
            let on_disk = repository.root().join(&tracked.path);
            let Ok(below) = on_disk.strip_prefix(&self.root) else { continue };
            let path = to_repo_path(below);
            let is_claimed = formats::is_claimed(&path);
            if tracked.submodule {
                if is_claimed {
                    self.submodules.insert(path.clone());
                    self.claim(path, on_disk.clone());
                }
                submodule_folders.insert(on_disk);
            } else if is_claimed && fs::symlink_metadata(&on_disk).is_ok_and(|metadata| !metadata.is_dir()) {
                self.claim(path, on_disk);
            }
        }
        Ok(())
    }

    /// Takes a path into the scan. Two names that are not UTF-8 can become the same
    /// path, and then one of them would hide the other.
    fn claim(&mut self, path: RepoPath, on_disk: PathBuf) {
        match self.claimed.get(&path) {
            Some(other) if *other != on_disk => self.problem(
                Path::new(path.as_str()),
                "another file has a name that differs only in bytes that are not UTF-8, and is not read; \
                 rename one of them"
                    .to_owned(),
            ),
            Some(_) => {}
            None => {
                self.claimed.insert(path, on_disk);
            }
        }
    }

    /// A folder that cannot be listed may hold anything.
    fn listing_problem(&mut self, error: &ignore::Error) {
        let mut cause = error;
        let mut path = None;
        loop {
            match cause {
                ignore::Error::WithPath { path: at, err } => {
                    path = Some(at.as_path());
                    cause = err;
                }
                ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
                    cause = err
                }
                _ => break,
            }
        }
        let below = path.and_then(|path| path.strip_prefix(&self.root).ok()).unwrap_or(Path::new(""));
        let below = below.to_owned();
        self.problem(&below, format!("cannot be listed: {cause}; make it readable for who runs this"));
    }

    fn problem(&mut self, below: &Path, message: String) {
        let at = Location { file: to_repo_path(below), span: Span::new(0, 0) };
        self.problems.push(Problem { at, code: ProblemCode::Unreadable, message });
    }

    /// Adds the claimed paths below the root that `.gitignore` does not hide;
    /// the folders of other repositories on the way are returned.
    fn walk(&mut self, submodule_folders: BTreeSet<PathBuf>) -> Vec<PathBuf> {
        let nested = Arc::new(Mutex::new(BTreeSet::new()));
        let found = Mutex::new(Vec::new());
        let failed = Mutex::new(Vec::new());
        let walker = {
            let (nested, root) = (Arc::clone(&nested), self.root.clone());
            WalkBuilder::new(&self.root)
                .hidden(false)
                // Only `.gitignore`, and only git's: what is found must not depend on the machine.
                .ignore(false)
                .git_global(false)
                .git_exclude(false)
                .threads(std::thread::available_parallelism().map_or(1, usize::from))
                .filter_entry(move |entry| {
                    if entry.file_name() == GIT {
                        if let Some(folder) = entry.path().parent().filter(|folder| **folder != *root) {
                            nested.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned());
                        }
                        return false;
                    }
                    !submodule_folders.contains(entry.path())
                })
                .build_parallel()
        };
        let root = self.root.clone();
        let root = &root;
        walker.run(|| {
            Box::new(|entry| {
                match entry {
                    Ok(entry) if entry.file_type().is_some_and(|kind| !kind.is_dir()) => {
                        if let Ok(below) = entry.path().strip_prefix(root) {
                            let path = to_repo_path(below);
                            if formats::is_claimed(&path) {
                                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                                found.push((path, entry.into_path()));
                            }
                        }
                    }
                    Ok(_) => {}
                    Err(error) => failed.lock().unwrap_or_else(PoisonError::into_inner).push(error),
                }
                WalkState::Continue
            })
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_unstable();
        for (path, on_disk) in found {
            self.claim(path, on_disk);
        }
        for error in failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            self.listing_problem(&error);
        }
        let nested = nested.lock().unwrap_or_else(PoisonError::into_inner);
        nested.iter().cloned().collect()
    }
}

fn read_file(path: &Path) -> Content {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Content::Missing,
        _ => Content::Unreadable(Unreadable::Failed { reason: error.to_string() }),
    };
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return failed(error),
    };
    if metadata.is_symlink() {
        return match fs::read_link(path) {
            Ok(target) => Content::Symlink(slashes(&target)),
            Err(error) => failed(error),
        };
    }
    if metadata.is_dir() {
        return Content::Missing;
    }
    // A pipe or a device could keep us waiting for ever.
    if !metadata.is_file() {
        return Content::Unreadable(Unreadable::Failed { reason: "it is not a regular file".to_owned() });
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Content::Unreadable(Unreadable::TooLarge { size_bytes: metadata.len() });
    }
    match fs::read(path) {
        Ok(bytes) => Content::from_bytes(bytes),
        Err(error) => failed(error),
    }
}

fn to_repo_path(path: &Path) -> RepoPath {
    RepoPath::new(&slashes(path))
}

fn slashes(path: &Path) -> String {
    let text = path.to_string_lossy();
    match std::path::MAIN_SEPARATOR {
        '/' => text.into_owned(),
        separator => text.replace(separator, "/"),
    }
}
