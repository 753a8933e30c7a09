//! `fromguard check`: a tree, or what a branch changed, judged by the policy.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;
use clap::ValueEnum;
use fromguard_core::day::Day;
use fromguard_core::policy::Found;
use fromguard_core::policy::Policies;
use fromguard_core::policy::REPOSITORY_POLICY_PATH;
use fromguard_core::report;
use fromguard_core::report::Report;
use fromguard_core::report::Style;
use fromguard_core::report::Subject;
use fromguard_core::source::RepoPath;

use crate::cli::Outcome;
use crate::cli::ci;
use crate::cli::files;
use crate::cli::online;
use crate::cli::print;
use crate::local::Change;
use crate::local::WorkingTree;

/// Judge image sources by the policy.
///
/// The policy is PATH/.github/fromguard.yml, taken from REV when --base is
/// given, so that no change is judged by a policy of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The folder to judge.
    #[arg(default_value = ".", hide_default_value = true)]
    path: PathBuf,
    /// Judge what changed since this revision (since the merge base with it, as
    /// a pull request is), by the policy that stands there.
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Take this file for the repository's policy.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Take this file for the organisation's policy; there is none otherwise.
    #[arg(long, value_name = "FILE")]
    org_policy: Option<PathBuf>,
    /// The day, as YYYY-MM-DD in UTC, on which exceptions are to be in force
    /// (today if not given).
    #[arg(long, value_name = "DATE", value_parser = files::day)]
    as_of: Option<Day>,
    /// Ask registries for what only they know: what a tag stands for, a publisher's badge.
    #[arg(long)]
    online: bool,
    /// A folder of scan results, each named by the digest of its image:
    /// sha256-….json of Trivy or Grype, or sha256-….sarif.
    #[arg(long, value_name = "DIR")]
    scans: Option<PathBuf>,
    /// How the result is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  fromguard check                                      judge everything below this folder
  fromguard check --base origin/main                   judge what this branch changed
  fromguard check --policy ../policies/fromguard.yml   with a policy from elsewhere

Exit status: 0 success or neutral (no policy), 1 failure or action_required, 2 a broken policy or wrong input.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Code frames for people.
    Text,
    /// One JSON document, version 1.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Workflow commands of GitHub Actions: annotations on the pull request.
    Github,
}

pub(super) fn run(args: &Args, style: Style) -> anyhow::Result<Outcome> {
    refuse_own_policy(args)?;
    let subject = subject(args)?;
    let report = online::judge(subject, args.online, args.scans.as_deref())?;
    print(&match args.format {
        Format::Text => report::check_text(&report, style),
        Format::Json => report::check_json(&report),
        Format::Sarif => report::check_sarif(&report, env!("CARGO_PKG_VERSION")),
        Format::Github => report::check_workflow_commands(&report),
    })?;
    Ok(outcome(&report))
}

fn outcome(report: &Report) -> Outcome {
    if report.policy_is_broken() {
        Outcome::Invalid
    } else if report.conclusion.blocks() {
        Outcome::Refused
    } else {
        Outcome::Pass
    }
}

/// In CI, a pull request must not be judged by the policy that it brings along.
fn refuse_own_policy(args: &Args) -> anyhow::Result<()> {
    let Some(branch) = ci::target_branch(|name| std::env::var(name).ok()) else { return Ok(()) };
    let mut named = [&args.policy, &args.org_policy].into_iter().flatten();
    if args.base.is_some() || named.any(|file| files::is_outside(file, &args.path)) {
        return Ok(());
    }
    let path = match args.path.to_str() {
        Some(".") | None => String::new(),
        Some(path) => format!(" {path}"),
    };
    bail!(
        "this runs for a pull request, whose own files hold the policy: it would be judged by what it says itself\n\
         write: fromguard check{path} --base origin/{branch}\n\
         (or name a policy from outside of PATH with --policy or --org-policy)"
    )
}

fn subject(args: &Args) -> anyhow::Result<Subject> {
    let tree = WorkingTree::open(&args.path)?;
    if !args.path.is_dir() {
        bail!("{} is a file; check takes the folder whose policy is to be used", args.path.display());
    }
    let named = |file: &Option<PathBuf>| -> anyhow::Result<Option<Found>> {
        file.as_ref().map(|file| files::named_policy(file).map(Found::File)).transpose()
    };
    let day = args.as_of.unwrap_or_else(files::today);
    let organisation = named(&args.org_policy)?.unwrap_or(Found::Absent);
    let repository = named(&args.policy)?;
    let path = RepoPath::new(REPOSITORY_POLICY_PATH);
    let Some(revision) = &args.base else {
        let repository = repository.unwrap_or_else(|| Found::from_content(&path, tree.read(&path)));
        return Ok(Subject {
            head: tree.scan(),
            base: None,
            touched: None,
            policies: Policies::load(organisation, repository, day),
            proposed: None,
            evidence: Arc::default(),
            notices: Vec::new(),
            approvals: Vec::new(),
        });
    };
    let change = Change::read(&args.path, &tree, revision, &path)?;
    let edits_policy = repository.is_none() && change.touched.contains(&path);
    let repository = repository.unwrap_or_else(|| Found::from_content(&path, change.file_at_tip));
    let policies = Policies::load(organisation, repository, day);
    let proposed = match edits_policy {
        true => files::proposed_policy(&policies, &path, change.file_at_head),
        false => None,
    };
    Ok(Subject {
        head: change.head,
        base: Some(change.base),
        touched: Some(change.touched),
        policies,
        proposed,
        evidence: Arc::default(),
        notices: Vec::new(),
        approvals: Vec::new(),
    })
}
