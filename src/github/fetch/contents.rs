//! Many paths of a few commits in one GraphQL query: aliases `c0…` for commits and
//! `f0…` for paths. Paths are variables, never text of the query. Of a file whose text
//! is kept only its mode and its blob are asked for, so that what is read are new blobs.

use std::collections::HashMap;
use std::sync::Arc;

use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use futures_util::StreamExt;
use futures_util::TryStreamExt;
use futures_util::stream;
use serde::Deserialize;

use crate::github::error::Error;
use crate::github::fetch::entry::Entry;
use crate::github::fetch::entry::content;
use crate::github::repository::Repository;
use crate::github::texts::Stands;
use crate::ids::Sha;

/// What an entry is asked for.
const ENTRY: &str = include_str!("../queries/entry.graphql");
/// What an entry is asked for whose text is kept.
const KEPT: &str = "mode object { ... on Blob { oid } }";
/// The most paths in one query. GitHub fails queries that take over 10 s.
const MAX_ALIASES: usize = 100;
/// A query that failed is halved down to this many paths.
const MIN_ALIASES: usize = 10;
/// How many queries or blobs are under way at once; GitHub's secondary limit is
/// 100 concurrent requests for the whole App.
const CONCURRENT: usize = 8;

/// A path of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) commit: Sha,
    pub(super) path: RepoPath,
    /// The blob that a listing says is there.
    pub(super) likely: Option<String>,
}

/// A path that is asked for.
struct Asked<'a> {
    wanted: &'a Wanted,
    /// The text of the likely blob, if it is kept.
    kept: Option<Arc<str>>,
}

/// Reads every path, in the order asked for.
pub(super) async fn read(repository: &Repository, wanted: &[Wanted]) -> Result<Vec<Content>, Error> {
    let (place, texts) = (repository.place(), repository.github.texts());
    let mut contents: Vec<Option<Content>> = Vec::with_capacity(wanted.len());
    for one in wanted {
        contents.push(texts.at(place, &one.commit, &one.path).map(|stands| match stands {
            Stands::File(text) => Content::Text(text),
            Stands::Nothing => Content::Missing,
        }));
    }
    let kept = |wanted: &Wanted| wanted.likely.as_ref().and_then(|blob| texts.blob(place, blob));
    let ask = |(index, content): (usize, &Option<Content>)| {
        let wanted = &wanted[index];
        content.is_none().then(|| (index, Asked { wanted, kept: kept(wanted) }))
    };
    let (indices, asked): (Vec<usize>, Vec<Asked<'_>>) = contents.iter().enumerate().filter_map(ask).unzip();
    for (index, content) in indices.iter().zip(answers(repository, asked).await?) {
        contents[*index] = content;
    }
    // A listing may be of another commit: what is not as it said is read as if it had said nothing.
    let missing: Vec<usize> =
        contents.iter().enumerate().filter(|(_, it)| it.is_none()).map(|(index, _)| index).collect();
    let asked = missing.iter().map(|index| Asked { wanted: &wanted[*index], kept: None }).collect();
    for (index, content) in missing.iter().zip(answers(repository, asked).await?) {
        contents[*index] = content;
    }
    let missing = || Error::Malformed { reason: "an answer that leaves out a file".into() };
    contents.into_iter().map(|content| content.ok_or_else(missing)).collect()
}

/// Asks for every path; `None` where another blob stands than the kept one.
async fn answers(repository: &Repository, asked: Vec<Asked<'_>>) -> Result<Vec<Option<Content>>, Error> {
    let queries: Vec<_> = asked.chunks(MAX_ALIASES).map(|chunk| entries(repository, chunk)).collect();
    let found: Vec<Vec<Option<Entry>>> = stream::iter(queries).buffered(CONCURRENT).try_collect().await?;
    let found = found.into_iter().flatten().zip(asked);
    let contents: Vec<_> = found.map(|(entry, asked)| content_of(repository, entry, asked)).collect();
    stream::iter(contents).buffered(CONCURRENT).try_collect().await
}

/// The content of an entry, kept for the next time.
async fn content_of(
    repository: &Repository,
    entry: Option<Entry>,
    asked: Asked<'_>,
) -> Result<Option<Content>, Error> {
    let (place, texts) = (repository.place(), repository.github.texts());
    let Asked { wanted: Wanted { commit, path, likely }, kept } = asked;
    let blob = entry.as_ref().and_then(Entry::file_blob).map(str::to_owned);
    let content = match (kept, entry) {
        (Some(_), Some(_)) if blob != *likely => return Ok(None),
        (Some(text), Some(_)) => Content::Text(text),
        (_, entry) => content(repository, entry).await?,
    };
    match (&content, &blob) {
        (Content::Text(text), Some(blob)) => texts.keep(place, commit, path, blob, text),
        (Content::Missing, None) => texts.keep_nothing(place, commit, path),
        _ => {}
    }
    Ok(Some(content))
}

/// The entries of a chunk; halved when GitHub cannot answer it at once.
async fn entries(repository: &Repository, chunk: &[Asked<'_>]) -> Result<Vec<Option<Entry>>, Error> {
    let mut waiting = vec![chunk];
    let mut entries = Vec::with_capacity(chunk.len());
    while let Some(part) = waiting.pop() {
        match query_entries(repository, part).await {
            Ok(found) => entries.extend(found),
            Err(
                Error::Server { .. }
                | Error::GraphQl { .. }
                | Error::TooLarge { .. }
                | Error::TimedOut { .. },
            ) if part.len() > MIN_ALIASES => {
                let (first, second) = part.split_at(part.len() / 2);
                waiting.extend([second, first]);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(entries)
}

async fn query_entries(repository: &Repository, part: &[Asked<'_>]) -> Result<Vec<Option<Entry>>, Error> {
    #[derive(Deserialize)]
    struct Data {
        repository: HashMap<String, Option<HashMap<String, Option<Entry>>>>,
    }

    let name = &repository.place().name;
    let (query, commits, variables) = query(&name.owner, &name.name, part);
    let mut data: Data = repository.graphql("the files", &query, &variables, &[]).await?;
    let mut found = Vec::with_capacity(part.len());
    for (index, Asked { wanted, .. }) in part.iter().enumerate() {
        let alias = commits.iter().position(|commit| *commit == wanted.commit);
        let files = alias.and_then(|alias| data.repository.get_mut(&format!("c{alias}"))?.as_mut());
        let files = files.ok_or_else(|| Error::GraphQl {
            message: format!("commit {} is not there (yet)", wanted.commit),
        })?;
        let entry = files.remove(&format!("f{index}")).ok_or_else(|| Error::Malformed {
            reason: format!("an answer that leaves out file {index} of {}", part.len()),
        })?;
        found.push(entry);
    }
    Ok(found)
}

/// The query, the commits in the order of their aliases, and the variables.
fn query(
    owner: &str,
    name: &str,
    part: &[Asked<'_>],
) -> (String, Vec<Sha>, serde_json::Map<String, serde_json::Value>) {
    let mut variables = serde_json::Map::new();
    let mut declared = String::from("$owner: String!, $name: String!");
    variables.insert("owner".into(), owner.into());
    variables.insert("name".into(), name.into());
    let mut commits: Vec<Sha> = Vec::new();
    let mut selections: Vec<String> = Vec::new();
    for (index, Asked { wanted, kept }) in part.iter().enumerate() {
        let alias = commits.iter().position(|commit| *commit == wanted.commit).unwrap_or_else(|| {
            let alias = commits.len();
            commits.push(wanted.commit.clone());
            selections.push(String::new());
            declared.push_str(&format!(", $c{alias}: GitObjectID!"));
            variables.insert(format!("c{alias}"), wanted.commit.0.clone().into());
            alias
        });
        declared.push_str(&format!(", $p{index}: String!"));
        variables.insert(format!("p{index}"), wanted.path.as_str().into());
        let fields = if kept.is_some() { KEPT } else { "...entry" };
        selections[alias].push_str(&format!("        f{index}: file(path: $p{index}) {{ {fields} }}\n"));
    }
    let mut text = format!("query Contents({declared}) {{\n  repository(owner: $owner, name: $name) {{\n");
    for (alias, selection) in selections.iter().enumerate() {
        text.push_str(&format!("    c{alias}: object(oid: $c{alias}) {{\n      ... on Commit {{\n"));
        text.push_str(selection);
        text.push_str("      }\n    }\n");
    }
    text.push_str("  }\n}\n");
    // A fragment that nothing uses is refused.
    if part.iter().any(|asked| asked.kept.is_none()) {
        text.push('\n');
        text.push_str(ENTRY);
    }
    (text, commits, variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_paths_by_variables_only_and_of_what_is_kept_no_text() {
        let wanted = |commit: &str, path: &str| Wanted {
            commit: Sha(commit.into()),
            path: RepoPath::new(path),
            likely: None,
        };
        let all = [wanted("h", "a\"){x}/Dockerfile"), wanted("b", "Dockerfile"), wanted("h", "Dockerfile")];
        let mut part: Vec<Asked<'_>> = all.iter().map(|wanted| Asked { wanted, kept: None }).collect();
        part[1].kept = Some("FROM a".into());
        let (text, commits, variables) = query("acme", "shop", &part);
        let expected = "\
query Contents($owner: String!, $name: String!, $c0: GitObjectID!, $p0: String!, $c1: GitObjectID!, $p1: String!, $p2: String!) {
  repository(owner: $owner, name: $name) {
    c0: object(oid: $c0) {
      ... on Commit {
        f0: file(path: $p0) { ...entry }
        f2: file(path: $p2) { ...entry }
      }
    }
    c1: object(oid: $c1) {
      ... on Commit {
        f1: file(path: $p1) { mode object { ... on Blob { oid } } }
      }
    }
  }
}
";
        assert_eq!(text.strip_suffix(ENTRY).map(str::trim_end), Some(expected.trim_end()));
        assert_eq!(commits, [Sha("h".into()), Sha("b".into())]);
        assert_eq!(variables["p0"], "a\"){x}/Dockerfile");
        assert_eq!(variables.len(), 2 + 2 + 3);
        let (text, ..) = query("acme", "shop", &part[1..2]);
        assert!(!text.contains("fragment"), "{text}");
    }
}
