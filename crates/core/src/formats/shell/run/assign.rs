//! Everything that sets a variable, and what a variable is where it is used.

use std::rc::Rc;

use super::Run;
use crate::formats::shell::array::Element;
use crate::formats::shell::array::Lists;
use crate::formats::shell::expand;
use crate::formats::shell::expand::Environment;
use crate::formats::shell::expand::Looked;
use crate::formats::shell::field::Field;
use crate::formats::shell::field::Source;
use crate::formats::shell::lexer;
use crate::formats::shell::scope::Contents;
use crate::formats::shell::scope::Member;
use crate::formats::shell::scope::product;
use crate::formats::shell::word::Assigned;
use crate::formats::shell::word::Command;
use crate::formats::shell::word::Kind;
use crate::formats::shell::word::Link;
use crate::formats::shell::word::Variable;
use crate::formats::shell::word::Word;
use crate::formats::value::Value;

impl Run<'_, '_> {
    pub(in crate::formats::shell) fn for_each(&mut self, name: &str, words: &[Word], source: &Source<'_>) {
        let mut members: Vec<Member> = Vec::new();
        for word in words {
            self.visit(word, source);
            self.drops_shapes = false;
            let shapes = self.shapes(word, source);
            if std::mem::take(&mut self.drops_shapes) {
                members.push(Member::unknown("…", "the words of the loop are too many to be told apart"));
            }
            for field in shapes.into_iter().flatten() {
                if field.many {
                    members.push(Member::unknown(
                        format!("${name}"),
                        format!("what the loop over `{name}` runs through is not known"),
                    ));
                } else {
                    let at = self.script.finder.location(field.span);
                    members.extend(field.members.into_iter().map(|member| Member {
                        value: member.value.placed(at.clone(), format!("value of `{name}`")),
                        symbol: member.symbol,
                    }));
                }
            }
        }
        if words.is_empty() {
            members.push(Member::unknown(format!("${name}"), "the arguments of the script are not known"));
        }
        members = product(vec![Member::known(Value::default())], &members);
        self.scope.runs();
        self.scope.set(name, Contents::text(members), false, false);
    }

    /// `${name:=default}`
    pub(in crate::formats::shell) fn assign_default(&mut self, variable: &Variable, source: &Source<'_>) {
        let default = self.assigned(&variable.name, &variable.operand, source);
        let members = match self.is_set(&variable.name) {
            false => default,
            true => {
                let mut members = self.look(&variable.name).members;
                if members.iter().any(|member| !member.value.is_known() || member.value.is_empty()) {
                    members.retain(|member| !member.value.is_empty());
                    members.extend(default);
                }
                members
            }
        };
        self.scope.set(&variable.name, Contents::text(members), false, false);
    }

    /// The value of an assignment, which remembers where it stands.
    pub(in crate::formats::shell) fn assigned(
        &mut self,
        name: &str,
        word: &Word,
        source: &Source<'_>,
    ) -> Vec<Member> {
        let members = expand::text(word, source, self);
        if word.pieces.is_empty() {
            return members;
        }
        let at = self.script.finder.location(source.text.span(word.range()));
        let what = format!("value of `{name}`");
        members
            .into_iter()
            .map(|member| Member {
                value: member.value.placed(at.clone(), what.clone()),
                symbol: member.symbol,
            })
            .collect()
    }

    pub(in crate::formats::shell) fn assign(&mut self, command: &Command, local: bool, source: &Source<'_>) {
        for assignment in &command.assignments {
            let name = assignment.name.as_str();
            let contents = match &assignment.value {
                Assigned::Word(word) => {
                    self.visit(word, source);
                    let mut members = self.assigned(name, word, source);
                    if assignment.appends {
                        members = product(self.look(name).members, &members);
                    }
                    Contents::text(members)
                }
                Assigned::Array(words) => {
                    let before = self.scope.current(name).filter(|_| assignment.appends);
                    let open = before.is_some_and(|before| before.open);
                    let mut lists = before.map_or_else(Lists::empty, |before| before.as_lists());
                    if !self.spend(lists.weight()) {
                        return;
                    }
                    for word in words {
                        self.visit(word, source);
                        self.append(&mut lists, name, word, source);
                    }
                    Contents { members: lists.first(), lists: Some(Rc::new(lists)), open }
                }
                Assigned::Element(word) => {
                    self.visit(word, source);
                    let member = Member::unknown(
                        format!("${name}"),
                        format!("the elements of `{name}` are not told apart"),
                    );
                    Contents::text(vec![member])
                }
            };
            self.scope.set(name, contents, command.link == Link::Maybe, local);
        }
    }

    /// Appends what a word makes to an array.
    fn append(&mut self, lists: &mut Lists, name: &str, word: &Word, source: &Source<'_>) {
        let at = self.script.finder.location(source.text.span(word.range()));
        let what = format!("element of `{name}`");
        let shapes = self.shapes(word, source);
        if std::mem::take(&mut self.drops_shapes) {
            lists.note_others();
        }
        let element = |field: Field<'_>| {
            let placed = field.members.into_iter().map(|member| Member {
                value: member.value.placed(at.clone(), what.clone()),
                symbol: member.symbol,
            });
            Element { members: placed.collect(), many: field.many }
        };
        let shapes: Vec<Vec<Element>> =
            shapes.into_iter().map(|shape| shape.into_iter().map(element).collect()).collect();
        if shapes.len() > 1 && !self.spend(lists.weight() * shapes.len()) {
            lists.note_others();
            return;
        }
        lists.append(&shapes);
    }

    /// What stands in front of a command is set for that command alone; the words of
    /// the same line do not see it.
    pub(in crate::formats::shell) fn assign_for_command(&mut self, command: &Command, source: &Source<'_>) {
        for assignment in &command.assignments {
            match &assignment.value {
                Assigned::Word(word) | Assigned::Element(word) => self.visit(word, source),
                Assigned::Array(words) => words.iter().for_each(|word| self.visit(word, source)),
            }
        }
    }

    /// `export name=value`, `local name=value`.
    pub(in crate::formats::shell) fn declare(
        &mut self,
        command: &Command,
        declares: bool,
        source: &Source<'_>,
    ) {
        let local = declares && self.scope.in_function();
        self.assign(command, local, source);
        for word in command.words.iter().skip(1) {
            let Some(piece) = word.pieces.first().filter(|piece| matches!(piece.kind, Kind::Text)) else {
                continue;
            };
            let written = source.text.text().get(piece.range.clone()).unwrap_or("");
            let length = lexer::name_length(written.as_bytes());
            let appends = written[length..].starts_with("+=");
            if length == 0 || !(appends || written[length..].starts_with('=')) {
                continue;
            }
            let name = &written[..length];
            let field = expand::quoted(word, source, self);
            let value = field.without(length + 1 + usize::from(appends), source);
            let at = self.script.finder.location(value.span);
            let mut members: Vec<Member> = value
                .members
                .into_iter()
                .map(|member| Member {
                    value: member.value.placed(at.clone(), format!("value of `{name}`")),
                    symbol: member.symbol,
                })
                .collect();
            if appends {
                members = product(self.look(name).members, &members);
            }
            self.scope.set(name, Contents::text(members), command.link == Link::Maybe, local);
        }
    }

    /// `read name`: what it reads is not known.
    pub(in crate::formats::shell) fn read_names(&mut self, command: &Command, source: &Source<'_>) {
        let text = source.text.text();
        for word in command.words.iter().skip(1) {
            let Some(name) = word.literal(text) else { continue };
            if !name.is_empty() && lexer::name_length(name.as_bytes()) == name.len() {
                let member =
                    Member::unknown(format!("${name}"), format!("what is read into `{name}` is not known"));
                self.scope.set(&name, Contents::text(vec![member]), false, false);
            }
        }
    }
}

impl Environment for Run<'_, '_> {
    fn look(&mut self, name: &str) -> Looked {
        let set = self.scope.get(name);
        let mut looked = match &set {
            Some(contents) => {
                let (lists, open) = (contents.lists.clone(), contents.open);
                Looked { members: contents.members.clone(), lists, open }
            }
            None => Looked { members: Vec::new(), lists: None, open: true },
        };
        if set.is_none_or(|contents| contents.open) {
            match (self.script.environment)(name) {
                Some(values) => looked.members.extend(values.into_iter().map(|value| Member {
                    symbol: (!value.is_known()).then(|| format!("${{{name}}}").into()),
                    value,
                })),
                None => looked.members.push(unset(name)),
            }
        }
        if looked.members.is_empty() {
            looked.members.push(Member::known(Value::default()));
        }
        looked
    }

    fn is_set(&mut self, name: &str) -> bool {
        self.scope.get(name).is_some_and(|contents| !contents.open || !contents.members.is_empty())
            || (self.script.environment)(name).is_some()
    }

    fn spend(&mut self, work: usize) -> bool {
        self.scope.spend(work)
    }

    fn drop_shape(&mut self) {
        self.drops_shapes = true;
    }
}

/// A variable that nothing sets.
fn unset(name: &str) -> Member {
    let is_argument = name.bytes().all(|byte| byte.is_ascii_digit()) || matches!(name, "@" | "*");
    let reason = match is_argument {
        true => format!("`${name}` is an argument of the script"),
        false => format!("`${name}` is not set in this script"),
    };
    Member::unknown(format!("${{{name}}}"), reason)
}
