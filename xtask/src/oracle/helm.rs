//! Writes the golden answers of `tests/conformance/helm`, or checks them: what the
//! Go program of `tests/oracle/helm` renders.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use anyhow::Context;
use anyhow::bail;
use serde_json::Value;
use serde_json::json;

use crate::oracle::charts;
use crate::oracle::charts::Chart;
use crate::oracle::conformance;
use crate::oracle::root;

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
    let mut questions = vec![json!({})];
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
    let mut replies = ask(&questions)?.into_iter();
    let versions = replies.next().context("no versions")?;
    let versions = versions["versions"]["helm.sh/helm/v3"].as_str().context("no version of Helm")?.to_owned();
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
        files.push((path.with_extension("golden"), format!("# helm.sh/helm/v3 {versions}\n{lines}")));
    }
    Ok(files)
}

/// A chart is rendered with its own values, and with each file laid over them.
fn questions_of(chart: &Chart) -> Vec<Value> {
    let with_values =
        chart.values.iter().map(|path| json!({ "files": chart.files, "values": chart.files[path] }));
    std::iter::once(json!({ "files": chart.files })).chain(with_values).collect()
}

/// Builds the program, and has it answer questions.
fn ask(questions: &[Value]) -> anyhow::Result<Vec<Value>> {
    let sources = root().join("tests/oracle/helm");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let built = target.join("oracle").join("helm");
    let status = Command::new("go")
        .current_dir(&sources)
        .args(["build", "-trimpath", "-o"])
        .arg(&built)
        .arg(".")
        .status()
        .context("`go` is needed and was not found; install Go 1.26 or later")?;
    if !status.success() {
        bail!("`go build` failed in {}", sources.display());
    }
    let mut child = Command::new(&built)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} could not be run", built.display()))?;
    let input: String = questions.iter().map(|question| format!("{question}\n")).collect();
    let mut stdin = child.stdin.take().context("the program has no input")?;
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().context("no answer")?;
    writer.join().ok().context("a question could not be written")??;
    let answers: Result<Vec<Value>, _> =
        String::from_utf8_lossy(&output.stdout).lines().map(serde_json::from_str).collect();
    let answers = answers.context("an answer is not JSON")?;
    if answers.len() != questions.len() {
        bail!("{} questions have {} answers", questions.len(), answers.len());
    }
    Ok(answers)
}
