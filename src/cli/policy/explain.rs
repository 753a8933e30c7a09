//! `fromguard policy explain`: what the policy says of one image, and why.

use std::path::PathBuf;

use fromguard_core::image::ImageUse;
use fromguard_core::image::Role;
use fromguard_core::image::Stage;
use fromguard_core::policy::Verdict;
use fromguard_core::report;
use fromguard_core::report::Style;
use fromguard_core::source::RepoPath;
use fromguard_core::trust::Evidence;

use crate::cli::Outcome;
use crate::cli::policy::Reading;
use crate::cli::policy::default_policy;
use crate::cli::policy::require;
use crate::cli::print;

/// Say what the policy makes of an image, and what decided.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The reference, as a file would have it.
    image: String,
    /// The file that it stands in: places and exceptions have paths.
    #[arg(long, default_value = "Dockerfile")]
    path: String,
    /// What it is used for: a role of `fromguard scan`.
    #[arg(long, default_value = "final-stage", value_parser = role)]
    role: Role,
    /// Take this file for the repository's policy (.github/fromguard.yml if it exists and none is given).
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn run(args: &Args, style: Style) -> anyhow::Result<Outcome> {
    let file = default_policy(args.policy.as_deref());
    let Some(policies) = args.reading.policies(file.as_deref(), style)? else {
        return Ok(Outcome::Invalid);
    };
    require(&policies)?;
    let stage = match args.role {
        Role::BuildStage | Role::Frontend => Stage::Build,
        _ => Stage::Final,
    };
    let usage = ImageUse::supposed(&args.image, RepoPath::new(&args.path), args.role, stage);
    let judgement = policies.judge(&usage, &Evidence::none());
    print(&report::explain_text(&policies, &usage, judgement.as_ref()))?;
    Ok(match judgement.map(|judgement| judgement.verdict) {
        Some(Verdict::Pass) | None => Outcome::Pass,
        Some(Verdict::Undecided | Verdict::Review | Verdict::Fail) => Outcome::Refused,
    })
}

fn role(text: &str) -> Result<Role, String> {
    Role::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
        let known: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        format!("the roles are {}", known.join(", "))
    })
}
