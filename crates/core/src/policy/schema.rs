//! The JSON Schema of a policy file, written from the table of keys: what editors
//! complete and check by. What values mean together only the loader knows.
//!
//! Draft 7, <https://json-schema.org/draft-07>: the newest that the common YAML
//! editors read whole.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::form::MAX_NAME_BYTES;
use super::form::RESERVED_NAMES;
use super::keys;
use super::keys::Holds;
use super::keys::Keys;

/// The JSON Schema of a policy file, as the text of `schema/fromguard.v1.json`.
#[must_use]
pub fn schema() -> String {
    let Value::Object(file) = mapping(&keys::FILE) else { return String::new() };
    let mut root = Map::new();
    root.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    root.insert("title".to_owned(), json!("fromguard policy, version 1"));
    root.extend(file);
    let mut text =
        serde_json::to_string_pretty(&Value::Object(root)).expect("a tree of strings and numbers serialises");
    text.push('\n');
    text
}

fn mapping(keys: &Keys) -> Value {
    let mut properties = Map::new();
    for key in keys.known {
        let Value::Object(mut value) = holds(&key.holds) else { continue };
        value.insert("description".to_owned(), json!(key.about));
        properties.insert(key.name.to_owned(), Value::Object(value));
    }
    let required: Vec<&str> = keys.known.iter().filter(|key| key.needed).map(|key| key.name).collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema.insert("minProperties".to_owned(), json!(1));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    Value::Object(schema)
}

fn holds(holds: &Holds) -> Value {
    match holds {
        Holds::Version => json!({"enum": [1, "1"]}),
        Holds::Words(words) => json!({"enum": words}),
        Holds::True => json!({"const": true}),
        // A text stands as it is written: `1.20` is the tag 1.20, whatever YAML makes of it.
        Holds::Text => json!({"type": ["string", "number", "boolean"], "pattern": r"\S"}),
        Holds::Name => name(),
        Holds::Pattern => pattern(),
        Holds::Images => json!({"anyOf": [{"enum": ["hub:official", "hub:verified-publisher"]}, pattern()]}),
        Holds::PathGlob => {
            json!({"type": "string", "pattern": r"^[^/!?\[\]{}\\][^?\[\]{}\\]*$"})
        }
        Holds::TagGlob => {
            json!({"type": ["string", "number"], "pattern": r"^:?[A-Za-z0-9_*][A-Za-z0-9_.*-]*$"})
        }
        Holds::Host => json!({"type": "string", "pattern": r"^[^/*\s]+$"}),
        Holds::Reviewer => {
            json!({"type": "string", "pattern": r"^@[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)?$"})
        }
        Holds::Day => json!({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}),
        Holds::Count => json!({"type": "integer", "minimum": 1}),
        Holds::False => json!({"const": false}),
        Holds::CountFromZero => json!({"type": "integer", "minimum": 0}),
        Holds::Days => json!({"type": "string", "pattern": "^[0-9]{1,4}d$"}),
        Holds::Address => json!({"type": "string", "pattern": r"^https://[^*\s]+$"}),
        Holds::Publisher => json!({"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"}),
        Holds::Rule => json!({"type": "string", "not": {"enum": ["block"]}}),
        Holds::List(item) => {
            json!({"type": "array", "minItems": 1, "uniqueItems": true, "items": self::holds(item)})
        }
        Holds::Keys(keys) => mapping(keys),
        Holds::Named(keys) => json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": name(),
            "additionalProperties": mapping(keys),
        }),
        Holds::Rewrites => json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": PATTERN},
            "additionalProperties": pattern(),
        }),
    }
}

/// A host and a path; what makes it a pattern is more than an expression can say.
const PATTERN: &str = r"^[^\s/]+/\S*[^\s/]$";

fn pattern() -> Value {
    json!({"type": "string", "pattern": PATTERN})
}

fn name() -> Value {
    let pattern = format!("^[A-Za-z0-9._-]{{1,{MAX_NAME_BYTES}}}$");
    json!({"type": ["string", "integer"], "pattern": pattern, "not": {"enum": RESERVED_NAMES}})
}
