//! `fromguard serve`: the App.

use std::future::Future;
use std::io::IsTerminal;
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;

use anyhow::Context;
use secrecy::ExposeSecret;
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use crate::clock::Clock;
use crate::config::AppConfig;
use crate::config::Config;
use crate::config::Flags;
use crate::config::LogConfig;
use crate::github;
use crate::github::GitHub;
use crate::github::Timeouts;
use crate::github::signature::WebhookSecrets;
use crate::server::Pieces;
use crate::server::Server;
use crate::store::Store;
use crate::worker;
use crate::worker::Worker;

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
    let clock = Clock::system();
    let store = Store::open(config.database_url.expose_secret()).await?;
    let secrets = match &config.app {
        Some(app) => Some(WebhookSecrets::new(&app.webhook_secrets)?),
        None => None,
    };
    let worker = match &config.app {
        Some(app) => Some(worker_of(&config, app, &store, &clock)?),
        None => None,
    };
    let pieces = Pieces { store, clock, secrets };
    let server = Server::bind(config.listen, pieces)
        .await
        .with_context(|| format!("{} cannot be listened at", config.listen))?;
    let address = server.address()?;
    match &config.app {
        Some(app) => tracing::info!(%address, app_id = app.id, "listening"),
        None => tracing::warn!(
            %address,
            "listening, for set-up only: FROMGUARD_APP_ID, FROMGUARD_PRIVATE_KEY and \
             FROMGUARD_WEBHOOK_SECRET are not set"
        ),
    }

    // The worker stops beside the server: what is acknowledged meanwhile is durable,
    // and judged after the next start.
    let (stopping, mut stopped) = watch::channel(false);
    let signal = stop_signal().context("signals cannot be waited for")?;
    let stop = async move {
        signal.await;
        stopping.send_replace(true);
    };
    let mut judging = tokio::spawn(async move {
        let stopped = async {
            // An error says that the server is gone, which is as good.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        };
        match worker {
            Some(worker) => worker.run(stopped).await,
            None => stopped.await,
        }
    });
    let mut serving = pin!(server.run(stop));
    const WORKER_DIED: &str = "the worker died of a defect in fromguard; the log says where";
    tokio::select! {
        served = &mut serving => {
            served.context("the server failed")?;
            judging.await.context(WORKER_DIED)?;
        }
        judged = &mut judging => {
            judged.context(WORKER_DIED)?;
            serving.await.context("the server failed")?;
        }
    }
    tracing::info!("stopped");
    Ok(())
}

fn worker_of(config: &Config, app: &AppConfig, store: &Store, clock: &Clock) -> anyhow::Result<Worker> {
    let settings = github::Settings {
        api_url: config.github_api_url.clone(),
        app_id: app.id,
        private_key: app.private_key.clone(),
        timeouts: Timeouts::default(),
    };
    let github = GitHub::new(&settings, clock.clone())?;
    let settings = worker::Settings { public_url: config.public_url.clone(), ..worker::Settings::default() };
    Ok(Worker::new(store.clone(), github, clock.clone(), settings))
}

/// Ready once the process is asked to stop.
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
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
