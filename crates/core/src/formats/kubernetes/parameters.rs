//! Texts with parameters in them, and what the parameters may be.
//!
//! Argo Workflows writes `{{inputs.parameters.x}}`
//! (<https://argo-workflows.readthedocs.io/en/latest/variables/>), Tekton
//! `$(params.x)` (<https://tekton.dev/docs/pipelines/variables/>), OpenShift's templates
//! `${X}` (<https://docs.openshift.com/container-platform/latest/openshift_images/using-templates.html>).
//! What `envsubst` fills in looks like the last, with `${X:-default}`.

use std::collections::HashMap;
use std::rc::Rc;

use crate::formats::value;
use crate::formats::value::Value;

/// The longest text that is looked into, in bytes: no reference is longer.
const MAX_REFERENCE_BYTES: usize = 1024;

/// The parameters that are known at a place, each with what it may be.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    values: HashMap<String, Rc<Vec<Value>>>,
}

impl Scope {
    /// Sets what a parameter may be.
    pub(super) fn set(&mut self, name: impl Into<String>, values: Vec<Value>) {
        self.values.insert(name.into(), Rc::new(values));
    }

    /// What a parameter may be.
    pub(super) fn get(&self, name: &str) -> Option<&[Value]> {
        self.values.get(name).map(|values| values.as_slice())
    }

    /// Forgets the parameters whose names begin so.
    pub(super) fn forget(&mut self, prefix: &str) {
        self.values.retain(|name, _| !name.starts_with(prefix));
    }

    /// What a text may be when its parameters are filled in.
    pub(super) fn expand(&self, text: &str) -> Vec<Value> {
        if !text.contains(['{', '$']) {
            return vec![Value::known(text)];
        }
        if text.len() > MAX_REFERENCE_BYTES {
            return vec![Value::unknown("it is longer than any reference")];
        }
        let mut members = vec![Value::default()];
        let mut rest = text;
        while let Some((before, parameter, after)) = split(rest) {
            if !before.is_empty() {
                members = value::product(&members, &[Value::known(before)]);
            }
            members = value::product(&members, &self.members(&parameter));
            rest = after;
        }
        if !rest.is_empty() {
            members = value::product(&members, &[Value::known(rest)]);
        }
        members
    }

    fn members(&self, parameter: &Parameter<'_>) -> Vec<Value> {
        let name = normal_name(parameter.name);
        if let Some(values) = self.values.get(&name) {
            return match values.is_empty() {
                true => vec![Value::unknown(format!("`{name}` has no default"))],
                false => values.to_vec(),
            };
        }
        if let Some(default) = parameter.default {
            return vec![Value::known(default)];
        }
        // What a template's marker stands for is said where the target is made.
        match parameter.written.starts_with("{{") {
            true => vec![Value::known(parameter.written)],
            false => vec![Value::unknown(format!(
                "`{}` is filled in before this runs, and nothing here says with what",
                parameter.written
            ))],
        }
    }
}

/// A parameter in a text.
struct Parameter<'t> {
    written: &'t str,
    name: &'t str,
    default: Option<&'t str>,
}

/// The text before the first parameter, it, and the text after it.
fn split(text: &str) -> Option<(&str, Parameter<'_>, &str)> {
    let mut from = 0;
    while let Some(at) = text[from..].find(['{', '$']).map(|at| from + at) {
        let rest = &text[at..];
        for (open, close) in [("${{", "}}"), ("{{", "}}"), ("$(", ")"), ("${", "}")] {
            let Some(inner) = rest.strip_prefix(open) else { continue };
            let Some(end) = inner.find(close) else { continue };
            let length = open.len() + end + close.len();
            let (name, default) = match open {
                "${" => with_default(&inner[..end]),
                _ => (inner[..end].trim(), None),
            };
            let parameter = Parameter { written: &rest[..length], name, default };
            return Some((&text[..at], parameter, &rest[length..]));
        }
        if let Some(name) = rest.strip_prefix('$') {
            let length =
                name.find(|char: char| !(char.is_ascii_alphanumeric() || char == '_')).unwrap_or(name.len());
            if length > 0 {
                let parameter = Parameter { written: &rest[..=length], name: &name[..length], default: None };
                return Some((&text[..at], parameter, &name[length..]));
            }
        }
        from = at + 1;
    }
    None
}

/// `X:-default`, `X-default`, and Flux's `X:=default`.
fn with_default(inner: &str) -> (&str, Option<&str>) {
    let length =
        inner.find(|char: char| !(char.is_ascii_alphanumeric() || char == '_')).unwrap_or(inner.len());
    let (name, rest) = inner.split_at(length);
    let default = [":-", ":=", "-", "="].iter().find_map(|operator| rest.strip_prefix(operator));
    (if default.is_some() { name } else { inner }, default.filter(|default| !default.contains('$')))
}

/// The name under which a parameter is known, of the ways to write it: Tekton's
/// `inputs.params.x`, `params["x"]` and `tt.params.x`.
fn normal_name(name: &str) -> String {
    let bare = name.strip_prefix("inputs.params").or_else(|| name.strip_prefix("tt.params"));
    let Some(rest) = bare.or_else(|| name.strip_prefix("params")) else { return name.to_owned() };
    let quoted = |rest: &str, quote: &str| {
        let inner = rest.strip_prefix('[')?.strip_prefix(quote)?.strip_suffix(']')?;
        inner.strip_suffix(quote).map(|inner| format!("params.{inner}"))
    };
    quoted(rest, "\"").or_else(|| quoted(rest, "'")).unwrap_or_else(|| format!("params{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in_what_is_known() {
        let mut scope = Scope::default();
        scope.set("params.tag", vec![Value::known("1"), Value::known("2")]);
        scope.set("workflow.parameters.image", vec![Value::known("a/b")]);
        scope.set("params.none", Vec::new());
        let texts = |text: &str| {
            let values = scope.expand(text);
            let shown = values.iter().map(|value| match value.reason() {
                Some(reason) => format!("{} ({reason})", value.text()),
                None => value.text().to_owned(),
            });
            shown.collect::<Vec<_>>()
        };
        assert_eq!(texts("x:$(params.tag)"), ["x:1", "x:2"]);
        assert_eq!(texts("x:$(inputs.params['tag'])-y"), ["x:1-y", "x:2-y"]);
        assert_eq!(texts("{{ workflow.parameters.image }}:3"), ["a/b:3"]);
        assert_eq!(texts("x:$(params.none)"), ["x: (`params.none` has no default)"]);
        assert_eq!(texts("x:{{other}}"), ["x:{{other}}"]);
        assert_eq!(texts("x:${TAG:=3}"), ["x:3"]);
        assert_eq!(
            texts("x:$TAG"),
            ["x: (`$TAG` is filled in before this runs, and nothing here says with what)"]
        );
        assert_eq!(texts("a$"), ["a$"]);
    }
}
