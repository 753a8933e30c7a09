//! Writes the golden answers of `tests/conformance`, or checks them.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use anyhow::bail;

use crate::oracle::answer;
use crate::oracle::cases;
use crate::oracle::cases::Case;
use crate::oracle::compose;
use crate::oracle::compose_cases;
use crate::oracle::conformance;
use crate::oracle::program::Program;
use crate::oracle::references;

/// Asks about everything and writes the answers.
pub(crate) fn write(program: &mut Program, compose: &mut Program) -> anyhow::Result<()> {
    for (path, text) in ask(program, compose)? {
        fs::write(&path, text).with_context(|| format!("{} could not be written", path.display()))?;
    }
    Ok(())
}

/// Asks about everything and compares the answers with those on file.
pub(crate) fn check(program: &mut Program, compose: &mut Program) -> anyhow::Result<()> {
    let mut stale = Vec::new();
    for (path, text) in ask(program, compose)? {
        if fs::read_to_string(&path).is_ok_and(|on_file| on_file == text) {
            continue;
        }
        stale.push(path.display().to_string());
    }
    if !stale.is_empty() {
        bail!("these answers are not what is answered now; run `cargo xtask oracle`:\n{}", stale.join("\n"));
    }
    Ok(())
}

fn ask(program: &mut Program, compose: &mut Program) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let versions = program.versions()?;
    let mut files = Vec::new();
    for (path, cases) in dockerfiles()? {
        let answers = program.cases(&cases)?;
        let named: Vec<_> = cases.into_iter().map(|case| case.name).zip(answers).collect();
        files.push((path.with_extension("golden"), answer::write(&versions, &named)));
    }
    let (path, texts) = references()?;
    let vectors = program.references(&texts)?;
    files.push((path.with_extension("golden"), references::write(&versions, &vectors)));
    let versions = compose.versions()?;
    for path in case_files("compose")? {
        let cases = compose_cases::read(&read(&path)?).map_err(|what| wrong(&path, &what))?;
        let answers = compose::ask(compose, &cases)?;
        let named: Vec<_> = cases.into_iter().map(|case| case.name).zip(answers).collect();
        files.push((path.with_extension("golden"), compose_cases::write_answers(&versions, &named)));
    }
    Ok(files)
}

/// The file of references and its texts.
pub(crate) fn references() -> anyhow::Result<(PathBuf, Vec<String>)> {
    let path = conformance().join("reference/references.cases");
    let texts = references::texts(&read(&path)?).map_err(|what| wrong(&path, &what))?;
    Ok((path, texts))
}

/// Every file of Dockerfile cases, in the order of their names.
pub(crate) fn dockerfiles() -> anyhow::Result<Vec<(PathBuf, Vec<Case>)>> {
    case_files("dockerfile")?
        .into_iter()
        .map(|path| {
            let cases = cases::read(&read(&path)?).map_err(|what| wrong(&path, &what))?;
            Ok((path, cases))
        })
        .collect()
}

/// The files of cases in a folder, in the order of their names.
fn case_files(folder: &str) -> anyhow::Result<Vec<PathBuf>> {
    let folder = conformance().join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("{} could not be read", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "cases"))
        .collect();
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))
}

fn wrong(path: &Path, what: &str) -> anyhow::Error {
    anyhow::Error::msg(format!("{}: {what}", path.display()))
}
