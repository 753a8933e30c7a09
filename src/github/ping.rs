//! A `ping` of our own to the address that deliveries go to, signed as GitHub signs: GitHub has
//! no call that makes it send one to an App's webhook.
//!
//! Whoever receives it learns nothing: a signature of a body that asks for nothing.

use bytes::Bytes;
use http::Method;
use http::Uri;
use http::header::CONTENT_TYPE;
use http::header::USER_AGENT;
use secrecy::SecretString;
use serde_json::json;

use crate::github::client::Timeouts;
use crate::github::client::connected;
use crate::github::client::reason;
use crate::github::error::one_line;
use crate::github::signature;
use crate::github::signature::SIGNATURE_HEADER;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pinged {
    /// An answer of this status. Redirects are not followed; GitHub follows none either.
    Answered(u16),
    /// No answer, and why.
    Unreachable(String),
}

/// Sends a `ping` to `url`, signed with `secret`, for the App of this id. Must be called inside a
/// tokio runtime.
pub async fn ping(url: &str, secret: &SecretString, app_id: u64, timeouts: Timeouts) -> Pinged {
    match tokio::time::timeout(timeouts.request, send(url, secret, app_id, timeouts)).await {
        Ok(Ok(status)) => Pinged::Answered(status),
        Ok(Err(why)) => Pinged::Unreachable(one_line(&why)),
        Err(_) => Pinged::Unreachable(format!("no answer within {} s", timeouts.request.as_secs())),
    }
}

async fn send(url: &str, secret: &SecretString, app_id: u64, timeouts: Timeouts) -> Result<u16, String> {
    let uri: Uri = url.parse().map_err(|_| "it is not a URL".to_owned())?;
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err("it is neither https: nor http:".to_owned()),
    };
    let hook = json!({"type": "App", "id": app_id, "app_id": app_id, "active": true, "events": []});
    let body = json!({"zen": "Is anybody there?", "hook_id": app_id, "hook": hook}).to_string();
    let signature = signature::sign(secret, body.as_bytes()).map_err(|error| error.to_string())?;
    let request = http::Request::builder()
        .method(Method::POST)
        .uri(uri)
        .header(USER_AGENT, concat!("fromguard/", env!("CARGO_PKG_VERSION"), " doctor"))
        .header(CONTENT_TYPE, "application/json")
        .header("x-github-event", "ping")
        .header("x-github-delivery", "fromguard-doctor")
        .header("x-github-hook-installation-target-type", "integration")
        .header("x-github-hook-installation-target-id", app_id)
        .header(SIGNATURE_HEADER, signature)
        .body(Bytes::from(body))
        .map_err(|error| error.to_string())?;
    let transport = connected(secure, timeouts).map_err(|error| error.to_string())?;
    let answer = transport.execute(request).await.map_err(|error| reason(&error))?;
    Ok(answer.status().as_u16())
}
