//! The GraphQL API: enough of it for queries about pull requests, commits, files and comments.
//!
//! A query is parsed by `graphql-parser`, checked against [`schema`], priced, and
//! evaluated field by field ([`resolve`]). As on GitHub, a query that asks for an
//! undefined field gets no data at all, and one that asks for a missing repository
//! gets a 200 with the rest of the data. <https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>

mod check;
mod connection;
mod node;
mod resolve;
mod schema;

use std::collections::HashMap;

use graphql_parser::query::Definition;
use graphql_parser::query::Directive;
use graphql_parser::query::Document;
use graphql_parser::query::Field;
use graphql_parser::query::FragmentDefinition;
use graphql_parser::query::OperationDefinition;
use graphql_parser::query::Selection;
use graphql_parser::query::SelectionSet;
use graphql_parser::query::Type;
use graphql_parser::query::TypeCondition;
use graphql_parser::query::Value as Literal;
use graphql_parser::query::VariableDefinition;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use self::node::Node;
use self::resolve::Resolved;
use self::resolve::Resolver;
use super::answer::Answer;
use super::auth;
use super::limits;
use super::rest::Call;
use super::rest::Outcome;

type Text = String;
type Fragments<'a> = HashMap<&'a str, &'a FragmentDefinition<'a, Text>>;

/// An error in a 200.
#[derive(Debug)]
struct Refusal {
    kind: Option<&'static str>,
    message: String,
}

/// `POST /graphql`
pub(super) fn answer(call: &mut Call<'_>) -> Outcome {
    let token = auth::token(call.request, call.state, call.now_ms)?;
    call.caller = Some(token.installation);
    let body = call.request.json()?;
    let text = body["query"].as_str().ok_or_else(|| {
        Answer::json(
            200,
            &json!({"errors": [{"message": "A query attribute must be specified and must be a string."}]}),
        )
    })?;
    let refused = |errors: Vec<Value>| Answer::json(200, &json!({"errors": errors}));

    let document: Document<'_, Text> = graphql_parser::parse_query(text)
        .map_err(|error| refused(vec![json!({"message": format!("Parse error: {error}")})]))?;
    let fragments: Fragments<'_> = document
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            Definition::Fragment(fragment) => Some((fragment.name.as_str(), fragment)),
            Definition::Operation(_) => None,
        })
        .collect();
    let (root, selection, declared) = operation(&document, body["operationName"].as_str())
        .map_err(|message| refused(vec![json!({"message": message})]))?;
    let variables = variables(declared, &body["variables"]).map_err(|error| refused(vec![error]))?;
    let cost = check::check(root.type_name(), selection, &fragments, &variables).map_err(refused)?;
    let window = match limits::spend(
        call.state,
        token.installation,
        "graphql",
        cost,
        call.hourly_limit,
        call.now_ms,
    ) {
        Ok(window) => window,
        Err(_) => {
            let message = format!("API rate limit exceeded for installation ID {}.", token.installation);
            return Err(refused(vec![json!({"type": "RATE_LIMITED", "message": message})]));
        }
    };

    let limit = call.hourly_limit;
    let resolver = Resolver::new(call, token, cost, limit, window);
    let mut execution = Execution { resolver, fragments, variables, errors: Vec::new() };
    let data = execution.object(&root, &[selection], &[]);
    let mut value = json!({"data": data});
    if !execution.errors.is_empty() {
        value["errors"] = json!(execution.errors);
    }
    Ok(Answer::json(200, &value))
}

type Operation<'a> = (Node, &'a SelectionSet<'a, Text>, &'a [VariableDefinition<'a, Text>]);

/// The operation to run: the one named, or the only one.
fn operation<'a>(document: &'a Document<'a, Text>, name: Option<&str>) -> Result<Operation<'a>, String> {
    let mut found = Vec::new();
    for definition in &document.definitions {
        match definition {
            Definition::Operation(OperationDefinition::SelectionSet(set)) => {
                found.push((None, (Node::Query, set, &[][..])));
            }
            Definition::Operation(OperationDefinition::Query(query)) => {
                let run = (Node::Query, &query.selection_set, &query.variable_definitions[..]);
                found.push((query.name.as_deref(), run));
            }
            Definition::Operation(OperationDefinition::Mutation(mutation)) => {
                let run = (Node::Mutation, &mutation.selection_set, &mutation.variable_definitions[..]);
                found.push((mutation.name.as_deref(), run));
            }
            Definition::Operation(_) => {
                return Err("The stand-in answers queries and mutations only.".to_owned());
            }
            Definition::Fragment(_) => {}
        }
    }
    found.retain(|(candidate, _)| name.is_none() || *candidate == name);
    match found.pop() {
        None => Err("No operation to run".to_owned()),
        Some(_) if !found.is_empty() => Err("An operation name is required".to_owned()),
        Some((_, run)) => Ok(run),
    }
}

/// The values of the declared variables, of which those that must be given are.
fn variables(declared: &[VariableDefinition<'_, Text>], given: &Value) -> Result<Map<String, Value>, Value> {
    let mut variables = Map::new();
    for variable in declared {
        let name = variable.name.as_str();
        let default = variable.default_value.as_ref().map(|default| value(default, &Map::new()));
        let found = given.get(name).cloned().or(default).unwrap_or(Value::Null);
        if !fits(&found, &variable.var_type) {
            let kind = &variable.var_type;
            return Err(json!({
                "message": format!("Variable ${name} of type {kind} was provided invalid value"),
                "locations": [{"line": variable.position.line, "column": variable.position.column}],
                "extensions": {"value": found, "problems": [{"path": [], "explanation": "Expected value to not be null"}]},
            }));
        }
        variables.insert(name.to_owned(), found);
    }
    Ok(variables)
}

/// Whether a JSON value may stand for a type; types that are not built in take any.
fn fits(found: &Value, kind: &Type<'_, Text>) -> bool {
    match kind {
        Type::NonNullType(inner) => !found.is_null() && fits(found, inner),
        _ if found.is_null() => true,
        Type::ListType(inner) => match found.as_array() {
            Some(items) => items.iter().all(|item| fits(item, inner)),
            None => fits(found, inner),
        },
        Type::NamedType(name) => match name.as_str() {
            "String" => found.is_string(),
            "GitObjectID" => found
                .as_str()
                .is_some_and(|text| text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())),
            "Int" => found.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            "Boolean" => found.is_boolean(),
            "ID" => found.is_string() || found.is_number(),
            _ => true,
        },
    }
}

/// A literal or variable as JSON.
fn value(literal: &Literal<'_, Text>, variables: &Map<String, Value>) -> Value {
    match literal {
        Literal::Variable(name) => variables.get(name.as_str()).cloned().unwrap_or(Value::Null),
        Literal::Int(number) => json!(number.as_i64()),
        Literal::Float(number) => json!(number),
        Literal::String(text) | Literal::Enum(text) => json!(text),
        Literal::Boolean(truth) => json!(truth),
        Literal::Null => Value::Null,
        Literal::List(items) => items.iter().map(|item| value(item, variables)).collect(),
        Literal::Object(fields) => Value::Object(
            fields.iter().map(|(name, field)| (name.clone(), value(field, variables))).collect(),
        ),
    }
}

fn condition<'a>(condition: &'a TypeCondition<'_, Text>) -> &'a str {
    let TypeCondition::On(name) = condition;
    name
}

/// Whether `@include` and `@skip` let a selection stand.
fn included(directives: &[Directive<'_, Text>], variables: &Map<String, Value>) -> bool {
    directives.iter().all(|directive| {
        let argument = directive.arguments.iter().find(|(name, _)| name == "if");
        let truth = argument.is_some_and(|(_, literal)| value(literal, variables) == json!(true));
        match directive.name.as_str() {
            "include" => truth,
            "skip" => !truth,
            _ => true,
        }
    })
}

struct Execution<'a, 'call, 'request> {
    resolver: Resolver<'call, 'request>,
    fragments: Fragments<'a>,
    variables: Map<String, Value>,
    errors: Vec<Value>,
}

/// A response key and the fields that are merged under it.
type Collected<'a> = Vec<(&'a str, Vec<&'a Field<'a, Text>>)>;

impl<'a> Execution<'a, '_, '_> {
    /// An object's selected fields.
    fn object(&mut self, node: &Node, sets: &[&'a SelectionSet<'a, Text>], path: &[Value]) -> Value {
        let mut collected = Collected::new();
        for set in sets {
            self.collect(node.type_name(), set, &mut collected);
        }
        let mut object = Map::new();
        for (key, fields) in collected {
            let mut path = path.to_vec();
            path.push(json!(key));
            let value = self.field(node, &fields, &path);
            object.insert(key.to_owned(), value);
        }
        Value::Object(object)
    }

    fn field(&mut self, node: &Node, fields: &[&'a Field<'a, Text>], path: &[Value]) -> Value {
        let first = fields[0];
        if first.name == "__typename" {
            return json!(node.type_name());
        }
        let arguments: Map<String, Value> = first
            .arguments
            .iter()
            .map(|(name, literal)| (name.clone(), value(literal, &self.variables)))
            .collect();
        let sets: Vec<&SelectionSet<'_, Text>> = fields.iter().map(|field| &field.selection_set).collect();
        match self.resolver.field(node, &first.name, &arguments) {
            Ok(Resolved::Leaf(value)) => value,
            Ok(Resolved::Node(node)) => self.object(&node, &sets, path),
            Ok(Resolved::Nodes(nodes)) => {
                let mut items = Vec::new();
                for (at, node) in nodes.iter().enumerate() {
                    let mut path = path.to_vec();
                    path.push(json!(at));
                    items.push(self.object(node, &sets, &path));
                }
                Value::Array(items)
            }
            Err(refusal) => {
                let mut error = json!({
                    "path": path,
                    "locations": [{"line": first.position.line, "column": first.position.column}],
                    "message": refusal.message,
                });
                if let Some(kind) = refusal.kind {
                    error["type"] = json!(kind);
                }
                self.errors.push(error);
                Value::Null
            }
        }
    }

    fn collect(&self, type_name: &str, set: &'a SelectionSet<'a, Text>, collected: &mut Collected<'a>) {
        for selection in &set.items {
            match selection {
                Selection::Field(field) if included(&field.directives, &self.variables) => {
                    let key = field.alias.as_deref().unwrap_or(&field.name);
                    match collected.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, fields)) => fields.push(field),
                        None => collected.push((key, vec![field])),
                    }
                }
                Selection::InlineFragment(fragment) if included(&fragment.directives, &self.variables) => {
                    let condition = fragment.type_condition.as_ref().map(condition);
                    if condition.is_none_or(|condition| schema::applies(type_name, condition)) {
                        self.collect(type_name, &fragment.selection_set, collected);
                    }
                }
                Selection::FragmentSpread(spread) if included(&spread.directives, &self.variables) => {
                    if let Some(fragment) = self.fragments.get(spread.fragment_name.as_str())
                        && schema::applies(type_name, condition(&fragment.type_condition))
                    {
                        self.collect(type_name, &fragment.selection_set, collected);
                    }
                }
                _ => {}
            }
        }
    }
}
