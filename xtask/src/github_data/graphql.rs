//! The part of the GraphQL schema that queries for a pull request can reach, and the
//! mutations that are sent.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::Context;
use anyhow::Result;
use serde_json::Value;

/// Composite types that are kept; a field survives when its type does. Scalars
/// and enums always survive.
const TYPES: [&str; 52] = [
    "Query",
    "Mutation",
    "Actor",
    "App",
    "Blob",
    "Bot",
    "BranchProtectionRule",
    "CheckAnnotation",
    "CheckAnnotationConnection",
    "CheckAnnotationPosition",
    "CheckAnnotationSpan",
    "CheckRun",
    "CheckRunConnection",
    "CheckSuite",
    "CheckSuiteConnection",
    "Comment",
    "Commit",
    "CommitConnection",
    "CommitHistoryConnection",
    "EnterpriseUserAccount",
    "GitActor",
    "GitObject",
    "IssueComment",
    "IssueCommentConnection",
    "Mannequin",
    "MergeQueue",
    "MergeQueueEntry",
    "MergeQueueEntryConnection",
    "Minimizable",
    "MinimizeCommentPayload",
    "Node",
    "Organization",
    "PageInfo",
    "PullRequest",
    "PullRequestChangedFile",
    "PullRequestChangedFileConnection",
    "PullRequestCommit",
    "PullRequestCommitConnection",
    "PullRequestConnection",
    "PullRequestReview",
    "PullRequestReviewConnection",
    "RateLimit",
    "Ref",
    "RefConnection",
    "Repository",
    "RepositoryOwner",
    "Submodule",
    "Tag",
    "Tree",
    "TreeEntry",
    "UnminimizeCommentPayload",
    "User",
];

/// Fields of `Query` that are kept; the others open doors that nobody here uses.
const ROOT_FIELDS: [&str; 6] = ["node", "nodes", "organization", "rateLimit", "repository", "viewer"];

/// Fields of `Mutation` that are kept.
const ROOT_MUTATIONS: [&str; 2] = ["minimizeComment", "unminimizeComment"];

/// The schema cut down to [`TYPES`], as SDL.
pub(super) fn extract(introspection: &Value) -> Result<String> {
    let types = introspection["__schema"]["types"].as_array().context("the schema has no types")?;
    let find = |name: &str| {
        types.iter().find(|described| described["name"] == name).with_context(|| format!("no type {name}"))
    };
    let mut sdl = String::new();
    let mut leaves = BTreeSet::new();
    for name in TYPES {
        composite(find(name)?, types, &mut leaves, &mut sdl);
    }
    // An input object may name further ones.
    let mut written = BTreeSet::new();
    while let Some(name) = leaves.pop_first() {
        if written.insert(name.clone()) {
            leaf(find(&name)?, &mut leaves, &mut sdl);
        }
    }
    Ok(format!("schema {{\n  query: Query\n  mutation: Mutation\n}}\n{sdl}"))
}

fn composite(described: &Value, types: &[Value], leaves: &mut BTreeSet<String>, sdl: &mut String) {
    let name = text(&described["name"]);
    let keyword = if described["kind"] == "INTERFACE" { "interface" } else { "type" };
    let interfaces: Vec<&str> = list(&described["interfaces"])
        .iter()
        .map(|interface| text(&interface["name"]))
        .filter(|interface| TYPES.contains(interface))
        .collect();
    let implements =
        if interfaces.is_empty() { String::new() } else { format!(" implements {}", interfaces.join(" & ")) };
    write!(sdl, "\n{keyword} {name}{implements} {{\n").expect("a string takes all text");
    for field in list(&described["fields"]) {
        let field_name = text(&field["name"]);
        let base = base_type(&field["type"]);
        let is_leaf = is_leaf(base, types);
        let kept = match name {
            "Query" => ROOT_FIELDS.contains(&field_name),
            "Mutation" => ROOT_MUTATIONS.contains(&field_name),
            _ => true,
        };
        if !kept || !(is_leaf || TYPES.contains(&base)) {
            continue;
        }
        if is_leaf {
            note(base, leaves);
        }
        let arguments: Vec<String> = list(&field["args"])
            .iter()
            .map(|argument| {
                note(base_type(&argument["type"]), leaves);
                input_value(argument)
            })
            .collect();
        let arguments =
            if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
        writeln!(sdl, "  {field_name}{arguments}: {}", spell(&field["type"]))
            .expect("a string takes all text");
    }
    sdl.push_str("}\n");
}

fn leaf(described: &Value, leaves: &mut BTreeSet<String>, sdl: &mut String) {
    let name = text(&described["name"]);
    match text(&described["kind"]) {
        "ENUM" => {
            let values: String = list(&described["enumValues"])
                .iter()
                .map(|value| format!("  {}\n", text(&value["name"])))
                .collect();
            write!(sdl, "\nenum {name} {{\n{values}}}\n").expect("a string takes all text");
        }
        "INPUT_OBJECT" => {
            let mut fields = String::new();
            for field in list(&described["inputFields"]) {
                note(base_type(&field["type"]), leaves);
                fields.push_str(&format!("  {}\n", input_value(field)));
            }
            write!(sdl, "\ninput {name} {{\n{fields}}}\n").expect("a string takes all text");
        }
        _ => write!(sdl, "\nscalar {name}\n").expect("a string takes all text"),
    }
}

/// Remembers a type to write, unless every GraphQL implementation has it built in.
fn note(name: &str, leaves: &mut BTreeSet<String>) {
    if !["String", "Int", "Float", "Boolean", "ID"].contains(&name) {
        leaves.insert(name.to_owned());
    }
}

fn is_leaf(name: &str, types: &[Value]) -> bool {
    types
        .iter()
        .find(|described| described["name"] == name)
        .is_some_and(|described| described["kind"] == "SCALAR" || described["kind"] == "ENUM")
}

fn input_value(argument: &Value) -> String {
    let default = match argument["defaultValue"].as_str() {
        Some(default) => format!(" = {default}"),
        None => String::new(),
    };
    format!("{}: {}{default}", text(&argument["name"]), spell(&argument["type"]))
}

/// A type as SDL writes it: `[Blob!]!`.
fn spell(described: &Value) -> String {
    match text(&described["kind"]) {
        "NON_NULL" => format!("{}!", spell(&described["ofType"])),
        "LIST" => format!("[{}]", spell(&described["ofType"])),
        _ => text(&described["name"]).to_owned(),
    }
}

fn base_type(described: &Value) -> &str {
    let mut described = described;
    while described["ofType"].is_object() {
        described = &described["ofType"];
    }
    text(&described["name"])
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
