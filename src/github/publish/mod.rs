//! Publishes a report: check runs and the comment.
//!
//! GitHub has no idempotency key: a POST that may have been carried out is looked
//! up before it is repeated, a PATCH that adds annotations is counted. Which
//! report is published, and whether it still may be, is the caller's to know.

mod comment;
mod wire;

use std::fmt;

use fromguard_core::report::Annotation;
use fromguard_core::report::CheckRunOutput;
use http::Method;
use serde::Serialize;

use crate::clock::TimestampMs;
use crate::github::client::Call;
use crate::github::error::Error;
use crate::github::event;
use crate::github::publish::wire::NewRun;
use crate::github::publish::wire::Output;
use crate::github::publish::wire::Run;
use crate::github::publish::wire::Runs;
use crate::github::publish::wire::State;
use crate::github::repository::Repository;
use crate::ids::CheckRunId;
use crate::ids::RepositoryId;
use crate::ids::Sha;

pub use comment::CommentNode;

/// The one stable name of our check run; branch protection asks for it.
pub const CHECK_RUN_NAME: &str = "fromguard";

/// The most annotations in one request.
/// <https://docs.github.com/en/rest/checks/runs#create-a-check-run>
pub const ANNOTATIONS_PER_REQUEST: usize = 50;

/// The buttons that people see once a run is completed.
const BUTTONS: &[wire::Action] =
    &[wire::Action { label: "Re-check", description: "Judge this commit again", identifier: event::RECHECK }];

/// How many pages of runs are searched for ours: GitHub keeps no more of one name.
const MAX_PAGES: usize = 10;
const PAGE: usize = 100;

/// What we write into a run's `external_id`, to know it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalId {
    repository: RepositoryId,
    generation: i64,
    judgement: u128,
}

impl ExternalId {
    /// A name for one judgement of this generation.
    #[must_use]
    pub fn new(repository: RepositoryId, generation: i64, judgement: u128) -> ExternalId {
        ExternalId { repository, generation, judgement }
    }

    /// What all of ours in the repository begin with.
    fn repository_prefix(&self) -> String {
        format!("fromguard:{}:", self.repository)
    }

    /// The judgement's own name, 32 hex digits.
    #[must_use]
    pub fn judgement(&self) -> String {
        format!("{:032x}", self.judgement)
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}:{}", self.repository_prefix(), self.generation, self.judgement())
    }
}

/// What every request about one run says alike.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Which commit.
    pub head: Sha,
    /// By what we know it again.
    pub external_id: ExternalId,
    /// When the judgement began.
    pub started_at_ms: TimestampMs,
}

/// The end of a run.
#[derive(Debug, Clone, Copy)]
pub struct Completion<'a> {
    /// GitHub's word: `success`, `failure`, `neutral`, `action_required`, `cancelled`.
    pub conclusion: &'a str,
    /// When.
    pub at_ms: TimestampMs,
    /// What it shows; of its annotations the first 50 are sent, the rest is [`Repository::append`]ed.
    pub output: &'a CheckRunOutput,
}

/// Runs of ours that were left in progress.
#[derive(Debug, Default)]
pub struct Unfinished {
    /// The newest of all our runs, when it is one of them: it decides, and is to be completed.
    pub newest: Option<CheckRunId>,
    /// Those under a newer one.
    pub shadowed: Vec<CheckRunId>,
}

impl Repository {
    /// Posts a run that says that judging has begun.
    ///
    /// # Errors
    /// When it is not known to be posted.
    pub async fn begin_run(&self, draft: &Draft, output: &CheckRunOutput) -> Result<CheckRunId, Error> {
        let state =
            State { status: Some("in_progress"), output: Some(shown(output, &[])), ..State::default() };
        self.post_run(draft, state).await
    }

    /// Posts a completed run with the first annotations.
    ///
    /// # Errors
    /// When it is not known to be posted.
    pub async fn post_completed_run(
        &self,
        draft: &Draft,
        completion: Completion<'_>,
    ) -> Result<CheckRunId, Error> {
        self.post_run(draft, completed(completion)).await
    }

    /// Completes a run that is in progress, with the first annotations.
    ///
    /// # Errors
    /// When it is not known to be completed.
    pub async fn complete_run(&self, id: CheckRunId, completion: Completion<'_>) -> Result<(), Error> {
        let state = completed(completion);
        match self.patch_run(id, &state).await {
            Err(error) if error.ambiguous() => {
                if self.run(id).await?.status == "completed" {
                    return Ok(());
                }
                self.patch_run(id, &state).await
            }
            other => other,
        }
    }

    /// Adds annotations to a run that has `already` of them.
    ///
    /// # Errors
    /// When they are not known to be there.
    pub async fn append(
        &self,
        id: CheckRunId,
        output: &CheckRunOutput,
        already: usize,
        more: &[Annotation],
    ) -> Result<(), Error> {
        let state = State { output: Some(shown(output, more)), ..State::default() };
        match self.patch_run(id, &state).await {
            Err(error) if error.ambiguous() => {
                if self.run(id).await?.output.annotations_count >= already + more.len() {
                    return Ok(());
                }
                self.patch_run(id, &state).await
            }
            other => other,
        }
    }

    /// Completes a run that decides nothing: of a head that is not judged any more, or under a newer one.
    ///
    /// # Errors
    /// When it is not known to be completed.
    pub async fn cancel_run(&self, id: CheckRunId, at_ms: TimestampMs, why: &str) -> Result<(), Error> {
        let output = CheckRunOutput {
            title: "Superseded".to_owned(),
            summary: why.to_owned(),
            text: None,
            annotations: Vec::new(),
        };
        self.complete_run(id, Completion { conclusion: "cancelled", at_ms, output: &output }).await
    }

    /// Our runs on the head that were left in progress. They may be of earlier generations: what was
    /// wanted can rise after a crash and before the next attempt.
    ///
    /// # Errors
    /// When GitHub does not say.
    pub async fn unfinished_runs(&self, draft: &Draft) -> Result<Unfinished, Error> {
        let prefix = draft.external_id.repository_prefix();
        let runs = self.runs(&draft.head).await?;
        let ours = |run: &&Run| run.external_id.as_deref().is_some_and(|id| id.starts_with(&prefix));
        let newest = runs.iter().filter(ours).map(|run| run.id).max();
        let mut unfinished = Unfinished::default();
        for run in runs.iter().filter(ours).filter(|run| run.conclusion.is_none()) {
            match Some(run.id) == newest {
                true => unfinished.newest = newest,
                false => unfinished.shadowed.push(run.id),
            }
        }
        Ok(unfinished)
    }

    async fn post_run(&self, draft: &Draft, state: State<'_>) -> Result<CheckRunId, Error> {
        let external_id = draft.external_id.to_string();
        let body = NewRun {
            name: CHECK_RUN_NAME,
            head_sha: &draft.head.0,
            external_id: &external_id,
            started_at: timestamp(draft.started_at_ms),
            state,
        };
        match self.post_run_once(&body).await {
            Err(error) if error.ambiguous() => {
                let runs = self.runs(&draft.head).await?;
                let it = runs.iter().find(|run| run.external_id.as_ref() == Some(&external_id));
                match it.map(|run| run.id) {
                    Some(id) => Ok(id),
                    None => self.post_run_once(&body).await,
                }
            }
            other => other,
        }
    }

    async fn post_run_once(&self, body: &NewRun<'_>) -> Result<CheckRunId, Error> {
        let path = self.path("/check-runs");
        let call = Call::send(Method::POST, "the repository", &path, body);
        Ok(self.rest(call).await?.json::<Run>()?.id)
    }

    async fn patch_run(&self, id: CheckRunId, state: &impl Serialize) -> Result<(), Error> {
        let path = self.path(&format!("/check-runs/{id}"));
        self.rest(Call::send(Method::PATCH, "the check run", &path, state)).await.map(drop)
    }

    async fn run(&self, id: CheckRunId) -> Result<Run, Error> {
        let path = self.path(&format!("/check-runs/{id}"));
        self.rest(Call::get("the check run", &path)).await?.json()
    }

    /// Every run of ours on a head.
    async fn runs(&self, head: &Sha) -> Result<Vec<Run>, Error> {
        let app_id = self.github.app_id();
        let mut found = Vec::new();
        for page in 1..=MAX_PAGES {
            let path = self.path(&format!(
                "/commits/{head}/check-runs?check_name={CHECK_RUN_NAME}&app_id={app_id}&filter=all&per_page={PAGE}&page={page}"
            ));
            let runs: Runs = self.rest(Call::get("the check runs", &path)).await?.json()?;
            let last = runs.check_runs.is_empty() || found.len() + runs.check_runs.len() >= runs.total_count;
            found.extend(runs.check_runs);
            if last {
                break;
            }
        }
        Ok(found)
    }
}

fn completed(completion: Completion<'_>) -> State<'_> {
    let Completion { conclusion, at_ms, output } = completion;
    let first = &output.annotations[..output.annotations.len().min(ANNOTATIONS_PER_REQUEST)];
    State {
        status: Some("completed"),
        conclusion: Some(conclusion),
        completed_at: Some(timestamp(at_ms)),
        output: Some(shown(output, first)),
        actions: BUTTONS,
    }
}

fn shown<'a>(output: &'a CheckRunOutput, annotations: &'a [Annotation]) -> Output<'a> {
    Output {
        title: &output.title,
        summary: &output.summary,
        text: output.text.as_deref(),
        annotations: annotations.iter().map(Into::into).collect(),
    }
}

/// `2026-11-23T09:15:00Z`.
fn timestamp(at_ms: TimestampMs) -> String {
    let at = jiff::Timestamp::from_second(at_ms.div_euclid(1_000)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_known_again_by_repository_generation_and_judgement() {
        let id = ExternalId::new(RepositoryId(7), 3, 0xab);
        assert_eq!(id.to_string(), "fromguard:7:3:000000000000000000000000000000ab");
        assert!(id.to_string().starts_with(&id.repository_prefix()));
        // Repository 7 is no beginning of repository 71.
        let other = ExternalId::new(RepositoryId(71), 3, 0xab).to_string();
        assert!(!other.starts_with(&id.repository_prefix()));
    }

    #[test]
    fn a_time_is_written_as_github_reads_it() {
        assert_eq!(timestamp(1_700_000_000_999), "2023-11-14T22:13:20Z");
    }

    #[test]
    fn columns_are_sent_for_one_line_only() {
        let mut annotation = Annotation {
            path: "Dockerfile".into(),
            start_line: 1,
            end_line: 1,
            start_column: Some(6),
            end_column: Some(9),
            level: "failure",
            title: "t".into(),
            message: "m".into(),
            raw_details: None,
        };
        let json = |annotation: &Annotation| {
            serde_json::to_value(wire::WireAnnotation::from(annotation)).expect("JSON")
        };
        assert_eq!(json(&annotation)["start_column"], 6);
        annotation.end_line = 2;
        assert_eq!(json(&annotation).get("start_column"), None);
        assert_eq!(json(&annotation)["annotation_level"], "failure");
    }
}
