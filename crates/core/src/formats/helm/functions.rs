//! The functions of Helm's templates that images are put together with
//! (<https://helm.sh/docs/chart_template_guide/function_list/>). Every other one makes
//! something that is not known and remembers what it was made of.

use std::rc::Rc;

use crate::formats::value::Value;

use super::data::Data;
use super::data::Kind;
use super::run::Run;

/// How many values are laid over others in a step of an execution.
const VALUES_PER_STEP: usize = 16;
/// How many parts a text is split into.
const MAX_PARTS: usize = 64;

/// Calls a function; what a pipeline hands on is the last of `arguments`.
pub(super) fn call(run: &mut Run<'_>, name: &str, arguments: Vec<Data>, root: Data) -> Data {
    let given = arguments.as_slice();
    if matches!(
        name,
        "merge" | "mustMerge" | "mergeOverwrite" | "mustMergeOverwrite" | "set" | "has" | "join"
    ) {
        run.charge(given.iter().map(Data::weight).sum::<usize>() / VALUES_PER_STEP);
    }
    let found = match (name, given) {
        ("nil", []) => Some(Data::Absent("nil".to_owned())),
        ("true", []) => Some(Data::Bool(true)),
        ("false", []) => Some(Data::Bool(false)),
        ("include", [name, argument]) => name.value().map(|name| include(run, name.text(), argument)),
        ("tpl", [text, ..]) => text.value().filter(Value::is_known).map(|text| run.rendered(&text, &root)),
        ("default", [otherwise, given]) => chosen(given, given, otherwise),
        ("ternary", [yes, no, condition]) => chosen(condition, yes, no),
        ("coalesce", given) => coalesce(given),
        ("required", [_, given]) => required(given),
        ("and" | "or", given) => connected(given, name == "or"),
        ("not" | "empty", [given]) => given.truth().map(|truth| Data::Bool(!truth)),
        ("eq", [first, others @ ..]) => compared(first, others).map(Data::Bool),
        ("ne", [first, other]) => compared(first, std::slice::from_ref(other)).map(|same| Data::Bool(!same)),
        ("lt" | "le" | "gt" | "ge", [left, right]) => ordered(name, left, right),
        ("printf", [format, arguments @ ..]) => format.value().map(|format| printf(format.text(), arguments)),
        ("print", given) => Some(Data::Text(joined(given, ""))),
        ("list" | "tuple", given) => Some(Data::list(given.to_vec())),
        ("dict", given) => dict(given),
        ("get", [map, key]) => field_named(map, key),
        ("index", [of, path @ ..]) => index(of, path),
        ("dig", [path @ .., otherwise, map]) => dig(path, otherwise, map),
        ("hasKey", [map, key]) => has_key(map, key),
        ("merge" | "mustMerge", [first, others @ ..]) => {
            Some(others.iter().fold(first.clone(), |above, below| below.overlaid(&above)))
        }
        ("mergeOverwrite" | "mustMergeOverwrite", [first, others @ ..]) => {
            Some(others.iter().fold(first.clone(), |below, above| below.overlaid(above)))
        }
        ("set", [map, key, value]) => set(map, key, value),
        ("deepCopy" | "mustDeepCopy", [given]) => Some(given.clone()),
        ("kindIs" | "typeIs", [kind, given]) => {
            kind.value().and_then(|kind| Some(Data::Bool(kind.text() == kind_of(given)?)))
        }
        ("kindOf" | "typeOf", [given]) => kind_of(given).map(Data::text),
        ("len", [given]) => length(given),
        ("first", [Data::List(list)]) => list.items.first().cloned(),
        ("last", [Data::List(list)]) => list.items.last().cloned(),
        ("join", [separator, Data::List(list)]) => {
            separator.value().map(|separator| Data::Text(joined(&list.items, separator.text())))
        }
        ("has", [item, Data::List(list)]) => has(item, &list.items),
        _ => of_text(name, given),
    };
    found.unwrap_or_else(|| opaque(name, &arguments))
}

/// The value of `.name`.
pub(super) fn field(of: &Data, name: &str) -> Data {
    match of {
        Data::Map(map) => map.entries.get(name).cloned().unwrap_or_else(|| {
            let path = map.path.child(name).shown();
            Data::Absent(format!("`{path}` is not set"))
        }),
        Data::Absent(reason) => Data::Absent(reason.clone()),
        Data::Unknown(value) => Data::Unknown(value.clone()),
        _ => opaque(name, std::slice::from_ref(of)),
    }
}

/// What a template prints: what is not set is not known rather than empty.
pub(super) fn printed(data: &Data) -> Value {
    match data {
        Data::Absent(reason) => Value::unknown(reason.clone()),
        Data::Unknown(value) => value.clone(),
        Data::Map(_) | Data::List(_) => {
            let mut value = Value::unknown("it is not a text");
            data.leave_traces(&mut value);
            value
        }
        _ => data.value().unwrap_or_default(),
    }
}

/// Notes where a value, and each value of a mapping, comes from.
pub(super) fn leave_all_traces(data: &Data, value: &mut Value) {
    data.leave_traces(value);
    if let Data::Map(map) = data
        && map.at.is_none()
    {
        for entry in map.entries.values() {
            entry.leave_traces(value);
        }
    }
}

/// Whether two values are the same one.
pub(super) fn is_same(left: &Data, right: &Data) -> bool {
    match (left, right) {
        (Data::Map(left), Data::Map(right)) => Rc::ptr_eq(left, right),
        (Data::List(left), Data::List(right)) => Rc::ptr_eq(left, right),
        (Data::Leaf(left), Data::Leaf(right)) => Rc::ptr_eq(left, right),
        (Data::Text(left), Data::Text(right)) | (Data::Unknown(left), Data::Unknown(right)) => left == right,
        (Data::Bool(left), Data::Bool(right)) => left == right,
        (Data::Number(left), Data::Number(right)) => left == right,
        (Data::Absent(_), Data::Absent(_)) => true,
        _ => false,
    }
}

/// Something that is not known and was made of `arguments`.
fn opaque(name: &str, arguments: &[Data]) -> Data {
    let reason = arguments.iter().find_map(|argument| match argument {
        Data::Unknown(value) => value.reason().map(str::to_owned),
        Data::Absent(reason) => Some(reason.clone()),
        Data::Text(value) => value.reason().map(str::to_owned),
        _ => None,
    });
    let mut value = Value::unknown(reason.unwrap_or_else(|| format!("what `{name}` makes is not followed")));
    for argument in arguments {
        leave_all_traces(argument, &mut value);
    }
    Data::Unknown(value)
}

fn include(run: &mut Run<'_>, name: &str, argument: &Data) -> Data {
    match name {
        "common.images.image" if !run.has_template(name) => common_image(argument),
        _ => run.include(name, argument),
    }
}

/// What the template of this name in Bitnami's library chart `common` makes; the
/// library is rarely kept beside the charts that use it.
fn common_image(argument: &Data) -> Data {
    let is_set = |path: &[&str]| argument.at(path).filter(|data| data.truth() != Some(false)).cloned();
    let registry = is_set(&["global", "imageRegistry"]).or_else(|| is_set(&["imageRoot", "registry"]));
    let root = argument
        .at(&["imageRoot"])
        .cloned()
        .unwrap_or_else(|| Data::Absent("`imageRoot` is not set".to_owned()));
    let mut image = Value::default();
    if let Some(registry) = registry {
        image.append(&printed(&registry));
        image.push_str("/");
    }
    image.append(&printed(&field(&root, "repository")));
    if let Some(digest) = is_set(&["imageRoot", "digest"]) {
        image.push_str("@");
        image.append(&printed(&digest));
    } else {
        let version = is_set(&["imageRoot", "tag"]).or_else(|| is_set(&["chart", "AppVersion"]));
        image.push_str(":");
        image.append(&printed(&version.unwrap_or_else(|| field(&root, "tag"))));
    }
    Data::Text(image)
}

/// `yes` when the condition is true; `None` when that is not known.
fn chosen(condition: &Data, yes: &Data, no: &Data) -> Option<Data> {
    Some(if condition.truth()? { yes.clone() } else { no.clone() })
}

fn coalesce(given: &[Data]) -> Option<Data> {
    for data in given {
        if data.truth()? {
            return Some(data.clone());
        }
    }
    Some(Data::Absent("none of its values is set".to_owned()))
}

fn required(given: &Data) -> Option<Data> {
    let is_missing = match given {
        Data::Absent(_) => true,
        _ => given.value().is_some_and(|value| value.is_empty()),
    };
    match is_missing {
        true => Some(opaque("required", std::slice::from_ref(given))),
        false => Some(given.clone()),
    }
}

/// `or` gives the first that is true, `and` the first that is not, else the last.
fn connected(given: &[Data], truth: bool) -> Option<Data> {
    for data in given {
        if data.truth()? == truth {
            return Some(data.clone());
        }
    }
    given.last().cloned()
}

fn compared(first: &Data, others: &[Data]) -> Option<bool> {
    for other in others {
        let same = match (first, other) {
            (Data::Absent(_), Data::Absent(_)) => true,
            (Data::Absent(_), other) | (other, Data::Absent(_)) => {
                other.truth()?;
                false
            }
            _ => {
                let (left, right) = (first.value()?, other.value()?);
                if !left.is_known() || !right.is_known() {
                    return None;
                }
                left.text() == right.text()
            }
        };
        if same {
            return Some(true);
        }
    }
    Some(false)
}

fn ordered(name: &str, left: &Data, right: &Data) -> Option<Data> {
    let (left, right) = (number(left)?, number(right)?);
    Some(Data::Bool(match name {
        "lt" => left < right,
        "le" => left <= right,
        "gt" => left > right,
        _ => left >= right,
    }))
}

fn number(data: &Data) -> Option<f64> {
    data.value().filter(Value::is_known)?.text().parse().ok()
}

fn printf(format: &str, arguments: &[Data]) -> Data {
    let mut value = Value::default();
    let mut arguments = arguments.iter();
    let mut rest = format;
    while let Some(percent) = rest.find('%') {
        value.push_str(&rest[..percent]);
        rest = &rest[percent + 1..];
        let Some(verb) = rest.chars().next() else { break };
        rest = &rest[verb.len_utf8()..];
        match verb {
            '%' => value.push_str("%"),
            's' | 'v' | 'd' | 't' => match arguments.next() {
                Some(argument) => value.append(&printed(argument)),
                None => value.append(&Value::unknown("`printf` is given too little")),
            },
            'q' => {
                value.push_str("\"");
                value.append(&arguments.next().map(printed).unwrap_or_default());
                value.push_str("\"");
            }
            _ => value.append(&Value::unknown(format!("`printf` with `%{verb}`"))),
        }
    }
    value.push_str(rest);
    Data::Text(value)
}

fn joined(items: &[Data], separator: &str) -> Value {
    let mut value = Value::default();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            value.push_str(separator);
        }
        value.append(&printed(item));
    }
    value
}

fn dict(given: &[Data]) -> Option<Data> {
    let mut entries = Vec::new();
    for pair in given.chunks(2) {
        let key = pair[0].value()?;
        let value = pair.get(1).cloned().unwrap_or_else(|| Data::text(""));
        entries.push((key.text().to_owned(), value));
    }
    Some(Data::map(entries))
}

fn set(map: &Data, key: &Data, value: &Data) -> Option<Data> {
    Some(map.overlaid(&Data::map([(key.value()?.text().to_owned(), value.clone())])))
}

fn field_named(map: &Data, key: &Data) -> Option<Data> {
    Some(field(map, key.value().filter(Value::is_known)?.text()))
}

fn index(of: &Data, path: &[Data]) -> Option<Data> {
    let mut data = of.clone();
    for key in path {
        data = match &data {
            Data::List(list) => {
                let index: usize = key.value()?.text().parse().ok()?;
                list.items
                    .get(index)
                    .cloned()
                    .unwrap_or_else(|| Data::Absent("an item that is not there".to_owned()))
            }
            other => field_named(other, key)?,
        };
    }
    Some(data)
}

fn dig(path: &[Data], otherwise: &Data, map: &Data) -> Option<Data> {
    Some(match index(map, path)? {
        Data::Absent(_) => otherwise.clone(),
        found => found,
    })
}

fn has_key(map: &Data, key: &Data) -> Option<Data> {
    match map {
        Data::Map(map) => Some(Data::Bool(map.entries.contains_key(key.value()?.text()))),
        Data::Absent(_) => Some(Data::Bool(false)),
        _ => None,
    }
}

fn has(item: &Data, items: &[Data]) -> Option<Data> {
    let same: Option<Vec<bool>> =
        items.iter().map(|other| compared(item, std::slice::from_ref(other))).collect();
    Some(Data::Bool(same?.contains(&true)))
}

fn kind_of(data: &Data) -> Option<&'static str> {
    Some(match data {
        Data::Absent(_) => "invalid",
        Data::Bool(_) => "bool",
        Data::Number(_) => "int",
        Data::Text(_) => "string",
        Data::Leaf(leaf) => match leaf.kind {
            Kind::Text => "string",
            Kind::Number => "float64",
            Kind::Bool(_) => "bool",
        },
        Data::List(_) => "slice",
        Data::Map(_) => "map",
        Data::Unknown(_) => return None,
    })
}

fn length(data: &Data) -> Option<Data> {
    let length = match data {
        Data::List(list) => list.items.len(),
        Data::Map(map) => map.entries.len(),
        Data::Absent(_) => 0,
        _ => data.value().filter(Value::is_known)?.text().len(),
    };
    i64::try_from(length).ok().map(Data::Number)
}

/// Functions that make a text, or say something of one: the last of `given`.
fn of_text(name: &str, given: &[Data]) -> Option<Data> {
    let (last, before) = given.split_last()?;
    let value = last.value()?;
    let before: Vec<Value> =
        before.iter().map(|data| data.value().filter(Value::is_known)).collect::<Option<_>>()?;
    let before: Vec<&str> = before.iter().map(Value::text).collect();
    let text = value.text();
    let part = |rest: &str| {
        let start = rest.as_ptr() as usize - text.as_ptr() as usize;
        Some(Data::Text(value.part(start, start + rest.len())))
    };
    match (name, before.as_slice()) {
        ("quote" | "squote" | "toString" | "toYaml" | "toJson" | "indent" | "nindent" | "trim", _) => {
            return part(text.trim());
        }
        _ if !value.is_known() => return None,
        _ => {}
    }
    match (name, before.as_slice()) {
        ("trimSuffix", [end]) => part(text.strip_suffix(end).unwrap_or(text)),
        ("trimPrefix", [start]) => part(text.strip_prefix(start).unwrap_or(text)),
        ("trimAll", [all]) => part(text.trim_matches(|char| all.contains(char))),
        ("lower", []) => Some(Data::Text(value.clone().rewritten(text.to_lowercase()))),
        ("upper", []) => Some(Data::Text(value.clone().rewritten(text.to_uppercase()))),
        ("replace", [from, to]) => Some(Data::Text(value.clone().rewritten(text.replace(from, to)))),
        ("nospace", []) => Some(Data::Text(value.clone().rewritten(text.replace(char::is_whitespace, "")))),
        ("trunc", [length]) => {
            let length: usize = length.parse().ok()?;
            part(text.get(..length).unwrap_or(text))
        }
        ("contains", [inner]) => Some(Data::Bool(text.contains(inner))),
        ("hasPrefix", [start]) => Some(Data::Bool(text.starts_with(start))),
        ("hasSuffix", [end]) => Some(Data::Bool(text.ends_with(end))),
        ("int" | "int64" | "atoi", []) => text.parse().ok().map(|number: f64| Data::Number(number as i64)),
        ("splitList", [separator]) if !separator.is_empty() => {
            let parts: Option<Vec<Data>> = text.split(separator).take(MAX_PARTS + 1).map(part).collect();
            parts.filter(|parts| parts.len() <= MAX_PARTS).map(Data::list)
        }
        ("split", [separator]) if !separator.is_empty() => {
            let parts = text.split(separator).take(MAX_PARTS + 1).enumerate();
            let parts: Option<Vec<(String, Data)>> =
                parts.map(|(index, text)| Some((format!("_{index}"), part(text)?))).collect();
            parts.filter(|parts| parts.len() <= MAX_PARTS).map(Data::map)
        }
        _ => None,
    }
}
