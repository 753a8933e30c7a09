//! A policy under translation: what it will say, and what has to be said about it.

use std::sync::Arc;

use crate::day::Day;
use crate::import::names::Names;
use crate::import::names::Why;
use crate::policy::Scope;
use crate::policy::Severity;
use crate::policy::load;
use crate::source::RepoPath;
use crate::source::SourceFile;

/// More of a foreign text than this is cut in a comment, in characters.
const MAX_SHOWN_CHARS: usize = 240;
/// How often what does not load is taken out and the rest read again.
const MAX_ROUNDS: usize = 8;

/// What becomes of an image that nothing names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    Allow,
    Review,
    Fail,
}

/// A policy under translation.
#[derive(Debug)]
pub(super) struct Draft {
    /// Whose policy it was: `a hadolint configuration`.
    what: &'static str,
    pub(super) unknown: Unknown,
    official: bool,
    trusted: Vec<Item>,
    blocked: Vec<Item>,
    rules: Vec<Rule>,
    changed: Vec<String>,
    left_out: Vec<String>,
}

/// A pattern and the text that it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    pattern: String,
    was: String,
}

#[derive(Debug, PartialEq, Eq)]
struct Rule {
    name: String,
    condition: String,
    then: &'static str,
    say: &'static str,
}

/// Which list a line of the written policy is an item of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Trusted,
    Blocked,
    Rules,
}

impl Draft {
    pub(super) fn new(what: &'static str) -> Draft {
        Draft {
            what,
            unknown: Unknown::Fail,
            official: false,
            trusted: Vec::new(),
            blocked: Vec::new(),
            rules: Vec::new(),
            changed: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Trusts what a text names, read safely.
    pub(super) fn trust(&mut self, was: &str, names: Result<Names, Why>) {
        match names {
            Ok(names) if names.patterns == ["docker.io/**"] => self.trust_official(was),
            Ok(names) => {
                if let Some(narrower) = &names.narrower {
                    self.changed(was, narrower);
                }
                let items = names.patterns.into_iter().map(|pattern| Item { pattern, was: was.to_owned() });
                self.trusted.extend(items);
            }
            Err(why) => self.leave_out(was, &why),
        }
    }

    /// Blocks what a text names. What its beginning covered beside that is not blocked.
    pub(super) fn block(&mut self, was: &str, names: Result<Names, Why>) {
        match names {
            Ok(names) => {
                if names.narrower.is_some() {
                    let text = "was compared as the beginning of a text: other names that begin with it are \
                                decided by `unknown` now";
                    self.changed(was, text);
                }
                let items = names.patterns.into_iter().map(|pattern| Item { pattern, was: was.to_owned() });
                self.blocked.extend(items);
            }
            Err(why) => self.leave_out(was, &why),
        }
    }

    /// Trusts the official images in the place of everything on Docker Hub.
    fn trust_official(&mut self, was: &str) {
        self.official = true;
        let text = "let everybody in who can push to Docker Hub; here only the official images are trusted: \
                    add the owners that you mean, as `docker.io/grafana/**`";
        self.changed(was, text);
    }

    /// Asks for something with an expression; a second rule of the same name gets a number.
    pub(super) fn rule(&mut self, name: &str, condition: String, then: &'static str, say: &'static str) {
        if self.rules.iter().any(|rule| rule.condition == condition) {
            return;
        }
        let same = self.rules.iter().filter(|rule| rule.name.starts_with(name)).count();
        let name = if same == 0 { name.to_owned() } else { format!("{name}-{}", same + 1) };
        self.rules.push(Rule { name, condition, then, say });
    }

    /// Something that means less or more here, which is said.
    pub(super) fn changed(&mut self, was: &str, text: &str) {
        push_once(&mut self.changed, format!("{} {text}", shown(was)));
    }

    /// Something that is not translated.
    pub(super) fn leave_out(&mut self, was: &str, why: &str) {
        push_once(&mut self.left_out, format!("{}: {}", shown(was), one_line(why)));
    }

    /// The policy, which loads; `None` when there is nothing to say.
    pub(super) fn finish(mut self, name: &str) -> Option<String> {
        for items in [&mut self.trusted, &mut self.blocked] {
            let mut seen = std::collections::HashSet::new();
            items.retain(|item| seen.insert(item.pattern.clone()));
        }
        for _ in 0..MAX_ROUNDS {
            let (text, lines) = self.written(name);
            let file = Arc::new(SourceFile::new(RepoPath::new("fromguard.yml"), text.as_str()));
            let loaded = load(Arc::clone(&file), Scope::Repository, Day::from_unix_ms(0));
            if !loaded.is_broken() {
                let says_something = self.official
                    || !(self.trusted.is_empty() && self.blocked.is_empty() && self.rules.is_empty())
                    || !self.left_out.is_empty();
                return says_something.then_some(text);
            }
            let wrong = loaded.diagnostics.iter().filter(|one| one.severity == Severity::Error);
            let wrong: Vec<(usize, String)> =
                wrong.map(|one| (file.position(one.span.start).line_1based, one.message.clone())).collect();
            self.take_out(&lines, &wrong);
        }
        None
    }

    /// Takes out the items on these lines.
    fn take_out(&mut self, lines: &[(usize, List, String)], wrong: &[(usize, String)]) {
        for (line, message) in wrong {
            let Some((_, list, pattern)) = lines.iter().find(|(at, _, _)| at == line) else { continue };
            let items = match list {
                List::Trusted => &mut self.trusted,
                List::Blocked => &mut self.blocked,
                List::Rules => {
                    self.rules.retain(|rule| rule.name != *pattern);
                    self.leave_out(pattern, message);
                    continue;
                }
            };
            let Some(index) = items.iter().position(|item| item.pattern == *pattern) else { continue };
            let item = items.remove(index);
            self.leave_out(&item.was, message);
        }
    }

    /// The text, and which line of it holds which item.
    fn written(&self, name: &str) -> (String, Vec<(usize, List, String)>) {
        let mut out = format!(
            "# Translated from {}, {}, by `fromguard policy import`.\n# Read it before you use it. It only observes.\n",
            one_line(name),
            self.what
        );
        for (title, notes) in
            [("What means something else here:", &self.changed), ("What was left out:", &self.left_out)]
        {
            if !notes.is_empty() {
                out.push_str(&format!("#\n# {title}\n"));
                notes.iter().for_each(|note| out.push_str(&format!("# - {note}\n")));
            }
        }
        let unknown = match self.unknown {
            Unknown::Allow => "allow",
            Unknown::Review => "review",
            Unknown::Fail => "fail",
        };
        out.push_str(&format!("version: 1\nmode: observe\nunknown: {unknown}\n"));
        let mut lines = Vec::new();
        let mut list = |out: &mut String, indent: &str, items: &[Item], of: List| {
            let width = items.iter().map(|item| item.pattern.len()).max().unwrap_or(0);
            for item in items {
                lines.push((out.matches('\n').count() + 1, of, item.pattern.clone()));
                let pad = " ".repeat(width - item.pattern.len());
                out.push_str(&format!("{indent}- \"{}\"{pad}  # was {}\n", item.pattern, shown(&item.was)));
            }
        };
        if self.official || !self.trusted.is_empty() {
            out.push_str("trust:\n");
        }
        if self.official {
            out.push_str("  official:\n    images: [\"hub:official\"]\n");
        }
        if !self.trusted.is_empty() {
            out.push_str("  imported:\n    images:\n");
            list(&mut out, "      ", &self.trusted, List::Trusted);
        }
        if !self.blocked.is_empty() {
            out.push_str("block:\n  - images:\n");
            list(&mut out, "      ", &self.blocked, List::Blocked);
        }
        if !self.rules.is_empty() {
            out.push_str("rules:\n");
            for Rule { name, condition, then, say } in &self.rules {
                let condition = condition.replace('\'', "''");
                lines.push((out.matches('\n').count() + 2, List::Rules, name.clone()));
                out.push_str(&format!(
                    "  - name: {name}\n    if: '{condition}'\n    then: {then}\n    say: {say}\n"
                ));
            }
        }
        (out, lines)
    }
}

fn push_once(notes: &mut Vec<String>, note: String) {
    if !notes.contains(&note) {
        notes.push(note);
    }
}

/// A foreign text in a comment: in backquotes, on one line, not too long.
fn shown(text: &str) -> String {
    if text.is_empty() {
        return "an empty text".to_owned();
    }
    format!("`{}`", one_line(text).replace('`', "'"))
}

fn one_line(text: &str) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == MAX_SHOWN_CHARS {
            out.push('…');
            break;
        }
        if c.is_control() || !(c.is_ascii() || c.is_alphanumeric() || c == '…') {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}
