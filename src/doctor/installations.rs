//! Where the App is installed: what each account has accepted, what it has left of its limits,
//! and its organisation's policy.

use fromguard_core::day::Day;
use fromguard_core::policy::ORGANISATION_POLICY_PATH;
use futures_util::StreamExt as _;
use futures_util::stream;

use crate::doctor::CONCURRENCY;
use crate::doctor::Line;
use crate::doctor::Subject;
use crate::doctor::manifest::Manifest;
use crate::doctor::policy;
use crate::doctor::time;
use crate::doctor::unasked;
use crate::github::Error;
use crate::github::GitHub;
use crate::github::ORGANISATION_REPOSITORY;
use crate::github::fetch::policies_in_force;
use crate::github::inspect::AppFacts;
use crate::github::inspect::InstallationFacts;
use crate::github::inspect::Left;
use crate::github::inspect::Limits;
use crate::ids::RepositoryName;

/// How many installations' limits and policies are looked at.
const LOOKED_INTO_MAX: usize = 50;
/// What of a limit may be left, in percent, before it is said.
const LEFT_LOW_PERCENT: u64 = 20;

pub(super) async fn examine(
    github: &GitHub,
    app: Option<&AppFacts>,
    installed: &[InstallationFacts],
    subject: &Subject,
) -> Vec<Line> {
    let mut lines = Vec::new();
    for installation in installed {
        lines.extend(accepted(installation, app));
    }
    if installed.is_empty() {
        let page = app.map(|app| format!(" at {}/installations/new", app.html_url)).unwrap_or_default();
        return vec![Line::warn(
            "installations",
            "The App is installed nowhere.",
            format!("Install it on the organisation{page}."),
        )];
    }
    if lines.is_empty() {
        let named: Vec<&str> = installed.iter().take(5).map(|it| it.account.login.as_str()).collect();
        let more = if installed.len() > named.len() { ", …" } else { "" };
        lines.push(Line::ok(
            "installations",
            format!("Installed on {}{more}: none suspended, everything accepted.", named.join(", ")),
        ));
    }
    let active: Vec<&InstallationFacts> = installed.iter().filter(|it| it.suspended_at.is_none()).collect();
    let looked_into = &active[..active.len().min(LOOKED_INTO_MAX)];
    if looked_into.len() < active.len() {
        lines.push(Line::warn(
            "installations",
            format!("Limits and policies of the first {LOOKED_INTO_MAX} of {} are looked at.", active.len()),
            "Name repositories of the others with --repo.",
        ));
    }
    let asked: Vec<_> = stream::iter(looked_into.iter().copied())
        .map(|installation| async move {
            // The limits first: what is asked next is part of what is spent.
            let limits = github.limits(installation.id).await;
            let policy = organisation_policy(github, installation, subject).await;
            (installation, limits, policy)
        })
        .buffered(CONCURRENCY)
        .collect()
        .await;
    let mut least: Option<(u64, &InstallationFacts, Limits)> = None;
    let mut policies = Vec::new();
    let mut unlimited = false;
    for (installation, limits, policy) in asked {
        match limits {
            Ok(None) => unlimited = true,
            Ok(Some(limits)) => {
                let percent = percent(limits.rest).min(percent(limits.graphql));
                if percent < LEFT_LOW_PERCENT {
                    lines.push(low(installation, limits));
                } else if least.as_ref().is_none_or(|(known, ..)| percent < *known) {
                    least = Some((percent, installation, limits));
                }
            }
            Err(error) => {
                let what = format!("The limits of {}", installation.account.login);
                lines.push(unasked("limits", &what, &error, None, subject));
            }
        }
        policies.push(policy);
    }
    if let Some((_, installation, limits)) = least {
        let most = if looked_into.len() > 1 { " has the least left" } else { " has enough left" };
        let left = left(limits);
        lines
            .push(Line::ok("limits", format!("{}{most} of its limits: {left}.", installation.account.login)));
    }
    if unlimited {
        lines.push(Line::ok("limits", "This GitHub Enterprise Server sets no limits."));
    }
    lines.extend(policies);
    lines
}

/// What keeps an installation from working.
fn accepted(installation: &InstallationFacts, app: Option<&AppFacts>) -> Vec<Line> {
    let InstallationFacts { account, html_url, permissions, .. } = installation;
    let account = &account.login;
    if let Some(since) = &installation.suspended_at {
        return vec![Line::fail(
            "installations",
            format!(
                "The installation on {account} is suspended since {since}: its pull requests get no result."
            ),
            format!("Unsuspend it at {html_url}, or let no rule require the check there."),
        )];
    }
    // What the App does not ask for is said of the App.
    let asked_for = |name: &str| app.is_none_or(|app| app.permissions.contains_key(name));
    let manifest = Manifest::bundled();
    let missing: Vec<String> = manifest
        .missing(permissions)
        .into_iter()
        .filter(|(name, _)| asked_for(name))
        .map(|(name, level)| format!("{name}: {level}"))
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    vec![Line::fail(
        "installations",
        format!("{account} has not accepted what the App asks for now: {}.", missing.join(", ")),
        format!("Let an owner of {account} review the request at {html_url}."),
    )]
}

fn percent(left: Left) -> u64 {
    left.remaining.saturating_mul(100) / left.limit.max(1)
}

fn left(limits: Limits) -> String {
    let Limits { rest, graphql } = limits;
    format!(
        "{} of {} requests, {} of {} GraphQL points",
        rest.remaining, rest.limit, graphql.remaining, graphql.limit
    )
}

fn low(installation: &InstallationFacts, limits: Limits) -> Line {
    let account = &installation.account.login;
    let scarce = if percent(limits.rest) <= percent(limits.graphql) { limits.rest } else { limits.graphql };
    let until = time(scarce.reset_ms);
    let message = format!("{account} has little left of its limits: {}.", left(limits));
    let remedy = format!(
        "Judgements wait when nothing is left, until {until} at the latest. See what else uses the App's key; \
         a larger organisation has larger limits."
    );
    match scarce.remaining {
        0 => Line::fail("limits", message, remedy),
        _ => Line::warn("limits", message, remedy),
    }
}

/// The policy of an organisation, read as a judgement of a pull request reads it.
async fn organisation_policy(github: &GitHub, installation: &InstallationFacts, subject: &Subject) -> Line {
    const CHECK: &str = "organisation policy";
    let account = &installation.account.login;
    let place = format!("{account}/{ORGANISATION_REPOSITORY}/{ORGANISATION_POLICY_PATH}");
    let name = RepositoryName { owner: account.clone(), name: ORGANISATION_REPOSITORY.to_owned() };
    let day = Day::from_unix_ms(subject.clock.now_ms());
    let none = || {
        let message =
            format!("There is no {place}: of {account}, each repository's own policy counts alone.");
        Line::ok(CHECK, message)
    };
    let found = match github.find(&name).await {
        Ok(found) => found,
        Err(Error::NotFound { .. }) if installation.repository_selection == "all" => return none(),
        Err(Error::NotFound { .. }) => {
            return Line::warn(
                CHECK,
                format!(
                    "{account}/{ORGANISATION_REPOSITORY} does not exist or is not among the repositories selected for \
                     the App: no organisation's policy counts."
                ),
                format!("If there is a {place}, add that repository at {}.", installation.html_url),
            );
        }
        Err(error) => return unasked(CHECK, &format!("The policy {place}"), &error, None, subject),
    };
    match policies_in_force(&found.repository, &found.default_branch, day).await {
        Ok(policies) => policy::examine(CHECK, &place, &policies.organisation, day).unwrap_or_else(none),
        Err(error) => unasked(CHECK, &format!("The policy {place}"), &error, None, subject),
    }
}
