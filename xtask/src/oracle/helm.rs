//! Writes the golden answers of `tests/conformance/helm`, or checks them: what the
//! Go program of `tests/oracle/helm` renders.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use anyhow::bail;
use serde_json::Value;
use serde_json::json;

use crate::oracle::charts;
use crate::oracle::charts::Chart;
use crate::oracle::conformance;
use crate::oracle::program::Program;

/// Renders every chart and writes the answers.
pub(crate) fn write() -> anyhow::Result<()> {
    for (path, text) in answers()? {
        fs::write(&path, text).with_context(|| format!("{} could not be written", path.display()))?;
    }
    Ok(())
}

/// Renders every chart and compares the answers with those on file.
pub(crate) fn check() -> anyhow::Result<()> {
    let stale: Vec<String> = answers()?
        .into_iter()
        .filter(|(path, text)| fs::read_to_string(path).ok().as_ref() != Some(text))
        .map(|(path, _)| path.display().to_string())
        .collect();
    if !stale.is_empty() {
        bail!(
            "these answers are not what Helm renders now; run `cargo xtask oracle helm`:\n{}",
            stale.join("\n")
        );
    }
    Ok(())
}

/// The golden file of every chart.
fn answers() -> anyhow::Result<Vec<(PathBuf, String)>> {
    let folder = conformance().join("helm");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("{} could not be read", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "chart"))
        .collect();
    paths.sort();
    let mut questions = Vec::new();
    let mut counts = Vec::new();
    for path in &paths {
        let text =
            fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))?;
        let chart =
            charts::read(&text).map_err(|what| anyhow::Error::msg(format!("{}: {what}", path.display())))?;
        let asked = questions_of(&chart);
        counts.push(asked.len());
        questions.extend(asked);
    }
    let mut program = Program::start_helm()?;
    let versions = program.versions()?;
    let mut replies = program.ask(&questions)?.into_iter();
    let mut files = Vec::new();
    for (path, count) in paths.into_iter().zip(counts) {
        let mut images = BTreeSet::new();
        for reply in replies.by_ref().take(count) {
            if let Some(error) = reply["error"].as_str().or_else(|| reply["unread"][0].as_str()) {
                bail!("{}: {error}", path.display());
            }
            images.extend(
                reply["images"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned),
            );
        }
        let lines: String = images.iter().map(|image| format!("{image}\n")).collect();
        files.push((path.with_extension("golden"), format!("# {versions}\n{lines}")));
    }
    Ok(files)
}

/// A chart is rendered with its own values, and with each file laid over them.
fn questions_of(chart: &Chart) -> Vec<Value> {
    let with_values =
        chart.values.iter().map(|path| json!({ "files": chart.files, "values": chart.files[path] }));
    std::iter::once(json!({ "files": chart.files })).chain(with_values).collect()
}
