//! Folders that commands run in, and the paths that they name.

use std::rc::Rc;

use super::Run;
use crate::formats::shell::expand;
use crate::formats::shell::field::Field;
use crate::formats::shell::scope::Member;
use crate::source::RepoPath;

/// The longest path that Linux knows.
const MAX_PATH_BYTES: usize = 4096;

impl Run<'_, '_> {
    /// Commands run in another folder from here on.
    pub(in crate::formats::shell) fn change_folder(&mut self, to: Option<&Field<'_>>) {
        let folders = match to {
            Some(field) if field.members.len() == 1 => self.folders_of(&field.members[0]),
            _ => Vec::new(),
        };
        // No path is longer.
        let is_path = folders.iter().all(|folder| folder.len() <= MAX_PATH_BYTES);
        self.scope.spend(folders.iter().map(|folder| 8 * folder.len()).sum());
        self.folders = if is_path { folders.into() } else { Rc::default() };
    }

    pub(in crate::formats::shell) fn folders_of(&self, member: &Member) -> Vec<String> {
        self.paths(member, ".").into_iter().map(|path| path.as_str().to_owned()).collect()
    }

    /// The paths in the repository that a text names: `name` in that folder, when a
    /// name is given.
    pub(in crate::formats::shell) fn paths(&self, member: &Member, name: &str) -> Vec<RepoPath> {
        let here = self.script.finder.file.path().folder();
        let symbol = member.symbol();
        let known = [
            (expand::HERE, vec![here]),
            (expand::ROOT, vec![""]),
            ("${GITHUB_WORKSPACE}", vec![""]),
            ("${CI_PROJECT_DIR}", vec![""]),
        ];
        let working: Vec<&str> = self.folders.iter().map(String::as_str).collect();
        let working =
            [(expand::WORKING, working.clone()), ("${PWD}", working.clone()), ("${CURDIR}", working)];
        let (folders, rest) = match known
            .iter()
            .chain(&working)
            .find_map(|(begin, folders)| Some((folders.clone(), symbol.strip_prefix(begin)?)))
        {
            Some((folders, rest)) => (folders, rest.trim_start_matches('/')),
            None if member.symbol.is_none() => (self.folders.iter().map(String::as_str).collect(), symbol),
            None => return Vec::new(),
        };
        if rest.contains(['$', '\0', '*']) || rest.starts_with('/') {
            return Vec::new();
        }
        let path = |folder: &str| RepoPath::new(&format!("{folder}/x")).beside(&format!("{rest}/{name}"));
        let mut paths: Vec<RepoPath> = folders.into_iter().filter_map(path).collect();
        paths.dedup();
        paths
    }
}
