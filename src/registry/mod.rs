//! Evidence from outside: registries and Docker Hub, asked within the egress guard.
//!
//! [`guard`](self::Guard) lets requests out, `client` speaks the OCI distribution
//! API and `hub` Docker Hub's own; Knows no policy and no GitHub.

mod attached;
mod challenge;
mod client;
mod error;
mod facts;
mod guard;
mod hub;
mod inquiry;
mod manifest;
mod operator;
mod scan;
mod shelf;
mod signature;

pub use error::Error;
pub use guard::{Authority, Credentials, Guard, Limits, Names, Network, Row};
pub use inquiry::{Asking, Inquiry, Late};
pub use operator::{KnownKey, Operator};
