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
    if !shell::may_hold_images(text.text()) || !is_shell(engine, step) {
        return;
    }
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

/// Whether a step runs in a shell whose language is read: none is named, or one of
/// the family of `sh`.
fn is_shell(engine: &Engine<'_>, step: &Step<'_>) -> bool {
    let Some(shell) = default(engine, step, "shell").and_then(Node::text) else { return true };
    let program = shell.split_whitespace().next().unwrap_or("");
    let program = program.rsplit('/').next().unwrap_or(program);
    matches!(program, "sh" | "bash" | "dash" | "ksh" | "zsh") || expression::has_expression(shell)
}

/// A key of a step, or the default of its job or workflow.
fn default<'e>(engine: &Engine<'e>, step: &Step<'e>, key: &str) -> Option<Node<'e>> {
    let of_job = || step.job.as_ref()?.mapping.find("defaults")?.at(&["run", key]);
    step.mapping.find(key).or_else(of_job).or_else(|| engine.document.root.at(&["defaults", "run", key]))
}
