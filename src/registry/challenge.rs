//! What a registry asks of who wants in: `WWW-Authenticate` of RFC 9110, section
//! 11.6.1, as the distribution project's token authentication uses it.
//!
//! ```text
//! header    := challenge { "," challenge }
//! challenge := scheme [ 1*SP param { "," param } ]
//! param     := token "=" ( token | quoted-string )
//! ```

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// The longest header that is read, in bytes.
const MAX_BYTES: usize = 4096;

/// What has to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Nothing.
    Open,
    /// User and password.
    Basic,
    /// A token of the realm.
    Bearer {
        /// Where the token is handed out; not checked yet.
        realm: String,
        /// Whom it is for.
        service: Option<String>,
    },
}

impl Challenge {
    /// The challenge of a refusal; a bearer's before a basic one. `None` when there is none of both.
    pub(super) fn of(headers: &HeaderMap) -> Option<Challenge> {
        let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let mut basic = None;
        for (scheme, params) in texts.filter(|text| text.len() <= MAX_BYTES).flat_map(challenges) {
            let param = |name: &str| {
                params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
            };
            if scheme.eq_ignore_ascii_case("bearer")
                && let Some(realm) = param("realm")
            {
                return Some(Challenge::Bearer { realm, service: param("service") });
            }
            if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Challenge::Basic);
            }
        }
        basic
    }
}

type Params = Vec<(String, String)>;

fn challenges(text: &str) -> Vec<(String, Params)> {
    let mut found: Vec<(String, Params)> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let word = token(rest);
        if word.is_empty() {
            return found;
        }
        rest = &rest[word.len()..];
        let after = rest.trim_start_matches([' ', '\t']);
        match after.strip_prefix('=') {
            Some(value) => {
                let Some((value, left)) = parameter(value.trim_start_matches([' ', '\t'])) else {
                    return found;
                };
                let Some((_, params)) = found.last_mut() else { return found };
                params.push((word.to_owned(), value));
                rest = left;
            }
            None => found.push((word.to_owned(), Vec::new())),
        }
    }
}

/// A value and what follows it.
fn parameter(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let word = token(text);
        return Some((word.to_owned(), &text[word.len()..]));
    };
    let mut value = String::new();
    let mut escaped = false;
    for (at, character) in quoted.char_indices() {
        match character {
            _ if escaped => {
                value.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((value, &quoted[at + 1..])),
            _ => value.push(character),
        }
    }
    None
}

fn token(text: &str) -> &str {
    let end =
        text.find(|c: char| c.is_ascii_whitespace() || matches!(c, ',' | '=' | '"')).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn of(text: &str) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        headers.insert(WWW_AUTHENTICATE, text.parse().unwrap());
        Challenge::of(&headers)
    }

    fn bearer(realm: &str, service: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
    }

    #[test]
    fn challenges_are_read_as_registries_send_them() {
        let hub = "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\"";
        assert_eq!(of(hub), bearer("https://auth.docker.io/token", Some("registry.docker.io")));
        let two =
            "Basic realm=\"x, y\", bearer realm=\"https://a/?b=\\\"c\", scope=\"repository:a/b:pull,push\"";
        assert_eq!(of(two), bearer("https://a/?b=\"c", None));
        assert_eq!(of("Basic realm=\"Registry\""), Some(Challenge::Basic));
        assert_eq!(of("Bearer realm = token"), bearer("token", None));
    }

    #[test]
    fn what_is_no_challenge_is_none() {
        for text in
            ["Bearer", "", "realm=\"x\"", "Bearer realm=\"x", "Negotiate abc", ",,,", "Bearer service=x"]
        {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
