//! `cargo xtask github-data`: cuts the part that fromguard calls out of
//! GitHub's published OpenAPI description, GraphQL schema and webhook examples,
//! into `tests/data/github`, so that a test run needs neither npm nor a network.
//!
//! The packages are data under the MIT licence; their licence texts go beside
//! the extract. Refuses to know what fromguard does with any of it.

mod graphql;
mod openapi;
mod webhooks;

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use anyhow::Result;
use anyhow::ensure;
use serde_json::Value;

/// The packages and the exact versions that the extract is made from.
const PACKAGES: [(&str, &str); 3] = [
    ("@octokit/openapi", "23.0.2"),
    ("@octokit/graphql-schema", "15.26.1"),
    ("@octokit/webhooks-examples", "7.6.1"),
];

/// Installs the packages with npm into a temporary folder (or takes them from
/// `installed`, a `node_modules` folder) and writes the extract.
pub(crate) fn run(installed: Option<&Path>) -> Result<()> {
    let temporary = std::env::temp_dir().join(format!("fromguard-github-data-{}", std::process::id()));
    let modules = match installed {
        Some(folder) => folder.to_path_buf(),
        None => install(&temporary)?,
    };
    let result = extract(&modules, &target_folder());
    if installed.is_none() {
        fs::remove_dir_all(&temporary)
            .with_context(|| format!("cannot remove the temporary folder {}", temporary.display()))?;
    }
    result
}

fn install(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let status = Command::new("npm")
        .args(["install", "--ignore-scripts", "--no-save", "--no-package-lock", "--prefix"])
        .arg(folder)
        .args(PACKAGES.map(|(name, version)| format!("{name}@{version}")))
        .status()
        .context("npm did not start: github-data needs npm (and only github-data does)")?;
    ensure!(status.success(), "npm could not install GitHub's published packages");
    Ok(folder.join("node_modules"))
}

fn target_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/github")
}

fn extract(modules: &Path, target: &Path) -> Result<()> {
    for (name, version) in PACKAGES {
        let package = read_json(&modules.join(name).join("package.json"))?;
        ensure!(package["version"] == version, "{name} is {}, not {version}", package["version"]);
    }
    fs::create_dir_all(target.join("webhooks"))?;

    let description = read_json(&modules.join("@octokit/openapi/generated/api.github.com.json"))?;
    ensure!(description["openapi"] == "3.0.3", "the extract is written for OpenAPI 3.0.3");
    write_json(&target.join("openapi.json"), &openapi::extract(&description)?)?;

    let introspection = read_json(&modules.join("@octokit/graphql-schema/schema.json"))?;
    write(&target.join("schema.graphql"), &graphql::extract(&introspection)?)?;

    let examples = read_json(&modules.join("@octokit/webhooks-examples/api.github.com/index.json"))?;
    for (name, example) in webhooks::extract(&examples)? {
        write_json(&target.join("webhooks").join(name), &example)?;
    }

    for (package, file, copy) in [
        ("@octokit/openapi", "LICENSE", "LICENSE-openapi"),
        ("@octokit/graphql-schema", "LICENSE.md", "LICENSE-graphql-schema"),
    ] {
        fs::copy(modules.join(package).join(file), target.join(copy))
            .with_context(|| format!("{package} has no {file}"))?;
    }
    write(&target.join("README.md"), &readme())
}

fn readme() -> String {
    let packages: String = PACKAGES
        .iter()
        .map(|(name, version)| {
            format!("- [`{name}`](https://www.npmjs.com/package/{name}/v/{version}) {version}, MIT\n")
        })
        .collect();
    format!(
        "# GitHub's published descriptions, the part that fromguard calls\n\n\
         Written by `cargo xtask github-data`; do not edit by hand. Cut from\n\n{packages}\n\
         - `openapi.json`: the operations called, with every schema they need, without prose and examples; OpenAPI's\n  \
           `nullable` is rewritten as JSON Schema's `null` type, so that a JSON Schema validator can read it.\n\
         - `schema.graphql`: the object types queried, with those of their fields that lead to kept types.\n\
         - `webhooks/EVENT.ACTION.json`: one published example for each event and action; of several the longest.\n\n\
         The licence texts are beside this file; `@octokit/webhooks-examples` declares MIT in its `package.json` and carries no text of its own.\n"
    )
}

fn read_json(path: &Path) -> Result<Value> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is not JSON", path.display()))
}

fn write_json(path: &Path, value: &Value) -> Result<()> {
    write(path, &format!("{}\n", serde_json::to_string_pretty(value)?))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
