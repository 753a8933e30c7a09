//! The value of an expression for one use.
//!
//! What is not known spreads, as errors do in CEL: to whatever reads it, except that
//! `&&` with one side false is false, and `||` with one side true is true, whatever
//! the other side is. Nothing here can take long: a comprehension does not stand in
//! another, and looks at lists of at most [`MAX_ITEMS`](super::values::MAX_ITEMS)
//! items or of what is written out.

use super::check::Checked;
use super::parse::Node;
use super::parse::Operator;
use super::parse::Shape;
use super::values::Subject;
use super::values::Value;

/// The value of a whole expression; `None` when it is not known.
pub(super) fn run(node: &Node, checked: &Checked, subject: &Subject<'_>) -> Option<bool> {
    let values = checked.fields.iter().map(|(variable, field)| subject.value(variable.name, field.name));
    let run = Run { checked, values: values.collect() };
    run.bool(node, None)
}

struct Run<'a> {
    checked: &'a Checked,
    /// Of the fields of `checked`, in order.
    values: Vec<Option<Value>>,
}

/// What a comprehension looks at: its name and value.
type Item<'a> = Option<(&'a str, &'a Value)>;

impl Run<'_> {
    fn bool(&self, node: &Node, item: Item<'_>) -> Option<bool> {
        match &node.shape {
            Shape::All(parts) => all(parts.iter().map(|part| self.bool(part, item))),
            Shape::Any(parts) => any(parts.iter().map(|part| self.bool(part, item))),
            Shape::Not(operand) => self.bool(operand, item).map(|value| !value),
            _ => match self.value(node, item)? {
                Value::Bool(value) => Some(value),
                _ => None,
            },
        }
    }

    fn int(&self, node: &Node, item: Item<'_>) -> Option<i64> {
        match self.value(node, item)? {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    fn text(&self, node: &Node, item: Item<'_>) -> Option<String> {
        match self.value(node, item)? {
            Value::Text(value) => Some(value),
            _ => None,
        }
    }

    fn list(&self, node: &Node, item: Item<'_>) -> Option<Vec<Value>> {
        match self.value(node, item)? {
            Value::List(values) => Some(values),
            _ => None,
        }
    }

    fn value(&self, node: &Node, item: Item<'_>) -> Option<Value> {
        Some(match &node.shape {
            Shape::Bool(value) => Value::Bool(*value),
            Shape::Int(value) => Value::Int(*value),
            Shape::Text(value) => Value::Text(value.clone()),
            Shape::List(items) => {
                Value::List(items.iter().map(|one| self.value(one, item)).collect::<Option<_>>()?)
            }
            Shape::Name(name) => item.filter(|(wanted, _)| wanted == name)?.1.clone(),
            Shape::Field(owner, name) => {
                let Shape::Name(owner) = &owner.shape else { return None };
                let index = self.checked.fields.position(owner, &name.text)?;
                self.values.get(index)?.clone()?
            }
            Shape::Index(list, index) => {
                let (list, index) = (self.list(list, item)?, self.int(index, item)?);
                list.get(usize::try_from(index).ok()?)?.clone()
            }
            Shape::All(_) | Shape::Any(_) | Shape::Not(_) => Value::Bool(self.bool(node, item)?),
            Shape::Minus(operand) => Value::Int(self.int(operand, item)?.checked_neg()?),
            Shape::Choice(condition, yes, no) => {
                self.value(if self.bool(condition, item)? { yes } else { no }, item)?
            }
            Shape::Binary(operator, one, two) => self.binary(*operator, one, two, item)?,
            Shape::Call { target: Some(target), name, arguments } => {
                self.call(&name.text, target, arguments, item)?
            }
            Shape::Call { target: None, name, arguments } => {
                let (target, arguments) = arguments.split_first()?;
                self.call(&name.text, target, arguments, item)?
            }
        })
    }

    fn binary(&self, operator: Operator, one: &Node, two: &Node, item: Item<'_>) -> Option<Value> {
        let (one, two) = (self.value(one, item)?, self.value(two, item)?);
        Some(match (operator, one, two) {
            (Operator::Equal, one, two) => Value::Bool(one == two),
            (Operator::Unequal, one, two) => Value::Bool(one != two),
            (Operator::In, one, Value::List(items)) => Value::Bool(items.contains(&one)),
            (Operator::Plus, Value::Text(one), Value::Text(two)) => Value::Text(one + &two),
            (Operator::Plus, Value::Int(one), Value::Int(two)) => Value::Int(one.checked_add(two)?),
            (Operator::Minus, Value::Int(one), Value::Int(two)) => Value::Int(one.checked_sub(two)?),
            (Operator::Times, Value::Int(one), Value::Int(two)) => Value::Int(one.checked_mul(two)?),
            (Operator::Divide, Value::Int(one), Value::Int(two)) => Value::Int(one.checked_div(two)?),
            (Operator::Remainder, Value::Int(one), Value::Int(two)) => Value::Int(one.checked_rem(two)?),
            (_, Value::Int(one), Value::Int(two)) => Value::Bool(ordered(operator, &one, &two)?),
            (_, Value::Text(one), Value::Text(two)) => Value::Bool(ordered(operator, &one, &two)?),
            _ => return None,
        })
    }

    fn call(&self, name: &str, target: &Node, arguments: &[Node], item: Item<'_>) -> Option<Value> {
        match (name, arguments) {
            ("size", []) => {
                let size = match self.value(target, item)? {
                    Value::Text(text) => text.chars().count(),
                    Value::List(items) => items.len(),
                    Value::Bool(_) | Value::Int(_) => return None,
                };
                i64::try_from(size).ok().map(Value::Int)
            }
            ("matches", [regex]) => {
                let (text, regex) = (self.text(target, item)?, self.text(regex, item)?);
                Some(Value::Bool(self.checked.regexes.get(&regex)?.is_match(&text)))
            }
            (name, [part]) => {
                let (text, part) = (self.text(target, item)?, self.text(part, item)?);
                Some(Value::Bool(match name {
                    "startsWith" => text.starts_with(&part),
                    "endsWith" => text.ends_with(&part),
                    "contains" => text.contains(&part),
                    _ => return None,
                }))
            }
            (name, [Node { shape: Shape::Name(item_name), .. }, body]) => {
                self.comprehension(name, self.list(target, item)?, item_name, body)
            }
            _ => None,
        }
    }

    fn comprehension(&self, name: &str, list: Vec<Value>, item: &str, body: &Node) -> Option<Value> {
        let holds = |value: &Value| self.bool(body, Some((item, value)));
        Some(match name {
            "all" => Value::Bool(all(list.iter().map(holds))?),
            "exists" => Value::Bool(any(list.iter().map(holds))?),
            "exists_one" => {
                let found: Vec<bool> = list.iter().map(holds).collect::<Option<_>>()?;
                Value::Bool(found.into_iter().filter(|holds| *holds).count() == 1)
            }
            "filter" => {
                let mut kept = Vec::new();
                for value in list {
                    if holds(&value)? {
                        kept.push(value);
                    }
                }
                Value::List(kept)
            }
            "map" => {
                let values = list.iter().map(|value| self.value(body, Some((item, value))));
                Value::List(values.collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
}

fn ordered<T: Ord>(operator: Operator, one: &T, two: &T) -> Option<bool> {
    Some(match operator {
        Operator::Less => one < two,
        Operator::AtMost => one <= two,
        Operator::Greater => one > two,
        Operator::AtLeast => one >= two,
        _ => return None,
    })
}

/// False as soon as one is; else not known as soon as one is not.
fn all(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for value in values {
        match value {
            Some(false) => return Some(false),
            Some(true) => {}
            None => result = None,
        }
    }
    result
}

/// True as soon as one is; else not known as soon as one is not.
fn any(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(values.map(|value| value.map(|value| !value))).map(|none| !none)
}
