//! Compares every Dockerfile of a folder or of a git repository's HEAD.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use anyhow::bail;

use fromguard_core::formats::Claim;
use fromguard_core::formats::Format;
use fromguard_core::formats::dockerfile::Dockerfile;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;

use crate::oracle::cases::Case;
use crate::oracle::program::Program;
use crate::oracle::rule;

/// Compares them all and prints each difference.
pub(crate) fn run(program: &mut Program, path: &Path) -> anyhow::Result<()> {
    let files = if is_git(path) { in_git(path)? } else { in_folder(path)? };
    let mut cases = Vec::new();
    let mut unreadable = 0;
    for (name, bytes) in files {
        match Content::from_bytes(bytes) {
            Content::Text(text) => cases.push(Case::of(&name, &text)),
            _ => unreadable += 1,
        }
    }
    let answers = program.cases(&cases)?;
    let (mut uses, mut wrong, mut failing, mut foreign) = (0, 0, 0, 0);
    for (case, answer) in cases.iter().zip(&answers) {
        let ours = rule::extract_as(&RepoPath::new(&case.name), &case.text);
        if ours.is_foreign {
            foreign += 1;
            let asked = answer.default.images.len() + answer.others.images.len();
            if answer.syntax.is_none() || answer.frontend.is_some() || asked > 0 {
                wrong += 1;
                println!("{}: BuildKit reads this, and fromguard takes it for another language", case.name);
            }
            continue;
        }
        uses += ours.uses.len();
        failing += usize::from(answer.syntax.is_some() || !answer.default.errors.is_empty());
        let mut differences = rule::compare(&case.text, answer, &ours).differences;
        differences.extend(rule::inconsistencies(&case.text, &ours));
        wrong += usize::from(!differences.is_empty());
        for difference in differences {
            println!("{}: {difference}", case.name);
        }
    }
    println!(
        "{}: {} Dockerfiles, {uses} uses, {failing} that BuildKit does not build as they are, {foreign} of other languages, {unreadable} unreadable, {wrong} read differently",
        path.display(),
        cases.len(),
    );
    if wrong > 0 {
        bail!("{wrong} Dockerfiles are read differently");
    }
    Ok(())
}

fn is_git(path: &Path) -> bool {
    path.join(".git").exists() || path.join("HEAD").is_file()
}

fn in_git(path: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let listing = git(path, &["ls-tree", "-r", "-z", "--format=%(objectmode) %(path)", "HEAD"])?;
    let listing = String::from_utf8_lossy(&listing);
    listing
        .split('\0')
        .filter_map(|entry| entry.strip_prefix("100"))
        .filter_map(|entry| entry.split_once(' '))
        .filter(|(_, name)| Dockerfile.claims(&RepoPath::new(name)) != Claim::No)
        .map(|(_, name)| Ok((name.to_owned(), git(path, &["show", &format!("HEAD:{name}")])?)))
        .collect()
}

fn git(path: &Path, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let output =
        Command::new("git").arg("-C").arg(path).args(arguments).output().context("git could not be run")?;
    if !output.status.success() {
        bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.stdout)
}

fn in_folder(path: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("{} could not be read", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            let at = entry.path();
            let name = at.strip_prefix(path).unwrap_or(&at).to_string_lossy().into_owned();
            if kind.is_dir() {
                folders.push(at);
            } else if kind.is_file() && Dockerfile.claims(&RepoPath::new(&name)) != Claim::No {
                found.push((name, fs::read(&at)?));
            }
        }
    }
    found.sort();
    Ok(found)
}
