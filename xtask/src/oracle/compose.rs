//! Questions to compose-go, and the comparison of whole trees with it.

use std::fs;
use std::path::Path;

use anyhow::Context;
use fromguard_core::formats::Claim;
use fromguard_core::formats::Extracted;
use fromguard_core::formats::Format;
use fromguard_core::formats::compose::Compose;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use serde_json::Value;
use serde_json::json;

use crate::oracle::compose_cases;
use crate::oracle::compose_cases::Answer;
use crate::oracle::compose_cases::Case;
use crate::oracle::program::Program;

/// What compose-go makes of cases.
pub(crate) fn ask(program: &mut Program, cases: &[Case]) -> anyhow::Result<Vec<Answer>> {
    let questions: Vec<Value> =
        cases.iter().map(|case| json!({ "files": case.files, "load": case.load })).collect();
    Ok(program.ask(&questions)?.iter().map(answer).collect())
}

fn answer(answer: &Value) -> Answer {
    match answer["fails"].as_str() {
        Some(message) => Err(message.to_owned()),
        None => Ok(answer["facts"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|fact| Some(fact.as_str()?.to_owned()))
            .collect()),
    }
}

/// Compares every compose file below a folder, each loaded alone.
pub(crate) fn tree(program: &mut Program, folder: &Path) -> anyhow::Result<()> {
    let mut all = Vec::new();
    walk(folder, "", &mut all)?;
    all.sort();
    let named = |path: &&String| Compose.claims(&RepoPath::new(path)) == Claim::Yes;
    let paths: Vec<&String> = all.iter().filter(named).collect();
    let known = |path: &RepoPath| {
        let bytes = fs::read(folder.join(path.as_str()));
        Some(bytes.map_or(Content::Missing, Content::from_bytes))
    };
    // What a file includes or extends tells of its own images.
    let read: Vec<Extracted> = all.iter().filter_map(|path| compose_cases::extract(path, &known)).collect();
    let told =
        Extracted { uses: read.into_iter().flat_map(|read| read.uses).collect(), ..Extracted::default() };
    let told = compose_cases::resolved(told);
    let (mut agree, mut differ, mut refused) = (0, 0, 0);
    for path in &paths {
        let question = json!({ "folder": folder.canonicalize()?, "load": [path] });
        let answer = answer(&program.ask(&[question])?.remove(0));
        let Some(read) = compose_cases::extract(path, &known) else { continue };
        match answer {
            Err(message) => {
                refused += 1;
                println!("{path}: Compose refuses it: {message}");
            }
            Ok(facts) => {
                let differences = compose_cases::compare(&facts, &[read, told.clone()], &[], false);
                agree += usize::from(differences.is_empty());
                differ += usize::from(!differences.is_empty());
                differences.iter().for_each(|difference| println!("{path}: {difference}"));
            }
        }
    }
    println!("{} files: {agree} agree, {differ} differ, {refused} are refused by Compose", paths.len());
    Ok(())
}

fn walk(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{} could not be read", folder.display()))? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() && name != ".git" {
            walk(&entry.path(), &format!("{path}/"), paths)?;
        } else if Compose.claims(&RepoPath::new(&path)) != Claim::No {
            paths.push(path);
        }
    }
    Ok(())
}
