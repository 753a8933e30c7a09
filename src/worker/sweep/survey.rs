//! Looks through installations and repositories, and wants judged what has no result.

use std::collections::HashSet;

use crate::github::FoundBranch;
use crate::github::FoundGroup;
use crate::github::FoundPull;
use crate::ids::RepositoryId;
use crate::ids::RepositoryPlace;
use crate::ids::Sha;
use crate::store::Ask;
use crate::store::PullChange;
use crate::store::Rerun;
use crate::store::Survey;
use crate::store::SurveyWish;
use crate::store::Tip;
use crate::store::TipChange;
use crate::worker::sweep::SECOND_MS;
use crate::worker::sweep::SweepError;
use crate::worker::sweep::Sweeper;

/// How far apart the repositories of an installation are looked through. A look costs four of
/// the 5,000 points that an installation has in an hour, at the least: this leaves others 2,000 of them.
const BETWEEN_REPOSITORIES_MS: i64 = 5 * SECOND_MS;
/// How far apart judgements start that nobody waits for.
const BETWEEN_JUDGEMENTS_MS: i64 = 2 * SECOND_MS;
/// How far apart installations are begun with.
const BETWEEN_INSTALLATIONS_MS: i64 = SECOND_MS;

impl Sweeper {
    /// Wants every installation looked through.
    pub(super) async fn want_every_installation(&self) -> Result<(), SweepError> {
        let installations = self.github.installations().await?;
        let now_ms = self.clock.now_ms();
        let wish = |installation| SurveyWish { first_run: false, ..SurveyWish::first(installation) };
        let spread = installations.into_iter().zip((0..).map(|n: i64| now_ms + n * BETWEEN_INSTALLATIONS_MS));
        let wishes: Vec<_> = spread.map(|(installation, at_ms)| (wish(installation), at_ms)).collect();
        Ok(self.store.want_surveys(&wishes).await?)
    }

    pub(super) async fn survey(&self, survey: &Survey) -> Result<(), SweepError> {
        match survey.place() {
            Some(place) => self.survey_repository(survey, &place).await,
            None => self.survey_installation(survey).await,
        }
    }

    /// Wants every repository looked through: first where pull requests are known to be open,
    /// then those that were pushed to last.
    async fn survey_installation(&self, survey: &Survey) -> Result<(), SweepError> {
        let installation = survey.wish.installation;
        let mut reached = self.github.repositories(installation).await?;
        let busy: HashSet<RepositoryId> =
            self.store.busy_repositories(installation).await?.into_iter().collect();
        reached.sort_by(|one, other| other.pushed_at.cmp(&one.pushed_at));
        reached.sort_by_key(|reached| !busy.contains(&reached.id));
        let now_ms = self.clock.now_ms();
        let spread = reached.into_iter().zip((0..).map(|n: i64| now_ms + n * BETWEEN_REPOSITORIES_MS));
        let wishes: Vec<_> = spread
            .map(|(reached, at_ms)| {
                (SurveyWish { repository: Some((reached.id, reached.name)), ..survey.wish.clone() }, at_ms)
            })
            .collect();
        Ok(self.store.want_surveys(&wishes).await?)
    }

    /// Wants judged what has no result: merge groups first, then pull requests, the newest first.
    async fn survey_repository(&self, survey: &Survey, place: &RepositoryPlace) -> Result<(), SweepError> {
        self.store.want_stock(&[(place.clone(), self.clock.now_ms())]).await?;
        let found = self.github.repository(place.clone()).survey(survey.wish.base.as_deref()).await?;
        let again = survey.wish.again;
        let for_base = |group: &FoundGroup| match &survey.wish.base {
            Some(base) => group.base_branch.strip_prefix("refs/heads/") == Some(base),
            None => true,
        };
        let groups = found.groups.into_iter().filter(for_base);
        let groups = groups.filter(|group| again || !group.tip.concluded);
        let pulls: Vec<FoundPull> =
            found.pulls.into_iter().filter(|pull| again || !pull.concluded || pull.unfinished).collect();
        let unfinished: HashSet<Sha> =
            pulls.iter().filter(|pull| pull.unfinished).map(|pull| pull.head.clone()).collect();
        let first_run =
            found.default_branch.filter(|branch| survey.wish.first_run && !branch.concluded).into_iter();
        let asks = groups
            .map(|group| group_ask(place, group))
            .chain(first_run.map(|branch| branch_ask(place, branch)))
            .chain(pulls.into_iter().map(|pull| pull_ask(place, pull)));
        let now_ms = self.clock.now_ms();
        let asks: Vec<_> = asks.zip((0..).map(|n: i64| now_ms + n * BETWEEN_JUDGEMENTS_MS)).collect();
        if !asks.is_empty() {
            tracing::info!(repository = %place.name, commits = asks.len(), again, "a survey wants commits judged");
            // At once: in between, a judgement might begin that does not look.
            let left: Vec<_> =
                asks.iter().filter_map(|(ask, at_ms)| Some((left_ask(ask, &unfinished)?, *at_ms))).collect();
            let asks: Vec<_> = asks.into_iter().chain(left).collect();
            self.store.want(&asks, !again).await?;
        }
        Ok(())
    }
}

fn pull_ask(place: &RepositoryPlace, found: FoundPull) -> Ask {
    let FoundPull { pull, head, .. } = found;
    Ask::Pull(PullChange { place: place.clone(), pull, head, open: true, announce: false, files: 0 })
}

/// Where a run was left in progress, the judgement is to look for it, as one that is asked for again does.
fn left_ask(ask: &Ask, unfinished: &HashSet<Sha>) -> Option<Ask> {
    let Ask::Pull(PullChange { place, head, .. }) = ask else { return None };
    unfinished.contains(head).then(|| Ask::Rerun(Rerun { place: place.clone(), head: head.clone() }))
}

fn group_ask(place: &RepositoryPlace, found: FoundGroup) -> Ask {
    let FoundGroup { tip, base, base_branch } = found;
    let branch = Tip { branch: tip.branch, base, base_branch };
    Ask::Tip(TipChange { place: place.clone(), tip: branch, head: tip.head, open: true })
}

/// A branch is judged against itself: nothing is changed, and the policy is read.
fn branch_ask(place: &RepositoryPlace, found: FoundBranch) -> Ask {
    let FoundBranch { branch, head, .. } = found;
    let tip = Tip { base_branch: branch.clone(), branch, base: head.clone() };
    Ask::Tip(TipChange { place: place.clone(), tip, head, open: true })
}
