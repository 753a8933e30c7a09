//! The first query's answer: the pull request now, its files, and the policy files.

use fromguard_core::source::Content;
use serde::Deserialize;
use serde::Serialize;

use crate::github::app::ORGANISATION_REPOSITORY;
use crate::github::error::Error;
use crate::github::fetch::entry::Entry;
use crate::github::fetch::entry::content;
use crate::github::fetch::entry::content_of;
use crate::github::fetch::listing::Changed;
use crate::github::repository::Repository;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::ids::RepositoryName;
use crate::ids::Sha;

pub(super) const QUERY: &str =
    concat!(include_str!("../queries/change.graphql"), include_str!("../queries/entry.graphql"));

/// A pull request as GitHub has it now.
#[derive(Debug)]
pub(super) struct Now {
    /// What the repository is called now.
    pub(super) name: RepositoryName,
    /// Whether not everybody can see it.
    pub(super) private: bool,
    pub(super) open: bool,
    pub(super) head: Sha,
    /// The tip of the base branch; `None` when the branch is gone.
    pub(super) base_tip: Option<Sha>,
    /// Where the change probably began; to be confirmed.
    pub(super) likely_merge_base: Option<Sha>,
    pub(super) changed_files: u64,
    /// The first 100.
    pub(super) files: Vec<Changed>,
    /// The repository's policy file at the tip of the base branch.
    pub(super) repository_policy: Content,
    /// The organisation's; `None` when its repository cannot be seen.
    pub(super) organisation_policy: Option<Content>,
    /// Where the organisation's repository stands; `None` when it cannot be seen.
    pub(super) organisation_tip: Option<Sha>,
    /// The bodies of all comments; `None` when they were not asked for or are more.
    pub(super) comments: Option<Vec<String>>,
    /// Who approves this very head; never its author.
    pub(super) approvals: Vec<Approver>,
}

/// Somebody whose newest review approves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Approver {
    pub(super) login: String,
    /// When, as GitHub writes it.
    pub(super) at: String,
}

/// Asks for it all at once.
pub(super) async fn now(repository: &Repository, pull: PullNumber, comments: bool) -> Result<Now, Error> {
    #[derive(Serialize)]
    struct Variables<'a> {
        owner: &'a str,
        name: &'a str,
        number: PullNumber,
        comments: bool,
    }

    let place = repository.place();
    let RepositoryName { owner, name } = &place.name;
    let variables = Variables { owner, name, number: pull, comments };
    // The organisation's repository may be out of reach; in itself it cannot be.
    let tolerated: &[&str] = if name == ORGANISATION_REPOSITORY { &[] } else { &["organisation"] };
    let data: Data = repository.graphql("the pull request", QUERY, &variables, tolerated).await?;
    let gone = |message: &str| Error::NotFound { what: "the pull request".into(), message: message.into() };
    let node = data.repository.ok_or_else(|| gone("no such repository"))?;
    // An Int of GraphQL ends at 2³¹: a higher number comes as null.
    if node.database_id.is_some_and(|id| id != place.id) {
        return Err(gone("another repository has taken its name"));
    }
    let found = node.pull_request.ok_or_else(|| gone("no such pull request"))?;
    let approvals =
        approvals(found.latest_opinionated_reviews.as_ref(), &found.head_ref_oid, found.author.as_ref());
    let target = found.base_ref.and_then(|base| base.target);
    let likely_merge_base = likely_merge_base(&found.commits.nodes);
    let (base_tip, file) = match target {
        Some(target) => (Some(target.oid), target.file),
        None => (None, None),
    };
    let organisation_tip = data.organisation.as_ref().and_then(OrganisationNode::tip);
    let organisation_policy = organisation_policy(repository, data.organisation).await?;
    Ok(Now {
        name: RepositoryName { owner: node.owner.login, name: node.name },
        private: node.is_private,
        open: found.state == "OPEN",
        head: found.head_ref_oid,
        base_tip,
        likely_merge_base,
        changed_files: found.changed_files,
        files: found
            .files
            .map(|files| files.nodes)
            .unwrap_or_default()
            .iter()
            .map(|file| Changed::new(&file.path, &file.change_type, None))
            .collect(),
        repository_policy: content(repository, file).await?,
        organisation_policy,
        organisation_tip,
        comments: found.comments.and_then(|comments| {
            let all = comments.total_count <= comments.nodes.len();
            all.then(|| comments.nodes.into_iter().map(|comment| comment.body).collect())
        }),
        approvals,
    })
}

/// The organisation's policy file; `None` when its repository cannot be seen.
pub(super) async fn organisation_policy(
    repository: &Repository,
    organisation: Option<OrganisationNode>,
) -> Result<Option<Content>, Error> {
    let Some(found) = organisation else { return Ok(None) };
    let file = found.default_branch_ref.and_then(|branch| branch.target).and_then(|it| it.file);
    // Its blobs are in that repository, not in the judged one.
    let owner = repository.place().name.owner.clone();
    let holder = RepositoryName { owner, name: ORGANISATION_REPOSITORY.to_owned() };
    Ok(Some(content_of(repository, &holder, file).await?))
}

/// The newest opinion of each reviewer counts, and only on the head as it is now.
pub(super) fn approvals(
    reviews: Option<&Nodes<Review>>,
    head: &Sha,
    author: Option<&Owner>,
) -> Vec<Approver> {
    let author = author.map_or("", |author| &author.login);
    let reviews = reviews.into_iter().flat_map(|reviews| &reviews.nodes);
    reviews
        .filter(|review| review.state == "APPROVED")
        .filter(|review| review.commit.as_ref().is_some_and(|commit| commit.oid == *head))
        .filter_map(|review| Some((review.author.as_ref()?, review.submitted_at.as_ref()?)))
        .filter(|(reviewer, _)| !reviewer.login.eq_ignore_ascii_case(author))
        .map(|(reviewer, at)| Approver { login: reviewer.login.clone(), at: at.clone() })
        .collect()
}

/// Where the pull request's own commits meet what is not theirs: the newest such
/// parent is the merge base unless histories cross. Spares a round trip when it is
/// right, and costs one when it is wrong: it is always confirmed.
fn likely_merge_base(commits: &[CommitNode]) -> Option<Sha> {
    let own: std::collections::HashSet<&Sha> = commits.iter().map(|node| &node.commit.oid).collect();
    let newest_first = commits.iter().rev().flat_map(|node| node.commit.parents.nodes.iter());
    newest_first.map(|parent| &parent.oid).find(|oid| !own.contains(oid)).cloned()
}

#[derive(Deserialize)]
struct Data {
    repository: Option<RepositoryNode>,
    organisation: Option<OrganisationNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryNode {
    database_id: Option<RepositoryId>,
    is_private: bool,
    name: String,
    owner: Owner,
    pull_request: Option<PullRequest>,
}

#[derive(Deserialize)]
pub(super) struct Owner {
    pub(super) login: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PullRequest {
    state: String,
    head_ref_oid: Sha,
    changed_files: u64,
    /// Nobody, when the account is gone.
    author: Option<Owner>,
    latest_opinionated_reviews: Option<Nodes<Review>>,
    base_ref: Option<Ref<BaseTarget>>,
    commits: Nodes<CommitNode>,
    files: Option<Nodes<FileNode>>,
    comments: Option<Comments>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Review {
    pub(super) state: String,
    submitted_at: Option<String>,
    author: Option<Owner>,
    commit: Option<Parent>,
}

#[derive(Deserialize)]
pub(super) struct Ref<T> {
    pub(super) target: Option<T>,
}

#[derive(Deserialize)]
pub(super) struct BaseTarget {
    pub(super) oid: Sha,
    pub(super) file: Option<Entry>,
}

#[derive(Deserialize)]
pub(super) struct Nodes<T> {
    pub(super) nodes: Vec<T>,
}

#[derive(Deserialize)]
struct CommitNode {
    commit: Commit,
}

#[derive(Deserialize)]
struct Commit {
    oid: Sha,
    parents: Nodes<Parent>,
}

#[derive(Deserialize)]
pub(super) struct Parent {
    pub(super) oid: Sha,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileNode {
    path: String,
    change_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comments {
    total_count: usize,
    nodes: Vec<Comment>,
}

#[derive(Deserialize)]
struct Comment {
    body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrganisationNode {
    default_branch_ref: Option<Ref<BaseTarget>>,
}

impl OrganisationNode {
    /// The tip of its default branch.
    pub(super) fn tip(&self) -> Option<Sha> {
        Some(self.default_branch_ref.as_ref()?.target.as_ref()?.oid.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commits(history: &[(&str, &[&str])]) -> Vec<CommitNode> {
        let sha = |text: &&str| Sha((*text).to_owned());
        history
            .iter()
            .map(|(oid, parents)| CommitNode {
                commit: Commit {
                    oid: sha(oid),
                    parents: Nodes { nodes: parents.iter().map(|it| Parent { oid: sha(it) }).collect() },
                },
            })
            .collect()
    }

    #[test]
    fn a_straight_branch_began_at_its_first_parent() {
        let history = commits(&[("c1", &["base"]), ("c2", &["c1"]), ("c3", &["c2"])]);
        assert_eq!(likely_merge_base(&history), Some(Sha("base".into())));
    }

    #[test]
    fn a_merge_of_the_base_branch_moves_the_merge_base() {
        let history = commits(&[("c1", &["base"]), ("m", &["c1", "newer"]), ("c2", &["m"])]);
        assert_eq!(likely_merge_base(&history), Some(Sha("newer".into())));
    }

    #[test]
    fn no_commit_has_no_merge_base() {
        assert_eq!(likely_merge_base(&[]), None);
        assert_eq!(likely_merge_base(&commits(&[("root", &[])])), None);
    }
}
