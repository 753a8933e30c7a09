//! `fromguard scan`: every image source, judged by nobody.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;
use fromguard_core::formats;
use fromguard_core::image::ImageRef;
use fromguard_core::report;
use fromguard_core::report::Style;
use fromguard_core::scan::Scanned;
use fromguard_core::source::Location;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;
use serde_json::Value;
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::online;
use crate::cli::online::Said;
use crate::cli::print;
use crate::cli::printable;
use crate::local::WorkingTree;

/// List every container image source, with exact positions.
///
/// Tracked files are always read; `.gitignore` hides untracked files only, and
/// hidden folders are read too. What cannot be read is listed as a problem; the
/// exit status is 0 all the same.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders or files; paths in the result are relative to them.
    #[arg(default_value = ".", hide_default_value = true)]
    path: Vec<PathBuf>,
    /// Ask registries what each tag stands for, and Docker Hub for the badge of each publisher.
    #[arg(long)]
    online: bool,
    /// How the result is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for people.
    Text,
    /// One JSON document, version 1.
    Json,
    /// SARIF 2.1.0.
    Sarif,
}

pub(super) fn run(args: &Args, style: Style) -> anyhow::Result<Outcome> {
    let mut parts = Vec::new();
    for path in &args.path {
        let tree = WorkingTree::open(path)?;
        if path.is_file() {
            for named in tree.claimed().filter(|named| !formats::is_claimed(named)) {
                let _ = writeln!(io::stderr(), "warning: no format reads a file named {named}");
            }
        }
        // Under several paths, a file is told by the path that it was found under.
        let prefix = (args.path.len() > 1 && path.is_dir()).then(|| path.to_string_lossy().into_owned());
        parts.push((prefix, tree.scan()));
    }
    let scanned = together(parts);
    let said = if args.online { online::ask(&scanned)? } else { BTreeMap::new() };
    print(&match args.format {
        Format::Text => report::scan_text(&scanned, style) + &said_text(&said),
        Format::Json if args.online => said_json(&report::scan_json(&scanned), &said)?,
        Format::Json => report::scan_json(&scanned),
        Format::Sarif => report::scan_sarif(&scanned, env!("CARGO_PKG_VERSION")),
    })?;
    Ok(Outcome::Pass)
}

/// What registries say, by image.
fn said_text(said: &BTreeMap<ImageRef, Said>) -> String {
    let lines = said.iter().map(|(image, said)| {
        let lines: String =
            said.iter().map(|(about, text)| format!("  {about}: {}\n", printable(text))).collect();
        format!("\n{image}\n{lines}")
    });
    lines.collect()
}

/// The document with what registries say beside each use of an image.
fn said_json(document: &str, said: &BTreeMap<ImageRef, Said>) -> anyhow::Result<String> {
    let mut document: Value = serde_json::from_str(document)?;
    let said: BTreeMap<String, &Said> = said.iter().map(|(image, said)| (image.to_string(), said)).collect();
    for usage in document["uses"].as_array_mut().into_iter().flatten() {
        let said = usage["image"].as_str().and_then(|image| said.get(image)).copied();
        let list = said.into_iter().flatten().map(|(about, text)| json!({"about": about, "text": text}));
        usage["online"] = list.collect();
    }
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// Several scans as one, each under its prefix. A file that two of them found
/// is listed once.
fn together(parts: Vec<(Option<String>, Scanned)>) -> Scanned {
    let mut all = Scanned::default();
    for (prefix, scanned) in parts {
        let under = |path: &RepoPath| match &prefix {
            Some(prefix) => RepoPath::new(&format!("{prefix}/{path}")),
            None => path.clone(),
        };
        let moved = |at: &Location| Location { file: under(&at.file), span: at.span };
        let known = all.sources.clone();
        all.files_scanned += scanned.files_scanned;
        for mut usage in scanned.uses {
            usage.decided_at = moved(&usage.decided_at);
            for via in &mut usage.via {
                via.at = moved(&via.at);
            }
            usage.file = under(&usage.file);
            if !known.contains_key(&usage.file) {
                all.uses.push(usage);
            }
        }
        for mut problem in scanned.problems {
            problem.at = moved(&problem.at);
            if !known.contains_key(&problem.at.file) {
                all.problems.push(problem);
            }
        }
        for (path, source) in scanned.sources {
            let path = under(&path);
            let source = match path == *source.path() {
                true => source,
                false => SourceFile::new(path.clone(), source.text()).into(),
            };
            all.sources.insert(path, source);
        }
    }
    all.uses.sort_by(|a, b| (&a.file, a.span).cmp(&(&b.file, b.span)));
    all.problems.sort_by(|a, b| a.at.cmp(&b.at));
    all
}
