//! A request as handlers see it and the answer they give, with GitHub's words for what went wrong.

use hyper::HeaderMap;
use serde_json::Value;
use serde_json::json;

/// A request, read to its end.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    /// Decoded parts of the path, without the prefix of GitHub Enterprise Server.
    pub(super) segments: Vec<String>,
    /// The path as it came.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    /// Whether it was asked of a GitHub Enterprise Server, by that prefix.
    pub(super) enterprise: bool,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// The first value of a query parameter.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the `Accept` header asks for this media type of GitHub's, `raw` say, with or without a version.
    pub(super) fn accepts(&self, kind: &str) -> bool {
        let wanted = [format!("application/vnd.github.{kind}"), format!("application/vnd.github.v3.{kind}")];
        self.header("accept").unwrap_or_default().split(',').map(str::trim).any(|media| {
            let media = media.split(';').next().unwrap_or_default().trim();
            let media = media.strip_suffix("+json").unwrap_or(media);
            wanted.iter().any(|wanted| wanted == media)
        })
    }

    /// The body as a JSON object.
    pub(super) fn json(&self) -> Result<Value, Answer> {
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(value) if value.is_object() => Ok(value),
            Ok(_) => Err(Answer::error(
                422,
                "Invalid request.\n\nFor 'links/0/schema', the body is not an object.",
            )),
            Err(_) => Err(Answer::error(400, "Problems parsing JSON")),
        }
    }
}

/// An answer before it goes out.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(status: u16, value: &Value) -> Answer {
        Answer {
            status,
            headers: vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())],
            body: value.to_string().into_bytes(),
        }
    }

    pub(super) fn raw(media: &str, body: Vec<u8>) -> Answer {
        Answer { status: 200, headers: vec![("content-type".to_owned(), media.to_owned())], body }
    }

    pub(super) fn no_content() -> Answer {
        Answer { status: 204, headers: Vec::new(), body: Vec::new() }
    }

    #[must_use]
    pub(super) fn with_header(mut self, name: &str, value: impl Into<String>) -> Answer {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The addresses of other pages, when there are any.
    #[must_use]
    pub(super) fn with_link(self, link: Option<String>) -> Answer {
        match link {
            Some(link) => self.with_header("link", link),
            None => self,
        }
    }

    /// GitHub's plain error.
    pub(super) fn error(status: u16, message: &str) -> Answer {
        let body = json!({
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": status.to_string(),
        });
        Answer::json(status, &body)
    }

    pub(super) fn not_found() -> Answer {
        Answer::error(404, "Not Found")
    }

    /// A valid token that lacks the permission.
    pub(super) fn forbidden() -> Answer {
        Answer::error(403, "Resource not accessible by integration")
    }

    /// One field was refused.
    pub(super) fn invalid(resource: &str, field: &str, message: &str) -> Answer {
        let body = json!({
            "message": "Validation Failed",
            "errors": [{"resource": resource, "code": "custom", "field": field, "message": message}],
            "documentation_url": "https://docs.github.com/rest",
            "status": "422",
        });
        Answer::json(422, &body)
    }

    /// The body breaks the endpoint's schema.
    pub(super) fn unprocessable(message: &str) -> Answer {
        Answer::error(422, &format!("Invalid request.\n\n{message}"))
    }
}
