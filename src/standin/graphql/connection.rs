//! Pages of a connection: `first` and `after`, `last` and `before`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::Refusal;
use super::node::Node;

/// One page of nodes.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) type_name: &'static str,
    pub(super) nodes: Vec<Node>,
    pub(super) total: usize,
    pub(super) page: PageInfo,
}

/// Where a page lies in its list.
#[derive(Debug, Clone)]
pub(super) struct PageInfo {
    from: usize,
    to: usize,
    total: usize,
}

impl PageInfo {
    /// A field of `PageInfo`.
    pub(super) fn field(&self, name: &str) -> Value {
        let empty = self.from == self.to;
        match name {
            "hasNextPage" => json!(self.to < self.total),
            "hasPreviousPage" => json!(self.from > 0),
            "startCursor" if !empty => json!(cursor(self.from)),
            "endCursor" if !empty => json!(cursor(self.to - 1)),
            _ => Value::Null,
        }
    }
}

/// The page of `items` that the arguments ask for.
pub(super) fn page<T>(
    type_name: &'static str,
    items: Vec<T>,
    arguments: &Map<String, Value>,
    node: impl Fn(T) -> Node,
) -> Result<Connection, Refusal> {
    let total = items.len();
    let at = |name: &str| match arguments.get(name).and_then(Value::as_str) {
        None => Ok(None),
        Some(text) => position(text).map(Some).ok_or_else(|| Refusal {
            kind: Some("INVALID_CURSOR_ARGUMENTS"),
            message: format!("`{text}` does not appear to be a valid cursor."),
        }),
    };
    let size =
        |name: &str| arguments.get(name).and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
    let mut from = at("after")?.map_or(0, |after| after + 1).min(total);
    let mut to = at("before")?.unwrap_or(total).clamp(from, total);
    if let Some(first) = size("first") {
        to = to.min(from + first);
    }
    if let Some(last) = size("last") {
        from = from.max(to.saturating_sub(last));
    }
    let nodes = items.into_iter().skip(from).take(to - from).map(node).collect();
    Ok(Connection { type_name, nodes, total, page: PageInfo { from, to, total } })
}

const CURSOR: &str = "cursor:v2:";

fn cursor(at: usize) -> String {
    STANDARD.encode(format!("{CURSOR}{at}"))
}

fn position(cursor: &str) -> Option<usize> {
    String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?.strip_prefix(CURSOR)?.parse().ok()
}
