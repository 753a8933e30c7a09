//! What an expression stands for: every value that it may have, where some of what
//! it names has several or is not known.
//!
//! Functions after
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#functions>.
//! It asks [`Contexts`] what `matrix`, `inputs` and the others hold.

use crate::formats::value::MAX_MEMBERS;
use crate::formats::value::Value;
use crate::formats::value::product;
use crate::yaml::Visits;

use super::expression::Comparison;
use super::expression::Expr;
use super::expression::Key;
use super::expression::Piece;
use super::item::Item;
use super::item::Template;
use super::item::Type;

/// How many values a JSON text may hold.
const MAX_JSON_VALUES: usize = 4096;

/// What the contexts of an expression hold.
pub(super) trait Contexts {
    /// The members of what stands under the first keys of a context; the evaluator
    /// takes the rest: how many keys were used.
    fn lookup(&self, context: &str, keys: &[Key]) -> (Vec<Item>, usize);

    /// The members of a text with expressions.
    fn expand(&self, template: &Template) -> Vec<Item>;

    /// Takes steps; `false` when there are not so many left.
    fn spend(&self, steps: usize) -> bool;
}

/// Why something is not known that took too long.
pub(super) const TOO_MANY: &str = "the expressions of this file have more values than are followed";

/// Every member followed by every other one.
fn joined_to(members: &[Value], next: &[Value], contexts: &dyn Contexts) -> Vec<Value> {
    match contexts.spend(members.len() * next.len()) {
        true => product(members, next),
        false => vec![Value::unknown(TOO_MANY)],
    }
}

/// The members of a text with expressions in it.
pub(super) fn text(pieces: &[Piece], contexts: &dyn Contexts) -> Vec<Item> {
    if let [Piece::Expression(expression)] = pieces {
        return piece(expression.as_ref(), contexts);
    }
    let mut members = vec![Value::default()];
    for one in pieces {
        let next = match one {
            Piece::Literal(text) => vec![Value::known(text.as_str())],
            Piece::Expression(expression) => {
                piece(expression.as_ref(), contexts).into_iter().map(Item::into_text).collect()
            }
        };
        members = joined_to(&members, &next, contexts);
    }
    members.into_iter().map(|value| Item::Scalar(Type::Text, value)).collect()
}

fn piece(expression: Option<&Expr>, contexts: &dyn Contexts) -> Vec<Item> {
    match expression {
        Some(expression) => evaluate(expression, contexts),
        None => vec![Item::unknown("an expression that cannot be read")],
    }
}

/// The members of an expression.
fn evaluate(expression: &Expr, contexts: &dyn Contexts) -> Vec<Item> {
    if !contexts.spend(1) {
        return vec![Item::unknown(TOO_MANY)];
    }
    match expression {
        Expr::Null => vec![Item::null()],
        Expr::Bool(value) => vec![Item::bool(*value)],
        Expr::Number(value) => vec![Item::Scalar(Type::Number, Value::known(value.to_string()))],
        Expr::Text(text) => vec![Item::text(text.as_str())],
        Expr::Name(name) => contexts.lookup(name, &[]).0,
        Expr::Member(..) => member(expression, contexts),
        Expr::Call(name, arguments) => call(name, arguments, contexts),
        Expr::Not(operand) => truths(&evaluate(operand, contexts), |truth| !truth),
        Expr::Any(operands) => choose(operands, contexts, true),
        Expr::All(operands) => choose(operands, contexts, false),
        Expr::Compare(comparison, left, right) => {
            let (left, right) = (evaluate(left, contexts), evaluate(right, contexts));
            pairs(&left, &right, contexts, |left, right| compare(*comparison, left, right))
        }
    }
}

/// `a || b` is the first that counts as true (`until`), `a && b` the first that does
/// not; the last one when there is none. What is not known may be either.
fn choose(operands: &[Expr], contexts: &dyn Contexts, until: bool) -> Vec<Item> {
    let mut members = Vec::new();
    for (index, operand) in operands.iter().enumerate() {
        let mut goes_on = false;
        for item in evaluate(operand, contexts) {
            let last = index + 1 == operands.len();
            match item.truth() {
                _ if last => add(&mut members, item),
                Some(truth) if truth == until => add(&mut members, item),
                Some(_) => goes_on = true,
                None => {
                    goes_on = true;
                    // Where it is not true it is nothing.
                    add(&mut members, if until { item } else { Item::text("") });
                }
            }
        }
        if !goes_on {
            break;
        }
    }
    members
}

fn add(members: &mut Vec<Item>, item: Item) {
    if members.len() < MAX_MEMBERS && !members.contains(&item) {
        members.push(item);
    }
}

fn truths(items: &[Item], of: impl Fn(bool) -> bool) -> Vec<Item> {
    let mut members = Vec::new();
    for item in items {
        add_truth(&mut members, item.truth().map(&of));
    }
    members
}

fn add_truth(members: &mut Vec<Item>, truth: Option<bool>) {
    match truth {
        Some(truth) => add(members, Item::bool(truth)),
        None => [true, false].into_iter().for_each(|truth| add(members, Item::bool(truth))),
    }
}

fn pairs(
    left: &[Item],
    right: &[Item],
    contexts: &dyn Contexts,
    of: impl Fn(&Item, &Item) -> Option<bool>,
) -> Vec<Item> {
    let mut members = Vec::new();
    if !contexts.spend(left.len() * right.len()) {
        add_truth(&mut members, None);
        return members;
    }
    for left in left {
        for right in right {
            add_truth(&mut members, of(left, right));
        }
    }
    members
}

fn compare(comparison: Comparison, left: &Item, right: &Item) -> Option<bool> {
    let equal = left.equals(right)?;
    let order = match (left, right) {
        (Item::Scalar(Type::Text, left), Item::Scalar(Type::Text, right)) => {
            Some(left.text().to_lowercase().cmp(&right.text().to_lowercase()))
        }
        _ => left.number().partial_cmp(&right.number()),
    };
    Some(match comparison {
        Comparison::Equal => equal,
        Comparison::NotEqual => !equal,
        Comparison::Less => order.is_some_and(std::cmp::Ordering::is_lt),
        Comparison::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
        Comparison::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
        Comparison::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
    })
}

/// A chain of members, from its root.
fn member(expression: &Expr, contexts: &dyn Contexts) -> Vec<Item> {
    let mut keys = Vec::new();
    let mut root = expression;
    while let Expr::Member(of, key) = root {
        keys.push(match key {
            Key::Computed(index) => computed(index, contexts),
            key => key.clone(),
        });
        root = of;
    }
    keys.reverse();
    let (mut items, used) = match root {
        Expr::Name(name) => contexts.lookup(name, &keys),
        root => (evaluate(root, contexts), 0),
    };
    for (at, key) in keys.iter().enumerate().skip(used) {
        if *key == Key::Every {
            return items.into_iter().map(|item| every(&item, &keys[at + 1..], contexts)).collect();
        }
        items = taken(&items, key, contexts);
    }
    items
}

/// An index, evaluated; one that is not certain is left as it is.
fn computed(index: &Expr, contexts: &dyn Contexts) -> Key {
    match evaluate(index, contexts).as_slice() {
        [Item::Scalar(_, value)] if value.is_known() => Key::Name(value.text().to_owned()),
        _ => Key::Computed(Box::new(index.clone())),
    }
}

/// A member of each of the items.
fn taken(items: &[Item], key: &Key, contexts: &dyn Contexts) -> Vec<Item> {
    let Key::Name(name) = key else {
        return vec![Item::unknown("an index that is known only when the workflow runs")];
    };
    let mut members = Vec::new();
    for item in items {
        match item.member(name) {
            Item::Template(template) => {
                contexts.expand(&template).into_iter().for_each(|item| add(&mut members, item));
            }
            item => add(&mut members, item),
        }
    }
    members
}

/// `.*`: the list of all members, and of the rest of the keys in each.
fn every(item: &Item, rest: &[Key], contexts: &dyn Contexts) -> Item {
    let children: Vec<Item> = match item {
        Item::List(items) => items.to_vec(),
        Item::Map(entries) => entries.iter().map(|(_, item)| item.clone()).collect(),
        Item::Scalar(_, value) if !value.is_known() => return item.clone(),
        _ => Vec::new(),
    };
    let mut found: Vec<Item> = Vec::new();
    for child in children {
        let mut items = match child {
            Item::Template(template) => contexts.expand(&template),
            child => vec![child],
        };
        for key in rest.iter().filter(|key| **key != Key::Every) {
            items = taken(&items, key, contexts);
        }
        found.extend(items);
    }
    Item::List(found.into())
}

fn call(name: &str, arguments: &[Expr], contexts: &dyn Contexts) -> Vec<Item> {
    let values: Vec<Vec<Item>> = arguments.iter().map(|argument| evaluate(argument, contexts)).collect();
    match (name, values.as_slice()) {
        ("format", [format, arguments @ ..]) => formatted(format, arguments, contexts),
        ("fromjson", [texts]) => texts.iter().map(from_json).collect(),
        ("tojson", [items]) => items.iter().map(to_json).collect(),
        ("join", [lists, rest @ ..]) => {
            lists.iter().flat_map(|list| joined(list, rest.first(), contexts)).collect()
        }
        ("contains", [all, one]) => pairs(all, one, contexts, contains),
        ("startswith", [all, one]) => pairs(all, one, contexts, |all, one| {
            known_lower(all).zip(known_lower(one)).map(|(all, one)| all.starts_with(&one))
        }),
        ("endswith", [all, one]) => pairs(all, one, contexts, |all, one| {
            known_lower(all).zip(known_lower(one)).map(|(all, one)| all.ends_with(&one))
        }),
        ("case", _) => case(&values),
        ("always", _) => vec![Item::bool(true)],
        ("success" | "failure" | "cancelled", _) => vec![Item::bool(true), Item::bool(false)],
        _ => vec![Item::unknown(format!("`{name}(…)` is known only when the workflow runs"))],
    }
}

/// `case(condition, value, …, otherwise)`.
fn case(values: &[Vec<Item>]) -> Vec<Item> {
    let mut members = Vec::new();
    for pair in values.chunks(2) {
        let [conditions, results] = pair else {
            pair.iter().flatten().for_each(|item| add(&mut members, item.clone()));
            break;
        };
        if conditions.iter().any(|condition| condition.truth() != Some(false)) {
            results.iter().for_each(|item| add(&mut members, item.clone()));
        }
        if conditions.iter().all(|condition| condition.truth() == Some(true)) {
            break;
        }
    }
    members
}

fn known_lower(item: &Item) -> Option<String> {
    match item {
        Item::Scalar(_, value) if value.is_known() => Some(value.text().to_lowercase()),
        _ => None,
    }
}

fn contains(all: &Item, one: &Item) -> Option<bool> {
    match all {
        Item::List(items) => {
            let found: Vec<Option<bool>> = items.iter().map(|item| item.equals(one)).collect();
            if found.contains(&Some(true)) {
                return Some(true);
            }
            (!found.contains(&None)).then_some(false)
        }
        all => Some(known_lower(all)?.contains(&known_lower(one)?)),
    }
}

/// `{0}` and the like in a text, `{{` and `}}` for braces.
fn formatted(formats: &[Item], arguments: &[Vec<Item>], contexts: &dyn Contexts) -> Vec<Item> {
    let mut members = Vec::new();
    for format in formats {
        let format = format.clone().into_text();
        if !format.is_known() {
            add(&mut members, Item::Scalar(Type::Text, format));
            continue;
        }
        let mut made = vec![Value::default()];
        let mut rest = format.text();
        while let Some(at) = rest.find(['{', '}']) {
            made = joined_to(&made, &[format.derived(&rest[..at])], contexts);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                made = joined_to(&made, &[format.derived(brace)], contexts);
                rest = after;
                continue;
            }
            let argument = rest.find('}').and_then(|end| {
                let number: usize = rest[..end].parse().ok()?;
                Some((end, arguments.get(number)?))
            });
            let Some((end, values)) = argument else {
                made = vec![Value::unknown("a `format` that cannot be read")];
                rest = "";
                break;
            };
            let values: Vec<Value> = values.iter().cloned().map(Item::into_text).collect();
            made = joined_to(&made, &values, contexts);
            rest = &rest[end + 1..];
        }
        made = joined_to(&made, &[format.derived(rest)], contexts);
        made.into_iter().for_each(|value| add(&mut members, Item::Scalar(Type::Text, value)));
    }
    members
}

fn from_json(item: &Item) -> Item {
    let Item::Scalar(_, value) = item else { return Item::unknown("`fromJSON` of no text") };
    if !value.is_known() {
        return item.clone();
    }
    match serde_json::from_str(value.text()) {
        Ok(json) => Item::from_json(&json, value, &mut Visits::new(MAX_JSON_VALUES), 0),
        Err(_) => Item::unknown("`fromJSON` of a text that is no JSON"),
    }
}

fn to_json(item: &Item) -> Item {
    match item {
        Item::Scalar(Type::Text, value) if value.is_known() => {
            let text = serde_json::Value::String(value.text().to_owned()).to_string();
            Item::Scalar(Type::Text, value.derived(text))
        }
        Item::Scalar(Type::Null, _) => Item::text("null"),
        Item::Scalar(_, value) => Item::Scalar(Type::Text, value.clone()),
        _ => Item::unknown("`toJSON` of a list or an object is not followed"),
    }
}

fn joined(list: &Item, separators: Option<&Vec<Item>>, contexts: &dyn Contexts) -> Vec<Item> {
    let Item::List(items) = list else { return vec![list.clone()] };
    let separator = match separators.map(Vec::as_slice) {
        None => Value::known(","),
        Some([one]) => one.clone().into_text(),
        Some(_) => Value::unknown("a separator that has several values"),
    };
    let mut made = vec![Value::default()];
    for (index, item) in items.iter().enumerate() {
        if !contexts.spend(1) {
            break;
        }
        if index > 0 {
            made = joined_to(&made, std::slice::from_ref(&separator), contexts);
        }
        let item = match item {
            Item::Template(template) => contexts.expand(template),
            item => vec![item.clone()],
        };
        made = joined_to(&made, &item.into_iter().map(Item::into_text).collect::<Vec<_>>(), contexts);
    }
    made.into_iter().map(|value| Item::Scalar(Type::Text, value)).collect()
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::formats::github_actions::expression;

    /// `known` is `a`, `some` is `a` or nothing, all else is not known.
    struct Sample;

    impl Contexts for Sample {
        fn lookup(&self, context: &str, _: &[Key]) -> (Vec<Item>, usize) {
            let items = match context {
                "known" => vec![Item::text("a")],
                "some" => vec![Item::text("a"), Item::text("")],
                "list" => vec![Item::List(Rc::from([Item::text("a"), Item::text("b")]))],
                other => vec![Item::unknown(format!("`{other}`"))],
            };
            (items, 0)
        }

        fn expand(&self, _: &Template) -> Vec<Item> {
            Vec::new()
        }

        fn spend(&self, _: usize) -> bool {
            true
        }
    }

    fn members(source: &str) -> Vec<String> {
        let items = text(&expression::pieces(&format!("${{{{ {source} }}}}")), &Sample);
        items
            .into_iter()
            .map(|item| {
                let value = item.into_text();
                format!(
                    "{}{}",
                    value.text(),
                    value.reason().map_or(String::new(), |reason| format!("?{reason}"))
                )
            })
            .collect()
    }

    #[test]
    fn alternatives_are_members() {
        assert_eq!(members("some || 'b'"), ["a", "b"]);
        assert_eq!(members("x || 'b'"), ["?`x`", "b"]);
        assert_eq!(members("x && 'a' || 'b'"), ["a", "b"]);
        assert_eq!(members("x == 'y' && 'a' || ''"), ["a", ""]);
        assert_eq!(members("known == 'A' && 'a' || 'b'"), ["a"]);
        assert_eq!(members("!known && 'a' || 'b'"), ["b"]);
        assert_eq!(members("1 < 2 && 'a' || 'b'"), ["a"]);
    }

    #[test]
    fn functions() {
        assert_eq!(members("format('{0}:{1}{{}}', known, 3)"), ["a:3{}"]);
        assert_eq!(members("format('{9}')"), ["?a `format` that cannot be read"]);
        assert_eq!(members("fromJSON('[\"x\", {\"y\": 3.10}]')[1].y"), ["3.1"]);
        assert_eq!(members("join(list, '-')"), ["a-b"]);
        assert_eq!(members("contains(list, 'A')"), ["true"]);
        assert_eq!(members("startsWith(known, 'b')"), ["false"]);
        assert_eq!(members("case(x, 'a', known == 'a', 'b', 'c')"), ["a", "b"]);
        assert_eq!(members("hashFiles('x')"), ["?`hashfiles(…)` is known only when the workflow runs"]);
    }
}
