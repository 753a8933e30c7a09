//! One repository: whether the App reaches it, its policy, and whether its default branch requires
//! the check from this App.

use fromguard_core::day::Day;
use fromguard_core::policy::Policies;
use fromguard_core::policy::PolicyFile;
use fromguard_core::policy::REPOSITORY_POLICY_PATH;

use crate::doctor::Line;
use crate::doctor::Subject;
use crate::doctor::policy;
use crate::doctor::unasked;
use crate::github::Error;
use crate::github::GitHub;
use crate::github::fetch::policies_in_force;
use crate::github::inspect::RequiredCheck;
use crate::github::publish::CHECK_RUN_NAME;
use crate::ids::RepositoryName;

pub(super) async fn examine(github: &GitHub, name: &RepositoryName, subject: &Subject) -> Vec<Line> {
    let found = match github.find(name).await {
        Ok(found) => found,
        Err(Error::NotFound { .. }) => {
            return vec![Line::fail(
                "repository",
                format!("The App is not installed on {name}, or there is no such repository."),
                format!("Add it to the installation on {}, or install the App there.", name.owner),
            )];
        }
        Err(error) => return vec![unasked("repository", &name.to_string(), &error, None, subject)],
    };
    let name = found.repository.place().name.clone();
    let branch = &found.default_branch;
    if found.archived {
        return vec![Line::warn(
            "repository",
            format!("{name} is archived: nothing is judged there."),
            "Nothing, unless it is to be used again.",
        )];
    }
    let day = Day::from_unix_ms(subject.clock.now_ms());
    let (policies, by_rules, by_protection) = futures_util::join!(
        policies_in_force(&found.repository, branch, day),
        found.repository.checks_required_by_rules(branch),
        found.repository.checks_required_by_protection(branch),
    );
    let mut lines = vec![match policies {
        Ok(policies) => repository_policy(&name, branch, &policies, day),
        Err(error) => unasked("policy", &format!("The policy of {name}"), &error, None, subject),
    }];
    let what = format!("What {name} requires of {branch}");
    let mut required = Vec::new();
    let mut all_known = true;
    for part in [by_rules, by_protection] {
        match part {
            Ok(checks) => required.extend(checks.into_iter().filter(|check| check.name == CHECK_RUN_NAME)),
            Err(error) => {
                all_known = false;
                lines.push(unasked("required check", &what, &error, None, subject));
            }
        }
    }
    if all_known || !required.is_empty() {
        lines.extend(required_check(&name, branch, &required, subject.github.app_id));
    }
    lines
}

fn repository_policy(name: &RepositoryName, branch: &str, policies: &Policies, day: Day) -> Line {
    const CHECK: &str = "policy";
    let place = format!("{name}/{REPOSITORY_POLICY_PATH}");
    if let Some(line) = policy::examine(CHECK, &place, &policies.repository, day) {
        return line;
    }
    match policies.organisation {
        PolicyFile::Absent => Line::warn(
            CHECK,
            format!(
                "There is no policy for {name}: neither {REPOSITORY_POLICY_PATH} on {branch} nor an organisation's. \
                 The check is neutral and lets everything pass."
            ),
            format!("Write {REPOSITORY_POLICY_PATH}; docs/policy.md says how to begin."),
        ),
        _ => Line::ok(CHECK, format!("{name} has no policy of its own: the organisation's counts.")),
    }
}

/// What a branch requires of our check, and of whom.
fn required_check(name: &RepositoryName, branch: &str, required: &[RequiredCheck], app_id: u64) -> Vec<Line> {
    const CHECK: &str = "required check";
    if required.is_empty() {
        return vec![Line::warn(
            CHECK,
            format!(
                "{branch} of {name} does not require the check {CHECK_RUN_NAME}: what it refuses can be merged."
            ),
            format!(
                "Require {CHECK_RUN_NAME} in a ruleset or the branch's protection, with this App as its expected source."
            ),
        )];
    }
    let mut lines = Vec::new();
    for other in required.iter().filter(|check| check.app.is_some_and(|app| app != app_id)) {
        let app = other.app.unwrap_or_default();
        lines.push(Line::fail(
            CHECK,
            format!(
                "{branch} of {name} waits for {CHECK_RUN_NAME} from another App, number {app} ({}): nothing can be merged.",
                other.by
            ),
            format!("Choose this App, number {app_id}, as the check's expected source there."),
        ));
    }
    let ours = required.iter().find(|check| check.app == Some(app_id));
    match (ours, required.iter().find(|check| check.app.is_none())) {
        (Some(ours), _) => lines.push(Line::ok(
            CHECK,
            format!("{branch} of {name} requires {CHECK_RUN_NAME} from this App ({}).", ours.by),
        )),
        (None, Some(open)) => lines.push(Line::fail(
            CHECK,
            format!(
                "{branch} of {name} requires {CHECK_RUN_NAME} from anybody ({}): who may write can post a check of that \
                 name and merge.",
                open.by
            ),
            "Choose this App as the check's expected source there.",
        )),
        (None, None) => {}
    }
    lines
}
