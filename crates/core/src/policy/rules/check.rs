//! The types of an expression, before it is ever run: every field and function is
//! known, and what comes out is a yes or no. It says everything that is wrong at once.

use std::collections::BTreeMap;

use regex_lite::Regex;
use regex_lite::RegexBuilder;

use super::fields::FUNCTIONS;
use super::fields::Field;
use super::fields::Type;
use super::fields::VARIABLES;
use super::fields::Variable;
use super::fields::variable;
use super::parse::Node;
use super::parse::Operator;
use super::parse::Shape;
use super::parse::Word;
use super::text::COMPREHENSIONS;
use super::text::Mistake;
use crate::policy::reader::closest;
use crate::policy::wording::listed;
use crate::policy::wording::prose;
use crate::policy::wording::quoted;

/// The largest compiled regular expression, in bytes.
const MAX_REGEX_BYTES: usize = 16 * 1024;
/// The deepest groups of one.
const MAX_REGEX_DEPTH: u32 = 16;

/// What an expression reads and needs.
#[derive(Debug, Clone, Default)]
pub(super) struct Checked {
    pub(super) fields: Fields,
    /// By their text.
    pub(super) regexes: BTreeMap<String, Regex>,
}

/// Each field that is read, once.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<(&'static Variable, &'static Field)>);

impl Fields {
    pub(super) fn iter(&self) -> impl Iterator<Item = &(&'static Variable, &'static Field)> {
        self.0.iter()
    }

    /// Where a field stands in [`Fields::iter`].
    pub(super) fn position(&self, owner: &str, name: &str) -> Option<usize> {
        self.0.iter().position(|(variable, field)| variable.name == owner && field.name == name)
    }
}

/// Checks the tree of an expression.
pub(super) fn check(node: &Node) -> Result<Checked, Vec<Mistake>> {
    let mut checker = Checker::default();
    if let Some(found) = checker.typed(node)
        && found != Type::Bool
    {
        let message = format!("the expression is {}, not a yes or no", found.with_article());
        checker.wrong(node, message, "compare it: `… == \"value\"`");
    }
    if checker.mistakes.is_empty() { Ok(checker.checked) } else { Err(checker.mistakes) }
}

#[derive(Default)]
struct Checker {
    /// The name and type of what a comprehension looks at.
    item: Option<(String, Type)>,
    mistakes: Vec<Mistake>,
    checked: Checked,
}

impl Checker {
    /// The type of a node; `None` when something below it is wrong, which was said.
    fn typed(&mut self, node: &Node) -> Option<Type> {
        match &node.shape {
            Shape::Bool(_) => Some(Type::Bool),
            Shape::Int(_) => Some(Type::Int),
            Shape::Text(_) => Some(Type::Text),
            Shape::List(items) => self.list(node, items),
            Shape::Name(name) => self.name(node, name),
            Shape::Field(owner, name) => self.field(owner, name),
            Shape::Index(list, index) => {
                let (list_type, index) = (self.typed(list), self.wants(index, Type::Int));
                match list_type? {
                    Type::List(item) => index.map(|_| item.as_type()),
                    other => self.wrong(list, format!("{} has no items", other.with_article()), "use a list"),
                }
            }
            Shape::Not(operand) => self.wants(operand, Type::Bool),
            Shape::Minus(operand) => self.wants(operand, Type::Int),
            Shape::All(parts) | Shape::Any(parts) => {
                parts.iter().map(|part| self.wants(part, Type::Bool)).fold(Some(Type::Bool), Option::and)
            }
            Shape::Choice(condition, yes, no) => {
                let condition = self.wants(condition, Type::Bool);
                condition.and(self.same(node, yes, no))
            }
            Shape::Binary(operator, one, two) => self.binary(node, *operator, one, two),
            Shape::Call { target, name, arguments } => self.call(target.as_deref(), name, arguments),
        }
    }

    fn list(&mut self, node: &Node, items: &[Node]) -> Option<Type> {
        let types: Vec<Option<Type>> = items.iter().map(|item| self.typed(item)).collect();
        let types: Vec<Type> = types.into_iter().collect::<Option<_>>()?;
        let Some(first) = types.first() else {
            return self.wrong(node, "this list is empty", "write what it should hold");
        };
        match first.as_item().filter(|_| types.iter().all(|other| other == first)) {
            Some(item) => Some(Type::List(item)),
            None => self.wrong(node, "the items of a list are texts, or numbers", "write all of one kind"),
        }
    }

    fn name(&mut self, node: &Node, name: &str) -> Option<Type> {
        if let Some((item, kind)) = &self.item
            && item == name
        {
            return Some(*kind);
        }
        if let Some(variable) = variable(name) {
            let fields: Vec<&str> = variable.fields.iter().map(|field| field.name).collect();
            let help = format!("write `{name}.` and one of {}", listed(&fields, "or"));
            return self.wrong(node, format!("`{name}` is no value, its fields are"), help);
        }
        let all: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
        let owner = VARIABLES.iter().find(|variable| variable.fields.iter().any(|field| field.name == name));
        let help = match (owner, closest(name, &all)) {
            (Some(owner), _) => format!("write `{}.{name}`", owner.name),
            (None, Some(close)) => format!("did you mean `{close}`?"),
            (None, None) => format!("the variables are {}; a text stands in quotes", listed(&all, "and")),
        };
        self.wrong(node, format!("{} is not a variable", quoted(name)), help)
    }

    fn field(&mut self, owner: &Node, name: &Word) -> Option<Type> {
        let is_item = |owner: &str| self.item.as_ref().is_some_and(|(item, _)| item == owner);
        let variable = match &owner.shape {
            Shape::Name(owner) if !is_item(owner) => variable(owner),
            _ => None,
        };
        let Some(variable) = variable else {
            let kind = self.typed(owner)?;
            let message =
                format!("{} has no fields, and {} is none", kind.with_article(), quoted(&name.text));
            let help = match FUNCTIONS.iter().find(|function| function.name == name.text) {
                Some(function) => format!("it is a function: write `{}`", function.example),
                None => "end the name here".to_owned(),
            };
            return self.wrong_word(name, message, help);
        };
        if let Some(field) = variable.fields.iter().find(|field| field.name == name.text) {
            if self.checked.fields.position(variable.name, field.name).is_none() {
                self.checked.fields.0.push((variable, field));
            }
            return Some(field.kind);
        }
        let names: Vec<&str> = variable.fields.iter().map(|field| field.name).collect();
        let help = match closest(&name.text, &names) {
            Some(close) => format!("did you mean `{}.{close}`?", variable.name),
            None => format!("its fields are {}", listed(&names, "and")),
        };
        self.wrong_word(name, format!("{} is not a field of `{}`", quoted(&name.text), variable.name), help)
    }

    fn binary(&mut self, node: &Node, operator: Operator, one: &Node, two: &Node) -> Option<Type> {
        match operator {
            Operator::Equal | Operator::Unequal => self.same(node, one, two).map(|_| Type::Bool),
            Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast => {
                match self.same(node, one, two)? {
                    Type::Int | Type::Text => Some(Type::Bool),
                    other => {
                        let message = format!("{} is neither greater nor less", other.with_article());
                        self.wrong(node, message, "compare numbers or texts, or write `==`")
                    }
                }
            }
            Operator::Plus => match self.same(node, one, two)? {
                kind @ (Type::Int | Type::Text) => Some(kind),
                other => {
                    let message = format!("{} cannot be added", other.with_article());
                    self.wrong(node, message, "add numbers or texts")
                }
            },
            Operator::Minus | Operator::Times | Operator::Divide | Operator::Remainder => {
                let (one, two) = (self.wants(one, Type::Int), self.wants(two, Type::Int));
                one.and(two)
            }
            Operator::In => {
                let (item, list) = (self.typed(one), self.typed(two));
                match (item?, list?) {
                    (item, Type::List(of)) if item == of.as_type() => Some(Type::Bool),
                    (item, list @ Type::List(_)) => {
                        let message = format!("{} is never in a {}", item.with_article(), list.name());
                        self.wrong(node, message, "write items of the same type")
                    }
                    (_, other) => {
                        let message = format!("`in` looks into a list, and this is {}", other.with_article());
                        self.wrong(two, message, "write `in [\"a\", \"b\"]`, or `text.contains(part)`")
                    }
                }
            }
        }
    }

    fn call(&mut self, target: Option<&Node>, name: &Word, arguments: &[Node]) -> Option<Type> {
        match (name.text.as_str(), target, arguments) {
            ("startsWith" | "endsWith" | "contains", Some(target), [part]) => {
                let (target, part) = (self.wants(target, Type::Text), self.wants(part, Type::Text));
                target.and(part).map(|_| Type::Bool)
            }
            ("matches", Some(target), [regex]) | ("matches", None, [target, regex]) => {
                let (target, regex) = (self.wants(target, Type::Text), self.regex(regex));
                target.and(regex)
            }
            ("size", Some(target), []) | ("size", None, [target]) => match self.typed(target)? {
                Type::Text | Type::List(_) => Some(Type::Int),
                other => {
                    let message = format!("{} has no size", other.with_article());
                    self.wrong(target, message, "use a text or a list")
                }
            },
            (comprehension, Some(target), [item, body]) if COMPREHENSIONS.contains(&comprehension) => {
                self.comprehension(comprehension, target, item, body)
            }
            _ => self.unknown_call(name),
        }
    }

    fn comprehension(&mut self, name: &str, target: &Node, item: &Node, body: &Node) -> Option<Type> {
        let list = self.typed(target);
        let Shape::Name(item_name) = &item.shape else {
            let message = format!("`{name}` first names what it looks at");
            return self.wrong(item, message, format!("write `{name}(x, …)`"));
        };
        if variable(item_name).is_some() {
            let message = format!("`{item_name}` means something else here");
            return self.wrong(item, message, format!("choose another name: `{name}(x, …)`"));
        }
        let list = list?;
        let Type::List(of) = list else {
            let kind = list.with_article();
            let message = format!("`{name}` looks at the items of a list, and this is {kind}");
            return self.wrong(target, message, "use it on a list");
        };
        self.item = Some((item_name.clone(), of.as_type()));
        let result = if name == "map" { self.typed(body) } else { self.wants(body, Type::Bool) };
        self.item = None;
        match (name, result?) {
            ("filter", _) => Some(list),
            ("map", kind) => match kind.as_item() {
                Some(item) => Some(Type::List(item)),
                None => self.wrong(body, "a list holds no lists", "give one value for each item"),
            },
            _ => Some(Type::Bool),
        }
    }

    /// A regular expression: a literal, compiled once.
    fn regex(&mut self, node: &Node) -> Option<Type> {
        let Shape::Text(text) = &node.shape else {
            self.typed(node)?;
            let message = "a regular expression must stand here as it is";
            return self.wrong(node, message, "write it in quotes: `matches(r\"^v\\d+$\")`");
        };
        match RegexBuilder::new(text).size_limit(MAX_REGEX_BYTES).nest_limit(MAX_REGEX_DEPTH).build() {
            Ok(regex) => {
                self.checked.regexes.insert(text.clone(), regex);
                Some(Type::Bool)
            }
            Err(error) => {
                let message = format!("this is no regular expression: {}", prose(&error.to_string()));
                self.wrong(node, message, "mend it, or use `startsWith`, `endsWith` or `contains`")
            }
        }
    }

    fn unknown_call(&mut self, name: &Word) -> Option<Type> {
        let text = name.text.as_str();
        let (message, help) = match FUNCTIONS.iter().find(|function| function.name == text) {
            Some(function) => {
                (format!("`{text}` is not used like this"), format!("write it as in `{}`", function.example))
            }
            None if text == "has" => (
                "`has` is not needed: every field is always there".to_owned(),
                "compare with `\"\"`; what is not known is unsure by itself".to_owned(),
            ),
            None => {
                let names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
                let help = match closest(text, &names) {
                    Some(close) => format!("did you mean `{close}`?"),
                    None => format!("the functions are {}", listed(&names, "and")),
                };
                (format!("{} is not a function", quoted(text)), help)
            }
        };
        self.wrong_word(name, message, help)
    }

    fn wants(&mut self, node: &Node, wanted: Type) -> Option<Type> {
        let found = self.typed(node)?;
        if found == wanted {
            return Some(found);
        }
        let message =
            format!("this is {}, and {} must stand here", found.with_article(), wanted.with_article());
        let help = match (wanted, found) {
            (Type::Bool, _) => "compare it: `… == \"value\"`",
            (Type::Text, Type::Int) => "put the number into quotes",
            (Type::Int, Type::Text) => "write a number without quotes, or `.size()`",
            _ => "write a value of that type",
        };
        self.wrong(node, message, help)
    }

    /// Both sides have one type.
    fn same(&mut self, node: &Node, one: &Node, two: &Node) -> Option<Type> {
        let (one, two) = (self.typed(one), self.typed(two));
        let (one, two) = (one?, two?);
        if one == two {
            return Some(one);
        }
        let message = format!("{} and {} never meet", one.with_article(), two.with_article());
        let help = match (one, two) {
            (Type::List(_), _) | (_, Type::List(_)) => "write `value in list`",
            _ => "write both sides with the same type: texts stand in quotes, numbers do not",
        };
        self.wrong(node, message, help)
    }

    fn wrong(&mut self, node: &Node, message: impl Into<String>, help: impl Into<String>) -> Option<Type> {
        self.mistakes.push(Mistake::new(node.at.clone(), message, help));
        None
    }

    fn wrong_word(&mut self, word: &Word, message: String, help: String) -> Option<Type> {
        self.mistakes.push(Mistake::new(word.at.clone(), message, help));
        None
    }
}
