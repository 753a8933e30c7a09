//! One judgement, from the claimed job to its outcome.

use std::sync::Arc;

use fromguard_core::day::Day;
use fromguard_core::report::Fault;
use fromguard_core::report::Report;
use fromguard_core::report::Subject;
use fromguard_core::report::judge;
use futures_util::StreamExt;
use futures_util::TryStreamExt;
use futures_util::stream;

use crate::clock::TimestampMs;
use crate::github;
use crate::github::Repository;
use crate::github::fetch;
use crate::github::fetch::Change;
use crate::github::fetch::FetchError;
use crate::github::fetch::Fetched;
use crate::ids::PullNumber;
use crate::ids::Sha;
use crate::registry::Late;
use crate::store::Ask;
use crate::store::Delivery;
use crate::store::Job;
use crate::store::KeptComment;
use crate::store::PullChange;
use crate::store::Rerun;
use crate::store::StoreError;
use crate::store::Tip;
use crate::store::TipChange;
use crate::worker::Outcome;
use crate::worker::Worker;
use crate::worker::own::Own;
use crate::worker::publication::Posting;

/// How long GitHub may go on calling a pull request open after it said by an event that it is
/// closed, in milliseconds: what answers a query may lag behind. After that, the event is older than
/// another that reopened it.
const CLOSING_SETTLES_MS: i64 = 60_000;

/// How many pull requests of one head are fetched at once.
const PULLS_AT_ONCE: usize = 4;

/// The report for one of those that point at the head.
pub(super) struct Judged {
    /// What people know it by: `#12`, `gh-readonly-queue/main/pr-12-…`.
    pub(super) label: String,
    pub(super) report: Report,
    /// Where it is said; a branch has no conversation.
    pub(super) conversation: Option<Conversation>,
}

/// A pull request's conversation, and what is known of our comment in it.
pub(super) struct Conversation {
    pub(super) pull: PullNumber,
    pub(super) comment: Option<KeptComment>,
    /// The bodies of all its comments, where they were fetched.
    pub(super) comments: Option<Vec<String>>,
}

impl Judged {
    fn pull(
        pull: PullNumber,
        report: Report,
        comment: Option<KeptComment>,
        comments: Option<Vec<String>>,
    ) -> Judged {
        Judged {
            label: format!("#{pull}"),
            report,
            conversation: Some(Conversation { pull, comment, comments }),
        }
    }

    fn tip(tip: &Tip, report: Report) -> Judged {
        let label = tip.branch.strip_prefix("refs/heads/").unwrap_or(&tip.branch).to_owned();
        Judged { label, report, conversation: None }
    }
}

/// What judging a head came to.
enum Judging {
    /// A report for each open pull request and each branch at this head, and the repository
    /// under its present name.
    Reports(Vec<Judged>, Repository),
    /// Nothing that is to be judged has this head.
    Superseded,
    /// It may work later.
    Again { not_before_ms: Option<TimestampMs>, error: String },
}

/// One of those that point at the head.
enum One {
    Judged(Box<Judged>, Option<Repository>),
    Gone,
    Again { not_before_ms: Option<TimestampMs>, error: String },
}

impl Worker {
    pub(super) async fn work(self, mut job: Job) -> Outcome {
        if let Some(at_ms) = self.github.busy_until_ms(job.place.installation) {
            return Outcome::Later { at_ms };
        }
        let repository = self.github.repository(job.place.clone());
        let mut posting = Posting::new(&self, &job);
        if job.pulls.is_empty() && job.tips.is_empty() && job.rerun {
            match self.find_pulls(&repository, &job).await {
                Ok(pulls) => job.pulls = pulls,
                Err(outcome) => return outcome,
            }
        }
        if job.pulls.is_empty() && job.tips.is_empty() {
            return self.supersede(&repository, &job, &mut posting).await;
        }
        let began_ms = self.clock.now_ms();
        // Until there is another result, a green run of another base must not stand.
        let stale = job.announce && job.last_run.is_some();
        let late = began_ms.saturating_sub(job.wanted_since_ms) > self.settings.announce_after_ms;
        if (stale || late)
            && !job.is_closing()
            && let Err(stop) = self.begin(&repository, &job, &mut posting).await
        {
            if stop.is_lost() {
                return Outcome::Lost;
            }
            tracing::warn!(repository = %job.place.name, head = %job.head, %stop, "no run in progress was posted");
        }
        let outcome = match self.judge(&repository, &job).await {
            Ok(Judging::Reports(judged, repository)) => {
                self.publish(&repository, &job, &mut posting, judged).await
            }
            Ok(Judging::Superseded) => self.supersede(&repository, &job, &mut posting).await,
            Ok(Judging::Again { not_before_ms, error }) => Outcome::Again { not_before_ms, error },
            Err(error) => Outcome::Again { not_before_ms: None, error: error.to_string() },
        };
        let took_ms = self.clock.now_ms().saturating_sub(began_ms);
        tracing::info!(repository = %job.place.name, head = %job.head, took_ms, ?outcome, "a judgement ended");
        outcome
    }

    /// Asks GitHub which open pull requests have this head: somebody wants them judged,
    /// and nothing was ever said of them here.
    async fn find_pulls(&self, repository: &Repository, job: &Job) -> Result<Vec<PullNumber>, Outcome> {
        let pulls = repository.open_pulls_at(&job.head).await.map_err(|error| Outcome::Again {
            not_before_ms: error.retry_at_ms(),
            error: error.to_string(),
        })?;
        for pull in &pulls {
            self.observe(job, *pull, job.head.clone(), true)
                .await
                .map_err(|error| Outcome::Again { not_before_ms: None, error: error.to_string() })?;
        }
        Ok(pulls)
    }

    /// Publishes a report that was made without looking at the change; its reader learns of it
    /// from the check run.
    pub(super) async fn conclude(self, job: Job, report: Report) -> Outcome {
        let repository = self.github.repository(job.place.clone());
        let mut posting = Posting::new(&self, &job);
        posting.look_first();
        let judged = match (job.pulls.first(), job.tips.first()) {
            (Some(pull), _) => Some(Judged::pull(*pull, report, None, Some(Vec::new()))),
            (None, Some(tip)) => Some(Judged::tip(tip, report)),
            (None, None) => None,
        };
        match judged {
            Some(judged) => self.publish(&repository, &job, &mut posting, vec![judged]).await,
            None => self.supersede(&repository, &job, &mut posting).await,
        }
    }

    async fn judge(&self, repository: &Repository, job: &Job) -> Result<Judging, StoreError> {
        let seen = self.store.organisation_policy_seen(job.place.installation).await?;
        // Collected first: a closure that lends `self` out is not `Send` enough inside a stream.
        let pulls: Vec<_> = job
            .pulls
            .iter()
            .chain(&job.left)
            .map(|pull| self.judge_pull(repository, job, *pull, seen))
            .collect();
        let tips: Vec<_> = job.tips.iter().map(|tip| self.judge_tip(repository, job, tip, seen)).collect();
        let (pulls, tips): (Vec<One>, Vec<One>) = futures_util::try_join!(
            stream::iter(pulls).buffered(PULLS_AT_ONCE).try_collect(),
            stream::iter(tips).buffered(PULLS_AT_ONCE).try_collect(),
        )?;
        let mut judged = Vec::new();
        let mut named = repository.clone();
        for one in pulls.into_iter().chain(tips) {
            match one {
                One::Judged(one, repository) => {
                    judged.push(*one);
                    named = repository.unwrap_or(named);
                }
                One::Gone => {}
                One::Again { not_before_ms, error } => return Ok(Judging::Again { not_before_ms, error }),
            }
        }
        if judged.is_empty() {
            return Ok(Judging::Superseded);
        }
        Ok(Judging::Reports(judged, named))
    }

    async fn judge_pull(
        &self,
        repository: &Repository,
        job: &Job,
        pull: PullNumber,
        seen: bool,
    ) -> Result<One, StoreError> {
        let closing_since_ms = job.closing_since_ms(pull);
        let comment = self.store.comment(job.place.id, pull).await?;
        let likely_files = self.store.files_of(job.place.id, pull, &job.head).await?;
        let request = fetch::Request {
            pull,
            head: &job.head,
            comments: comment.is_none(),
            likely_files,
            closing: closing_since_ms.is_some(),
            organisation_policy_seen: seen,
            day: Day::from_unix_ms(self.clock.now_ms()),
        };
        match Box::pin(fetch::fetch(repository, request)).await {
            Ok(Fetched::Change(change)) => {
                if let Some(since_ms) = closing_since_ms {
                    self.is_open_after_all(job, pull, since_ms).await?;
                }
                if job.left.contains(&pull) {
                    self.observe(job, pull, job.head.clone(), true).await?;
                }
                let Change { name, subject, organisation_policy_read, comments, private, organisation_tip } =
                    *change;
                let own = Own::new(repository, &self.store, organisation_tip);
                let report =
                    self.report(job, subject, own, private, organisation_policy_read && !seen).await?;
                let judged = Judged::pull(pull, report, comment, comments);
                Ok(One::Judged(Box::new(judged), Some(repository.named(name))))
            }
            Ok(Fetched::Moved(head)) => {
                self.observe(job, pull, head, true).await?;
                Ok(One::Gone)
            }
            Ok(Fetched::Closed) => {
                self.observe(job, pull, job.head.clone(), false).await?;
                Ok(One::Gone)
            }
            // That it left is all that is known of it: nobody else is held up by it.
            Err(FetchError::GitHub(github::Error::NotFound { .. }))
                if job.left.contains(&pull) && self.tried_enough(job) =>
            {
                Ok(One::Gone)
            }
            Err(error) => {
                Ok(self.not_fetched(job, &error, |report| Judged::pull(pull, report, comment, None)))
            }
        }
    }

    async fn judge_tip(
        &self,
        repository: &Repository,
        job: &Job,
        tip: &Tip,
        seen: bool,
    ) -> Result<One, StoreError> {
        let request = fetch::TipRequest {
            branch: &tip.branch,
            head: &job.head,
            base: &tip.base,
            base_branch: &tip.base_branch,
            organisation_policy_seen: seen,
            day: Day::from_unix_ms(self.clock.now_ms()),
        };
        match Box::pin(fetch::fetch_tip(repository, request)).await {
            Ok(Fetched::Change(change)) => {
                let Change { name, subject, organisation_policy_read, private, organisation_tip, .. } =
                    *change;
                let own = Own::new(repository, &self.store, organisation_tip);
                let report =
                    self.report(job, subject, own, private, organisation_policy_read && !seen).await?;
                Ok(One::Judged(Box::new(Judged::tip(tip, report)), Some(repository.named(name))))
            }
            Ok(Fetched::Moved(head)) => {
                // Such a branch is judged against itself, wherever it stands.
                let tip = Tip { base: head.clone(), ..tip.clone() };
                self.observe_tip(job, tip, head, true).await?;
                Ok(One::Gone)
            }
            Ok(Fetched::Closed) => {
                self.observe_tip(job, tip.clone(), job.head.clone(), false).await?;
                Ok(One::Gone)
            }
            Err(error) => Ok(self.not_fetched(job, &error, |report| Judged::tip(tip, report))),
        }
    }

    /// Judges what was fetched, with evidence where it may be asked for; `first` when it came
    /// with the first policy of the organisation. What comes in after the budget of time wants
    /// one judgement more.
    async fn report(
        &self,
        job: &Job,
        subject: Subject,
        own: Own,
        private: bool,
        first: bool,
    ) -> Result<Report, StoreError> {
        if first {
            self.store.set_organisation_policy_seen(job.place.installation).await?;
        }
        let judged = match &self.inquiry {
            Some(inquiry) => Box::pin(inquiry.of(Arc::new(own)).judge(subject, private)).await,
            None => tokio::task::spawn_blocking(move || judge(subject)).await.map(|report| (report, None)),
        };
        Ok(match judged {
            Ok((report, late)) => {
                if let Some(late) = late {
                    self.again_when_arrived(job, late);
                }
                report
            }
            Err(error) => {
                tracing::error!(repository = %job.place.name, head = %job.head, %error, "judging panicked");
                Report::could_not_judge(Fault::Fromguard, "judging stopped inside fromguard")
            }
        })
    }

    /// Judges the head once more when late evidence is there: once, since the store
    /// knows the delivery.
    fn again_when_arrived(&self, job: &Job, late: Late) {
        let (worker, place, head) = (self.clone(), job.place.clone(), job.head.clone());
        tokio::spawn(async move {
            late.arrived().await;
            let guid = format!("evidence {} {head}", place.id.0);
            let ask = Ask::Rerun(Rerun { place, head });
            if let Err(error) = worker.store.record(Delivery { guid, ask }, worker.clock.now_ms()).await {
                tracing::warn!(%error, "late evidence could not be judged again");
            }
        });
    }

    fn not_fetched(&self, job: &Job, error: &FetchError, judged: impl FnOnce(Report) -> Judged) -> One {
        if self.may_try_again(job, error) {
            let not_before_ms = match error {
                FetchError::GitHub(error) => error.retry_at_ms(),
                _ => None,
            };
            return One::Again { not_before_ms, error: error.to_string() };
        }
        let report = Report::could_not_judge(fault(error), error.to_string());
        One::Judged(Box::new(judged(report)), None)
    }

    /// GitHub calls a pull request open that an event says is closed. It is asked once more when
    /// that is no longer news to any part of it.
    async fn is_open_after_all(
        &self,
        job: &Job,
        pull: PullNumber,
        since_ms: TimestampMs,
    ) -> Result<(), StoreError> {
        let settled_ms = since_ms.saturating_add(CLOSING_SETTLES_MS);
        if self.clock.now_ms() >= settled_ms {
            return self.observe(job, pull, job.head.clone(), true).await;
        }
        let again = Rerun { place: job.place.clone(), head: job.head.clone() };
        self.store.want(&[(Ask::Rerun(again), settled_ms)], false).await
    }

    async fn observe(&self, job: &Job, pull: PullNumber, head: Sha, open: bool) -> Result<(), StoreError> {
        let change = PullChange { place: job.place.clone(), pull, head, open, announce: false, files: 0 };
        self.store.observe(&Ask::Pull(change), self.clock.now_ms()).await
    }

    async fn observe_tip(&self, job: &Job, tip: Tip, head: Sha, open: bool) -> Result<(), StoreError> {
        let change = TipChange { place: job.place.clone(), tip, head, open };
        self.store.observe(&Ask::Tip(change), self.clock.now_ms()).await
    }

    fn may_try_again(&self, job: &Job, error: &FetchError) -> bool {
        let may_help = match error {
            FetchError::GitHub(error) => {
                // What is not found or has moved may be a replica that lags behind.
                let lags = matches!(
                    error,
                    github::Error::NotFound { .. }
                        | github::Error::Unexpected { .. }
                        | github::Error::Malformed { .. }
                );
                error.repeatable() || lags
            }
            FetchError::NotYet(_) => true,
            FetchError::Hopeless(_) | FetchError::Panicked(_) => false,
        };
        // A limit says when it ends: waiting for it is no failure.
        let limited = matches!(error, FetchError::GitHub(github::Error::RateLimited { .. }));
        // What may be merged already gets no run that says that it could not be judged.
        let unanswered = matches!(error, FetchError::GitHub(error) if error.repeatable());
        limited
            || job.is_closing() && unanswered
            || may_help && job.attempts.saturating_add(1) < self.settings.judging_attempts
    }
}

fn fault(error: &FetchError) -> Fault {
    match error {
        FetchError::GitHub(error) => match error.fault() {
            github::Fault::Operator => Fault::Installation,
            github::Fault::GitHub => Fault::GitHub,
            github::Fault::Us => Fault::Fromguard,
        },
        FetchError::NotYet(_) => Fault::GitHub,
        FetchError::Hopeless(_) => Fault::Repository,
        FetchError::Panicked(_) => Fault::Fromguard,
    }
}
