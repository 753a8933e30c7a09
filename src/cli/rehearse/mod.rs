//! `fromguard rehearse`: the whole path on this machine. The real server, store
//! and worker run against the stand-in for GitHub, over real HTTP; what is shown
//! is what the stand-in was told, nothing else.

mod markdown;
mod sample;
mod show;
mod stage;
mod trust;

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use anyhow::bail;
use fromguard_core::report::Style;

use crate::cli::Outcome;
use crate::cli::files;
use crate::cli::print;
use crate::cli::rehearse::show::Scene;
use crate::cli::rehearse::stage::Stage;
use crate::cli::serve;
use crate::local::Repository;
use crate::standin::MergeBox;
use crate::standin::PullPlace;

/// Show what GitHub would show for a pull request, end to end on this machine.
///
/// Starts the real server and a stand-in for GitHub on loopback, opens a pull
/// request, delivers its signed webhook, and shows the check run, its
/// annotations, the comment, the merge box and what it cost. Without --repo a
/// sample pull request is shown and then mended.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Take this git repository; it is only read.
    #[arg(long, value_name = "PATH")]
    repo: Option<PathBuf>,
    /// The branch or commit that the pull request goes to (default: the branch
    /// that origin/HEAD names, or else main or master).
    #[arg(long, value_name = "REV", requires = "repo")]
    base: Option<String>,
    /// The branch or commit that the pull request comes from (default: HEAD).
    #[arg(long, value_name = "REV", requires = "repo")]
    head: Option<String>,
    /// Take this file for the organisation's policy.
    #[arg(long, value_name = "FILE", requires = "repo")]
    org_policy: Option<PathBuf>,
    /// Leave the server and the stand-in running until interrupted.
    #[arg(long)]
    keep: bool,
    /// Show a scenario on recorded facts instead of a pull request.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["repo", "keep"])]
    scenario: Option<Scenario>,
}

/// The scenarios.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Scenario {
    /// Who stands behind an image: five images, five outcomes, five explanations.
    Trust,
}

const EXAMPLES: &str = "\
Examples:
  fromguard rehearse                                         the sample
  fromguard rehearse --repo . --base main --head my-branch   a branch of yours
  fromguard rehearse --repo . --org-policy fromguard.yml     under a policy you are writing
  fromguard rehearse --scenario trust                        who stands behind an image

Exit status: 0 the pull request (the mended one of the sample) can be merged, 1 it is blocked, 2 wrong input.";

/// Where a branch usually goes, in the order asked.
const USUAL_BASES: [&str; 5] = ["origin/HEAD", "origin/main", "origin/master", "main", "master"];

/// The name that the pull request's base branch has in the stand-in.
const BASE_BRANCH: &str = "main";

pub(super) fn run(args: &Args, style: Style) -> anyhow::Result<Outcome> {
    if let Some(Scenario::Trust) = args.scenario {
        print(&trust::show(style)?)?;
        return Ok(Outcome::Pass);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match &args.repo {
            Some(path) => rehearse_yours(args, path, style).await,
            None => rehearse_sample(args, style).await,
        }
    })
}

async fn rehearse_sample(args: &Args, style: Style) -> anyhow::Result<Outcome> {
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let path = folder.path().join("shop.git");
    let sample = sample::build(&path)?;
    let stage = Stage::set("acme/shop", &path, None).await?;
    print(&show::opening(&stage.standin, "a sample"))?;

    let pull = stage.standin.open_pull_request("acme/shop", sample::BASE_BRANCH, &sample.opened.0)?;
    let before =
        act(&stage, &pull, "A pull request brings in three sources it should not", &path, style).await?;
    stage.standin.push(&pull, &sample.mended.0)?;
    let after = act(&stage, &pull, "A second push mends it", &path, style).await?;
    if before == MergeBox::Mergeable || after != MergeBox::Mergeable {
        bail!(
            "the sample must be blocked first and open after the second push: this is a defect in fromguard"
        );
    }
    curtain(stage, args.keep, &after).await
}

async fn rehearse_yours(args: &Args, path: &Path, style: Style) -> anyhow::Result<Outcome> {
    let repository = Repository::open(path)?;
    if args.head.is_none() && repository.commit("HEAD").is_err() {
        bail!("{} has no commit yet on the branch that HEAD names; say --head REV", path.display());
    }
    let base = match &args.base {
        Some(base) => base.clone(),
        None => match USUAL_BASES.iter().find(|base| repository.commit(base).is_ok()) {
            Some(base) => (*base).to_owned(),
            None => bail!("which branch does the pull request go to? Say it with --base REV"),
        },
    };
    let head = args.head.clone().unwrap_or_else(|| "HEAD".to_owned());
    let (base_sha, head_sha) = (repository.commit(&base)?.sha(), repository.commit(&head)?.sha());
    if base_sha == head_sha {
        bail!(
            "{base} and {head} are the same commit, {base_sha}: there is nothing to request; say --base and --head"
        );
    }
    let organisation = match &args.org_policy {
        Some(file) => Some(files::named_policy(file)?.text().to_owned()),
        None => None,
    };
    let root = repository.root().to_path_buf();
    let name = root.canonicalize().unwrap_or_else(|_| root.clone());
    let name = name.file_name().map_or_else(|| "repository".into(), |name| name.to_string_lossy());
    let name = format!("acme/{}", name.trim_end_matches(".git").trim_start_matches('.'));
    drop(repository);

    let stage = Stage::set(&name, &root, organisation.as_deref()).await?;
    stage.standin.set_branch(&name, BASE_BRANCH, &base_sha)?;
    stage.standin.set_default_branch(&name, BASE_BRANCH)?;
    print(&show::opening(&stage.standin, &root.display().to_string()))?;
    let pull = stage.standin.open_pull_request(&name, BASE_BRANCH, &head_sha)?;
    let title = format!("A pull request from {head} ({}) to {base} ({})", &head_sha[..10], &base_sha[..10]);
    let merge_box = act(&stage, &pull, &title, &root, style).await?;
    curtain(stage, args.keep, &merge_box).await
}

/// Delivers what waits, lets the server work it off and shows what GitHub has then.
async fn act(
    stage: &Stage,
    pull: &PullPlace,
    title: &str,
    git: &Path,
    style: Style,
) -> anyhow::Result<MergeBox> {
    let played = stage.play().await?;
    let repository = Repository::open(git)?;
    let scene = Scene::look(&stage.standin, pull, title, &played, &repository)?;
    print(&scene.text(style))?;
    Ok(scene.merge_box)
}

async fn curtain(stage: Stage, keep: bool, merge_box: &MergeBox) -> anyhow::Result<Outcome> {
    if keep {
        print(&show::kept(&stage.standin, &stage.server_url))?;
        serve::stop_signal().context("signals cannot be waited for")?.await;
    }
    stage.strike().await?;
    Ok(match merge_box {
        MergeBox::Mergeable => Outcome::Pass,
        _ => Outcome::Refused,
    })
}
