//! `POST /webhook`: whether the delivery is GitHub's, what it says, and the
//! acknowledgement once it is durable.
//!
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers>

use std::sync::Arc;

use axum::extract::Request;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use http::HeaderMap;
use http::StatusCode;
use http::header::CONNECTION;
use http::header::CONTENT_LENGTH;
use http::header::RETRY_AFTER;

use crate::counts;
use crate::github::event;
use crate::github::event::ArrivedEvent;
use crate::github::event::Event;
use crate::github::event::GroupEvent;
use crate::github::event::LeftEvent;
use crate::github::event::MovedEvent;
use crate::github::event::PolicyEvent;
use crate::github::event::PullEvent;
use crate::github::event::RerunEvent;
use crate::github::signature::SIGNATURE_HEADER;
use crate::github::signature::Signature;
use crate::ids::RepositoryPlace;
use crate::server::App;
use crate::server::body;
use crate::server::body::NoBody;
use crate::store::Ask;
use crate::store::Delivery;
use crate::store::Leave;
use crate::store::Move;
use crate::store::PullChange;
use crate::store::Recorded;
use crate::store::Rerun;
use crate::store::StoreError;
use crate::store::SurveyWish;
use crate::store::Tip;
use crate::store::TipChange;

const DELIVERY_HEADER: &str = "x-github-delivery";
const EVENT_HEADER: &str = "x-github-event";

/// The longest GUID and event name taken, in bytes. A GUID has 36.
const HEADER_MAX_BYTES: usize = 128;

/// How long after a push the default branch is read: several pushes in that time are one reading.
const STOCK_SETTLES_MS: i64 = 10_000;

/// When to come again, in seconds.
const RETRY_AFTER_S: &str = "10";

/// What becomes of a delivery; each has its status, message and count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    Duplicate,
    Ignored,
    Ping,
    BadSignature,
    NoDeliveryHeaders,
    NotTheEvent,
    Broken,
    TooLarge,
    TooSlow,
    Busy,
    StoreDown,
    NotSetUp,
}

impl Outcome {
    /// The status, the message to the client and the name in the metrics.
    fn said(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Outcome::Accepted => (StatusCode::ACCEPTED, "accepted\n", "accepted"),
            Outcome::Duplicate => (StatusCode::ACCEPTED, "accepted before\n", "duplicate"),
            Outcome::Ignored => (StatusCode::ACCEPTED, "nothing to do for this event\n", "ignored"),
            Outcome::Ping => (StatusCode::OK, "fromguard is here\n", "ping"),
            Outcome::BadSignature => (
                StatusCode::UNAUTHORIZED,
                "X-Hub-Signature-256 is missing or wrong: does the webhook secret match?\n",
                "bad_signature",
            ),
            Outcome::NoDeliveryHeaders => (
                StatusCode::BAD_REQUEST,
                "X-GitHub-Delivery and X-GitHub-Event are needed\n",
                "no_delivery_headers",
            ),
            Outcome::NotTheEvent => (
                StatusCode::BAD_REQUEST,
                "the body is not the event that X-GitHub-Event names, or the webhook is not the App's\n",
                "not_the_event",
            ),
            Outcome::Broken => (StatusCode::BAD_REQUEST, "the body broke off\n", "broken_body"),
            Outcome::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is over 25 MB\n", "too_large"),
            Outcome::TooSlow => (StatusCode::REQUEST_TIMEOUT, "the body took too long\n", "too_slow"),
            Outcome::Busy => {
                (StatusCode::SERVICE_UNAVAILABLE, "too much to do: deliver it again later\n", "busy")
            }
            Outcome::StoreDown => {
                (StatusCode::SERVICE_UNAVAILABLE, "not stored: deliver it again later\n", "store_down")
            }
            Outcome::NotSetUp => (
                StatusCode::SERVICE_UNAVAILABLE,
                "fromguard is not set up: it has no App id, private key and webhook secret\n",
                "not_set_up",
            ),
        }
    }
}

impl IntoResponse for Outcome {
    fn into_response(self) -> Response {
        let (status, message, name) = self.said();
        counts::DELIVERIES.add(name);
        let mut response = (status, message).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, http::HeaderValue::from_static(RETRY_AFTER_S));
        }
        if matches!(self, Outcome::TooLarge | Outcome::TooSlow | Outcome::Busy) {
            // The rest of the body is not read, so that nothing can follow it.
            headers.insert(CONNECTION, http::HeaderValue::from_static("close"));
        }
        response
    }
}

pub(super) async fn receive(State(app): State<Arc<App>>, request: Request) -> Outcome {
    let (head, body) = request.into_parts();
    let headers = &head.headers;
    let Some(secrets) = &app.secrets else { return Outcome::NotSetUp };

    let announced = one(headers, CONTENT_LENGTH.as_str()).and_then(|length| length.parse().ok());
    if announced.is_some_and(|announced: usize| announced > body::BODY_MAX_BYTES) {
        return Outcome::TooLarge;
    }
    let Some(signature) = one(headers, SIGNATURE_HEADER).and_then(|text| Signature::read(text.as_bytes()))
    else {
        return Outcome::BadSignature;
    };
    let body = match body::read(body, announced, &app.body_bytes).await {
        Ok(body) => body,
        Err(NoBody::TooLarge) => return Outcome::TooLarge,
        Err(NoBody::TooSlow) => return Outcome::TooSlow,
        Err(NoBody::Broken) => return Outcome::Broken,
        Err(NoBody::Busy) => return Outcome::Busy,
    };
    if !secrets.verify(&signature, &body.bytes) {
        return Outcome::BadSignature;
    }

    let (Some(guid), Some(event)) = (one(headers, DELIVERY_HEADER), one(headers, EVENT_HEADER)) else {
        return Outcome::NoDeliveryHeaders;
    };
    let event = match event::read(event, &body.bytes) {
        Ok(event) => event,
        Err(error) => {
            tracing::warn!(guid, event, %error, "a delivery with a good signature is not the event it claims to be");
            return Outcome::NotTheEvent;
        }
    };
    drop(body);
    match event {
        Event::Ping => Outcome::Ping,
        Event::Other => Outcome::Ignored,
        Event::Pull(event) => {
            let PullEvent { place, pull, head, open, action, files } = event;
            let announce = open && action.announces();
            record(&app, guid, Ask::Pull(PullChange { place, pull, head, open, announce, files })).await
        }
        Event::Group(GroupEvent { place, branch, head, base, base_branch, open }) => {
            let tip = Tip { branch, base, base_branch };
            record(&app, guid, Ask::Tip(TipChange { place, tip, head, open })).await
        }
        Event::Arrived(ArrivedEvent { installation, repositories }) => {
            let wish = |repository| SurveyWish { repository, ..SurveyWish::first(installation) };
            let wishes = match repositories {
                Some(repositories) => repositories.into_iter().map(|it| wish(Some(it))).collect(),
                None => vec![wish(None)],
            };
            record(&app, guid, Ask::Survey(wishes)).await
        }
        Event::Left(LeftEvent { installation, repositories }) => {
            record(&app, guid, Ask::Leave(Leave { installation, repositories })).await
        }
        Event::Policy(PolicyEvent { place, base }) => {
            record(&app, guid, Ask::Survey(vec![SurveyWish::again(place, base)])).await
        }
        Event::Stock(place) => want_stock(&app, guid, place).await,
        Event::Moved(MovedEvent { place, organisation }) => {
            // Policies may speak of a repository's name, and another owner has another policy.
            let own = SurveyWish {
                repository: Some((place.id, place.name.clone())),
                again: true,
                ..SurveyWish::first(place.installation)
            };
            let all = organisation.then(|| SurveyWish::again(place.clone(), None));
            let wishes = all.into_iter().chain([own]).collect();
            record(&app, guid, Ask::Move(Move { place, wishes })).await
        }
        Event::Rerun(RerunEvent { place, head }) => {
            record(&app, guid, Ask::Rerun(Rerun { place, head })).await
        }
    }
}

/// Wants the default branch read; asked for again, it is read again.
async fn want_stock(app: &App, guid: &str, place: RepositoryPlace) -> Outcome {
    let at_ms = app.clock.now_ms().saturating_add(STOCK_SETTLES_MS);
    match app.store.want_stock(&[(place, at_ms)]).await {
        Ok(()) => Outcome::Accepted,
        Err(error) => {
            tracing::error!(guid, %error, "a push could not be stored");
            Outcome::StoreDown
        }
    }
}

async fn record(app: &App, guid: &str, ask: Ask) -> Outcome {
    let delivery = Delivery { guid: guid.to_owned(), ask };
    match app.store.record(delivery, app.clock.now_ms()).await {
        Ok(Recorded::New) => {
            tracing::debug!(guid, "a delivery was taken");
            Outcome::Accepted
        }
        Ok(Recorded::Duplicate) => Outcome::Duplicate,
        Err(StoreError::Busy) => Outcome::Busy,
        // The store has logged why, once for all that were to be committed together.
        Err(StoreError::NotCommitted) => Outcome::StoreDown,
        Err(error) => {
            tracing::error!(guid, %error, "a delivery could not be stored");
            Outcome::StoreDown
        }
    }
}

/// The value of a header that is there once, not empty, not too long, and printable.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    let fits = (1..=HEADER_MAX_BYTES).contains(&value.len());
    (fits && values.next().is_none()).then_some(value)
}
