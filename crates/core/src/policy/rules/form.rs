//! How a rule is written in a policy file.

use super::Expression;
use super::place;
use crate::policy::diagnostic::Diagnostics;
use crate::policy::form;
use crate::policy::keys;
use crate::policy::reader::Entry;
use crate::policy::reader::Spanned;
use crate::policy::verdict::Verdict;
use crate::policy::wording::foreign_sentence;
use crate::policy::wording::prose;
use crate::yaml::Node;

/// The most rules of a file: each is run for every use.
const MAX_RULES: usize = 64;

/// A rule as it is written.
#[derive(Debug)]
pub(in crate::policy) struct RuleForm {
    pub(in crate::policy) name: Spanned<String>,
    pub(super) expression: Option<Spanned<Expression>>,
    pub(super) then: Option<Spanned<Verdict>>,
    pub(super) say: Option<String>,
}

/// Reads `rules`.
pub(in crate::policy) fn read(node: Node<'_>, out: &mut Diagnostics) -> Vec<RuleForm> {
    let mut rules: Vec<RuleForm> = Vec::new();
    let items = out.list(node, "`rules`");
    if let Some(over) = items.get(MAX_RULES) {
        let message = format!("`rules` holds {} rules, the limit is {MAX_RULES}", items.len());
        out.error(over.span(), message, "say what keys can say with keys");
    }
    for item in items.into_iter().take(MAX_RULES) {
        let entries = out.entries(item, "an item of `rules`", &keys::RULE);
        if item.mapping().is_none() {
            continue;
        }
        out.needed(item, "an item of `rules`", &keys::RULE);
        let mut rule = RuleForm {
            name: Spanned { value: String::new(), span: item.span() },
            expression: None,
            then: None,
            say: None,
        };
        for Entry { key, value, .. } in entries {
            match key {
                "name" => rule.name = form::name(value, "the name of a rule", out).unwrap_or(rule.name),
                "if" => rule.expression = expression(value, out),
                "then" => {
                    rule.then =
                        out.word(value, "`then`", &[("review", Verdict::Review), ("fail", Verdict::Fail)]);
                }
                "say" => rule.say = out.text(value, "`say`").map(prose),
                _ => {}
            }
        }
        rules.push(rule);
    }
    let named = rules.iter().map(|rule| &rule.name).filter(|name| !name.value.is_empty());
    form::reject_repeated_names(named, "rule", out);
    rules
}

fn expression(node: Node<'_>, out: &mut Diagnostics) -> Option<Spanned<Expression>> {
    let text = out.text(node, "`if`")?;
    match Expression::read(text) {
        Ok(value) => Some(Spanned { value, span: node.span() }),
        Err(mistakes) => {
            let written = out.slice(node.span()).to_owned();
            for mistake in mistakes {
                let span = place(&written, node.span(), text, &mistake.at);
                out.error(span, foreign_sentence(&mistake.message), foreign_sentence(&mistake.help));
            }
            None
        }
    }
}
