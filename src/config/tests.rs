use super::*;

const PEM: &str =
    "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0IGtleSBieXRlcw==\n-----END RSA PRIVATE KEY-----\n";
const SECRET: &str = "0123456789abcdef";

const APP: &[(&str, &str)] =
    &[(APP_ID, "42"), (PRIVATE_KEY, PEM), (WEBHOOK_SECRET, SECRET), ("HOME", "/home/me")];

fn read_with(flags: &Flags, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variable = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
    };
    let file = |path: &Path| match path.to_str() {
        Some("/run/secrets/key") => Ok(PEM.as_bytes().to_vec()),
        Some("/run/secrets/webhook") => Ok(format!("{SECRET}\n").into_bytes()),
        Some("/run/secrets/listen") => Ok(b"0.0.0.0:80\n".to_vec()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    Config::read(flags, &Surroundings { variable: &variable, file: &file })
}

fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    read_with(&Flags::default(), variables)
}

/// The App's settings with these instead of, or beside, them.
fn read_app(changed: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut variables = changed.to_vec();
    variables.extend(APP.iter().filter(|(name, _)| !changed.iter().any(|(other, _)| other == name)));
    read(&variables)
}

fn problems(outcome: Result<Config, ConfigError>) -> Vec<String> {
    outcome.expect_err("something is wrong").problems
}

#[test]
fn nothing_but_a_home_is_enough_for_setting_up() {
    let config = read(&[("HOME", "/home/me")]).expect("the defaults do");
    assert!(config.app.is_none());
    assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(config.github_api_url, "https://api.github.com");
    assert_eq!(config.database_url.expose_secret(), "sqlite:/home/me/.local/state/fromguard/fromguard.db");
    assert_eq!(config.state_dir, Some(PathBuf::from("/home/me/.local/state/fromguard")));
    assert_eq!(config.log, LogConfig { filter: "info".into(), json: None });
    assert!(config.without_effect.is_empty());
}

#[test]
fn the_app_is_read_and_never_printed() {
    let config = read(APP).expect("all is there");
    let app = config.app.as_ref().expect("the App is set up");
    assert_eq!(app.id, 42);
    assert_eq!(app.private_key.expose_secret(), PEM.trim());
    assert_eq!(app.webhook_secrets.len(), 1);
    let printed = format!("{config:?}");
    assert!(!printed.contains(SECRET) && !printed.contains("c2VjcmV0"), "{printed}");
}

#[test]
fn flags_win_over_variables_and_files_stand_in_for_them() {
    let flags = Flags { listen: Some("[::1]:9000".into()), ..Flags::default() };
    let variables = [("HOME", "/h"), ("FROMGUARD_LISTEN", "127.0.0.1:1")];
    let config = read_with(&flags, &variables).expect("all is right");
    assert_eq!(config.listen.to_string(), "[::1]:9000");

    let config = read(&[
        ("HOME", "/h"),
        ("FROMGUARD_LISTEN_FILE", "/run/secrets/listen"),
        (APP_ID, "42"),
        ("FROMGUARD_PRIVATE_KEY_FILE", "/run/secrets/key"),
        ("FROMGUARD_WEBHOOK_SECRET_FILE", "/run/secrets/webhook"),
    ])
    .expect("all is right");
    assert_eq!(config.listen.to_string(), "0.0.0.0:80");
    let app = config.app.expect("the App is set up");
    assert_eq!(app.webhook_secrets[0].expose_secret(), SECRET);
}

#[test]
fn a_variable_beside_its_file_and_a_file_that_is_not_there_are_problems() {
    let both = problems(read_app(&[("FROMGUARD_PRIVATE_KEY_FILE", "/run/secrets/key")]));
    assert_eq!(
        both,
        ["FROMGUARD_PRIVATE_KEY: FROMGUARD_PRIVATE_KEY_FILE is set as well: set one of the two"]
    );
    let gone = problems(read(&[
        ("HOME", "/h"),
        (APP_ID, "42"),
        (WEBHOOK_SECRET, SECRET),
        ("FROMGUARD_PRIVATE_KEY_FILE", "/gone"),
    ]));
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert!(gone[0].starts_with("FROMGUARD_PRIVATE_KEY_FILE: /gone cannot be read"), "{gone:?}");
}

#[test]
fn everything_missing_and_wrong_is_said_at_once() {
    let said = problems(read(&[
        ("FROMGUARD_LISTEN", "3000"),
        ("FROMGUARD_GITHUB_API_URL", "http://github.example"),
        ("FROMGUARD_DATABASE_URL", "mysql://me:hunter2@host/db"),
        ("FROMGUARD_LOG", "fromguard=loud"),
        (APP_ID, "Iv1.8a61f9b3a7aba766"),
    ]));
    let names: Vec<&str> = said.iter().filter_map(|problem| problem.split(':').next()).collect();
    assert_eq!(
        names,
        [
            "FROMGUARD_LISTEN",
            "FROMGUARD_GITHUB_API_URL",
            "FROMGUARD_LOG",
            "FROMGUARD_DATABASE_URL",
            "FROMGUARD_PRIVATE_KEY",
            "FROMGUARD_WEBHOOK_SECRET",
            "FROMGUARD_APP_ID",
        ]
    );
    assert!(!said.join("\n").contains("hunter2"));
}

#[test]
fn weak_webhook_secrets_are_refused_and_not_repeated() {
    for weak in ["short", "0123456789abcde", "0123456789abcdef,", "0123456789abcdef, short ", ","] {
        let said = problems(read_app(&[(WEBHOOK_SECRET, weak)]));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("shorter than 16 bytes"), "{said:?}");
        assert!(!said[0].contains("short ") && !said[0].contains(SECRET), "{said:?}");
    }
    let empty = problems(read_app(&[(WEBHOOK_SECRET, "")]));
    assert_eq!(empty, ["FROMGUARD_WEBHOOK_SECRET: it is set and empty: give it a value or unset it"]);
    let config = read_app(&[(WEBHOOK_SECRET, "0123456789abcdef , fedcba9876543210")]).expect("both are long");
    let secrets = config.app.expect("the App is set up").webhook_secrets;
    let secrets: Vec<&str> = secrets.iter().map(ExposeSecret::expose_secret).collect();
    assert_eq!(secrets, ["0123456789abcdef", "fedcba9876543210"]);
}

#[test]
fn a_private_key_is_pem() {
    let one_line = PEM.trim().replace('\n', "\\n");
    let config = read_app(&[(PRIVATE_KEY, &one_line)]).expect("\\n stands for a new line");
    assert_eq!(config.app.expect("the App is set up").private_key.expose_secret(), PEM.trim());
    let public = PEM.replace("PRIVATE", "PUBLIC");
    let cut = &PEM[..PEM.len() - 8];
    let spoilt = PEM.replace("c2Vj", "c!Vj");
    for wrong in ["/etc/fromguard.pem", &public, cut, &spoilt] {
        let said = problems(read_app(&[(PRIVATE_KEY, wrong)]));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("FROMGUARD_PRIVATE_KEY: it is not a private key"), "{said:?}");
        assert!(!said[0].contains("c2Vj"), "{said:?}");
    }
}

#[test]
fn plain_http_is_taken_for_this_machine_only() {
    for (url, expected) in [
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost", "http://localhost"),
        ("https://ghes.example/api/v3/", "https://ghes.example/api/v3"),
    ] {
        let config = read_app(&[("FROMGUARD_GITHUB_API_URL", url)]).expect(url);
        assert_eq!(config.github_api_url, expected);
    }
    for url in [
        "http://127.0.0.1.example",
        "http://10.0.0.1",
        "ftp://localhost",
        "api.github.com",
        "https://me:hunter2@host",
        "https://host/?q=1",
        "https://host/#top",
        "/v3",
    ] {
        let said = problems(read_app(&[("FROMGUARD_GITHUB_API_URL", url)]));
        assert_eq!(said.len(), 1, "{url}: {said:?}");
        assert!(!said[0].contains("hunter2"), "{said:?}");
    }
}

#[test]
fn what_has_no_effect_is_not_taken_in_silence() {
    let config = read_app(&[
        ("FROMGUARD_PUBLIC_URL", "https://x"),
        ("FROMGUARD_OTLP_ENDPOINT", "http://localhost:4317"),
    ])
    .expect("they are harmless");
    assert_eq!(config.without_effect, ["FROMGUARD_PUBLIC_URL", "FROMGUARD_OTLP_ENDPOINT"]);
}

#[test]
fn the_log_takes_a_form_beside_its_filter() {
    for (text, filter, json) in [
        ("debug", "debug", None),
        ("json", "info", Some(true)),
        ("text,fromguard=debug,info", "fromguard=debug,info", Some(false)),
    ] {
        assert_eq!(LogConfig::parse(text), Ok(LogConfig { filter: filter.into(), json }));
    }
}

#[test]
fn the_database_is_sqlite_under_the_state_folder_or_where_the_url_says() {
    let config = read_app(&[("FROMGUARD_STATE_DIR", "/var/lib/fromguard")]).expect("all is right");
    assert_eq!(config.database_url.expose_secret(), "sqlite:/var/lib/fromguard/fromguard.db");
    let config = read_app(&[("FROMGUARD_DATABASE_URL", "sqlite:/data/a.db")]).expect("all is right");
    assert_eq!((config.database_url.expose_secret(), config.state_dir), ("sqlite:/data/a.db", None));
    let replicated = "postgres://me:hunter2@host/db";
    let config = read_app(&[("FROMGUARD_DATABASE_URL", replicated)]).expect("all is right");
    assert_eq!((config.database_url.expose_secret(), config.state_dir), (replicated, None));
    let homeless: Vec<_> = APP.iter().filter(|(name, _)| *name != "HOME").copied().collect();
    let said = problems(read(&homeless));
    assert_eq!(said, ["FROMGUARD_STATE_DIR: it is not set, and there is no home folder to use instead"]);
}
