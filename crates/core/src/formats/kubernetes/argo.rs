//! Argo Workflows: what the parameters of a template may be, by their defaults, the
//! workflow's arguments, and every step or task of the file that calls the template
//! (<https://argo-workflows.readthedocs.io/en/latest/fields/>).

use std::collections::HashMap;

use super::parameters::Scope;
use super::walk::At;
use super::walk::Walk;
use super::walk::distinct;
use crate::formats::value::Value;
use crate::yaml::Node;

/// How many calls deep an argument is followed from where it is given.
const MAX_CALLS: usize = 6;
/// How many calls of templates are looked at in one workflow.
const MAX_CALL_SITES: usize = 2_000;

/// A step or task that calls a template.
struct Call<'n> {
    /// The template that holds it.
    from: Option<usize>,
    /// The template that is called.
    to: usize,
    parameters: Vec<(&'n str, Node<'n>)>,
    items: Option<Node<'n>>,
}

impl Walk<'_> {
    /// Walks a workflow's specification: a mapping with `templates`.
    pub(super) fn workflow(&mut self, spec: Node<'_>, at: At<'_>) {
        let Some(mapping) = spec.mapping() else { return };
        let mut global = at.scope.clone();
        for (name, parameter) in parameters(spec, "arguments") {
            global.set(format!("workflow.parameters.{name}"), self.given(name, parameter, at.scope));
        }
        let templates: Vec<Node<'_>> = spec.at(&["templates"]).into_iter().flat_map(Node::list).collect();
        let scopes = self.template_scopes(spec, &templates, &global);
        for (template, scope) in templates.iter().zip(&scopes) {
            self.visit(*template, At { key: "templates", scope, ..at });
        }
        let at = At { scope: &global, ..at };
        for (key, value) in mapping.entries() {
            match key.text() {
                Some("templates") | None => {}
                Some(key) => self.visit(value, At { key, ..at }),
            }
        }
    }

    fn template_scopes(&self, spec: Node<'_>, templates: &[Node<'_>], global: &Scope) -> Vec<Scope> {
        let own: Vec<Scope> = templates.iter().map(|template| self.own_scope(*template, global)).collect();
        let calls = calls(spec, templates);
        let mut scopes = own.clone();
        for _ in 0..MAX_CALLS {
            let mut next = own.clone();
            for call in &calls {
                let from = call.from.and_then(|from| scopes.get(from)).unwrap_or(global);
                let from = self.with_items(call.items, from);
                for (name, parameter) in &call.parameters {
                    let key = format!("inputs.parameters.{name}");
                    let mut values = next[call.to].get(&key).map(<[Value]>::to_vec).unwrap_or_default();
                    values.extend(self.given(name, *parameter, &from));
                    values.truncate(crate::formats::value::MAX_MEMBERS);
                    next[call.to].set(key, distinct(values).to_vec());
                }
            }
            scopes = next;
        }
        scopes
    }

    /// The scope of a template that nobody calls.
    fn own_scope(&self, template: Node<'_>, global: &Scope) -> Scope {
        let mut scope = global.clone();
        for (name, parameter) in parameters(template, "inputs") {
            scope.set(format!("inputs.parameters.{name}"), self.given(name, parameter, global));
        }
        scope
    }

    /// What `{{item}}` and `{{item.key}}` may be.
    fn with_items(&self, items: Option<Node<'_>>, scope: &Scope) -> Scope {
        let mut scope = scope.clone();
        let mut values: HashMap<String, Vec<Value>> = HashMap::new();
        for item in items.into_iter().flat_map(Node::list).take(crate::formats::value::MAX_MEMBERS) {
            match item.mapping() {
                None => {
                    values.entry("item".to_owned()).or_default().extend(self.parameter("item", item, &scope));
                }
                Some(map) => {
                    for (key, value) in map.entries() {
                        let (Some(key), Some(_)) = (key.text(), value.text()) else { continue };
                        let name = format!("item.{key}");
                        let members = self.parameter(&name, value, &scope);
                        values.entry(name).or_default().extend(members);
                    }
                }
            }
        }
        for (name, members) in values {
            scope.set(name, members);
        }
        scope
    }

    /// What a parameter is given: its value, its default, what it is chosen from.
    fn given(&self, name: &str, parameter: Node<'_>, scope: &Scope) -> Vec<Value> {
        let texts = [&["value"][..], &["default"], &["valueFrom", "default"]];
        let mut nodes: Vec<Node<'_>> = texts.iter().filter_map(|path| parameter.at(path)).collect();
        nodes.extend(parameter.at(&["enum"]).into_iter().flat_map(Node::list));
        let mut values = Vec::new();
        for node in nodes {
            values.extend(self.parameter(name, node, scope));
        }
        if values.is_empty() && parameter.at(&["valueFrom"]).is_some() {
            values.push(Value::unknown(format!("`{name}` is known only when the workflow runs")));
        }
        distinct(values).to_vec()
    }
}

/// The parameters under `inputs` or `arguments`, by name.
fn parameters<'n>(node: Node<'n>, under: &str) -> impl Iterator<Item = (&'n str, Node<'n>)> {
    node.at(&[under, "parameters"])
        .into_iter()
        .flat_map(Node::list)
        .filter_map(|parameter| Some((parameter.at(&["name"])?.text()?, parameter)))
}

/// Every call of a template by its name, and that of the entrypoint.
fn calls<'n>(spec: Node<'n>, templates: &[Node<'n>]) -> Vec<Call<'n>> {
    let mut index: HashMap<&str, usize> = HashMap::new();
    for (at, template) in templates.iter().enumerate() {
        if let Some(name) = template.at(&["name"]).and_then(Node::text) {
            index.entry(name).or_insert(at);
        }
    }
    let call = |from: Option<usize>, name: Option<Node<'n>>, node: Node<'n>| {
        let to = *index.get(name?.text()?)?;
        let parameters = parameters(node, "arguments").collect();
        Some(Call { from, to, parameters, items: node.at(&["withItems"]) })
    };
    let mut found: Vec<Call<'_>> = call(None, spec.at(&["entrypoint"]), spec).into_iter().collect();
    for (from, template) in templates.iter().enumerate() {
        // `steps` is a list of lists of steps.
        let steps = template.at(&["steps"]).into_iter().flat_map(Node::list).flat_map(Node::list);
        let tasks = template.at(&["dag", "tasks"]).into_iter().flat_map(Node::list);
        for node in steps.chain(tasks) {
            if found.len() == MAX_CALL_SITES {
                return found;
            }
            found.extend(call(Some(from), node.at(&["template"]), node));
        }
    }
    found
}
