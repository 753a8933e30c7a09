//! The files of a commit as a flat map, read from git's trees and written back.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::objs::tree::EntryKind;

/// What stands at each path, folders left out.
pub(super) type Files = BTreeMap<String, (EntryKind, ObjectId)>;

/// Everything below a tree.
pub(super) fn read(git: &gix::Repository, tree: ObjectId) -> Result<Files, String> {
    let mut files = Files::new();
    let mut open = vec![(String::new(), tree)];
    while let Some((folder, tree)) = open.pop() {
        let tree = git.find_tree(tree).map_err(|error| error.to_string())?;
        let decoded = tree.decode().map_err(|error| error.to_string())?;
        for entry in &decoded.entries {
            let path = format!("{folder}{}", entry.filename);
            match entry.mode.kind() {
                EntryKind::Tree => open.push((format!("{path}/"), entry.oid.to_owned())),
                kind => {
                    files.insert(path, (kind, entry.oid.to_owned()));
                }
            }
        }
    }
    Ok(files)
}

/// Writes the folders bottom up: the deepest first, each then an entry of its parent.
pub(super) fn write(git: &gix::Repository, files: &Files) -> Result<ObjectId, String> {
    let mut folders: BTreeMap<String, Vec<gix::objs::tree::Entry>> = BTreeMap::new();
    folders.insert(String::new(), Vec::new());
    for (path, (kind, oid)) in files {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut above = folder;
        while !above.is_empty() {
            folders.entry(above.to_owned()).or_default();
            above = above.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        folders.entry(folder.to_owned()).or_default().push(entry(*kind, name, *oid));
    }
    // Reverse order by name puts every folder before the one that holds it.
    let names: Vec<String> = folders.keys().rev().cloned().collect();
    for folder in names {
        let mut entries = folders.remove(&folder).unwrap_or_default();
        entries.sort();
        let tree = gix::objs::Tree { entries };
        let oid = git.write_object(&tree).map_err(|error| error.to_string())?.detach();
        if folder.is_empty() {
            return Ok(oid);
        }
        let (parent, name) = folder.rsplit_once('/').unwrap_or(("", &folder));
        folders.entry(parent.to_owned()).or_default().push(entry(EntryKind::Tree, name, oid));
    }
    Err("the root folder is always written last".to_owned())
}

fn entry(kind: EntryKind, name: &str, oid: ObjectId) -> gix::objs::tree::Entry {
    gix::objs::tree::Entry { mode: kind.into(), filename: name.into(), oid }
}
