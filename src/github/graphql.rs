//! The envelope of GraphQL: an answer of status 200 may hold errors, and data
//! beside errors is data that cannot be trusted to be whole.
//!
//! <https://docs.github.com/en/graphql/guides/using-the-graphql-api-for-queries>

use bytes::Bytes;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::TimestampMs;
use crate::github::client::Answer;
use crate::github::error::Error;
use crate::github::error::graphql_limit;
use crate::github::error::one_line;

/// The body of a request.
pub(crate) fn body(query: &str, variables: &impl Serialize) -> Bytes {
    #[derive(Serialize)]
    struct Body<'a, V> {
        query: &'a str,
        variables: &'a V,
    }
    let body = serde_json::to_vec(&Body { query, variables });
    Bytes::from(body.expect("our own types are always JSON"))
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Option<Vec<GraphQlError>>,
}

#[derive(Deserialize)]
struct GraphQlError {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    path: Option<Vec<serde_json::Value>>,
    #[serde(default)]
    message: String,
}

impl GraphQlError {
    /// A NOT_FOUND of a top-level field that the caller can do without.
    fn is_tolerated(&self, tolerated: &[&str]) -> bool {
        let path = self.path.as_deref().unwrap_or_default();
        self.kind.as_deref() == Some("NOT_FOUND")
            && matches!(path, [field] if field.as_str().is_some_and(|it| tolerated.contains(&it)))
    }
}

/// The data of an answer, when all of it is there.
pub(crate) fn data<T: DeserializeOwned>(
    what: &str,
    answer: &Answer,
    tolerated: &[&str],
    now_ms: TimestampMs,
) -> Result<T, Error> {
    // Errors first: data beside them may lack what our types need.
    let envelope: Envelope<serde_json::Value> = answer.json()?;
    let mut errors = envelope.errors.unwrap_or_default();
    errors.retain(|error| !error.is_tolerated(tolerated));
    if let Some(limit) = errors.iter().find(|it| it.kind.as_deref() == Some("RATE_LIMITED")) {
        return Err(graphql_limit(&answer.headers, &one_line(&limit.message), now_ms));
    }
    if let Some(error) = errors.first() {
        let message = one_line(&error.message);
        return Err(match error.kind.as_deref() {
            Some("NOT_FOUND") => Error::NotFound { what: what.to_owned(), message },
            Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => Error::Forbidden { message },
            _ if message.to_ascii_lowercase().contains("secondary rate limit") => {
                graphql_limit(&answer.headers, &message, now_ms)
            }
            _ => Error::GraphQl { message },
        });
    }
    let data = envelope.data.filter(|data| !data.is_null());
    let data = data.ok_or_else(|| Error::Malformed { reason: "a GraphQL answer without data".into() })?;
    serde_json::from_value(data).map_err(|error| Error::Malformed { reason: one_line(&error.to_string()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Data {
        a: Option<u8>,
        b: Option<u8>,
    }

    fn read(body: &str) -> Result<Data, Error> {
        let answer = Answer { headers: http::HeaderMap::new(), body: body.to_owned().into() };
        data("the thing", &answer, &["b"], 1_000)
    }

    #[test]
    fn partial_data_is_an_error() {
        let body = r#"{"data":{"a":null,"b":1},"errors":[{"message":"Something went wrong","path":["a"]}]}"#;
        assert_eq!(read(body), Err(Error::GraphQl { message: "Something went wrong".into() }));
    }

    #[test]
    fn only_not_found_at_a_tolerated_field_is_tolerated() {
        let body = |kind: &str, path: &str| {
            format!(
                r#"{{"data":{{"a":1,"b":null}},"errors":[{{"type":"{kind}","message":"m","path":{path}}}]}}"#
            )
        };
        assert_eq!(read(&body("NOT_FOUND", r#"["b"]"#)), Ok(Data { a: Some(1), b: None }));
        let not_found = Err(Error::NotFound { what: "the thing".into(), message: "m".into() });
        assert_eq!(read(&body("NOT_FOUND", r#"["a"]"#)), not_found);
        assert_eq!(read(&body("NOT_FOUND", r#"["b","object"]"#)), not_found);
        assert_eq!(read(&body("FORBIDDEN", r#"["b"]"#)), Err(Error::Forbidden { message: "m".into() }));
    }

    #[test]
    fn a_limit_in_a_200_is_a_limit() {
        let body = r#"{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}"#;
        assert_eq!(read(body).map_err(|error| error.retry_at_ms()), Err(Some(61_000)));
    }

    #[test]
    fn an_answer_that_is_no_graphql_is_malformed() {
        for body in ["", "[]", "<html>", "{}", r#"{"data":null}"#, r#"{"data":{"a":"x"}}"#] {
            assert!(matches!(read(body), Err(Error::Malformed { .. })), "{body}");
        }
    }
}
