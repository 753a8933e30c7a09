//! Which commits of a repository are to have a run, and which have one: its open pull
//! requests, its merge groups, its default branch. And which repositories there are.

use serde::Deserialize;
use serde::Serialize;

use crate::github::GitHub;
use crate::github::client::Call;
use crate::github::error::Error;
use crate::github::pace::Cost;
use crate::github::pace::Payer;
use crate::github::repository::Repository;
use crate::ids::InstallationId;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::ids::RepositoryName;
use crate::ids::Sha;

const QUERY: &str = include_str!("queries/survey.graphql");
const QUEUE: &str = include_str!("queries/queue.graphql");

/// How many pages of 50 open pull requests are looked through.
const MAX_PULL_PAGES: usize = 20;
/// How many pages of 100 installations or repositories are looked through.
const MAX_PAGES: usize = 100;
const PAGE: usize = 100;

/// The branches that GitHub makes for merge groups: `gh-readonly-queue/main/pr-7-…`.
const QUEUE_BRANCHES: &str = "refs/heads/gh-readonly-queue/";

/// What was found in a repository.
#[derive(Debug, Default)]
pub struct Surveyed {
    /// The open pull requests, the newest first.
    pub pulls: Vec<FoundPull>,
    /// The merge groups.
    pub groups: Vec<FoundGroup>,
    /// The default branch, if it has a commit.
    pub default_branch: Option<FoundBranch>,
}

/// An open pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPull {
    /// Which.
    pub pull: PullNumber,
    /// Its head.
    pub head: Sha,
    /// Whether our newest run there has ended.
    pub concluded: bool,
    /// Whether a run of ours there, the newest or an older one, is in progress.
    pub unfinished: bool,
}

/// A branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBranch {
    /// Its whole name.
    pub branch: String,
    /// Its tip.
    pub head: Sha,
    /// Whether our newest run there has ended.
    pub concluded: bool,
}

/// A merge group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundGroup {
    /// Its branch.
    pub tip: FoundBranch,
    /// What it is put on.
    pub base: Sha,
    /// The whole name of the branch that it is for.
    pub base_branch: String,
}

/// A repository that an installation reaches and that can be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Which.
    pub id: RepositoryId,
    /// What it is called.
    pub name: RepositoryName,
    /// When it was last pushed to, as GitHub writes it.
    pub pushed_at: String,
}

impl GitHub {
    /// The installations of the App that are not suspended.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn installations(&self) -> Result<Vec<InstallationId>, Error> {
        #[derive(Deserialize)]
        struct Installation {
            id: InstallationId,
            suspended_at: Option<String>,
        }

        let mut found = Vec::new();
        for page in 1..=MAX_PAGES {
            let path = format!("/app/installations?per_page={PAGE}&page={page}");
            let call = Call::get("the installations", &path);
            let installations: Vec<Installation> = self.app().rest(call).await?.json()?;
            let last = installations.len() < PAGE;
            found.extend(installations.into_iter().filter(|it| it.suspended_at.is_none()).map(|it| it.id));
            if last {
                break;
            }
        }
        Ok(found)
    }

    /// The repositories that an installation reaches, without those that are archived or disabled.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn repositories(&self, installation: InstallationId) -> Result<Vec<Reached>, Error> {
        #[derive(Deserialize)]
        struct Page {
            repositories: Vec<Listed>,
        }
        #[derive(Deserialize)]
        struct Listed {
            id: RepositoryId,
            name: String,
            owner: Owner,
            #[serde(default)]
            archived: bool,
            #[serde(default)]
            disabled: bool,
            pushed_at: Option<String>,
        }

        let token = self.app().metadata_token(installation).await?;
        let mut found = Vec::new();
        for page in 1..=MAX_PAGES {
            let path = format!("/installation/repositories?per_page={PAGE}&page={page}");
            let call = Call::get("the installation's repositories", &path);
            let (payer, cost) = (Payer::Installation(installation), Cost::of_rest(&call.method));
            let (client, clock) = (self.client(), self.client().clock());
            let listed: Page =
                self.pace().send(payer, cost, clock, client.rest(&token, call)).await?.json()?;
            let last = listed.repositories.len() < PAGE;
            let writable = listed.repositories.into_iter().filter(|it| !it.archived && !it.disabled);
            found.extend(writable.map(|it| Reached {
                id: it.id,
                name: RepositoryName { owner: it.owner.login, name: it.name },
                pushed_at: it.pushed_at.unwrap_or_default(),
            }));
            if last {
                break;
            }
        }
        Ok(found)
    }

    /// The events that GitHub delivers to the App, whatever it subscribes to.
    #[must_use]
    pub fn is_handled(event: &str) -> bool {
        crate::github::event::HANDLED.contains(&event) || crate::github::event::AUTOMATIC.contains(&event)
    }
}

impl Repository {
    /// Looks which commits of this repository are to have a run, and which have one; with a
    /// base, of the pull requests only those to that branch.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn survey(&self, base: Option<&str>) -> Result<Surveyed, Error> {
        #[derive(Serialize)]
        struct Variables<'a> {
            owner: &'a str,
            name: &'a str,
            app: u64,
            after: Option<&'a str>,
            base: Option<&'a str>,
            first: bool,
        }

        let RepositoryName { owner, name } = &self.place().name;
        let mut surveyed = Surveyed::default();
        let mut after: Option<String> = None;
        for page in 0..MAX_PULL_PAGES {
            let (app, after_cursor) = (self.github.app_id(), after.as_deref());
            let variables = Variables { owner, name, app, after: after_cursor, base, first: page == 0 };
            let data: Data = self.graphql("the open pull requests", QUERY, &variables, &[]).await?;
            let gone =
                || Error::NotFound { what: "the repository".into(), message: "no such repository".into() };
            let node = data.repository.ok_or_else(gone)?;
            if node.database_id.is_some_and(|id| id != self.place().id) {
                return Err(gone());
            }
            if node.is_archived {
                return Ok(Surveyed::default());
            }
            if page == 0 {
                surveyed.default_branch = node.default_branch_ref.and_then(RefNode::found);
                let groups = node.refs.map(|refs| refs.nodes).unwrap_or_default();
                surveyed.groups = self.groups(groups.into_iter().filter_map(RefNode::found)).await?;
            }
            surveyed.pulls.extend(node.pull_requests.nodes.into_iter().map(PullNode::found));
            match node.pull_requests.page_info {
                PageInfo { has_next_page: true, end_cursor: Some(cursor) } => after = Some(cursor),
                PageInfo { .. } => break,
            }
        }
        Ok(surveyed)
    }

    /// The merge groups among these branches that wait in a queue.
    async fn groups(&self, branches: impl Iterator<Item = FoundBranch>) -> Result<Vec<FoundGroup>, Error> {
        #[derive(Serialize)]
        struct Variables<'a> {
            owner: &'a str,
            name: &'a str,
            branch: &'a str,
        }

        let RepositoryName { owner, name } = &self.place().name;
        let mut groups = Vec::new();
        let mut of_branch: Vec<(String, Vec<FoundBranch>)> = Vec::new();
        for found in branches {
            let Some(base) = base_of(&found.branch).map(str::to_owned) else { continue };
            match of_branch.iter_mut().find(|(known, _)| *known == base) {
                Some((_, tips)) => tips.push(found),
                None => of_branch.push((base, vec![found])),
            }
        }
        for (base, tips) in of_branch {
            let variables = Variables { owner, name, branch: &base };
            let data: QueueData = self.graphql("the merge queue", QUEUE, &variables, &[]).await?;
            let queue = data.repository.and_then(|node| node.merge_queue).and_then(|queue| queue.entries);
            let entries = queue.map(|entries| entries.nodes).unwrap_or_default();
            for tip in tips {
                let entry =
                    entries.iter().find(|it| it.head_commit.as_ref().is_some_and(|it| it.oid == tip.head));
                if let Some(below) = entry.and_then(|entry| entry.base_commit.as_ref()) {
                    let base_branch = format!("refs/heads/{base}");
                    groups.push(FoundGroup { tip, base: below.oid.clone(), base_branch });
                }
            }
        }
        Ok(groups)
    }
}

/// The branch that a merge group's branch is for: `main` of `refs/heads/gh-readonly-queue/main/pr-7-…`.
fn base_of(branch: &str) -> Option<&str> {
    let (base, _) = branch.strip_prefix(QUEUE_BRANCHES)?.rsplit_once("/pr-")?;
    Some(base)
}

#[derive(Deserialize)]
struct Data {
    repository: Option<RepositoryNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryNode {
    database_id: Option<RepositoryId>,
    is_archived: bool,
    default_branch_ref: Option<RefNode>,
    refs: Option<Nodes<RefNode>>,
    pull_requests: Pulls,
}

#[derive(Deserialize)]
struct Owner {
    login: String,
}

#[derive(Deserialize)]
struct Nodes<T> {
    nodes: Vec<T>,
}

#[derive(Deserialize)]
struct RefNode {
    prefix: String,
    name: String,
    target: Option<CommitNode>,
}

impl RefNode {
    fn found(self) -> Option<FoundBranch> {
        let target = self.target?;
        let concluded = target.is_concluded();
        Some(FoundBranch { branch: format!("{}{}", self.prefix, self.name), head: target.oid, concluded })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommitNode {
    oid: Sha,
    #[serde(default)]
    check_suites: Option<Nodes<SuiteNode>>,
}

impl CommitNode {
    fn is_concluded(&self) -> bool {
        let suites = self.check_suites.iter().flat_map(|suites| &suites.nodes);
        let runs = suites.filter_map(|suite| suite.check_runs.as_ref()).flat_map(|runs| &runs.nodes);
        runs.into_iter().any(|run| run.status == "COMPLETED")
    }

    fn has_unfinished(&self) -> bool {
        let suites = self.check_suites.iter().flat_map(|suites| &suites.nodes);
        suites.filter_map(|suite| suite.unfinished.as_ref()).any(|runs| runs.total_count > 0)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SuiteNode {
    check_runs: Option<Nodes<RunNode>>,
    #[serde(default)]
    unfinished: Option<Counted>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counted {
    total_count: u64,
}

#[derive(Deserialize)]
struct RunNode {
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pulls {
    page_info: PageInfo,
    nodes: Vec<PullNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PullNode {
    number: PullNumber,
    head_ref_oid: Sha,
    commits: Nodes<PullCommit>,
}

#[derive(Deserialize)]
struct PullCommit {
    commit: CommitNode,
}

impl PullNode {
    fn found(self) -> FoundPull {
        let at_head = self.commits.nodes.iter().find(|node| node.commit.oid == self.head_ref_oid);
        let concluded = at_head.is_some_and(|node| node.commit.is_concluded());
        let unfinished = at_head.is_some_and(|node| node.commit.has_unfinished());
        FoundPull { pull: self.number, head: self.head_ref_oid, concluded, unfinished }
    }
}

#[derive(Deserialize)]
struct QueueData {
    repository: Option<QueueRepository>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueueRepository {
    merge_queue: Option<Queue>,
}

#[derive(Deserialize)]
struct Queue {
    entries: Option<Nodes<EntryNode>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryNode {
    head_commit: Option<EntryCommit>,
    base_commit: Option<EntryCommit>,
}

#[derive(Deserialize)]
struct EntryCommit {
    oid: Sha,
}
