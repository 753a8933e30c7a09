//! Justfiles: the lines of recipes are scripts, after just has put `{{…}}` into them.
//!
//! After <https://just.systems/man/en/>: a recipe is a line with a name and `:`, and the
//! indented lines below it, each of which a shell gets; with `#!` in the first one, an
//! interpreter gets all of them. Of expressions only names of plain variables are evaluated.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::collections::HashMap;

use memchr::memchr_iter;

use super::Foreign;
use super::Script;
use crate::formats::Extracted;
use crate::formats::uses::Finder;
use crate::formats::value::Value;
use crate::source::Mapped;
use crate::source::Span;

/// Reads a justfile.
pub(super) fn read(finder: Finder<'_>, folders: &[&str], extracted: &mut Extracted) {
    let text = finder.file.text();
    let (variables, recipes) = take_apart(finder, text);
    let local = RefCell::new(BTreeSet::new());
    let read = || {
        let mut found = Extracted::default();
        for recipe in &recipes {
            if !super::may_hold_images(&text[recipe.start..recipe.end]) {
                continue;
            }
            let script = Mapped::verbatim(&text[recipe.start..recipe.end], recipe.start);
            let foreign = expressions(script.text(), &variables);
            let environment = |_: &str| None;
            let script = Script {
                finder,
                text: &script,
                foreign: &foreign,
                environment: &environment,
                folders,
                local: &local,
            };
            super::read_any(&script, &mut found);
        }
        found
    };
    let mut found = read();
    // What one recipe builds is local to the others, whatever their order.
    if !local.borrow().is_empty() {
        found = read();
    }
    extracted.uses.append(&mut found.uses);
    extracted.builds.append(&mut found.builds);
    extracted.problems.append(&mut found.problems);
}

/// The variables of a file, and the scripts of its recipes.
fn take_apart<'t>(finder: Finder<'_>, text: &'t str) -> (HashMap<&'t str, Value>, Vec<Span>) {
    let mut variables = HashMap::new();
    let mut recipes: Vec<Span> = Vec::new();
    let mut at = 0;
    let mut interpreted: Option<bool> = None;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let content = line.trim_end();
        if content.is_empty() {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            let body = content.trim_start();
            let begin = start + content.len() - body.len();
            match interpreted {
                None if body.starts_with("#!") => {
                    let mut words = body.split(['/', ' ', '\t', '!']);
                    let is_shell =
                        |word: &str| matches!(word, "sh" | "bash" | "zsh" | "dash" | "ksh" | "ash");
                    interpreted = Some(words.any(is_shell));
                    recipes.push(Span::new(start + content.len(), start + content.len()));
                }
                None => {
                    interpreted = None;
                    let plain = body.trim_start_matches(['@', '-']);
                    let begin = begin + body.len() - plain.len();
                    let continues = recipes.last().is_some_and(|last| {
                        text[last.start..last.end].trim_end().ends_with('\\')
                            && text[last.end..start].trim().is_empty()
                    });
                    match recipes.last_mut() {
                        Some(last) if continues => last.end = start + content.len(),
                        _ => recipes.push(Span::new(begin, start + content.len())),
                    }
                }
                Some(true) => {
                    if let Some(last) = recipes.last_mut() {
                        last.end = start + content.len();
                    }
                }
                Some(false) => {}
            }
            continue;
        }
        interpreted = None;
        recipes.extend(backquoted(content, start));
        let content = content.strip_prefix("export ").unwrap_or(content);
        if let Some((name, value)) = content.split_once(":=") {
            let value = value.trim();
            let begin = start + line.trim_end().len() - value.len();
            let quoted = value.len() >= 2 && value.starts_with(['"', '\'']) && value.ends_with(&value[..1]);
            let value = match quoted {
                true => {
                    let span = Span::new(begin + 1, begin + value.len() - 1);
                    Value::known(&value[1..value.len() - 1])
                        .placed(finder.location(span), format!("value of `{}`", name.trim()))
                }
                false => Value::unknown(format!("the value of `{}` is not evaluated", name.trim())),
            };
            variables.insert(name.trim(), value);
        }
    }
    (variables, recipes)
}

/// The commands between backquotes in a line that is no recipe's: just runs them.
fn backquoted(line: &str, start: usize) -> Vec<Span> {
    let places: Vec<usize> = memchr_iter(b'`', line.as_bytes()).collect();
    let pairs = places.chunks_exact(2);
    pairs.map(|pair| Span::new(start + pair[0] + 1, start + pair[1])).collect()
}

/// The expressions in a script: `{{name}}`.
fn expressions(script: &str, variables: &HashMap<&str, Value>) -> Vec<Foreign> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = script[at..].find("{{").map(|open| at + open) {
        let Some(length) = script[open..].find("}}") else { break };
        let end = open + length + 2;
        let name = script[open + 2..end - 2].trim();
        let value = variables.get(name).cloned();
        let value = value.unwrap_or_else(|| Value::unknown(format!("`{name}` is not set in this justfile")));
        found.push(Foreign { range: open..end, values: vec![value] });
        at = end;
    }
    found
}
