//! Tekton: what the parameters of a task may be, by their defaults and by what the
//! pipeline or run that holds the task gives it
//! (<https://tekton.dev/docs/pipelines/tasks/>), and bundles.

use super::parameters::Scope;
use super::walk::At;
use super::walk::Walk;
use crate::formats::value::Value;
use crate::image::Role;
use crate::yaml::Node;

impl Walk<'_> {
    /// The scope below a mapping with `params`; `None` when it has none.
    ///
    /// Beside a `taskSpec` or `pipelineSpec`, `params` are what is given to it;
    /// elsewhere they are declared.
    pub(super) fn task_parameters(&self, node: Node<'_>, outer: &Scope) -> Option<Scope> {
        let listed = [&["params"][..], &["inputs", "params"], &["matrix", "params"]];
        let parameters: Vec<Node<'_>> =
            listed.iter().filter_map(|path| node.at(path)).flat_map(Node::list).collect();
        if parameters.is_empty() {
            return None;
        }
        let gives = ["taskSpec", "pipelineSpec", "taskRef", "pipelineRef", "ref"]
            .iter()
            .any(|key| node.at(&[key]).is_some());
        let mut scope = outer.clone();
        if gives {
            scope.forget("given.");
        }
        for parameter in parameters {
            let Some(name) = parameter.at(&["name"]).and_then(Node::text) else { continue };
            let given = format!("given.{name}");
            let mut values = Vec::new();
            for node in ["default", "value"].iter().filter_map(|key| parameter.at(&[key])) {
                values.extend(self.parameter(name, node, outer));
                for item in node.list() {
                    values.extend(self.parameter(name, item, outer));
                }
            }
            match gives {
                true => scope.set(given, values.clone()),
                false => values.extend(outer.get(&given).map(<[Value]>::to_vec).unwrap_or_default()),
            }
            scope.set(format!("params.{name}"), values);
        }
        Some(scope)
    }

    /// `resolver: bundles` with the bundle among its parameters. The older `bundle`
    /// beside the name is an image by its key.
    pub(super) fn bundle(&mut self, node: Node<'_>, at: At<'_>) {
        if node.at(&["resolver"]).and_then(Node::text) != Some("bundles") {
            return;
        }
        for parameter in node.at(&["params"]).into_iter().flat_map(Node::list) {
            let is_bundle = parameter.at(&["name"]).and_then(Node::text) == Some("bundle");
            if let Some(value) = parameter.at(&["value"]).filter(|_| is_bundle) {
                self.image(Role::Container, value, at.scope);
            }
        }
    }
}
