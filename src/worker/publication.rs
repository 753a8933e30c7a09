//! What a judgement posts: one check run on the head, one comment on each pull
//! request; a branch has no conversation. The lease is proved before and after each POST.

use fromguard_core::report::COMMENT_MARKER;
use fromguard_core::report::CheckRunOutput;
use fromguard_core::report::Conclusion;
use fromguard_core::report::Report;
use thiserror::Error as ThisError;

use crate::clock::TimestampMs;
use crate::counts;
use crate::github;
use crate::github::Repository;
use crate::github::publish::ANNOTATIONS_PER_REQUEST;
use crate::github::publish::CommentNode;
use crate::github::publish::Completion;
use crate::github::publish::Draft;
use crate::github::publish::ExternalId;
use crate::ids::CheckRunId;
use crate::ids::PullNumber;
use crate::ids::Sha;
use crate::store::Ask;
use crate::store::Job;
use crate::store::KeptComment;
use crate::store::PostedRun;
use crate::store::PullChange;
use crate::store::StoreError;
use crate::worker::Outcome;
use crate::worker::Worker;
use crate::worker::judgement::Judged;

/// The most annotations of one run.
const MAX_ANNOTATIONS: usize = 200;

/// What a run says whose head is nobody's any more.
const GONE: &str = "Nothing that is to be judged has this commit as its head any more.";
/// What a run says that was left in progress under a newer one.
const SHADOWED: &str = "A newer run on this commit has the result.";

/// The run of one judgement.
pub(super) struct Posting {
    draft: Draft,
    /// In progress, and to be completed.
    run: Option<CheckRunId>,
    /// A run in progress may stand on GitHub that nobody remembers.
    look_first: bool,
}

impl Posting {
    pub(super) fn new(worker: &Worker, job: &Job) -> Posting {
        let judgement =
            u128::from(crate::worker::backoff::random()) << 64 | u128::from(crate::worker::backoff::random());
        let external_id = ExternalId::new(job.place.id, job.generation, judgement);
        let run = job.last_run.as_ref().filter(|run| run.conclusion.is_none()).map(|run| run.id);
        Posting {
            draft: Draft { head: job.head.clone(), external_id, started_at_ms: worker.clock.now_ms() },
            // Who asks again may do so because one stands there.
            look_first: run.is_none() && (job.attempts > 0 || job.rerun),
            run,
        }
    }

    /// Before anything is posted, a run that was left in progress is looked for.
    pub(super) fn look_first(&mut self) {
        self.look_first = self.run.is_none();
    }
}

/// Why publishing stopped.
#[derive(Debug, ThisError)]
pub(super) enum Stop {
    #[error("the lease was lost")]
    Lost,
    /// Another head's judgement is posting the first comment, until then at most.
    #[error("another commit's judgement is posting its comment")]
    Commenting { until_ms: TimestampMs },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    GitHub(#[from] github::Error),
}

impl Stop {
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Stop::Lost)
    }
}

impl Worker {
    /// Posts a run that is in progress, unless one stands already.
    pub(super) async fn begin(
        &self,
        repository: &Repository,
        job: &Job,
        posting: &mut Posting,
    ) -> Result<(), Stop> {
        self.prove(job).await?;
        self.adopt(repository, posting).await?;
        if posting.run.is_some() {
            return Ok(());
        }
        let output = CheckRunOutput {
            title: "Judging the image sources".to_owned(),
            summary: "The image sources of this commit are being judged.".to_owned(),
            text: None,
            annotations: Vec::new(),
        };
        // Whatever comes of it, a run may stand from here on.
        posting.look_first = true;
        let id = repository.begin_run(&posting.draft, &output).await?;
        posting.look_first = false;
        posting.run = Some(id);
        self.store.posted(job, &PostedRun { id, conclusion: None }).await?;
        self.prove(job).await
    }

    /// Publishes the worst report as the head's run, and each report on its own pull request.
    pub(super) async fn publish(
        &self,
        repository: &Repository,
        job: &Job,
        posting: &mut Posting,
        judged: Vec<Judged>,
    ) -> Outcome {
        let comments: Vec<Comment> = judged.iter().filter_map(Comment::of).collect();
        let labelled = judged.into_iter().map(|one| (one.label, one.report)).collect();
        let Some(report) = Report::worst(labelled) else {
            return self.supersede(repository, job, posting).await;
        };
        let (run, commented) = tokio::join!(
            self.publish_run(repository, job, posting, &report),
            self.publish_comments(repository, job, &comments)
        );
        if let Err(stop) = run {
            return self.stopped(job, stop);
        }
        counts::JUDGEMENTS.add(report.conclusion.as_str());
        match commented {
            Ok(()) => Outcome::Done,
            Err(Stop::GitHub(error)) if error.repeatable() && !self.tried_enough(job) => {
                Outcome::Again { not_before_ms: error.retry_at_ms(), error: format!("the comment: {error}") }
            }
            Err(stop @ Stop::Commenting { .. }) if !self.tried_enough(job) => self.stopped(job, stop),
            Err(Stop::Store(error)) if !self.tried_enough(job) => {
                Outcome::Again { not_before_ms: None, error: format!("the comment: {error}") }
            }
            // A locked conversation, for example: the check run says it all.
            Err(stop) => {
                tracing::warn!(repository = %job.place.name, head = %job.head, %stop, "the comment was not written");
                Outcome::Done
            }
        }
    }

    /// Completes a run that stands in progress on a head that nobody asks about any more.
    pub(super) async fn supersede(
        &self,
        repository: &Repository,
        job: &Job,
        posting: &mut Posting,
    ) -> Outcome {
        match self.cancel(repository, job, posting).await {
            // It is gone already, or completed.
            Ok(())
            | Err(Stop::GitHub(github::Error::NotFound { .. } | github::Error::Unprocessable { .. })) => {
                Outcome::Done
            }
            Err(stop) => self.stopped(job, stop),
        }
    }

    async fn cancel(&self, repository: &Repository, job: &Job, posting: &mut Posting) -> Result<(), Stop> {
        self.prove(job).await?;
        self.adopt(repository, posting).await?;
        if let Some(id) = posting.run.take() {
            repository.cancel_run(id, self.clock.now_ms(), GONE).await?;
            let run = PostedRun { id, conclusion: Some("cancelled".to_owned()) };
            self.store.posted(job, &run).await?;
        }
        Ok(())
    }

    async fn publish_run(
        &self,
        repository: &Repository,
        job: &Job,
        posting: &mut Posting,
        report: &Report,
    ) -> Result<(), Stop> {
        self.prove(job).await?;
        self.adopt(repository, posting).await?;
        let mut output = report.check_run();
        output.annotations.truncate(MAX_ANNOTATIONS);
        let id = match self.complete(repository, posting, report.conclusion, &output).await {
            Err(github::Error::Unprocessable { message }) if !is_commit_gone(&message) => {
                tracing::error!(repository = %job.place.name, head = %job.head, %message, "GitHub refused a run's output; it is posted without");
                output = without_details(&output);
                self.complete(repository, posting, report.conclusion, &output).await?
            }
            other => other?,
        };
        let run = PostedRun { id, conclusion: Some(report.conclusion.as_str().to_owned()) };
        self.store.posted(job, &run).await?;
        let mut already = output.annotations.len().min(ANNOTATIONS_PER_REQUEST);
        for more in output.annotations[already..].chunks(ANNOTATIONS_PER_REQUEST) {
            repository.append(id, &output, already, more).await?;
            already += more.len();
        }
        self.prove(job).await
    }

    /// Completes the run in progress, or posts a completed one.
    async fn complete(
        &self,
        repository: &Repository,
        posting: &mut Posting,
        conclusion: Conclusion,
        output: &CheckRunOutput,
    ) -> Result<CheckRunId, github::Error> {
        let completion = Completion { conclusion: conclusion.as_str(), at_ms: self.clock.now_ms(), output };
        if let Some(id) = posting.run {
            match repository.complete_run(id, completion).await {
                Ok(()) => return Ok(id),
                Err(github::Error::NotFound { .. }) => posting.run = None,
                Err(error) => return Err(error),
            }
        }
        repository.post_completed_run(&posting.draft, completion).await
    }

    /// Takes over a run that an earlier attempt left in progress, if it is the newest; others are ended.
    async fn adopt(&self, repository: &Repository, posting: &mut Posting) -> Result<(), github::Error> {
        if !posting.look_first || posting.run.is_some() {
            return Ok(());
        }
        let unfinished = repository.unfinished_runs(&posting.draft).await?;
        for id in unfinished.shadowed {
            match repository.cancel_run(id, self.clock.now_ms(), SHADOWED).await {
                // It is gone already, or completed.
                Ok(()) | Err(github::Error::NotFound { .. } | github::Error::Unprocessable { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        posting.run = unfinished.newest;
        posting.look_first = false;
        Ok(())
    }

    async fn publish_comments(
        &self,
        repository: &Repository,
        job: &Job,
        comments: &[Comment],
    ) -> Result<(), Stop> {
        for comment in comments {
            let head = || self.store.head_of(job.place.id, comment.pull);
            // Of a head that was pushed over meanwhile, or of a pull request that was closed since GitHub
            // was asked, nothing is said any more.
            let asked = job.closing_since_ms(comment.pull);
            let current = head().await?.is_some_and(|(head, closing_ms)| {
                head == job.head && (closing_ms.is_none() || closing_ms == asked)
            });
            if !current {
                continue;
            }
            self.publish_comment(repository, job, comment).await?;
            if let Some((other, _)) = head().await?.filter(|(other, _)| *other != job.head) {
                // The new head may have been judged before this was written: it speaks last.
                self.want_pull(job, comment.pull, other).await?;
            }
        }
        Ok(())
    }

    async fn want_pull(&self, job: &Job, pull: PullNumber, head: Sha) -> Result<(), StoreError> {
        let change =
            PullChange { place: job.place.clone(), pull, head, open: true, announce: false, files: 0 };
        self.store.want(&[(Ask::Pull(change), self.clock.now_ms())], false).await
    }

    async fn publish_comment(
        &self,
        repository: &Repository,
        job: &Job,
        comment: &Comment,
    ) -> Result<(), Stop> {
        let pull = comment.pull;
        let settled = comment.new.is_none();
        // What is settled and says so already is left alone.
        if settled && (!comment.maybe_ours || comment.stored.is_some_and(|stored| stored.settled)) {
            return Ok(());
        }
        self.prove(job).await?;
        if comment.stored.is_some() || settled {
            return self.write_comment(repository, job, comment, comment.stored).await;
        }
        self.begin_comment(job, pull).await?;
        // Another head's judgement may have posted it since this one was fetched.
        let stored = self.store.comment(job.place.id, pull).await?;
        self.write_comment(repository, job, comment, stored).await?;
        self.store.end_comment(job.place.id, pull, &job.head).await?;
        Ok(())
    }

    async fn begin_comment(&self, job: &Job, pull: PullNumber) -> Result<(), Stop> {
        let now_ms = self.clock.now_ms();
        let until_ms = now_ms.saturating_add(self.settings.lease_ms);
        match self.store.begin_comment(job.place.id, pull, &job.head, now_ms, until_ms).await? {
            None => Ok(()),
            Some(until_ms) => Err(Stop::Commenting { until_ms }),
        }
    }

    async fn write_comment(
        &self,
        repository: &Repository,
        job: &Job,
        comment: &Comment,
        stored: Option<KeptComment>,
    ) -> Result<(), Stop> {
        let (pull, settled) = (comment.pull, comment.new.is_none());
        let ours = match stored {
            Some(stored) => Some(stored.id),
            None if comment.maybe_ours => repository.find_comment(pull, COMMENT_MARKER).await?,
            None => None,
        };
        if let (Some(id), Some(body)) = (ours, &comment.edited) {
            match repository.edit_comment(id, body).await? {
                Some(node) => {
                    // Of one that was found nobody knows whether it is folded.
                    if settled || stored.is_none_or(|stored| stored.settled) {
                        self.fold(repository, job, &node, settled).await?;
                    }
                    let kept = KeptComment { id, settled };
                    if stored != Some(kept) {
                        self.store.set_comment(job.place.id, pull, Some(kept)).await?;
                    }
                    return Ok(());
                }
                None => self.store.set_comment(job.place.id, pull, None).await?,
            }
        }
        if let Some(body) = &comment.new {
            let id = repository.post_comment(pull, body).await?;
            let kept = KeptComment { id, settled: false };
            self.store.set_comment(job.place.id, pull, Some(kept)).await?;
        }
        Ok(())
    }

    /// Folds a comment away, or shows it again. Where GitHub does not allow it, the comment
    /// says all the same what it says.
    async fn fold(
        &self,
        repository: &Repository,
        job: &Job,
        comment: &CommentNode,
        folded: bool,
    ) -> Result<(), github::Error> {
        match repository.fold_comment(comment, folded).await {
            Err(error) if !error.repeatable() => {
                tracing::warn!(repository = %job.place.name, head = %job.head, %error, "a comment was not folded");
                Ok(())
            }
            other => other,
        }
    }

    /// Proves that the lease is ours, and extends it.
    async fn prove(&self, job: &Job) -> Result<(), Stop> {
        let until_ms = self.clock.now_ms().saturating_add(self.settings.lease_ms);
        if self.store.renew(job, until_ms).await? { Ok(()) } else { Err(Stop::Lost) }
    }

    pub(super) fn tried_enough(&self, job: &Job) -> bool {
        job.attempts.saturating_add(1) >= self.settings.judging_attempts
    }

    /// Publishing is tried until it is known that nobody can be told.
    fn stopped(&self, job: &Job, stop: Stop) -> Outcome {
        match stop {
            Stop::Lost => Outcome::Lost,
            Stop::Commenting { until_ms } => {
                Outcome::Again { not_before_ms: Some(until_ms), error: stop.to_string() }
            }
            Stop::Store(error) => Outcome::Again { not_before_ms: None, error: error.to_string() },
            Stop::GitHub(error) => match &error {
                github::Error::Unprocessable { .. } => Outcome::Unreportable(error.to_string()),
                _ if error.is_shut() => Outcome::Unreportable(error.to_string()),
                github::Error::NotFound { .. } if self.tried_enough(job) => {
                    Outcome::Unreportable(error.to_string())
                }
                _ => Outcome::Again { not_before_ms: error.retry_at_ms(), error: error.to_string() },
            },
        }
    }
}

/// What one pull request's comment would say.
struct Comment {
    pull: PullNumber,
    stored: Option<KeptComment>,
    /// What a comment that stands is changed to.
    edited: Option<String>,
    /// What is posted where none stands; `None` when there is nothing to say.
    new: Option<String>,
    /// One of ours may stand.
    maybe_ours: bool,
}

impl Comment {
    fn of(judged: &Judged) -> Option<Comment> {
        let conversation = judged.conversation.as_ref()?;
        let new = judged.report.comment(false);
        let maybe_ours = conversation.comment.is_some()
            || match &conversation.comments {
                Some(bodies) => bodies.iter().any(|body| body.starts_with(COMMENT_MARKER)),
                // Many comments are searched before one is posted, and not for a pass.
                None => new.is_some(),
            };
        Some(Comment {
            pull: conversation.pull,
            stored: conversation.comment,
            edited: judged.report.comment(true),
            new,
            maybe_ours,
        })
    }
}

/// GitHub's words for a commit that it does not have (any more).
fn is_commit_gone(message: &str) -> bool {
    message.to_ascii_lowercase().contains("no commit found")
}

/// The same result in a form that cannot be refused.
fn without_details(output: &CheckRunOutput) -> CheckRunOutput {
    CheckRunOutput {
        title: output.title.chars().take(100).collect(),
        summary:
            "GitHub refused the details of this result; the conclusion stands. Run `fromguard check` in the \
                  repository to see them, and report this to who runs fromguard."
                .to_owned(),
        text: None,
        annotations: Vec::new(),
    }
}
