//! The environment of `serve`, read once. Nothing else reads environment variables.
//!
//! A setting is the flag of its name, else the variable `FROMGUARD_…`, else the
//! file that `FROMGUARD_…_FILE` names. Secrets and the database URL have no flag:
//! command lines are seen by everybody on the machine. Everything that is missing
//! or wrong is said at once.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use secrecy::ExposeSecret;
use secrecy::SecretString;
use thiserror::Error;

use crate::github::signature::SECRET_MIN_BYTES;
use crate::registry::Operator;

/// Where `serve` listens unless told otherwise.
const LISTEN_DEFAULT: &str = "127.0.0.1:3000";

/// GitHub's API unless told otherwise.
const GITHUB_API_URL_DEFAULT: &str = "https://api.github.com";

/// The database's file in the state folder.
const DATABASE_FILE: &str = "fromguard.db";

/// The settings that need an App.
const APP_ID: &str = "FROMGUARD_APP_ID";
const PRIVATE_KEY: &str = "FROMGUARD_PRIVATE_KEY";
const WEBHOOK_SECRET: &str = "FROMGUARD_WEBHOOK_SECRET";

/// The settings of who is asked for evidence.
const REGISTRIES: &str = "FROMGUARD_REGISTRIES";
const OFFLINE: &str = "FROMGUARD_OFFLINE";

/// Everything `serve` can be told.
#[derive(Debug)]
pub struct Config {
    /// `FROMGUARD_LISTEN`.
    pub listen: SocketAddr,
    /// `FROMGUARD_DATABASE_URL`; it may hold a password.
    pub database_url: SecretString,
    /// The folder to make for the default database; `None` when the URL was given.
    pub state_dir: Option<PathBuf>,
    /// `FROMGUARD_GITHUB_API_URL`, without a slash at its end.
    pub github_api_url: String,
    /// The App; `None` while it is not set up.
    pub app: Option<AppConfig>,
    /// `FROMGUARD_REGISTRIES`: what the operator's file says.
    pub registries: Operator,
    /// `FROMGUARD_OFFLINE`: no registry is asked.
    pub offline: bool,
    /// `FROMGUARD_LOG`.
    pub log: LogConfig,
    /// Settings that were given and have no effect in this version.
    pub without_effect: Vec<&'static str>,
}

/// The App's credentials.
#[derive(Debug)]
pub struct AppConfig {
    /// `FROMGUARD_APP_ID`.
    pub id: u64,
    /// `FROMGUARD_PRIVATE_KEY`: PEM, PKCS#1 or PKCS#8.
    pub private_key: SecretString,
    /// `FROMGUARD_WEBHOOK_SECRET`: one, or several while they are rotated.
    pub webhook_secrets: Vec<SecretString>,
}

/// What to log, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Directives as `tracing_subscriber::EnvFilter` takes them.
    pub filter: String,
    /// JSON lines, or text for people; `None`: text on a terminal, JSON elsewhere.
    pub json: Option<bool>,
}

/// The flags of `serve`.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct Flags {
    /// Address and port to listen on [env: FROMGUARD_LISTEN] [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Where the world reaches this server; no effect in this version [env: FROMGUARD_PUBLIC_URL]
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Folder of the default database [env: FROMGUARD_STATE_DIR] [default: fromguard in the user's state folder]
    #[arg(long, value_name = "PATH")]
    pub state_dir: Option<String>,
    /// GitHub's API, of GitHub Enterprise Server for one [env: FROMGUARD_GITHUB_API_URL] [default: <https://api.github.com>]
    #[arg(long, value_name = "URL")]
    pub github_api_url: Option<String>,
    /// The GitHub App's id [env: FROMGUARD_APP_ID]
    #[arg(long, value_name = "NUMBER")]
    pub app_id: Option<String>,
    /// The TOML file of the registries that are your own [env: FROMGUARD_REGISTRIES]
    #[arg(long, value_name = "FILE")]
    pub registries: Option<String>,
    /// Ask no registry: what only one knows stays unsure [env: FROMGUARD_OFFLINE] [default: false]
    #[arg(long, value_name = "BOOLEAN", num_args = 0..=1, default_missing_value = "true")]
    pub offline: Option<String>,
    /// What to log: "info", "fromguard=debug,info", with "json" or "text" for the form [env: FROMGUARD_LOG] [default: info]
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
    /// Where to send traces; no effect in this version [env: FROMGUARD_OTLP_ENDPOINT]
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<String>,
}

/// Everything the operator has to mend before `serve` starts.
#[derive(Debug, PartialEq, Eq, Error)]
pub struct ConfigError {
    /// One line each, beginning with the setting's name.
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used:")?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

/// Where settings come from; a test brings its own.
pub struct Surroundings<'a> {
    /// Reads an environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// Reads a file.
    pub file: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
}

/// What the process was started with.
const PROCESS: Surroundings<'static> =
    Surroundings { variable: &|name| std::env::var_os(name), file: &|path| std::fs::read(path) };

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// When anything is missing or wrong: all of it.
    pub fn from_environment(flags: &Flags) -> Result<Config, ConfigError> {
        Config::read(flags, &PROCESS)
    }

    /// Reads the settings from flags and surroundings.
    ///
    /// # Errors
    /// When anything is missing or wrong: all of it.
    pub fn read(flags: &Flags, surroundings: &Surroundings<'_>) -> Result<Config, ConfigError> {
        let mut reader = Reader { surroundings, problems: Vec::new() };

        let listen = reader.setting("FROMGUARD_LISTEN", flags.listen.as_deref());
        let listen = reader.parsed("FROMGUARD_LISTEN", listen.as_deref().unwrap_or(LISTEN_DEFAULT), |text| {
            text.parse::<SocketAddr>()
                .map_err(|_| format!("{text:?} is not an address and a port, like {LISTEN_DEFAULT}"))
        });
        let github_api_url = reader.setting("FROMGUARD_GITHUB_API_URL", flags.github_api_url.as_deref());
        let github_api_url = reader.parsed(
            "FROMGUARD_GITHUB_API_URL",
            github_api_url.as_deref().unwrap_or(GITHUB_API_URL_DEFAULT),
            web_url,
        );
        let log = reader.setting("FROMGUARD_LOG", flags.log.as_deref());
        let log = reader.parsed("FROMGUARD_LOG", log.as_deref().unwrap_or("info"), LogConfig::parse);
        let database = reader.database(flags);
        let app = reader.app(flags);
        let offline = reader.offline(flags.offline.as_deref());
        let registries = reader.registries(flags.registries.as_deref());

        let mut without_effect = Vec::new();
        for (name, flag) in
            [("FROMGUARD_PUBLIC_URL", &flags.public_url), ("FROMGUARD_OTLP_ENDPOINT", &flags.otlp_endpoint)]
        {
            if reader.setting(name, flag.as_deref()).is_some() {
                without_effect.push(name);
            }
        }

        let problems = reader.problems;
        match (listen, github_api_url, log, database) {
            (Some(listen), Some(github_api_url), Some(log), Some((database_url, state_dir)))
                if problems.is_empty() =>
            {
                Ok(Config {
                    listen,
                    database_url,
                    state_dir,
                    github_api_url,
                    app,
                    registries,
                    offline,
                    log,
                    without_effect,
                })
            }
            _ => Err(ConfigError { problems }),
        }
    }
}

impl LogConfig {
    fn parse(text: &str) -> Result<LogConfig, String> {
        let mut json = None;
        let mut directives = Vec::new();
        for directive in text.split(',').map(str::trim) {
            match directive {
                "json" => json = Some(true),
                "text" => json = Some(false),
                _ => directives.push(directive),
            }
        }
        let filter = if directives.is_empty() { "info".to_owned() } else { directives.join(",") };
        match tracing_subscriber::EnvFilter::builder().parse(&filter) {
            Ok(_) => Ok(LogConfig { filter, json }),
            Err(error) => {
                Err(format!("{text:?} is not a filter, like \"info\" or \"fromguard=debug\": {error}"))
            }
        }
    }
}

struct Reader<'a> {
    surroundings: &'a Surroundings<'a>,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn problem(&mut self, name: &str, what: &str) {
        self.problems.push(format!("{name}: {what}"));
    }

    /// A setting, trimmed; `None` when it is not given, or given wrongly.
    fn setting(&mut self, name: &str, flag: Option<&str>) -> Option<String> {
        let file_name = format!("{name}_FILE");
        let variable = (self.surroundings.variable)(name);
        let file = (self.surroundings.variable)(&file_name);
        let text = match (flag, variable, file) {
            (Some(flag), _, _) => flag.to_owned(),
            (None, Some(_), Some(_)) => {
                self.problem(name, &format!("{file_name} is set as well: set one of the two"));
                return None;
            }
            (None, Some(value), None) => match value.into_string() {
                Ok(text) => text,
                Err(_) => {
                    self.problem(name, "it is not UTF-8");
                    return None;
                }
            },
            (None, None, Some(path)) => {
                let path = PathBuf::from(path);
                match (self.surroundings.file)(&path).map(String::from_utf8) {
                    Ok(Ok(text)) => text,
                    Ok(Err(_)) => {
                        self.problem(&file_name, &format!("{} is not UTF-8", path.display()));
                        return None;
                    }
                    Err(error) => {
                        self.problem(&file_name, &format!("{} cannot be read: {error}", path.display()));
                        return None;
                    }
                }
            }
            (None, None, None) => return None,
        };
        let text = text.trim();
        if text.is_empty() {
            self.problem(name, "it is set and empty: give it a value or unset it");
            return None;
        }
        Some(text.to_owned())
    }

    fn parsed<T>(
        &mut self,
        name: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        parse(text).map_err(|what| self.problem(name, &what)).ok()
    }

    /// Whether no registry is asked.
    fn offline(&mut self, flag: Option<&str>) -> bool {
        let text = self.setting(OFFLINE, flag);
        text.and_then(|text| self.parsed(OFFLINE, &text, boolean)).unwrap_or(false)
    }

    /// The registries of the operator's file; none without one.
    fn registries(&mut self, flag: Option<&str>) -> Operator {
        let Some(path) = self.setting(REGISTRIES, flag) else { return Operator::default() };
        let read = (self.surroundings.file)(Path::new(&path));
        let text = match read.map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => {
                self.problem(REGISTRIES, &format!("{path} is not UTF-8"));
                return Operator::default();
            }
            Err(error) => {
                self.problem(REGISTRIES, &format!("{path} cannot be read: {error}"));
                return Operator::default();
            }
        };
        Operator::read(&text, self.surroundings.file).unwrap_or_else(|problems| {
            for problem in problems {
                self.problem(REGISTRIES, &format!("{path}: {problem}"));
            }
            Operator::default()
        })
    }

    /// The database's URL, and the folder to make for the default one.
    fn database(&mut self, flags: &Flags) -> Option<(SecretString, Option<PathBuf>)> {
        const NAME: &str = "FROMGUARD_DATABASE_URL";
        let before = self.problems.len();
        let state_dir = self.setting("FROMGUARD_STATE_DIR", flags.state_dir.as_deref());
        let url = self.setting(NAME, None).map(SecretString::from);
        if self.problems.len() > before {
            return None;
        }
        if let Some(url) = url {
            let known = ["sqlite:", "postgres:", "postgresql:"];
            return if known.iter().any(|scheme| url.expose_secret().starts_with(scheme)) {
                Some((url, None))
            } else {
                self.problem(
                    NAME,
                    "write sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE, or leave it unset",
                );
                None
            };
        }
        let Some(folder) = state_dir.map(PathBuf::from).or_else(|| self.user_state_dir()) else {
            self.problem("FROMGUARD_STATE_DIR", "it is not set, and there is no home folder to use instead");
            return None;
        };
        let Some(path) = folder.join(DATABASE_FILE).to_str().map(str::to_owned) else {
            self.problem("FROMGUARD_STATE_DIR", "it is not UTF-8");
            return None;
        };
        Some((SecretString::from(format!("sqlite:{path}")), Some(folder)))
    }

    /// `fromguard` in the folder that the XDG Base Directory Specification gives state.
    fn user_state_dir(&self) -> Option<PathBuf> {
        let folder =
            |name| (self.surroundings.variable)(name).map(PathBuf::from).filter(|path| path.is_absolute());
        folder("XDG_STATE_HOME")
            .or_else(|| folder("HOME").map(|home| home.join(".local").join("state")))
            .map(|state| state.join("fromguard"))
    }

    /// The App's credentials: all, none, or a problem for each that is missing.
    fn app(&mut self, flags: &Flags) -> Option<AppConfig> {
        let before = self.problems.len();
        let given = [
            (APP_ID, self.setting(APP_ID, flags.app_id.as_deref())),
            (PRIVATE_KEY, self.setting(PRIVATE_KEY, None)),
            (WEBHOOK_SECRET, self.setting(WEBHOOK_SECRET, None)),
        ];
        if self.problems.len() == before && given.iter().all(|(_, value)| value.is_none()) {
            return None;
        }
        for (name, value) in &given {
            let said = self.problems[before..].iter().any(|problem| problem.starts_with(name));
            if value.is_none() && !said {
                let what = if *name == APP_ID {
                    "it is missing; the App needs it".to_owned()
                } else {
                    format!("it is missing, and so is {name}_FILE; the App needs it")
                };
                self.problem(name, &what);
            }
        }
        let [(_, id), (_, private_key), (_, webhook_secret)] = given;
        let id = id.and_then(|text| self.parsed(APP_ID, &text, app_id));
        let private_key = private_key.and_then(|text| self.parsed(PRIVATE_KEY, &text, private_key_pem));
        let webhook_secrets =
            webhook_secret.and_then(|text| self.parsed(WEBHOOK_SECRET, &text, webhook_secrets));
        Some(AppConfig { id: id?, private_key: private_key?, webhook_secrets: webhook_secrets? })
    }
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

fn app_id(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(id) if id > 0 => Ok(id),
        _ => Err(format!("{text:?} is not the App's id, a number (not its client id)")),
    }
}

/// Who may be asked for evidence by a command, which has no other settings: what
/// the operator's file says, or `None` when nobody may be asked.
///
/// # Errors
/// When a setting is wrong.
pub fn registries_from_environment() -> Result<Option<Operator>, ConfigError> {
    let mut reader = Reader { surroundings: &PROCESS, problems: Vec::new() };
    let (offline, registries) = (reader.offline(None), reader.registries(None));
    match reader.problems.is_empty() {
        true => Ok((!offline).then_some(registries)),
        false => Err(ConfigError { problems: reader.problems }),
    }
}

/// Checks the outer form: whether it is an RSA key is seen when it is first used.
fn private_key_pem(text: &str) -> Result<SecretString, String> {
    const WRONG: &str =
        "it is not a private key in PEM: the whole .pem file that GitHub made for the App is needed";
    // Where a variable cannot hold several lines, `\n` is commonly written for them.
    let text = if text.contains('\n') { text.to_owned() } else { text.replace("\\n", "\n") };
    let inside = ["RSA PRIVATE KEY", "PRIVATE KEY"].iter().find_map(|label| {
        let text = text.trim().strip_prefix(&format!("-----BEGIN {label}-----"))?;
        text.strip_suffix(&format!("-----END {label}-----"))
    });
    let digits: String = inside.ok_or(WRONG)?.split_ascii_whitespace().collect();
    match STANDARD.decode(digits) {
        Ok(key) if !key.is_empty() => Ok(SecretString::from(text)),
        _ => Err(WRONG.to_owned()),
    }
}

fn webhook_secrets(text: &str) -> Result<Vec<SecretString>, String> {
    let secrets: Vec<&str> = text.split(',').map(str::trim).collect();
    let short = secrets.iter().filter(|secret| secret.len() < SECRET_MIN_BYTES).count();
    if short > 0 {
        return Err(format!(
            "{short} of the {} secrets between commas {} shorter than {SECRET_MIN_BYTES} bytes",
            secrets.len(),
            if short == 1 { "is" } else { "are" },
        ));
    }
    Ok(secrets.into_iter().map(SecretString::from).collect())
}

/// Checks a URL and takes the slashes off its end; `http:` may not leave the machine.
fn web_url(text: &str) -> Result<String, String> {
    // What is wrong may be a password in it, so that it is not repeated.
    let uri: Uri = text.parse().map_err(|_| "it is not a URL".to_owned())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("it is not a whole URL, like https://host".to_owned());
    };
    if authority.as_str().contains('@') {
        return Err("it must not hold a user name or password".to_owned());
    }
    if uri.query().is_some() || text.contains('#') {
        return Err("it must not hold a query or a fragment".to_owned());
    }
    match scheme {
        "https" => {}
        "http" if is_loopback(authority.host()) => {}
        "http" => return Err("http: is taken for this machine only; write https:".to_owned()),
        _ => return Err(format!("{scheme}: is not https:")),
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
