//! `fromguard serve`: the App.

use std::future::Future;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::app::App;
use crate::app::AppParts;
use crate::app::Parts;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::Flags;
use crate::config::LogConfig;
use crate::github;
use crate::github::Timeouts;
use crate::github::signature::WebhookSecrets;
use crate::registry::Inquiry;
use crate::registry::Operator;
use crate::worker;

/// The arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Every flag has a FROMGUARD_ variable, and each of those a _FILE twin that names a file. \
    FROMGUARD_PRIVATE_KEY, FROMGUARD_WEBHOOK_SECRET (comma-separated while it is rotated) and \
    FROMGUARD_DATABASE_URL have no flag. Without an App, only set-up help and health are served."
)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    flags: Flags,
}

/// Serves until it is told to stop.
pub(crate) fn run(args: &ServeArgs) -> ExitCode {
    let config = match Config::from_environment(&args.flags) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("fromguard: {error}");
            return ExitCode::from(2);
        }
    };
    log(&config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let served =
        runtime.context("the runtime did not start").and_then(|runtime| runtime.block_on(serve(config)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "fromguard stops");
            ExitCode::from(2)
        }
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    for name in &config.without_effect {
        tracing::warn!(setting = name, "this setting has no effect in this version");
    }
    if let Some(folder) = &config.state_dir {
        make_private_folder(folder)
            .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    }
    // From here on: who reads that it listens may ask it to stop at once.
    let stop = stop_signal().context("signals cannot be waited for")?;
    let app_id = config.app.as_ref().map(|app| app.id);
    let inquiry = inquiry(config.registries.clone())?;
    let inquiry = if config.offline { inquiry.offline() } else { inquiry };
    let app = App::start(parts(config)?).await?.asking(inquiry);
    let address = app.address();
    match app_id {
        Some(app_id) => tracing::info!(%address, app_id, "listening"),
        None => tracing::warn!(
            %address,
            "listening, for set-up only: FROMGUARD_APP_ID, FROMGUARD_PRIVATE_KEY and \
             FROMGUARD_WEBHOOK_SECRET are not set"
        ),
    }
    app.run(stop).await?;
    tracing::info!("stopped");
    Ok(())
}

fn inquiry(operator: Operator) -> anyhow::Result<Inquiry> {
    let what = "FROMGUARD_REGISTRIES cannot be used";
    Inquiry::new(operator, Clock::system(), Inquiry::BUDGET).map_err(anyhow::Error::msg).context(what)
}

fn parts(config: Config) -> anyhow::Result<Parts> {
    let timeouts = Timeouts::of(&config.github_api_url);
    let app = match config.app {
        Some(app) => Some(AppParts {
            webhook_secrets: WebhookSecrets::new(&app.webhook_secrets)?,
            sweeps: true,
            github: github::Settings {
                timeouts,
                api_url: config.github_api_url,
                app_id: app.id,
                private_key: app.private_key,
            },
        }),
        None => None,
    };
    Ok(Parts {
        listen: config.listen,
        database_url: config.database_url,
        app,
        worker: worker::Settings::outlasting(timeouts.request),
        clock: Clock::system(),
    })
}

/// Ready once the process is asked to stop.
pub(super) fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::SignalKind;
    use tokio::signal::unix::signal;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "stopping: deliveries under way are finished first");
    })
}

fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Logs to standard error. A subscriber that is there already stays.
fn log(config: &LogConfig) {
    let filter = EnvFilter::builder().parse_lossy(&config.filter);
    let to_terminal = std::io::stderr().is_terminal();
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = if config.json.unwrap_or(!to_terminal) {
        logger.json().flatten_event(true).try_init()
    } else {
        logger.with_ansi(to_terminal).try_init()
    };
    if let Err(error) = installed {
        tracing::debug!(%error, "another logger is installed");
    }
}
