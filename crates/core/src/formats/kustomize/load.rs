//! What the entries of a kustomization lead to.

use crate::formats::Claim;
use crate::formats::Files;
use crate::formats::Format;
use crate::formats::kubernetes;
use crate::source::Content;
use crate::source::RepoPath;
use crate::source::SourceFile;

/// What an entry of `resources`, `components` or a patch's `path` is.
pub(super) enum Loaded {
    /// A file.
    File(SourceFile),
    /// A folder, by the kustomization in it.
    Kustomization(SourceFile),
    /// In another repository, or behind an address: never fetched.
    Remote,
    /// Nothing stands there, or it cannot be read, for people.
    Unreadable(String),
    /// It cannot be read, and is a problem of its own for that.
    Told,
    /// Not there yet: extraction runs again.
    Pending,
}

/// The names of a folder's kustomization, in kustomize's order.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Resolves an entry that stands in a file.
pub(super) fn load(files: &mut Files<'_>, from: &RepoPath, entry: &str) -> Loaded {
    if is_address(entry) {
        return Loaded::Remote;
    }
    let Some(path) = from.beside(entry) else {
        return Loaded::Unreadable("it leads out of the repository".to_owned());
    };
    let Some(tree) = files.tree() else { return Loaded::Pending };
    let mut inside = kustomizations_in(path.as_str()).filter(|_| !tree.contains(&path));
    if let Some(kustomization) = inside.find(|path| tree.contains(path)) {
        return match read(files, &kustomization) {
            Loaded::File(file) => Loaded::Kustomization(file),
            other => other,
        };
    }
    if !tree.contains(&path) && has_host(entry) {
        return Loaded::Remote;
    }
    read(files, &path)
}

/// The paths of what would be the kustomization of a folder.
pub(super) fn kustomizations_in(folder: &str) -> impl Iterator<Item = RepoPath> {
    NAMES.iter().map(move |name| RepoPath::new(&format!("{folder}/{name}")))
}

/// Reads a file of the repository.
pub(super) fn read(files: &mut Files<'_>, path: &RepoPath) -> Loaded {
    match files.get(path) {
        None => Loaded::Pending,
        Some(Content::Text(text)) => Loaded::File(SourceFile::new(path.clone(), text)),
        Some(Content::Unreadable(_)) if claims_as_manifest(path) => Loaded::Told,
        Some(Content::Unreadable(unreadable)) => Loaded::Unreadable(format!("it is {unreadable}")),
        Some(Content::Missing | Content::Symlink(_)) => {
            Loaded::Unreadable("nothing stands there in the repository".to_owned())
        }
    }
}

/// Whether a file that cannot be read is a problem by its name.
fn claims_as_manifest(path: &RepoPath) -> bool {
    kubernetes::Kubernetes.claims(path) == Claim::Yes
}

/// An address that can be nothing else: `https://…`, `git@…`, `…?ref=…`.
pub(super) fn is_address(entry: &str) -> bool {
    entry.contains("://")
        || entry.starts_with("git@")
        || entry.contains("?ref=")
        || entry.contains("?version=")
}

/// `github.com/org/repository`: a path unless it is a host.
fn has_host(entry: &str) -> bool {
    let (first, rest) = entry.split_once('/').unwrap_or((entry, ""));
    !rest.is_empty() && first.trim_matches('.').contains('.')
}
