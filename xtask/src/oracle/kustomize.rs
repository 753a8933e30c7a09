//! Asks kustomize what it renders, and writes its answers beside the cases.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use anyhow::bail;
use serde_json::Value;
use serde_json::json;

use crate::oracle::conformance;
use crate::oracle::program::Program;

#[path = "../../../crates/core/tests/conformance/kustomize.rs"]
#[allow(dead_code, reason = "the test of the core uses the rest")]
mod form;

/// Builds every case and writes the answers.
pub(crate) fn write() -> anyhow::Result<()> {
    for (path, text) in answers()? {
        fs::write(&path, text).with_context(|| format!("{} could not be written", path.display()))?;
    }
    Ok(())
}

/// Builds every case and compares the answers with those on file.
pub(crate) fn check() -> anyhow::Result<()> {
    let stale: Vec<String> = answers()?
        .into_iter()
        .filter(|(path, text)| fs::read_to_string(path).ok().as_ref() != Some(text))
        .map(|(path, _)| path.display().to_string())
        .collect();
    if !stale.is_empty() {
        bail!(
            "these answers are not what kustomize renders now; run `cargo xtask oracle kustomize`:\n{}",
            stale.join("\n")
        );
    }
    Ok(())
}

/// The golden file of every file of cases.
fn answers() -> anyhow::Result<Vec<(PathBuf, String)>> {
    let mut program = Program::start_kustomize()?;
    let mut files = Vec::new();
    for entry in fs::read_dir(conformance().join("kustomize"))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "cases") {
            continue;
        }
        let cases = form::cases(&fs::read_to_string(&path)?);
        let questions: Vec<Value> = cases.iter().map(|case| json!({ "files": case.files })).collect();
        let mut golden = Vec::new();
        for (case, answer) in cases.iter().zip(program.ask(&questions)?) {
            let list = |key: &str| -> Vec<String> {
                let items = answer[key].as_array().into_iter().flatten();
                items.filter_map(Value::as_str).map(str::to_owned).collect()
            };
            golden.push(form::written(&case.name, &list("images"), &list("errors")));
        }
        files.push((path.with_extension("golden"), golden.join("\n")));
    }
    Ok(files)
}
