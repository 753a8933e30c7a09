//! What the fields of an expression are for one use. A field that is not known has
//! no value: it is never an empty text.

use std::fmt;

use crate::image::ImageRef;
use crate::image::ImageUse;
use crate::image::Stage;
use crate::image::normal_host;
use crate::policy::source::official_name;
use crate::policy::wording::quoted;
use crate::trust;

/// Longer texts and lists are not looked at by an expression: it is unsure.
const MAX_TEXT_BYTES: usize = 4096;
pub(super) const MAX_ITEMS: usize = 100;

/// Where a judgement takes place, as far as it is known: nothing of it is on a
/// working tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// The owner and the name of the repository.
    pub repository: Option<(String, String)>,
    /// The number of the pull request.
    pub pull_request: Option<u64>,
}

/// What is judged, for the fields of expressions.
pub(in crate::policy) struct Subject<'a> {
    pub(in crate::policy) usage: &'a ImageUse,
    /// Where the image comes from; `None` when that is not known.
    pub(in crate::policy) origin: Option<ImageRef>,
    /// Whether tag and digest of `origin` are known.
    pub(in crate::policy) whole: bool,
    /// The name of the source that applies, or `unknown`; `None` when not known.
    pub(in crate::policy) tier: Option<String>,
    pub(in crate::policy) circumstances: &'a Circumstances,
}

/// The value of a field or of a part of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Value>),
}

impl Value {
    fn fits(&self) -> bool {
        match self {
            Value::Text(text) => text.len() <= MAX_TEXT_BYTES,
            Value::List(values) => values.len() <= MAX_ITEMS && values.iter().all(Value::fits),
            Value::Bool(_) | Value::Int(_) => true,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(value) => write!(f, "`{value}`"),
            Value::Int(value) => write!(f, "`{value}`"),
            Value::Text(value) if value.is_empty() => f.write_str("empty"),
            Value::Text(value) => f.write_str(&quoted(value)),
            Value::List(values) => {
                let values: Vec<String> = values.iter().map(Value::to_string).collect();
                write!(f, "[{}]", values.join(", "))
            }
        }
    }
}

impl Subject<'_> {
    /// The image in messages.
    pub(super) fn shown(&self) -> String {
        quoted(&self.usage.raw)
    }

    /// The value of a field; `None` when it is not known.
    pub(super) fn value(&self, variable: &str, field: &str) -> Option<Value> {
        let value = match variable {
            "image" => self.image(field),
            "use" => self.usage(field),
            "file" => self.file(field),
            "repository" => {
                let (owner, name) = self.circumstances.repository.as_ref()?;
                match field {
                    "owner" => text(owner),
                    "name" => text(name),
                    _ => None,
                }
            }
            "pull_request" => {
                let number = self.circumstances.pull_request?;
                (field == "number").then_some(Value::Int(i64::try_from(number).ok()?))
            }
            _ => None,
        }?;
        value.fits().then_some(value)
    }

    fn image(&self, field: &str) -> Option<Value> {
        if field == "tier" {
            return text(self.tier.as_ref()?);
        }
        let origin = self.origin.as_ref()?;
        let host = normal_host(&origin.registry);
        match field {
            "registry" => text(&host),
            "repository" => text(&origin.repository),
            "official" => {
                let name = official_name(&host, &origin.repository);
                Some(Value::Bool(name.is_some_and(|name| trust::official(name).is_some())))
            }
            "reference" if self.whole => {
                text(&ImageRef { registry: host.to_string(), ..origin.clone() }.to_string())
            }
            "digest" if self.whole => text(origin.digest.as_ref().map_or("", |digest| digest.as_str())),
            // What is open in a reference with a tag is its digest.
            "tag" if self.whole || origin.tag.is_some() => text(origin.tag.as_deref().unwrap_or("")),
            _ => None,
        }
    }

    fn usage(&self, field: &str) -> Option<Value> {
        let usage = self.usage;
        match field {
            "text" => text(&usage.raw),
            "role" => text(usage.role.as_str()),
            "stage" => text(match usage.stage {
                Stage::Final => "final",
                Stage::Build => "build",
            }),
            "format" => text(usage.format),
            "reachable" => Some(Value::Bool(usage.reachable)),
            "via" => {
                let mut paths: Vec<String> = Vec::new();
                for via in &usage.via {
                    let path = via.at.file.as_str();
                    if !paths.iter().any(|seen| seen == path) && paths.len() <= MAX_ITEMS {
                        paths.push(path.to_owned());
                    }
                }
                Some(Value::List(paths.into_iter().map(Value::Text).collect()))
            }
            _ => None,
        }
    }

    fn file(&self, field: &str) -> Option<Value> {
        let path = self.usage.file.as_str();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        match field {
            "path" => text(path),
            "name" => text(name),
            "folder" => text(folder),
            _ => None,
        }
    }
}

fn text(value: &str) -> Option<Value> {
    Some(Value::Text(value.to_owned()))
}
