//! Asks kustomize what it renders, and writes its answers beside the cases.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::process::Stdio;

use anyhow::Context;
use anyhow::bail;
use serde_json::Value;
use serde_json::json;

use crate::oracle::conformance;
use crate::oracle::root;

#[path = "../../../crates/core/tests/conformance/kustomize.rs"]
#[allow(dead_code, reason = "the test of the core uses the rest")]
mod form;

/// Writes every golden file anew.
pub(crate) fn write() -> anyhow::Result<()> {
    for entry in fs::read_dir(conformance().join("kustomize"))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "cases") {
            continue;
        }
        let cases = form::cases(&fs::read_to_string(&path)?);
        let mut child = Command::new("go")
            .current_dir(root().join("tests/oracle/kustomize"))
            .args(["run", "-trimpath", "."])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("`go` is needed and was not found; install Go 1.26 or later")?;
        let mut questions = child.stdin.take().context("the program has no input")?;
        let text: String =
            cases.iter().map(|case| json!({ "files": case.files }).to_string() + "\n").collect();
        let writer = std::thread::spawn(move || questions.write_all(text.as_bytes()));
        let output = child.wait_with_output()?;
        writer.join().ok().context("a question could not be written")??;
        if !output.status.success() {
            bail!("the program failed; its last words are above");
        }
        let answers = String::from_utf8(output.stdout)?;
        let mut golden = Vec::new();
        for (case, line) in cases.iter().zip(answers.lines()) {
            let answer: Value = serde_json::from_str(line)?;
            let list = |key: &str| -> Vec<String> {
                let items = answer[key].as_array().into_iter().flatten();
                items.filter_map(Value::as_str).map(str::to_owned).collect()
            };
            golden.push(form::written(&case.name, &list("images"), &list("errors")));
        }
        if golden.len() != cases.len() {
            bail!("{} cases and {} answers", cases.len(), golden.len());
        }
        fs::write(path.with_extension("golden"), golden.join("\n"))?;
        println!("{}: {} cases", path.display(), cases.len());
    }
    Ok(())
}
