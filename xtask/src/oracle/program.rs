//! A Go program of `tests/oracle`, built and running.

use std::collections::BTreeMap;
use std::env;
use std::io::BufRead;
use std::io::BufReader;
use std::io::BufWriter;
use std::io::Write;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;

use anyhow::Context;
use anyhow::bail;
use serde_json::Value;
use serde_json::json;

use crate::oracle::answer::Answer;
use crate::oracle::cases::Case;
use crate::oracle::references::Parts;
use crate::oracle::references::Vector;
use crate::oracle::root;

/// How many questions are under way at once. Less than what fits into a pipe
/// must never be waited for, so questions are written by a thread of their own.
const BATCH: usize = 256;

/// The running program. Questions go in and answers come out in order.
pub(crate) struct Program {
    child: Child,
    questions: Option<BufWriter<ChildStdin>>,
    answers: BufReader<ChildStdout>,
}

impl Program {
    /// Builds the program of Dockerfiles and references, and starts it.
    pub(crate) fn start() -> anyhow::Result<Program> {
        Program::start_from("tests/oracle", "oracle")
    }

    /// Builds the program of compose files, and starts it.
    pub(crate) fn start_compose() -> anyhow::Result<Program> {
        Program::start_from("tests/oracle/compose", "compose")
    }

    /// Builds the program of charts, and starts it.
    pub(crate) fn start_helm() -> anyhow::Result<Program> {
        Program::start_from("tests/oracle/helm", "helm")
    }

    /// Builds the program of kustomizations, and starts it.
    pub(crate) fn start_kustomize() -> anyhow::Result<Program> {
        Program::start_from("tests/oracle/kustomize", "kustomize")
    }

    fn start_from(sources: &str, name: &str) -> anyhow::Result<Program> {
        let sources = root().join(sources);
        let built = target_folder().join("oracle").join(name);
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
        let questions = child.stdin.take().map(BufWriter::new);
        let answers = BufReader::new(child.stdout.take().context("the program has no output")?);
        Ok(Program { child, questions, answers })
    }

    /// What answers: the modules and their versions.
    pub(crate) fn versions(&mut self) -> anyhow::Result<String> {
        let answer = self.ask(&[json!({})])?.remove(0);
        let versions = answer["versions"].as_object().context("no versions")?;
        let found: BTreeMap<&str, &str> = versions
            .iter()
            .map(|(name, version)| (name.as_str(), version.as_str().unwrap_or_default()))
            .collect();
        Ok(found
            .iter()
            .filter(|(name, _)| **name != "go")
            .map(|(name, version)| format!("{name} {version}"))
            .collect::<Vec<_>>()
            .join(" and "))
    }

    /// What BuildKit makes of cases.
    pub(crate) fn cases(&mut self, cases: &[Case]) -> anyhow::Result<Vec<Answer>> {
        let questions: Vec<Value> = cases.iter().map(question).collect();
        let answers = self.ask(&questions)?;
        cases.iter().zip(answers).map(|(case, answer)| read(case, &answer)).collect()
    }

    /// What distribution/reference makes of texts.
    pub(crate) fn references(&mut self, texts: &[String]) -> anyhow::Result<Vec<Vector>> {
        let questions: Vec<Value> = texts.iter().map(|text| json!({ "reference": text })).collect();
        let answers = self.ask(&questions)?;
        Ok(texts
            .iter()
            .zip(answers)
            .map(|(text, answer)| {
                let part = |name: &str| answer["reference"][name].as_str().unwrap_or_default().to_owned();
                let read = match answer["reference"]["error"].as_str() {
                    Some(error) => Err(error.to_owned()),
                    None => Ok(Parts {
                        normalised: part("normalised"),
                        domain: part("domain"),
                        path: part("path"),
                        tag: part("tag"),
                        digest: part("digest"),
                    }),
                };
                Vector { text: text.clone(), read }
            })
            .collect())
    }

    pub(crate) fn ask(&mut self, questions: &[Value]) -> anyhow::Result<Vec<Value>> {
        let mut found = Vec::with_capacity(questions.len());
        for batch in questions.chunks(BATCH) {
            let mut input = self.questions.take().context("the program has stopped")?;
            let answers = &mut self.answers;
            let input = std::thread::scope(|scope| {
                let writer = scope.spawn(move || -> std::io::Result<_> {
                    for question in batch {
                        writeln!(input, "{question}")?;
                    }
                    input.flush()?;
                    Ok(input)
                });
                for _ in batch {
                    let mut line = String::new();
                    if answers.read_line(&mut line).context("no answer")? == 0 {
                        bail!("the program stopped; its last words are above");
                    }
                    found.push(serde_json::from_str(&line).context("an answer is not JSON")?);
                }
                writer
                    .join()
                    .ok()
                    .context("a question could not be written")?
                    .context("a question could not be written")
            })?;
            self.questions = Some(input);
        }
        Ok(found)
    }
}

impl Drop for Program {
    /// Without questions the program ends.
    fn drop(&mut self) {
        self.questions = None;
        let _ = self.child.wait();
    }
}

fn question(case: &Case) -> Value {
    let mut images = serde_json::Map::new();
    for (image, trigger) in &case.images {
        let entry = images.entry(image).or_insert_with(|| json!({ "onbuild": [] }));
        if let Some(triggers) = entry["onbuild"].as_array_mut() {
            triggers.push(json!(trigger));
        }
    }
    let pairs = |pairs: &[(String, String)]| -> Value {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    json!({ "dockerfile": {
        "text": case.text,
        "platforms": case.platforms(),
        "args": pairs(&case.args),
        "contexts": pairs(&case.contexts),
        "images": images,
    } })
}

fn read(case: &Case, answer: &Value) -> anyhow::Result<Answer> {
    if let Some(broken) = answer["broken"].as_str() {
        bail!("BuildKit broke on case {}: {broken}\n{}", case.name, case.text);
    }
    // A build from scratch has no facts at all.
    let facts = answer["facts"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    Answer::read(facts).map_err(anyhow::Error::msg)
}

fn target_folder() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => root().join("target"),
    }
}
