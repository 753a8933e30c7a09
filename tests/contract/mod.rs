//! Holds every exchange with the stand-in against GitHub's published
//! descriptions (`tests/data/github`): our requests and its answers alike.
//!
//! Knows nothing of what fromguard wants from GitHub. A test starts with
//! `let contract = Contract::watch(&github);` and the rest happens when it is dropped.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::Mutex;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::Schema;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use fromguard::standin::Exchange;
use fromguard::standin::Standin;
use jsonschema::Draft;
use jsonschema::Validator;
use serde_json::Value;
use serde_json::json;

static OPENAPI: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/github/openapi.json")).expect("the extract is JSON")
});

static GRAPHQL: LazyLock<Valid<Schema>> = LazyLock::new(|| {
    let text = include_str!("../data/github/schema.graphql");
    Schema::parse_and_validate(text, "schema.graphql").expect("the extract is a valid schema")
});

/// Validators by the JSON pointer of their schema: compiling one takes longer than using it.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// What was found to break the descriptions so far.
#[must_use]
pub(crate) struct Contract {
    violations: Arc<Mutex<Vec<String>>>,
}

impl Contract {
    /// Checks every exchange of this stand-in from now on.
    pub(crate) fn watch(standin: &Standin) -> Contract {
        let violations: Arc<Mutex<Vec<String>>> = Arc::default();
        let found = Arc::clone(&violations);
        standin.observe(move |exchange| {
            let mut broken = violations_of(exchange);
            found.lock().expect("no holder of the list panics").append(&mut broken);
        });
        Contract { violations }
    }

    /// Everything found so far, taken out.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.violations.lock().expect("no holder of the list panics"))
    }
}

impl Drop for Contract {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let violations = self.take();
            assert!(violations.is_empty(), "GitHub's descriptions are broken:\n{}", violations.join("\n"));
        }
    }
}

/// How an exchange breaks the descriptions.
pub(crate) fn violations_of(exchange: &Exchange) -> Vec<String> {
    if exchange.template == "/graphql" { graphql(exchange) } else { rest(exchange) }
}

fn rest(exchange: &Exchange) -> Vec<String> {
    let what = format!("{} {}", exchange.method, exchange.template);
    let method = exchange.method.to_ascii_lowercase();
    let operation = &OPENAPI["paths"][&exchange.template][&method];
    if operation.is_null() {
        return vec![format!("{what}: no operation that GitHub describes (or none that was extracted)")];
    }
    let place = format!("/paths/{}/{method}", exchange.template.replace('/', "~1"));
    let mut violations = parameters(exchange, operation, &what);

    // A refused request may be wrong on purpose.
    let accepted = exchange.status.is_some_and(|status| status < 300);
    let body_schema = operation.pointer("/requestBody/content/application~1json/schema");
    if !exchange.request_body.is_empty() && (accepted || exchange.faulty) {
        match body_schema {
            None => violations.push(format!("{what}: sends a body where none is described")),
            Some(_) => {
                let pointer = format!("{place}/requestBody/content/application~1json/schema");
                violations.extend(against(&pointer, &exchange.request_body, &format!("{what}: request")));
            }
        }
    }
    if let Some(status) = exchange.status.filter(|_| !exchange.faulty) {
        violations.extend(answer(exchange, status, operation, &place, &what));
    }
    violations
}

/// Query parameters that nobody described.
fn parameters(exchange: &Exchange, operation: &Value, what: &str) -> Vec<String> {
    let described: Vec<&Value> = operation["parameters"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(|parameter| match parameter["$ref"].as_str() {
            Some(reference) => {
                OPENAPI.pointer(reference.trim_start_matches('#')).expect("references are whole")
            }
            None => parameter,
        })
        .collect();
    let known = |name: &str| described.iter().any(|known| known["in"] == "query" && known["name"] == name);
    exchange
        .query
        .iter()
        .filter(|(name, _)| !known(name))
        .map(|(name, _)| format!("{what}: no query parameter {name} is described"))
        .collect()
}

fn answer(exchange: &Exchange, status: u16, operation: &Value, place: &str, what: &str) -> Vec<String> {
    let is_json = exchange.content_type.as_deref().is_some_and(|media| media.starts_with("application/json"));
    if !is_json {
        return Vec::new();
    }
    let described = &operation["responses"][status.to_string()];
    let what = format!("{what}: answer {status}");
    let (place, described) = match described["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.trim_start_matches('#');
            (pointer.to_owned(), OPENAPI.pointer(pointer).expect("references are whole"))
        }
        None => (format!("{place}/responses/{status}"), described),
    };
    if described.is_null() {
        // Not every refusal is described; all have GitHub's plain error's form.
        if status < 300 {
            return vec![format!("{what} is not described")];
        }
        return against("/components/schemas/basic-error", &exchange.response_body, &what);
    }
    if described.pointer("/content/application~1json/schema").is_none() {
        return Vec::new();
    }
    against(&format!("{place}/content/application~1json/schema"), &exchange.response_body, &what)
}

/// Validates a body against the schema at a pointer of the description.
fn against(pointer: &str, body: &[u8], what: &str) -> Vec<String> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return vec![format!("{what} is not JSON")];
    };
    let validator = validator(pointer);
    validator.iter_errors(&body).map(|error| format!("{what}: {} {error}", error.instance_path())).collect()
}

fn validator(pointer: &str) -> Arc<Validator> {
    let mut known = VALIDATORS.lock().expect("no holder of the validators panics");
    let compile = || {
        let encoded = pointer.replace('{', "%7B").replace('}', "%7D");
        let schema = json!({
            "$ref": format!("#{encoded}"),
            "paths": OPENAPI["paths"],
            "components": OPENAPI["components"],
        });
        let validator = jsonschema::options().with_draft(Draft::Draft202012).build(&schema);
        Arc::new(validator.unwrap_or_else(|error| panic!("{pointer} is no schema: {error}")))
    };
    Arc::clone(known.entry(pointer.to_owned()).or_insert_with(compile))
}

fn graphql(exchange: &Exchange) -> Vec<String> {
    if exchange.status.is_some_and(|status| status != 200) || exchange.faulty {
        return Vec::new();
    }
    let Ok(body) = serde_json::from_slice::<Value>(&exchange.request_body) else {
        return vec!["POST /graphql: the request is not JSON".to_owned()];
    };
    let query = body["query"].as_str().unwrap_or_default();
    let document = match ExecutableDocument::parse_and_validate(&GRAPHQL, query, "query.graphql") {
        Ok(document) => document,
        Err(invalid) => return vec![format!("POST /graphql: {}", invalid.errors)],
    };
    let operation = match document.operations.get(body["operationName"].as_str()) {
        Ok(operation) => operation,
        Err(_) => return vec!["POST /graphql: no single operation to run".to_owned()],
    };
    let variables: JsonMap = serde_json::from_value(body["variables"].clone()).ok().unwrap_or_default();
    match coerce_variable_values(&GRAPHQL, operation, &variables) {
        Ok(_) => Vec::new(),
        Err(error) => vec![format!("POST /graphql: variables: {}", error.message())],
    }
}
