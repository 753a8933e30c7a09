//! `fromguard doctor`: whether everything that `serve` needs is there.

use anyhow::Context;
use anyhow::bail;
use clap::ValueEnum;
use fromguard_core::report::Style;

use crate::cli::Outcome;
use crate::cli::print;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::Flags;
use crate::doctor;
use crate::doctor::Level;
use crate::doctor::Subject;
use crate::github;
use crate::github::Timeouts;
use crate::ids::RepositoryName;

/// What is said when nothing is set.
const NOT_SET_UP: &str = "\
there is nothing to look at: no App is set up in this environment

  1. Make a GitHub App with the permissions and events of app-manifest/manifest.json and with
     https://YOUR.HOST/webhook as its webhook, and install it.
  2. Set FROMGUARD_APP_ID, FROMGUARD_PRIVATE_KEY_FILE and FROMGUARD_WEBHOOK_SECRET, as for
     fromguard serve; docs/configuration.md lists them all.
  3. Start fromguard serve, and run fromguard doctor again.";

/// Look at everything that `serve` needs, and say what to do: the App's permissions and events, its webhook and
/// secret, clocks, limits, policies, the required check, the database. Exit status 1 if something is to be mended.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The settings are those of fromguard serve: run it with the same environment and flags. Nothing is \
    changed; a signed ping is sent to the App's webhook."
)]
pub(super) struct Args {
    /// A repository whose policy and required check are looked at too; may be given several times.
    #[arg(long = "repo", value_name = "OWNER/NAME", value_parser = repository)]
    repositories: Vec<RepositoryName>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(super) fn run(args: &Args, style: Style) -> anyhow::Result<Outcome> {
    let config = Config::from_environment(&args.flags)?;
    let Some(app) = config.app else { bail!(NOT_SET_UP) };
    let subject = Subject {
        github: github::Settings {
            timeouts: Timeouts::of(&config.github_api_url),
            api_url: config.github_api_url,
            app_id: app.id,
            private_key: app.private_key,
        },
        webhook_secrets: app.webhook_secrets,
        database_url: config.database_url,
        repositories: args.repositories.clone(),
        clock: Clock::system(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let checkup = runtime.context("the runtime did not start")?.block_on(doctor::examine(&subject))?;
    print(&match args.format {
        Format::Text => checkup.text(style),
        Format::Json => checkup.json(),
    })?;
    Ok(match checkup.count(Level::Fail) {
        0 => Outcome::Pass,
        _ => Outcome::Refused,
    })
}

fn repository(text: &str) -> Result<RepositoryName, String> {
    match text.split_once('/') {
        Some((owner, name)) if !owner.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok(RepositoryName { owner: owner.to_owned(), name: name.to_owned() })
        }
        _ => Err(format!("{text:?} is not OWNER/NAME")),
    }
}
