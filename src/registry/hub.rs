//! Docker Hub's own API: the badge of a publisher, and when a tag was pushed.
//!
//! `GET /v2/namespaces/{namespace}/repositories/{repository}/tags/{tag}` is of its
//! published reference (2-beta). The badge of `GET /v2/orgs/{namespace}/` is not
//! documented: any answer that is not as expected is an error, never "no badge".
//! Every field name of these answers stands in this file and nowhere else.

use fromguard_core::day::Day;
use fromguard_core::image::Digest;
use fromguard_core::trust::Badge;
use http::Method;
use serde::Deserialize;
use serde::Serialize;

use super::client::succeeded;
use super::error::Error;
use super::guard::Guard;
use super::guard::HUB_API;
use super::guard::Request;

/// Asks Docker Hub, as the public may.
#[derive(Clone)]
pub(super) struct Hub {
    guard: Guard,
}

#[derive(Deserialize)]
struct Organisation {
    badge: String,
}

#[derive(Deserialize)]
struct Account {
    username: String,
}

/// A tag of a repository, and when what it stands for was pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HubTag {
    digest: Option<String>,
    tag_last_pushed: Option<String>,
    #[serde(default)]
    images: Vec<HubImage>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct HubImage {
    digest: Option<String>,
    last_pushed: Option<String>,
}

impl Hub {
    pub(super) fn new(guard: Guard) -> Hub {
        Hub { guard }
    }

    /// The badge of a namespace.
    pub(super) async fn badge(&self, namespace: &str) -> Result<Badge, Error> {
        match self.get::<Organisation>(&["orgs", namespace, ""]).await {
            Ok(organisation) => match organisation.badge.as_str() {
                "verified_publisher" => Ok(Badge::VerifiedPublisher),
                "open_source" => Ok(Badge::OpenSource),
                "" => Ok(Badge::Community),
                _ => Err(Error::Malformed("a badge of a kind that is not known".to_owned())),
            },
            // A person has none; that there is such a person has to be seen.
            Err(Error::NotFound) => {
                let account: Account = self.get(&["users", namespace, ""]).await?;
                match account.username.eq_ignore_ascii_case(namespace) {
                    true => Ok(Badge::Community),
                    false => Err(Error::Malformed("the account has another name".to_owned())),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// What Docker Hub says of a tag.
    pub(super) async fn tag(&self, repository: &str, tag: &str) -> Result<HubTag, Error> {
        let (namespace, name) = repository.split_once('/').ok_or(Error::NotFound)?;
        self.get(&["namespaces", namespace, "repositories", name, "tags", tag]).await
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, segments: &[&str]) -> Result<T, Error> {
        let way = self.guard.listed(HUB_API).ok_or(Error::NotFound)?;
        let mut url =
            url::Url::parse(&way.row.origin()).map_err(|error| Error::Malformed(error.to_string()))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.push("v2").extend(segments);
        }
        let request = Request {
            method: Method::GET,
            url: url.as_str(),
            accept: "application/json",
            authorization: None,
        };
        let answer = succeeded(self.guard.send(&way, request).await?)?;
        serde_json::from_slice(&answer.body).map_err(|error| Error::Malformed(error.to_string()))
    }
}

impl HubTag {
    /// The day on which a digest was pushed under the tag, if it is what the tag stands for.
    pub(super) fn pushed(&self, digest: &Digest) -> Option<Day> {
        let is = |other: &Option<String>| other.as_deref() == Some(digest.as_str());
        let of_image =
            self.images.iter().find(|image| is(&image.digest)).and_then(|image| image.last_pushed.as_deref());
        let text = if is(&self.digest) { self.tag_last_pushed.as_deref() } else { of_image };
        Day::parse(text?.get(..10)?)
    }
}
