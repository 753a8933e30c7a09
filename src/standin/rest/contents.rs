//! Blobs, trees, files by path, and comparisons.
//!
//! <https://docs.github.com/en/rest/git>, <https://docs.github.com/en/rest/repos/contents>,
//! <https://docs.github.com/en/rest/commits/commits#compare-two-commits>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gix::ObjectId;
use serde_json::Value;
use serde_json::json;

use super::Call;
use super::Outcome;
use super::open;
use super::pages::page;
use crate::standin::answer::Answer;
use crate::standin::auth::Needs;
use crate::standin::diff;
use crate::standin::git::Entry;
use crate::standin::git::Git;
use crate::standin::git::Kind;
use crate::standin::git::MODE_SUBMODULE;
use crate::standin::git::MODE_SYMLINK;
use crate::standin::git::MODE_TREE;
use crate::standin::shape::Shapes;
use crate::standin::shape::encode_path;
use crate::standin::shape::merge;
use crate::standin::state::Repository;

/// A blob or file larger than this is refused, even raw.
const RAW_LIMIT_BYTES: u64 = 100 * 1024 * 1024;
/// A file larger than this comes without its content in JSON.
const JSON_LIMIT_BYTES: u64 = 1024 * 1024;
/// Size of a recursive tree, past which it is truncated.
const TREE_LIMIT_BYTES: usize = 7 * 1024 * 1024;
/// Files that a comparison lists.
const COMPARE_LIMIT_FILES: usize = 300;
/// Commits that a comparison lists when no page is asked for.
const COMPARE_LIMIT_COMMITS: usize = 250;

const READ: Needs = Needs::read(&["contents"]);

/// `GET /repos/{owner}/{repo}/git/blobs/{file_sha}`
pub(super) fn blob(call: &mut Call<'_>, owner: &str, name: &str, sha: String) -> Outcome {
    let repository = call.repository(owner, name, READ)?;
    let git = open(&repository)?;
    let oid = ObjectId::from_hex(sha.as_bytes()).map_err(|_| {
        Answer::error(422, "The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
    })?;
    let size = git.size(oid).filter(|_| git.kind(oid) == Some(Kind::Blob)).ok_or_else(Answer::not_found)?;
    if size > RAW_LIMIT_BYTES {
        return Err(too_large("blob"));
    }
    let bytes = git.blob(oid).ok_or_else(Answer::not_found)?;
    if call.request.accepts("raw") {
        return Ok(Answer::raw("application/vnd.github.raw; charset=utf-8", bytes));
    }
    let value = json!({
        "sha": sha,
        "node_id": format!("B_{sha}"),
        "size": size,
        "url": format!("{}/repos/{}/git/blobs/{sha}", call.shapes.base_url, repository.name),
        "content": lines_of_base64(&bytes),
        "encoding": "base64",
    });
    Ok(Answer::json(200, &value))
}

/// `GET /repos/{owner}/{repo}/git/trees/{tree_sha}`, which may name a commit or a branch as well.
pub(super) fn tree(call: &mut Call<'_>, owner: &str, name: &str, reference: String) -> Outcome {
    let repository = call.repository(owner, name, READ)?;
    let git = open(&repository)?;
    let named =
        ObjectId::from_hex(reference.as_bytes()).ok().filter(|oid| git.kind(*oid) == Some(Kind::Tree));
    let commit_tree = || Some(git.commit(repository.commit(&git, &reference)?)?.tree);
    let oid = named.or_else(commit_tree).ok_or_else(Answer::not_found)?;

    let (entries, all) = if call.request.query("recursive").is_some() {
        git.walk(oid, call.tree_limit).ok_or_else(Answer::not_found)?
    } else {
        (git.tree(oid).ok_or_else(Answer::not_found)?, true)
    };
    let mut truncated = !all;
    let mut size_bytes = 0;
    let mut shown = Vec::new();
    for entry in &entries {
        let value = tree_entry(call.shapes, &repository, &git, entry);
        size_bytes += value.to_string().len();
        if size_bytes > TREE_LIMIT_BYTES {
            truncated = true;
            break;
        }
        shown.push(value);
    }
    let url = format!("{}/repos/{}/git/trees/{oid}", call.shapes.base_url, repository.name);
    let value = json!({"sha": oid.to_string(), "url": url, "tree": shown, "truncated": truncated});
    Ok(Answer::json(200, &value))
}

fn tree_entry(shapes: Shapes<'_>, repository: &Repository, git: &Git, entry: &Entry) -> Value {
    let mut value = json!({
        "path": entry.path,
        "mode": format!("{:06o}", entry.mode),
        "type": entry.kind(),
        "sha": entry.oid.to_string(),
    });
    let place = format!("{}/repos/{}/git", shapes.base_url, repository.name);
    match entry.kind() {
        "blob" => merge(
            &mut value,
            json!({"size": git.size(entry.oid).unwrap_or_default(), "url": format!("{place}/blobs/{}", entry.oid)}),
        ),
        "tree" => merge(&mut value, json!({"url": format!("{place}/trees/{}", entry.oid)})),
        // GitHub gives a submodule no address.
        _ => {}
    }
    value
}

/// `GET /repos/{owner}/{repo}/contents/{path}`
pub(super) fn contents(call: &mut Call<'_>, owner: &str, name: &str, path: String) -> Outcome {
    let repository = call.repository(owner, name, READ)?;
    let git = open(&repository)?;
    let reference = call.request.query("ref").unwrap_or(&repository.default_branch);
    let commit = repository
        .commit(&git, reference)
        .and_then(|oid| git.commit(oid))
        .ok_or_else(|| Answer::error(404, &format!("No commit found for the ref {reference}")))?;
    let root = Entry { path: String::new(), mode: MODE_TREE, oid: commit.tree };
    let path = path.trim_matches('/');
    let entry = if path.is_empty() { Some(root) } else { git.entry(commit.tree, path) };
    let mut entry = entry.ok_or_else(Answer::not_found)?;

    // A link to a file inside the repository answers as that file.
    if let Some(target) = link_target(&git, &entry)
        && let Some(found) = git.entry(commit.tree, &target).filter(|found| found.kind() == "blob")
    {
        entry = Entry { path: entry.path, ..found };
    }
    let writer =
        Contents { shapes: call.shapes, repository: &repository, git: &git, reference, root: commit.tree };
    if entry.mode == MODE_TREE {
        let children = git.tree(entry.oid).ok_or_else(Answer::not_found)?;
        let shown: Vec<Value> = children
            .into_iter()
            .map(|child| {
                let path = if path.is_empty() { child.path } else { format!("{path}/{}", child.path) };
                writer.listed(&Entry { path, ..child })
            })
            .collect();
        return Ok(Answer::json(200, &json!(shown)));
    }
    if entry.kind() == "blob" && git.size(entry.oid).unwrap_or_default() > RAW_LIMIT_BYTES {
        return Err(too_large("file"));
    }
    if call.request.accepts("raw") && entry.kind() == "blob" {
        let bytes = git.blob(entry.oid).ok_or_else(Answer::not_found)?;
        return Ok(Answer::raw("application/vnd.github.raw; charset=utf-8", bytes));
    }
    Ok(Answer::json(200, &writer.single(&entry)))
}

/// The path in the repository that a symbolic link leads to, unless it leads out.
fn link_target(git: &Git, entry: &Entry) -> Option<String> {
    if entry.mode != MODE_SYMLINK {
        return None;
    }
    let target = String::from_utf8(git.blob(entry.oid)?).ok()?;
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = entry.path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

struct Contents<'a> {
    shapes: Shapes<'a>,
    repository: &'a Repository,
    git: &'a Git,
    reference: &'a str,
    root: ObjectId,
}

impl Contents<'_> {
    /// An entry in a folder's list.
    fn listed(&self, entry: &Entry) -> Value {
        let base = self.shapes.base_url;
        let place = format!("{base}/repos/{}", self.repository.name);
        let page = format!("{base}/{}", self.repository.name);
        let path = encode_path(&entry.path);
        let reference = self.reference;
        let url = format!("{place}/contents/{path}?ref={reference}");
        let (kind, git_url, html_url) = match entry.kind() {
            "tree" => {
                ("dir", format!("{place}/git/trees/{}", entry.oid), format!("{page}/tree/{reference}/{path}"))
            }
            "commit" => (
                "submodule",
                format!("{place}/git/trees/{}", entry.oid),
                format!("{page}/tree/{reference}/{path}"),
            ),
            _ => (
                if entry.mode == MODE_SYMLINK { "symlink" } else { "file" },
                format!("{place}/git/blobs/{}", entry.oid),
                format!("{page}/blob/{reference}/{path}"),
            ),
        };
        let download = (entry.kind() == "blob").then(|| format!("{page}/raw/{reference}/{path}"));
        json!({
            "name": entry.name(),
            "path": entry.path,
            "sha": entry.oid.to_string(),
            "size": if entry.kind() == "blob" { self.git.size(entry.oid).unwrap_or_default() } else { 0 },
            "url": url,
            "html_url": html_url,
            "git_url": git_url,
            "download_url": download,
            "type": kind,
            "_links": {"self": url, "git": git_url, "html": html_url},
        })
    }

    /// What `.gitmodules` says of a submodule; empty when it says nothing.
    fn submodule_url(&self, path: &str) -> String {
        let modules = self.git.entry(self.root, ".gitmodules").and_then(|entry| self.git.blob(entry.oid));
        let modules = String::from_utf8(modules.unwrap_or_default()).unwrap_or_default();
        let section = modules.split("[submodule").find_map(|section| {
            let value = |key: &str| {
                let mut pairs = section.lines().filter_map(|line| line.split_once('='));
                pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
            };
            (value("path") == Some(path)).then(|| value("url").unwrap_or_default())
        });
        section.unwrap_or_default().to_owned()
    }

    /// An entry asked for by its path.
    fn single(&self, entry: &Entry) -> Value {
        let mut value = self.listed(entry);
        match entry.mode {
            MODE_SUBMODULE => {
                merge(&mut value, json!({"submodule_git_url": self.submodule_url(&entry.path)}))
            }
            MODE_SYMLINK => {
                let target = self.git.blob(entry.oid).unwrap_or_default();
                merge(&mut value, json!({"target": String::from_utf8_lossy(&target)}));
            }
            _ if value["size"].as_u64() > Some(JSON_LIMIT_BYTES) => {
                merge(&mut value, json!({"content": "", "encoding": "none"}));
            }
            _ => {
                let bytes = self.git.blob(entry.oid).unwrap_or_default();
                merge(&mut value, json!({"content": lines_of_base64(&bytes), "encoding": "base64"}));
            }
        }
        value
    }
}

/// `GET /repos/{owner}/{repo}/compare/{basehead}`
pub(super) fn compare(call: &mut Call<'_>, owner: &str, name: &str, basehead: String) -> Outcome {
    let repository = call.repository(owner, name, READ)?;
    let git = open(&repository)?;
    let (base, head) = basehead.split_once("...").ok_or_else(Answer::not_found)?;
    // `fork:branch` names a branch of the same network.
    let commit = |name: &str| {
        let name = name.split_once(':').map_or(name, |(_, branch)| branch);
        git.commit(repository.commit(&git, name)?)
    };
    let (base_commit, head_commit) = commit(base).zip(commit(head)).ok_or_else(Answer::not_found)?;
    let merge_base = git
        .merge_base(base_commit.oid, head_commit.oid)
        .and_then(|oid| git.commit(oid))
        .ok_or_else(|| Answer::error(404, &format!("No common ancestor between {base} and {head}.")))?;

    let mut ahead = git.commits_between(base_commit.oid, head_commit.oid);
    ahead.reverse();
    let behind_by = git.commits_between(head_commit.oid, base_commit.oid).len();
    let status = match (ahead.is_empty(), behind_by) {
        (true, 0) => "identical",
        (true, _) => "behind",
        (false, 0) => "ahead",
        (false, _) => "diverged",
    };
    let first_page = call.request.query("page").is_none_or(|page| page == "1");
    let paged = call.request.query("page").or(call.request.query("per_page")).is_some();
    let (listed, link) = if paged {
        let page = page(call, &ahead);
        (page.items, page.link)
    } else {
        (&ahead[..ahead.len().min(COMPARE_LIMIT_COMMITS)], None)
    };
    let commits: Vec<Value> = listed
        .iter()
        .filter_map(|oid| git.commit(*oid))
        .map(|commit| call.shapes.commit(&repository, &commit))
        .collect();

    let changed = call.state.difference(repository.id, &git, merge_base.oid, head_commit.oid);
    // Files come with the first page only.
    let changed = if first_page { &changed[..changed.len().min(COMPARE_LIMIT_FILES)] } else { &[] };
    let sha = head_commit.oid.to_string();
    let files: Vec<Value> = changed
        .iter()
        .zip(&diff::answer_lines(&git, changed))
        .map(|(file, lines)| call.shapes.file(&repository, &sha, file, lines))
        .collect();

    let base_url = call.shapes.base_url;
    let page_url = format!("{base_url}/{}/compare/{}", repository.name, encode_path(&basehead));
    let value = json!({
        "url": format!("{base_url}/repos/{}/compare/{}", repository.name, encode_path(&basehead)),
        "html_url": page_url,
        "permalink_url": page_url,
        "diff_url": format!("{page_url}.diff"),
        "patch_url": format!("{page_url}.patch"),
        "base_commit": call.shapes.commit(&repository, &base_commit),
        "merge_base_commit": call.shapes.commit(&repository, &merge_base),
        "status": status,
        "ahead_by": ahead.len(),
        "behind_by": behind_by,
        "total_commits": ahead.len(),
        "commits": commits,
        "files": files,
    });
    let answer = Answer::json(200, &value);
    Ok(answer.with_link(link))
}

/// Base64 in lines of 60, as GitHub writes it: a decoder that refuses line ends fails here too.
fn lines_of_base64(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let mut lines = String::with_capacity(text.len() + text.len() / 60 + 1);
    for (at, character) in text.chars().enumerate() {
        if at > 0 && at % 60 == 0 {
            lines.push('\n');
        }
        lines.push(character);
    }
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines
}

fn too_large(what: &str) -> Answer {
    let body = json!({
        "message": format!("This API returns blobs up to 100 MB in size. The requested {what} is too large."),
        "errors": [{"resource": "Blob", "field": "data", "code": "too_large"}],
        "documentation_url": "https://docs.github.com/rest",
        "status": "403",
    });
    Answer::json(403, &body)
}
