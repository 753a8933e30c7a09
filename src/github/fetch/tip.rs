//! A branch whose tip is judged for itself: a merge group's, against what the group
//! is put on; or a branch against itself, so that it has a run at all.
//!
//! The event says both commits, so that their trees are listed beside the query. In
//! GitHub's queue each pull request has a group of its own on top of the one before;
//! which pull requests a group brings is read from the queue's entries.

use std::collections::HashMap;

use fromguard_core::day::Day;
use fromguard_core::source::Content;
use serde::Deserialize;
use serde::Serialize;

use crate::github::app::ORGANISATION_REPOSITORY;
use crate::github::error::Error;
use crate::github::fetch::Change;
use crate::github::fetch::FetchError;
use crate::github::fetch::Fetched;
use crate::github::fetch::Read;
use crate::github::fetch::change;
use crate::github::fetch::change::Approver;
use crate::github::fetch::change::BaseTarget;
use crate::github::fetch::change::Nodes;
use crate::github::fetch::change::OrganisationNode;
use crate::github::fetch::change::Owner;
use crate::github::fetch::change::Parent;
use crate::github::fetch::change::Ref;
use crate::github::fetch::change::Review;
use crate::github::fetch::ends::BaseEnd;
use crate::github::fetch::entry::content;
use crate::github::fetch::policy;
use crate::github::fetch::policy::Standing;
use crate::github::fetch::review;
use crate::github::fetch::subject;
use crate::github::fetch::trees;
use crate::github::fetch::trees::Difference;
use crate::github::repository::Repository;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::ids::RepositoryName;
use crate::ids::Sha;

const QUERY: &str =
    concat!(include_str!("../queries/group.graphql"), include_str!("../queries/entry.graphql"));

/// Said of a run that judges nothing but the policy.
const FIRST_RUN: &str = "This run judges no change: it stands on the branch so that the check can be selected \
                         as required.";

/// Which branch to fetch.
#[derive(Debug, Clone)]
pub struct TipRequest<'a> {
    /// Its whole name.
    pub branch: &'a str,
    /// The tip that is to be judged.
    pub head: &'a Sha,
    /// What it is judged against.
    pub base: &'a Sha,
    /// The whole name of the branch whose policy counts.
    pub base_branch: &'a str,
    /// Whether a policy of this organisation was ever read.
    pub organisation_policy_seen: bool,
    /// The day of judgement.
    pub day: Day,
}

impl TipRequest<'_> {
    /// Whether it is a merge group.
    fn is_group(&self) -> bool {
        self.branch != self.base_branch
    }
}

/// Fetches a branch's tip.
///
/// # Errors
/// When something is not known: nothing is guessed.
pub async fn fetch(repository: &Repository, request: TipRequest<'_>) -> Result<Fetched, FetchError> {
    let difference = async {
        match request.head == request.base {
            true => Ok(Difference { files: Vec::new(), head: None }),
            false => trees::difference(repository, Some(request.base), request.head).await,
        }
    };
    let (now, difference) = futures_util::join!(now(repository, &request), difference);
    let now = now?;
    match now.tip {
        Some(tip) if tip == *request.head => {}
        Some(tip) if !request.is_group() => return Ok(Fetched::Moved(tip)),
        _ => return Ok(Fetched::Closed),
    }
    let Difference { files, head: tree } = difference?;
    let repository = repository.named(now.name.clone());
    let repository_policy = now.repository_policy.ok_or_else(|| {
        FetchError::NotYet("the branch that the merge group is for is gone, and with it the policy".into())
    })?;
    let standing = Standing {
        organisation: now.organisation_policy.as_ref(),
        repository: &repository_policy,
        organisation_seen: request.organisation_policy_seen,
        pull: now.only_member,
        day: request.day,
    };
    let policies = policy::policies(&repository, standing).await?;
    let (approvals, notices) = review::approvals(&repository, &policies.in_force, &now.approvals).await?;
    let read = Read { files, base: BaseEnd::Known(Some(request.base.clone())), tree };
    let mut subject = subject(&repository, request.head, read, policies.in_force, approvals).await?;
    subject.notices.extend(policies.notices);
    subject.notices.extend(notices);
    if !request.is_group() {
        subject.notices.push(FIRST_RUN.to_owned());
    }
    Ok(Fetched::Change(Box::new(Change {
        name: now.name,
        private: now.private,
        subject,
        organisation_policy_read: policies.organisation_read,
        organisation_tip: now.organisation_tip,
        comments: None,
    })))
}

/// A branch as GitHub has it now.
struct Now {
    name: RepositoryName,
    /// Not everybody may read it.
    private: bool,
    /// Where it stands; `None` when it is gone.
    tip: Option<Sha>,
    /// At the tip of the branch whose policy counts; `None` when that branch is gone.
    repository_policy: Option<Content>,
    organisation_policy: Option<Content>,
    organisation_tip: Option<Sha>,
    /// The pull request that the group brings, if it is one.
    only_member: Option<PullNumber>,
    /// Who approves every pull request that the group brings, each at its head.
    approvals: Vec<Approver>,
}

async fn now(repository: &Repository, request: &TipRequest<'_>) -> Result<Now, Error> {
    #[derive(Serialize)]
    struct Variables<'a> {
        owner: &'a str,
        name: &'a str,
        branch: &'a str,
        base: &'a str,
        queue: &'a str,
        grouped: bool,
    }

    let place = repository.place();
    let RepositoryName { owner, name } = &place.name;
    let queue = request.base_branch.strip_prefix("refs/heads/").unwrap_or(request.base_branch);
    let (branch, base, grouped) = (request.branch, request.base_branch, request.is_group());
    let variables = Variables { owner, name, branch, base, queue, grouped };
    let tolerated: &[&str] = if name == ORGANISATION_REPOSITORY { &[] } else { &["organisation"] };
    let data: Data = repository.graphql("the branch", QUERY, &variables, tolerated).await?;
    let gone = |message: &str| Error::NotFound { what: "the branch".into(), message: message.into() };
    let node = data.repository.ok_or_else(|| gone("no such repository"))?;
    if node.database_id.is_some_and(|id| id != place.id) {
        return Err(gone("another repository has taken its name"));
    }
    let repository_policy = match node.base.and_then(|base| base.target) {
        Some(target) => Some(content(repository, target.file).await?),
        None => None,
    };
    let entries = node.merge_queue.and_then(|queue| queue.entries).map(|entries| entries.nodes);
    let members = members(entries.as_deref().unwrap_or_default(), request.base, request.head);
    Ok(Now {
        name: RepositoryName { owner: node.owner.login, name: node.name },
        private: node.is_private,
        tip: node.tip.and_then(|tip| tip.target).map(|target| target.oid),
        repository_policy,
        organisation_tip: data.organisation.as_ref().and_then(OrganisationNode::tip),
        organisation_policy: change::organisation_policy(repository, data.organisation).await?,
        only_member: match members.as_slice() {
            [only] => Some(only.number),
            _ => None,
        },
        approvals: common_approvals(&members),
    })
}

/// The pull requests between a group's base and its head, newest first.
fn members<'a>(entries: &'a [EntryNode], base: &Sha, head: &Sha) -> Vec<&'a PullNode> {
    let by_head: HashMap<&Sha, &EntryNode> =
        entries.iter().filter_map(|entry| Some((&entry.head_commit.as_ref()?.oid, entry))).collect();
    let mut members = Vec::new();
    let mut at = head;
    while at != base && members.len() < entries.len() {
        let Some(entry) = by_head.get(at) else { return Vec::new() };
        let (Some(pull), Some(below)) = (&entry.pull_request, &entry.base_commit) else { return Vec::new() };
        members.push(pull);
        at = &below.oid;
    }
    if at == base { members } else { Vec::new() }
}

/// Who approves one member may not have seen the other: who approves them all has.
fn common_approvals(members: &[&PullNode]) -> Vec<Approver> {
    let mut of_each = members.iter().map(|pull| {
        let reviews = pull.latest_opinionated_reviews.as_ref();
        change::approvals(reviews, &pull.head_ref_oid, pull.author.as_ref())
    });
    let first = of_each.next().unwrap_or_default();
    of_each.fold(first, |mut common, others| {
        common.retain(|one| others.iter().any(|other| other.login.eq_ignore_ascii_case(&one.login)));
        common
    })
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
    tip: Option<Ref<Parent>>,
    base: Option<Ref<BaseTarget>>,
    merge_queue: Option<Queue>,
}

#[derive(Deserialize)]
struct Queue {
    entries: Option<Nodes<EntryNode>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryNode {
    head_commit: Option<Parent>,
    base_commit: Option<Parent>,
    pull_request: Option<PullNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PullNode {
    number: PullNumber,
    head_ref_oid: Sha,
    author: Option<Owner>,
    latest_opinionated_reviews: Option<Nodes<Review>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<EntryNode> {
        let json = r#"[
            {"headCommit":{"oid":"h1"},"baseCommit":{"oid":"main"},"pullRequest":{"number":1,"headRefOid":"p1",
              "latestOpinionatedReviews":{"nodes":[
                {"state":"APPROVED","submittedAt":"t1","author":{"login":"ann"},"commit":{"oid":"p1"}},
                {"state":"APPROVED","submittedAt":"t2","author":{"login":"bob"},"commit":{"oid":"p1"}}]}}},
            {"headCommit":{"oid":"h2"},"baseCommit":{"oid":"h1"},"pullRequest":{"number":2,"headRefOid":"p2",
              "latestOpinionatedReviews":{"nodes":[
                {"state":"APPROVED","submittedAt":"t3","author":{"login":"Ann"},"commit":{"oid":"p2"}},
                {"state":"APPROVED","submittedAt":"t4","author":{"login":"bob"},"commit":{"oid":"older"}}]}}},
            {"headCommit":null,"baseCommit":null,"pullRequest":{"number":3,"headRefOid":"p3"}}]"#;
        serde_json::from_str(json).expect("entries")
    }

    fn numbers(base: &str, head: &str) -> Vec<u64> {
        let entries = entries();
        let members = members(&entries, &Sha(base.into()), &Sha(head.into()));
        members.iter().map(|pull| pull.number.0).collect()
    }

    #[test]
    fn a_group_brings_what_stands_between_its_base_and_its_head() {
        assert_eq!(numbers("main", "h1"), [1]);
        assert_eq!(numbers("h1", "h2"), [2]);
        assert_eq!(numbers("main", "h2"), [2, 1]);
        // The queue was made anew meanwhile: nobody is known to be in the group.
        assert_eq!(numbers("elsewhere", "h2"), [] as [u64; 0]);
        assert_eq!(numbers("main", "h9"), [] as [u64; 0]);
    }

    #[test]
    fn an_approval_counts_where_it_stands_on_every_member_s_head() {
        let entries = entries();
        let logins = |base: &str, head: &str| -> Vec<String> {
            let members = members(&entries, &Sha(base.into()), &Sha(head.into()));
            common_approvals(&members).into_iter().map(|approver| approver.login).collect()
        };
        assert_eq!(logins("main", "h1"), ["ann", "bob"]);
        assert_eq!(logins("main", "h2"), ["Ann"]);
        assert_eq!(logins("main", "h9"), [] as [&str; 0]);
    }
}
