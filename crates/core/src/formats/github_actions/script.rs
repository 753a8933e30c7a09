//! `run` steps: the script of a step, with the expressions in it and the `env` that it
//! sees, handed to the shell's reader.
//!
//! Expressions that belong together are put in together: a script is read once for each
//! combination of the matrix that tells two of them apart.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::formats::Extracted;
use crate::formats::shell;
use crate::formats::shell::Foreign;
use crate::formats::shell::Script;
use crate::formats::uses::Finder;
use crate::formats::value::Value;
use crate::image::ImageUse;
use crate::image::Role;
use crate::source::Mapped;
use crate::source::Span;
use crate::yaml::Node;

use super::document::Step;
use super::expression;
use super::item::Item;
use super::scope::At;
use super::scope::Engine;

/// How many combinations one script is read for; beyond that its expressions are
/// taken one by one.
const MAX_READINGS: usize = 32;

/// What the steps of a job built so far, by the names of the shell's reader.
pub(super) type Local = RefCell<BTreeSet<String>>;

/// Adds what the script of a step uses and builds.
pub(super) fn read<'e>(
    engine: &Engine<'e>,
    finder: Finder<'_>,
    step: &Step<'e>,
    at: At<'_, 'e>,
    local: &Local,
    extracted: &mut Extracted,
) {
    let Some(run) = step.mapping.find("run") else { return };
    let Some(text) = run.mapped(engine.file.text()) else { return };
    if !shell::may_hold_images(text.text()) {
        return;
    }
    let text = match language(engine, step, at) {
        Language::Sh => text,
        Language::PowerShell => as_sh(&text),
        Language::Other => return,
    };
    let folder = match default(engine, step, "working-directory") {
        None => Some(String::new()),
        Some(node) => match engine.items(node, at).as_slice() {
            [Item::Scalar(_, value)] if value.is_known() => {
                Some(value.text().trim_start_matches("./").trim_end_matches(['/', '.']).to_owned())
            }
            _ => None,
        },
    };
    let folders: Vec<&str> = folder.iter().map(String::as_str).collect();
    let environment = |name: &str| {
        let is_set = at.env.iter().any(|env| env.find(name).is_some());
        is_set.then(|| engine.values(&format!("${{{{ env.{name} }}}}"), at))
    };
    let places = expression::places(text.text());
    let texts: Vec<&str> = places.iter().map(|place| &text.text()[place.clone()]).collect();
    let mut cases = engine.cases(&texts, at);
    if texts.len() < 2 || cases.len() > MAX_READINGS {
        let together = texts.iter().map(|text| engine.values(text, at).into_iter().map(known).collect());
        cases = vec![together.collect()];
    }
    let mut found: BTreeMap<(Span, Role), ImageUse> = BTreeMap::new();
    for case in cases {
        let foreign: Vec<Foreign> = places
            .iter()
            .zip(case)
            .map(|(range, items)| Foreign {
                range: range.clone(),
                values: items.into_iter().map(Item::into_text).collect(),
            })
            .collect();
        let mut one = Extracted::default();
        let script = Script {
            finder,
            text: &text,
            foreign: &foreign,
            environment: &environment,
            folders: &folders,
            local,
        };
        shell::read(&script, &mut one);
        for usage in one.uses {
            match found.get_mut(&(usage.span, usage.role)) {
                Some(known) => known.join(usage),
                None => drop(found.insert((usage.span, usage.role), usage)),
            }
        }
        for problem in one.problems {
            if !extracted.problems.contains(&problem) {
                extracted.problems.push(problem);
            }
        }
        for build in one.builds {
            if !extracted.builds.contains(&build) {
                extracted.builds.push(build);
            }
        }
    }
    extracted.uses.extend(found.into_values());
}

fn known(value: Value) -> Item {
    Item::Scalar(super::item::Type::Text, value)
}

/// What the script of a step is written in.
enum Language {
    Sh,
    PowerShell,
    Other,
}

/// The language of a step: that of its shell, or of the one that its machine has.
fn language<'e>(engine: &Engine<'e>, step: &Step<'e>, at: At<'_, 'e>) -> Language {
    let Some(shell) = default(engine, step, "shell").and_then(Node::text) else {
        return if is_on_windows(engine, step, at) { Language::PowerShell } else { Language::Sh };
    };
    let program = shell.split_whitespace().next().unwrap_or("");
    let program = program.rsplit('/').next().unwrap_or(program);
    match program {
        "sh" | "bash" | "dash" | "ksh" | "zsh" => Language::Sh,
        "pwsh" | "powershell" => Language::PowerShell,
        _ if expression::has_expression(shell) => Language::Sh,
        _ => Language::Other,
    }
}

/// Whether the job of a step runs on Windows, whatever its matrix says.
fn is_on_windows<'e>(engine: &Engine<'e>, step: &Step<'e>, at: At<'_, 'e>) -> bool {
    let Some(runner) = step.job.as_ref().and_then(|job| job.mapping.find("runs-on")) else { return false };
    let says_so = |text: &str| text.to_ascii_lowercase().contains("windows");
    if runner.text().is_none() {
        return runner.list().filter_map(Node::text).any(says_so);
    }
    let items = engine.items(runner, at);
    let is_windows = |item: &Item| matches!(item, Item::Scalar(_, value) if says_so(value.text()));
    !items.is_empty() && items.iter().all(is_windows)
}

/// A script of PowerShell in words that the shell's reader takes the same way: "`"
/// escapes there, as `\` does here, and `\` parts the names of a path.
fn as_sh(script: &Mapped) -> Mapped {
    let text = script.text();
    let mut made = Mapped::default();
    let mut done = 0;
    for (at, char) in text.match_indices(['`', '\\']) {
        made.append(&script.slice(done..at));
        done = at + char.len();
        made.push_made(if char == "`" { "\\" } else { "/" }, script.span(at..done));
    }
    made.append(&script.slice(done..text.len()));
    made
}

/// A key of a step, or the default of its job or workflow.
fn default<'e>(engine: &Engine<'e>, step: &Step<'e>, key: &str) -> Option<Node<'e>> {
    let of_job = || step.job.as_ref()?.mapping.find("defaults")?.at(&["run", key]);
    step.mapping.find(key).or_else(of_job).or_else(|| engine.document.root.at(&["defaults", "run", key]))
}
