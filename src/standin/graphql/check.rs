//! What GitHub refuses before it looks at any data: undefined fields and
//! arguments, missing page sizes, fragments that lead back to themselves; and what a query costs.

use graphql_parser::Pos;
use graphql_parser::query::Field;
use graphql_parser::query::Selection;
use graphql_parser::query::SelectionSet;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::Fragments;
use super::Text;
use super::condition;
use super::schema;
use super::value;

/// The largest page.
const PAGE_LIMIT: u64 = 100;
/// A query nested deeper than this is refused.
const DEPTH_LIMIT: usize = 50;
/// A point of the hourly limit buys this many connections.
const CONNECTIONS_PER_POINT: u64 = 100;

/// The query's cost in points, or everything that is wrong with it.
pub(super) fn check(
    root: &str,
    selection: &SelectionSet<'_, Text>,
    fragments: &Fragments<'_>,
    variables: &Map<String, Value>,
) -> Result<u32, Vec<Value>> {
    let mut check = Check { fragments, variables, errors: Vec::new(), connections: 0 };
    check.set(root, selection, 1, &mut vec![root.to_ascii_lowercase()]);
    if !check.errors.is_empty() {
        return Err(check.errors);
    }
    let points = (check.connections + CONNECTIONS_PER_POINT / 2) / CONNECTIONS_PER_POINT;
    Ok(u32::try_from(points.max(1)).unwrap_or(u32::MAX))
}

struct Check<'a, 'd> {
    fragments: &'a Fragments<'d>,
    variables: &'a Map<String, Value>,
    errors: Vec<Value>,
    connections: u64,
}

impl Check<'_, '_> {
    /// `times` is how many objects the set is asked of.
    fn set(&mut self, type_name: &str, set: &SelectionSet<'_, Text>, times: u64, path: &mut Vec<String>) {
        if path.len() > DEPTH_LIMIT {
            let message = "Query has depth beyond the limit, or a fragment that contains itself";
            self.errors.push(json!({"message": message, "path": path}));
            return;
        }
        for selection in &set.items {
            match selection {
                Selection::Field(field) => {
                    path.push(field.alias.as_deref().unwrap_or(&field.name).to_owned());
                    self.field(type_name, field, times, path);
                    path.pop();
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.type_condition.as_ref().map_or(type_name, condition);
                    path.push(format!("... on {on}"));
                    self.fragment(on, &fragment.selection_set, fragment.position, times, path);
                    path.pop();
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.fragment_name.as_str();
                    path.push(format!("...{name}"));
                    match self.fragments.get(name).copied() {
                        Some(fragment) => {
                            let on = condition(&fragment.type_condition);
                            self.fragment(on, &fragment.selection_set, fragment.position, times, path);
                        }
                        None => {
                            let message = format!("Fragment {name} was used, but not defined");
                            self.refuse(
                                message,
                                spread.position,
                                path,
                                json!({"code": "useAndDefineFragment"}),
                            );
                        }
                    }
                    path.pop();
                }
            }
        }
    }

    fn fragment(
        &mut self,
        on: &str,
        set: &SelectionSet<'_, Text>,
        position: Pos,
        times: u64,
        path: &mut Vec<String>,
    ) {
        if schema::find(on).is_none() {
            let message = format!("No such type {on}, so it can't be a fragment condition");
            self.refuse(message, position, path, json!({"code": "undefinedType", "typeName": on}));
            return;
        }
        self.set(on, set, times, path);
    }

    fn field(&mut self, type_name: &str, field: &Field<'_, Text>, times: u64, path: &mut Vec<String>) {
        let name = field.name.as_str();
        let Some(known) = schema::field(type_name, name) else {
            let message = format!("Field '{name}' doesn't exist on type '{type_name}'");
            let extensions = json!({"code": "undefinedField", "typeName": type_name, "fieldName": name});
            self.refuse(message, field.position, path, extensions);
            return;
        };
        for (argument, _) in &field.arguments {
            if !known.arguments.contains(&argument.as_str()) {
                let message = format!("Field '{name}' doesn't accept argument '{argument}'");
                let extensions =
                    json!({"code": "argumentNotAccepted", "typeName": "Field", "argumentName": argument});
                self.refuse(message, field.position, path, extensions);
            }
        }
        let composite = schema::find(known.base()).is_some();
        if composite == field.selection_set.items.is_empty() {
            let message = if composite {
                format!(
                    "Field must have selections (field '{name}' returns {} but has no selections.)",
                    known.base()
                )
            } else {
                format!(
                    "Selections can't be made on scalars (field '{name}' returns {} but has selections)",
                    known.base()
                )
            };
            self.refuse(
                message,
                field.position,
                path,
                json!({"code": "selectionMismatch", "nodeName": name}),
            );
            return;
        }
        let mut times = times;
        if known.is_connection() {
            self.connections = self.connections.saturating_add(times);
            times = times.saturating_mul(self.page_size(field, path));
        }
        self.set(known.base(), &field.selection_set, times, path);
    }

    /// `first` or `last`, one of which every connection needs.
    fn page_size(&mut self, field: &Field<'_, Text>, path: &[String]) -> u64 {
        let name = field.name.as_str();
        let argument = |wanted: &str| {
            let found = field.arguments.iter().find(|(name, _)| name == wanted)?;
            value(&found.1, self.variables).as_u64()
        };
        let bound = [("first", argument("first")), ("last", argument("last"))];
        let Some((which, Some(size))) = bound.into_iter().find(|(_, size)| size.is_some()) else {
            let message = format!(
                "You must provide a `first` or `last` value to properly paginate the `{name}` connection."
            );
            self.refuse_as("MISSING_PAGINATION_BOUNDARIES", message, field.position, path);
            return 1;
        };
        if size > PAGE_LIMIT {
            let message = format!(
                "Requesting {size} records on the `{name}` connection exceeds the `{which}` limit of {PAGE_LIMIT} records."
            );
            self.refuse_as("EXCESSIVE_PAGINATION", message, field.position, path);
        }
        size.max(1)
    }

    fn refuse(&mut self, message: String, at: Pos, path: &[String], extensions: Value) {
        self.errors.push(json!({
            "path": path,
            "extensions": extensions,
            "locations": [{"line": at.line, "column": at.column}],
            "message": message,
        }));
    }

    fn refuse_as(&mut self, kind: &str, message: String, at: Pos, path: &[String]) {
        self.errors.push(json!({
            "type": kind,
            "path": path,
            "locations": [{"line": at.line, "column": at.column}],
            "message": message,
        }));
    }
}
