//! The arrows of the house (ARCHITECTURE.md): which module may name which, in
//! both packages, and which crate is named where. A new arrow fails this test
//! until it is written into the tables below, in a commit that says why.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its own sources should stop")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

type Table = &'static [(&'static str, &'static [&'static str])];

/// `crates/core/src`, from the ground up.
const CORE: Table = &[
    ("source", &[]),
    ("day", &[]),
    ("yaml", &["source"]),
    ("image", &["source"]),
    ("formats", &["image", "source", "yaml"]),
    ("scan", &["formats", "image", "source"]),
    ("change", &["image", "source"]),
    ("trust", &["day", "image"]),
    ("policy", &["day", "image", "source", "trust", "yaml"]),
    ("import", &["day", "image", "policy", "source", "yaml"]),
    ("report", &["change", "day", "image", "policy", "scan", "source", "trust"]),
    ("lib", &[]),
];

/// `src`, from the ground up.
const SHELL: Table = &[
    ("ids", &[]),
    ("clock", &[]),
    ("counts", &[]),
    ("registry", &["clock", "counts"]),
    ("config", &["github", "registry"]),
    ("local", &[]),
    ("store", &["clock", "ids"]),
    ("github", &["clock", "counts", "ids"]),
    ("worker", &["clock", "counts", "github", "ids", "registry", "store"]),
    ("server", &["clock", "config", "counts", "github", "ids", "store", "worker"]),
    ("doctor", &["clock", "github", "ids", "store"]),
    ("standin", &["clock", "ids"]),
    ("app", &["clock", "github", "registry", "server", "store", "worker"]),
    (
        "cli",
        &[
            "app", "clock", "config", "doctor", "github", "ids", "local", "registry", "server", "standin",
            "store", "worker",
        ],
    ),
    ("lib", &[]),
    ("main", &[]),
];

/// Crates that only these modules of the shell may name.
const OWNED_CRATES: Table = &[
    ("octocrab", &["github"]),
    ("jsonwebtoken", &["github", "standin"]),
    ("hmac", &["github", "standin"]),
    ("sha2", &["github", "standin"]),
    ("axum", &["server", "standin"]),
    ("sqlx", &["store"]),
    ("sqlx_core", &["store"]),
    ("gix", &["local", "standin"]),
    ("clap", &["cli", "config"]),
    ("prometheus", &["counts"]),
    ("rustls", &["registry"]),
    ("sigstore_verify", &["registry"]),
    ("toml", &["registry"]),
];

/// What the pure core must never depend on.
const CORE_REFUSES: &[&str] = &[
    "tokio", "async", "futures", "hyper", "reqwest", "octocrab", "axum", "sqlx", "gix", "chrono", "time",
    "rand",
];

#[test]
fn the_core_names_only_what_is_below() {
    check("crates/core/src", CORE);
}

#[test]
fn the_shell_names_only_what_is_below() {
    check("src", SHELL);
}

#[test]
fn each_heavy_crate_has_one_home() {
    let mut strays = Vec::new();
    for file in rust_files(&root().join("src")) {
        let module = module_of(&root().join("src"), &file);
        for line in code_lines(&file) {
            for (name, homes) in OWNED_CRATES {
                if !homes.contains(&module.as_str()) && names_crate(&line, name) {
                    strays.push(format!(
                        "{}: `{name}` belongs to {homes:?}: {}",
                        file.display(),
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(strays.is_empty(), "crates named outside their module:\n{}", strays.join("\n"));
}

#[test]
fn the_core_depends_on_nothing_that_does_io() {
    let manifest = fs::read_to_string(root().join("crates/core/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    for line in dependencies.lines().filter(|line| line.contains('=') || line.contains('.')) {
        let name = line.split(['.', '=', ' ']).next().unwrap();
        assert!(!CORE_REFUSES.contains(&name), "crates/core must stay pure, and `{name}` is not");
    }
}

#[test]
fn uses_stand_one_to_a_line() {
    let mut grouped = Vec::new();
    for folder in ["src", "crates/core/src"] {
        for file in rust_files(&root().join(folder)) {
            grouped.extend(
                code_lines(&file)
                    .into_iter()
                    .filter(|line| line.trim_start().starts_with("use crate::{"))
                    .map(|line| format!("{}: {line}", file.display())),
            );
        }
    }
    assert!(grouped.is_empty(), "grouped uses hide arrows:\n{}", grouped.join("\n"));
}

fn check(folder: &str, table: Table) {
    let base = root().join(folder);
    let mut wrong = Vec::new();
    for file in rust_files(&base) {
        let module = module_of(&base, &file);
        let Some((_, allowed)) = table.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{}: module `{module}` is not in the table", file.display()));
            continue;
        };
        for line in code_lines(&file) {
            for named in crate_modules(&line) {
                let known = table.iter().any(|(name, _)| *name == named);
                if known && named != module && !allowed.contains(&named.as_str()) {
                    wrong.push(format!(
                        "{}: `{module}` must not name `{named}`: {}",
                        file.display(),
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that the house does not have:\n{}", wrong.join("\n"));
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("tests.rs")
            {
                found.insert(path);
            }
        }
    }
    assert!(!found.is_empty(), "no Rust files under {}", folder.display());
    found
}

/// The first folder or file name below the source folder.
fn module_of(base: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(base).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The lines before the tests, without comments.
fn code_lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(str::to_owned)
        .collect()
}

/// The modules that a line names as `crate::module`.
fn crate_modules(line: &str) -> Vec<String> {
    line.match_indices("crate::")
        .filter(|(at, _)| !line[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
        .map(|(at, found)| {
            line[at + found.len()..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        })
        .collect()
}

fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(&format!("{name}::")).any(|(at, _)| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || matches!(before, '_' | ':'))
    })
}

/// Migrations are listed by hand in the store, once for both databases; a file that is not is never run.
#[test]
fn every_migration_is_run() {
    let listed = fs::read_to_string(root().join("src/store/migrations.rs")).unwrap();
    let names = |database: &str| -> BTreeSet<String> {
        let folder = root().join("migrations").join(database);
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(
        names("sqlite"),
        names("postgres"),
        "each version of the schema is written for both databases"
    );
    for name in names("sqlite") {
        assert!(listed.contains(&format!("{name:?}")), "`store` does not run {name}");
    }
}

/// While replicas are updated one after the other, those of the version before go on beside the new schema.
#[test]
fn migrations_only_add() {
    for database in ["sqlite", "postgres"] {
        for entry in fs::read_dir(root().join("migrations").join(database)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let code: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap()).collect();
            for statement in code.join(" ").split(';').map(str::trim).filter(|text| !text.is_empty()) {
                let words: Vec<&str> = statement.split_whitespace().collect();
                let adds = match words[..] {
                    ["CREATE", "TABLE" | "INDEX" | "FUNCTION", ..] => true,
                    ["ALTER", "TABLE", _, "ADD", "COLUMN", ..] => {
                        !statement.contains("NOT NULL") || statement.contains("DEFAULT")
                    }
                    _ => false,
                };
                assert!(adds, "{}: the version before cannot go on beside `{statement}`", path.display());
            }
        }
    }
}
