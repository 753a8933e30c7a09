//! `rules`: what a policy's author says in CEL, beyond what keys can say.
//!
//! An expression goes `text` (tokens and limits, before anything parses it) → `parse`
//! → `check` (types and fields) and is then `run` on `values`. It reads nothing else: no
//! clock, no randomness, no other use. What is not known makes the rule unsure, never a
//! pass.
//!
//! The language is the part of CEL that a rule needs, with its types known at load, in
//! code of our own: the parser of the crate `cel` needs 4 MiB of stack in a debug build
//! for sixteen brackets, which ends the process on a thread of 2 MiB, and has no types.

mod check;
mod fields;
mod form;
mod parse;
mod run;
#[cfg(test)]
mod tests;
mod text;
mod values;

use self::check::Checked;
use self::parse::Node;
use self::text::Mistake;
use super::Explanation;
use super::Verdict;
use super::reader::Spanned;
use super::wording::quoted;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::Span;

pub(super) use form::RuleForm;
pub(super) use form::read;
pub use values::Circumstances;
pub(super) use values::Subject;

/// An expression that was checked.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    text: String,
    node: Node,
    checked: Checked,
}

impl Expression {
    /// Reads an expression, or says everything that is wrong with it.
    fn read(text: &str) -> Result<Expression, Vec<Mistake>> {
        let node = text::tokens(text)
            .and_then(|tokens| parse::parse(text, &tokens))
            .map_err(|mistake| vec![mistake])?;
        let checked = check::check(&node)?;
        Ok(Expression { text: text.to_owned(), node, checked })
    }

    /// Runs it on a use; `None` when it cannot be decided.
    fn run(&self, subject: &Subject<'_>) -> Option<bool> {
        run::run(&self.node, &self.checked, subject)
    }
}

/// A rule that loaded.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: String,
    expression: Expression,
    at: Location,
    then: Verdict,
    say: Option<String>,
}

/// What a rule says of a use.
pub(super) struct Applied {
    pub(super) verdict: Verdict,
    pub(super) message: String,
    pub(super) explanation: Explanation,
}

impl Rule {
    pub(super) fn new(form: RuleForm, file: &RepoPath) -> Option<Rule> {
        let Spanned { value: expression, span } = form.expression?;
        Some(Rule {
            name: form.name.value,
            expression,
            at: Location { file: file.clone(), span },
            then: form.then?.value,
            say: form.say,
        })
    }

    /// What it says of a use; `None` when it does not apply.
    pub(super) fn apply(&self, subject: &Subject<'_>) -> Option<Applied> {
        let result = self.expression.run(subject);
        if result == Some(false) {
            return None;
        }
        let mut because = Vec::new();
        let mut unknown = Vec::new();
        for (variable, field) in self.expression.checked.fields.iter() {
            let name = format!("{}.{}", variable.name, field.name);
            let text = match subject.value(variable.name, field.name) {
                Some(value) => format!("`{name}` is {value}"),
                None => {
                    unknown.push(format!("`{name}`"));
                    format!("`{name}` is not known")
                }
            };
            because.push(Explanation { text, at: None, because: Vec::new() });
        }
        let expression = quoted(&self.expression.text);
        let (name, subject) = (&self.name, subject.shown());
        let (verdict, message, text) = if result.is_none() {
            let why = match unknown.as_slice() {
                [] => "its expression has no result here".to_owned(),
                unknown => format!("{} not known", is_or_are(unknown)),
            };
            let message = format!("whether the rule `{name}` applies to {subject} cannot be decided: {why}");
            (Verdict::Undecided, message, format!("the rule `{name}` asks whether {expression}"))
        } else {
            let message = match &self.say {
                Some(say) => format!("{subject}: {say}"),
                None => format!("{subject} meets the rule `{name}`"),
            };
            (self.then, message, format!("the rule `{name}` applies: {expression}"))
        };
        Some(Applied {
            verdict,
            message,
            explanation: Explanation { text, at: Some(self.at.clone()), because },
        })
    }
}

fn is_or_are(names: &[String]) -> String {
    match names {
        [one] => format!("{one} is"),
        many => format!("{} are", many.join(", ")),
    }
}

/// The place of a mistake in the file: the YAML around the text of an expression may
/// have quotes, escapes and indentation in it.
fn place(written: &str, span: Span, text: &str, at: &std::ops::Range<usize>) -> Span {
    let mut from_text = written.char_indices().peekable();
    let (mut start, mut end) = (None, None);
    for (offset, wanted) in text.char_indices() {
        loop {
            // A block of lines ends with a line break that is not part of its span.
            let Some((place, found)) = from_text.next() else { return found_place(span, start, end) };
            if found == wanted || (wanted.is_whitespace() && found.is_whitespace()) {
                if offset == at.start {
                    start = Some(place);
                }
                if offset < at.end {
                    end = Some(place + found.len_utf8());
                }
                break;
            }
            if !(found.is_whitespace() || matches!(found, '\\' | '\'' | '"')) {
                return span;
            }
        }
    }
    found_place(span, start, end)
}

fn found_place(span: Span, start: Option<usize>, end: Option<usize>) -> Span {
    match (start, end) {
        (Some(start), Some(end)) if start <= end => Span::new(span.start + start, span.start + end),
        _ => span,
    }
}
