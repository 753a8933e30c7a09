//! What an expression can speak of: every variable, field and function with its
//! type. The tables of docs/policy.md are made from these.

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Int,
    Text,
    List(Item),
}

/// The type of a list's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Bool,
    Int,
    Text,
}

impl Type {
    /// The type as CEL and the docs name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Text => "string",
            Type::List(Item::Bool) => "list(bool)",
            Type::List(Item::Int) => "list(int)",
            Type::List(Item::Text) => "list(string)",
        }
    }

    /// For sentences: `an int`.
    pub(super) fn with_article(self) -> String {
        let article = if self == Type::Int { "an" } else { "a" };
        format!("{article} {}", self.name())
    }

    pub(super) fn as_item(self) -> Option<Item> {
        match self {
            Type::Bool => Some(Item::Bool),
            Type::Int => Some(Item::Int),
            Type::Text => Some(Item::Text),
            Type::List(_) => None,
        }
    }
}

impl Item {
    pub(super) fn as_type(self) -> Type {
        match self {
            Item::Bool => Type::Bool,
            Item::Int => Type::Int,
            Item::Text => Type::Text,
        }
    }
}

/// Something that an expression speaks of.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
}

/// A field of a [`Variable`].
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Type,
    /// For people.
    #[cfg_attr(not(test), expect(dead_code, reason = "docs/policy.md is held to it"))]
    pub(super) about: &'static str,
}

const fn field(name: &'static str, kind: Type, about: &'static str) -> Field {
    Field { name, kind, about }
}

/// Every variable.
pub(super) const VARIABLES: [Variable; 5] = [
    Variable {
        name: "image",
        fields: &[
            field("reference", Type::Text, "the whole normalised reference: `docker.io/library/node:24`"),
            field("registry", Type::Text, "`docker.io`"),
            field("repository", Type::Text, "`library/node`"),
            field("tag", Type::Text, "`24`; `\"\"` when none is written"),
            field("digest", Type::Text, "`sha256:…`; `\"\"` when it is not pinned"),
            field("tier", Type::Text, "the name of the source that applies, or `unknown`"),
            field("official", Type::Bool, "whether it is in the bundled list of official images"),
            field("user", Type::Text, "the user that it runs as; needs its configuration from the registry"),
        ],
    },
    Variable {
        name: "use",
        fields: &[
            field("text", Type::Text, "the reference as it is written"),
            field(
                "role",
                Type::Text,
                "`final-stage`, `build-stage`, `copy-from`, …, as in `scan --format json`",
            ),
            field("stage", Type::Text, "`final` or `build`, as in `where`"),
            field("format", Type::Text, "`dockerfile`, …, as in docs/formats.md"),
            field("reachable", Type::Bool, "whether a build of the file reaches it"),
            field("via", Type::List(Item::Text), "the paths of the files that its value comes from"),
        ],
    },
    Variable {
        name: "file",
        fields: &[
            field("path", Type::Text, "`services/a/Dockerfile`"),
            field("name", Type::Text, "`Dockerfile`"),
            field("folder", Type::Text, "`services/a`; `\"\"` at the root"),
        ],
    },
    Variable {
        name: "repository",
        fields: &[
            field("owner", Type::Text, "`acme` of `acme/shop`; not known on the command line"),
            field("name", Type::Text, "`shop`; not known on the command line"),
        ],
    },
    Variable { name: "pull_request", fields: &[field("number", Type::Int, "not known on the command line")] },
];

/// A function, by how it is written and what it gives.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) example: &'static str,
    /// For people.
    #[cfg_attr(not(test), expect(dead_code, reason = "docs/policy.md is held to it"))]
    pub(super) about: &'static str,
}

const fn function(name: &'static str, example: &'static str, about: &'static str) -> Function {
    Function { name, example, about }
}

/// Every function and comprehension.
pub(super) const FUNCTIONS: [Function; 10] = [
    function("startsWith", r#"image.tag.startsWith("v")"#, "bool"),
    function("endsWith", r#"image.tag.endsWith("-slim")"#, "bool"),
    function("contains", r#"file.path.contains("legacy")"#, "bool"),
    function(
        "matches",
        r#"image.tag.matches(r"^v\d+$")"#,
        "bool; the regular expression is a literal, finds anywhere in the text, and takes linear time",
    ),
    function("size", "image.tag.size()", "int: characters of a string, items of a list"),
    function("all", r#"use.via.all(f, f.endsWith(".yml"))"#, "bool"),
    function("exists", r#"use.via.exists(f, f == "ci.yml")"#, "bool"),
    function("exists_one", r#"use.via.exists_one(f, f == "ci.yml")"#, "bool"),
    function("filter", r#"use.via.filter(f, f != file.path).size() > 0"#, "list"),
    function("map", r#"["1", "2"].map(v, "v" + v)"#, "list"),
];

/// A variable by its name.
pub(super) fn variable(name: &str) -> Option<&'static Variable> {
    VARIABLES.iter().find(|variable| variable.name == name)
}

/// The tables of docs/policy.md.
#[cfg(test)]
pub(super) fn tables() -> String {
    let mut out = String::from("| Field | Type | What it is |\n|-|-|-|\n");
    for variable in &VARIABLES {
        for field in variable.fields {
            let (name, kind) = (field.name, field.kind.name());
            out.push_str(&format!("| `{}.{name}` | {kind} | {} |\n", variable.name, field.about));
        }
    }
    out.push_str("\n| Function | Gives |\n|-|-|\n");
    for function in &FUNCTIONS {
        out.push_str(&format!("| `{}` | {} |\n", function.example, function.about));
    }
    out
}
