//! The operator's file of registries (`FROMGUARD_REGISTRIES`): the only place that
//! permits addresses that are not public, plain HTTP, or credentials.
//!
//! ```toml
//! scans = "/srv/scans"                  # a folder of scan results, by digest
//!
//! [registry."registry.acme.example"]
//! api = "registry.acme.example:5000"    # where it is; the name itself if not given
//! hosts = ["auth.acme.example"]         # its realm and blob hosts
//! addresses = ["10.1.0.0/16"]           # ranges that are not public
//! ca = "/etc/ssl/acme.pem"              # its certificate authorities, instead of the system's
//! plain-http = false
//! user = "fromguard"
//! password-file = "/run/secrets/registry"
//!
//! [[key]]                               # a signature by this key counts as made by
//! file = "/etc/fromguard/acme.pub"      # this identity, which policies name
//! issuer = "https://keys.acme.example"
//! identity = "https://acme.example/release"
//!
//! [[scanner]]                           # whose scans count that are signed keyless;
//! issuer = "https://token.actions.githubusercontent.com" # `*` never crosses `/`
//! identity = "https://github.com/acme/scans/.github/workflows/scan.yml@refs/heads/main"
//!
//! [trust-root]                          # instead of the bundled ones of Sigstore and GitHub
//! file = "/etc/fromguard/trusted_root.json"
//! ```

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use fromguard_core::image::is_docker_hub;
use fromguard_core::image::normal_host;
use fromguard_core::trust::Signer;
use fromguard_core::trust::names_somebody;
use secrecy::SecretString;
use serde::Deserialize;

use super::guard::Authority;
use super::guard::Credentials;
use super::guard::DOCKER_HUB;
use super::guard::Network;
use super::guard::Row;
use super::guard::built_in;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    scans: Option<PathBuf>,
    #[serde(default)]
    registry: BTreeMap<String, Entry>,
    #[serde(default)]
    key: Vec<KeyEntry>,
    #[serde(default)]
    scanner: Vec<ScannerEntry>,
    trust_root: Option<TrustRootEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    file: PathBuf,
    issuer: String,
    identity: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScannerEntry {
    issuer: String,
    identity: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustRootEntry {
    file: PathBuf,
}

/// What the operator's file says.
#[derive(Debug, Clone, Default)]
pub struct Operator {
    /// The registries.
    pub rows: Vec<Row>,
    /// Keys, each with whom a signature by it is attributed to.
    pub keys: Vec<KnownKey>,
    /// Whose scans count that were signed with a certificate. `*` of an identity stands
    /// for characters other than `/`.
    pub scanners: Vec<Signer>,
    /// By what keyless signatures are verified, in the JSON of `trusted_root.json`;
    /// `None` for the bundled roots.
    pub trust_root: Option<String>,
    /// The folder of scan results.
    pub scans: Option<PathBuf>,
}

/// A public key of somebody whom the operator knows.
#[derive(Debug, Clone)]
pub struct KnownKey {
    /// The key, in PEM.
    pub pem: String,
    /// Whom a signature by it is attributed to.
    pub signer: Signer,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    api: Option<String>,
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    addresses: Vec<String>,
    ca: Option<PathBuf>,
    #[serde(default)]
    plain_http: bool,
    user: Option<String>,
    password: Option<SecretText>,
    password_file: Option<PathBuf>,
}

#[derive(Deserialize)]
struct SecretText(String);

impl Operator {
    /// Reads the file's text; `read` reads the files that it names.
    ///
    /// # Errors
    /// Everything that is wrong with it, one line each. No password is repeated.
    pub fn read(text: &str, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Result<Operator, Vec<String>> {
        // The parser's own rendering quotes the line, which may be a password's.
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            vec![format!("line {line}: {}", error.message())]
        })?;
        let mut problems = Vec::new();
        let mut operator = Operator { scans: file.scans, ..Operator::default() };
        for (name, entry) in file.registry {
            operator.rows.extend(row(&name, entry, read, &mut problems));
        }
        for KeyEntry { file, issuer, identity } in file.key {
            let pem = text_of(&file, read).map_err(|what| problems.push(format!("key: {what}"))).ok();
            let signer = Signer { issuer, identity };
            operator.keys.extend(pem.map(|pem| KnownKey { pem, signer }));
        }
        for ScannerEntry { issuer, identity } in file.scanner {
            if !names_somebody(&identity) {
                problems.push(format!(
                    "scanner: {identity:?} does not say whose scans count: write host and owner"
                ));
            }
            operator.scanners.push(Signer { issuer, identity });
        }
        if let Some(TrustRootEntry { file }) = file.trust_root {
            let text = text_of(&file, read).map_err(|what| problems.push(format!("trust-root: {what}")));
            operator.trust_root = text.ok();
        }
        if problems.is_empty() { Ok(operator) } else { Err(problems) }
    }
}

fn text_of(path: &Path, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Result<String, String> {
    match read(path).map(String::from_utf8) {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(_)) => Err(format!("{} is not UTF-8", path.display())),
        Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
    }
}

fn row(
    name: &str,
    entry: Entry,
    read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    problems: &mut Vec<String>,
) -> Option<Row> {
    let mut problem = |what: String| problems.push(format!("registry {name:?}: {what}"));
    let normal = normal_host(name);
    let normal = if is_docker_hub(&normal) { DOCKER_HUB } else { &*normal };
    let known = built_in().into_iter().find(|row| row.name == normal);
    let api = match (&entry.api, &known) {
        (None, Some(known)) => Ok(known.api.clone()),
        (Some(api), _) => Authority::parse(api),
        (None, None) => Authority::parse(normal),
    };
    let api = api.map_err(&mut problem).ok();
    let mut hosts = known.map(|known| known.hosts).unwrap_or_default();
    for host in &entry.hosts {
        hosts.extend(Authority::parse(host).map_err(&mut problem));
    }
    let mut addresses = Vec::new();
    for range in &entry.addresses {
        addresses.extend(range.parse::<Network>().map_err(&mut problem));
    }
    let password = match (entry.password, entry.password_file) {
        (Some(_), Some(_)) => {
            problem("`password` and `password-file` are both set: set one of the two".to_owned());
            None
        }
        (Some(SecretText(password)), None) => Some(password),
        (None, Some(path)) => match text_of(&path, read) {
            Ok(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned()),
            Err(what) => {
                problem(what);
                None
            }
        },
        (None, None) => None,
    };
    let credentials = match (entry.user, password) {
        (Some(user), _) if user.contains(':') => {
            problem("a `user` cannot hold `:`".to_owned());
            None
        }
        (Some(user), Some(password)) => Some(Credentials { user, password: SecretString::from(password) }),
        (None, None) => None,
        (Some(_), None) => {
            problem("`user` is set and no password is".to_owned());
            None
        }
        (None, Some(_)) => {
            problem("a password is set and `user` is not".to_owned());
            None
        }
    };
    Some(Row {
        name: normal.to_owned(),
        api: api?,
        hosts,
        addresses,
        plain_http: entry.plain_http,
        authorities: entry.ca,
        credentials,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use secrecy::ExposeSecret;

    use super::*;

    fn read(text: &str) -> Result<Vec<Row>, Vec<String>> {
        let operator = Operator::read(text, &|path| match path.to_str() {
            Some("/secret") => Ok(b"pass:word\n".to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        });
        operator.map(|operator| operator.rows)
    }

    #[test]
    fn a_registry_of_the_operators_own() {
        let rows = read(
            r#"
            [registry."Registry.acme.example:5000"]
            hosts = ["auth.acme.example"]
            addresses = ["10.1.0.0/16"]
            plain-http = true
            user = "fromguard"
            password-file = "/secret"
            "#,
        )
        .unwrap();
        let [row] = &rows[..] else { panic!("one row") };
        assert_eq!(
            (row.name.as_str(), row.api.to_string().as_str()),
            ("registry.acme.example:5000", "registry.acme.example:5000")
        );
        assert_eq!(row.origin(), "http://registry.acme.example:5000");
        assert_eq!(row.credentials.as_ref().unwrap().password.expose_secret(), "pass:word");
        assert_eq!(row.addresses[0].to_string(), "10.1.0.0/16");
    }

    #[test]
    fn credentials_for_a_built_in_row_keep_its_hosts() {
        let rows = read("[registry.'index.docker.io']\nuser = 'me'\npassword = 'secret'").unwrap();
        assert_eq!(
            (rows[0].name.as_str(), rows[0].api.to_string().as_str()),
            ("docker.io", "registry-1.docker.io")
        );
        assert!(rows[0].hosts.contains(&Authority::parse("auth.docker.io").unwrap()));
    }

    #[test]
    fn everything_wrong_is_said_at_once_and_no_password_repeated() {
        let problems = read(
            r#"
            [registry."a.example"]
            api = "0x7f.1"
            addresses = ["10.0.0.0/40"]
            user = "x"
            [registry."b.example"]
            password = "hunter2"
            password-file = "/secret"
            [registry."c.example"]
            user = "x"
            password-file = "/none"
            "#,
        )
        .unwrap_err();
        assert_eq!(problems.len(), 6, "{problems:#?}");
        let problems = read("[registry.x]\npassword = hunter2").unwrap_err();
        assert!(problems[0].starts_with("line 2: ") && !problems[0].contains("hunter2"), "{problems:?}");
        assert!(read("[registry.x]\nplain_http = true").unwrap_err()[0].contains("plain_http"));
    }
}
