//! Who of those that a policy names as reviewers approves a pull request.
//!
//! A person is named by `@login`, a team by `@organisation/team`; whether an approver
//! is in a team is asked of GitHub, which tells only an App with `members: read`.
//! <https://docs.github.com/en/rest/teams/members#get-team-membership-for-a-user>

use fromguard_core::policy::Policies;
use fromguard_core::report::Approval;
use futures_util::StreamExt;
use futures_util::stream;
use serde::Deserialize;

use crate::github::client::Call;
use crate::github::client::segment;
use crate::github::error::Error;
use crate::github::fetch::change::Approver;
use crate::github::repository::Repository;

/// How many memberships are asked for at once.
const CONCURRENT: usize = 8;
/// How many memberships are asked for in all: approvers times teams.
const MAX_QUESTIONS: usize = 64;

/// The approvals that count, and what is to be said of those that cannot be told.
pub(super) async fn approvals(
    repository: &Repository,
    policies: &Policies,
    approvers: &[Approver],
) -> Result<(Vec<Approval>, Vec<String>), Error> {
    let reviewers = policies.reviewers();
    let mut approvals = Vec::new();
    let mut questions = Vec::new();
    for reviewer in reviewers {
        let name = reviewer.strip_prefix('@').unwrap_or(reviewer);
        match name.split_once('/') {
            None => approvals.extend(
                approvers
                    .iter()
                    .filter(|approver| approver.login.eq_ignore_ascii_case(name))
                    .map(|approver| approval(reviewer, approver)),
            ),
            Some((organisation, team)) => questions.extend(approvers.iter().map(|approver| Question {
                reviewer,
                organisation,
                team,
                approver,
            })),
        }
    }
    let mut notices = Vec::new();
    if questions.len() > MAX_QUESTIONS {
        notices.push(format!(
            "More than {MAX_QUESTIONS} memberships of teams are not looked up; the rest does not count."
        ));
        questions.truncate(MAX_QUESTIONS);
    }
    let asked: Vec<_> = questions.iter().map(|question| is_member(repository, question)).collect();
    let answers: Vec<Result<bool, Error>> = stream::iter(asked).buffered(CONCURRENT).collect().await;
    let mut forbidden = false;
    for (question, answer) in questions.iter().zip(answers) {
        match answer {
            Ok(true) => approvals.push(approval(question.reviewer, question.approver)),
            Ok(false) => {}
            Err(Error::Forbidden { .. }) => forbidden = true,
            Err(error) => return Err(error),
        }
    }
    if forbidden {
        notices.push(
            "An approval by a member of a team cannot be seen: the App lacks the permission `members: read`. \
             Accept it in the installation, or name reviewers by `@login`."
                .to_owned(),
        );
    }
    Ok((approvals, notices))
}

fn approval(reviewer: &str, approver: &Approver) -> Approval {
    Approval { reviewer: reviewer.to_owned(), by: approver.login.clone(), at: approver.at.clone() }
}

struct Question<'a> {
    reviewer: &'a str,
    organisation: &'a str,
    team: &'a str,
    approver: &'a Approver,
}

/// Whether the approver is an active member of the team; who was only invited is none.
async fn is_member(repository: &Repository, question: &Question<'_>) -> Result<bool, Error> {
    #[derive(Deserialize)]
    struct Membership {
        state: String,
    }

    let path = format!(
        "/orgs/{}/teams/{}/memberships/{}",
        segment(question.organisation),
        segment(question.team),
        segment(&question.approver.login)
    );
    match repository.rest(Call::get("the team membership", &path)).await {
        Ok(answer) => Ok(answer.json::<Membership>()?.state == "active"),
        Err(Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
