//! A merge queue: each pull request in it has a merge group, a temporary merge commit
//! on top of the one before, whose checks decide whether it is merged.
//!
//! <https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue>

use gix::ObjectId;
use serde_json::json;

use super::PullPlace;
use super::branch_of;
use super::find;
use super::find_mut;
use super::found_pull;
use super::unknown_pull;
use crate::ids::PullNumber;
use crate::ids::RepositoryName;
use crate::ids::Sha;
use crate::standin::Standin;
use crate::standin::StandinError;
use crate::standin::git::Git;
use crate::standin::lock;
use crate::standin::merge_box;
use crate::standin::merge_box::MergeBox;
use crate::standin::state::QueueEntry;
use crate::standin::state::State;
use crate::standin::webhook;

/// A merge group as GitHub made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeGroup {
    /// Its branch, without `refs/heads/`.
    pub branch: String,
    /// The temporary merge commit.
    pub head: Sha,
    /// What it is put on.
    pub base: Sha,
}

impl Standin {
    /// Adds a pull request at the end of its base branch's merge queue, and makes its group.
    ///
    /// # Errors
    /// When there is no such pull request, or it cannot be merged with those before it.
    pub fn enqueue(&self, pull: &PullPlace) -> Result<MergeGroup, StandinError> {
        let mut state = lock(&self.shared.state);
        let repository = find(&state, &pull.repository.to_string())?;
        let found = found_pull(repository, pull)?;
        let (base_branch, head) = (found.base_branch.clone(), found.head);
        let before = repository.queue.iter().rfind(|entry| entry.base_branch == base_branch);
        let base = match before {
            Some(entry) => entry.head,
            None => branch_of(repository, &base_branch)?,
        };
        let entry = self.merged(&state, pull, base_branch, base, head)?;
        let group = self.add_group(&mut state, &pull.repository, entry)?;
        Ok(group)
    }

    /// The group of a pull request that is in a merge queue.
    ///
    /// # Errors
    /// When there is no such pull request.
    pub fn merge_group(&self, pull: &PullPlace) -> Result<Option<MergeGroup>, StandinError> {
        let state = lock(&self.shared.state);
        let repository = find(&state, &pull.repository.to_string())?;
        found_pull(repository, pull)?;
        Ok(repository.queue.iter().find(|entry| entry.pull == pull.number).map(view))
    }

    /// What the required checks say of the group of a pull request in a merge queue.
    ///
    /// # Errors
    /// When the pull request is in none.
    pub fn group_box(&self, pull: &PullPlace) -> Result<MergeBox, StandinError> {
        let state = lock(&self.shared.state);
        let repository = find(&state, &pull.repository.to_string())?;
        let entry = repository.queue.iter().find(|entry| entry.pull == pull.number);
        let entry = entry.ok_or_else(|| unknown_pull(pull))?;
        Ok(merge_box::checks(&state, repository, &entry.base_branch, entry.head))
    }

    /// Takes a pull request out of its queue without merging it; those behind it get
    /// groups anew.
    ///
    /// # Errors
    /// When the pull request is in none.
    pub fn dequeue(&self, pull: &PullPlace) -> Result<(), StandinError> {
        let mut state = lock(&self.shared.state);
        let branch = self.take(&mut state, pull, "dequeued")?.base_branch;
        self.rebuild(&mut state, &pull.repository, &branch)
    }

    /// Lets the merge queue of a branch go on: the first group is merged when its checks
    /// pass, and taken out when one fails. Says which pull requests were merged.
    ///
    /// # Errors
    /// When there is no such repository.
    pub fn advance_queue(&self, repository: &str, branch: &str) -> Result<Vec<PullNumber>, StandinError> {
        let mut state = lock(&self.shared.state);
        let mut merged = Vec::new();
        loop {
            let found = find(&state, repository)?;
            let Some(entry) = found.queue.iter().find(|entry| entry.base_branch == branch).cloned() else {
                return Ok(merged);
            };
            let pull = PullPlace { repository: found.name.clone(), number: entry.pull };
            match merge_box::checks(&state, found, branch, entry.head) {
                MergeBox::Expected { .. } => return Ok(merged),
                MergeBox::Mergeable => {
                    let found = find_mut(&mut state, repository)?;
                    found.branches.insert(branch.to_owned(), entry.head);
                    self.announce_pushed(&mut state, repository, branch, (entry.base, entry.head))?;
                    self.take(&mut state, &pull, "merged")?;
                    self.change_pull(&mut state, &pull, |found| found.open = false)?;
                    self.announce(&mut state, &pull, "closed", json!({}))?;
                    merged.push(pull.number);
                }
                MergeBox::Blocked { why } if is_pending(&why) => return Ok(merged),
                MergeBox::Blocked { .. } | MergeBox::Closed => {
                    self.take(&mut state, &pull, "dequeued")?;
                    self.rebuild(&mut state, &pull.repository, branch)?;
                }
            }
        }
    }

    /// Makes the groups of a branch anew, after one was taken out or the branch moved.
    fn rebuild(
        &self,
        state: &mut State,
        repository: &RepositoryName,
        branch: &str,
    ) -> Result<(), StandinError> {
        let found = find(state, &repository.to_string())?;
        let mut base = branch_of(found, branch)?;
        let waiting: Vec<QueueEntry> =
            found.queue.iter().filter(|entry| entry.base_branch == branch).cloned().collect();
        for entry in waiting {
            let pull = PullPlace { repository: repository.clone(), number: entry.pull };
            if entry.base != base {
                self.take(state, &pull, "invalidated")?;
                let head = found_pull(find(state, &repository.to_string())?, &pull)?.head;
                let entry = self.merged(state, &pull, branch.to_owned(), base, head)?;
                base = entry.head;
                self.add_group(state, repository, entry)?;
            } else {
                base = entry.head;
            }
        }
        Ok(())
    }

    fn merged(
        &self,
        state: &State,
        pull: &PullPlace,
        base_branch: String,
        base: ObjectId,
        head: ObjectId,
    ) -> Result<QueueEntry, StandinError> {
        let repository = find(state, &pull.repository.to_string())?;
        let message = format!("Merge pull request #{}", pull.number);
        let at_s = self.shared.clock.now_ms().div_euclid(1000);
        let merged = Git::open(&repository.path).and_then(|git| git.merge(base, head, &message, at_s));
        let merged = merged.ok_or_else(|| unknown_pull(pull))?;
        let branch = format!("gh-readonly-queue/{base_branch}/pr-{}-{base}", pull.number);
        Ok(QueueEntry { pull: pull.number, base_branch, base, head: merged, branch })
    }

    fn add_group(
        &self,
        state: &mut State,
        repository: &RepositoryName,
        entry: QueueEntry,
    ) -> Result<MergeGroup, StandinError> {
        let found = find_mut(state, &repository.to_string())?;
        found.branches.insert(entry.branch.clone(), entry.head);
        found.queue.push(entry.clone());
        self.announce_group(state, repository, &entry, None)?;
        Ok(view(&entry))
    }

    /// Takes an entry out of the queue, and its branch away.
    fn take(&self, state: &mut State, pull: &PullPlace, why: &str) -> Result<QueueEntry, StandinError> {
        let found = find_mut(state, &pull.repository.to_string())?;
        let at = found.queue.iter().position(|entry| entry.pull == pull.number);
        let entry = found.queue.remove(at.ok_or_else(|| unknown_pull(pull))?);
        found.branches.remove(&entry.branch);
        self.announce_group(state, &pull.repository, &entry, Some(why))?;
        Ok(entry)
    }

    /// Makes the delivery of a `merge_group` event: `checks_requested`, or `destroyed` with its reason.
    fn announce_group(
        &self,
        state: &mut State,
        repository: &RepositoryName,
        entry: &QueueEntry,
        destroyed: Option<&str>,
    ) -> Result<(), StandinError> {
        let repository = find(state, &repository.to_string())?.clone();
        let Some((_, installation)) = state.installation_of(&repository) else { return Ok(()) };
        // The event comes only to an App that may read merge queues.
        if installation.permissions.contains_key("merge_queues") {
            let payload = webhook::merge_group(state, self.shared.shapes(), &repository, entry, destroyed);
            lock(&self.shared.deliveries).add("merge_group", &payload);
        }
        Ok(())
    }
}

fn view(entry: &QueueEntry) -> MergeGroup {
    MergeGroup {
        branch: entry.branch.clone(),
        head: Sha(entry.head.to_string()),
        base: Sha(entry.base.to_string()),
    }
}

/// Whether a required check has not ended yet.
fn is_pending(why: &str) -> bool {
    [": queued", ": in_progress"].iter().any(|state| why.ends_with(state))
}
