//! Evidence from outside: registries and Docker Hub, asked within the egress guard.
//!
//! From the ground up: `guard` lets requests out, and is the only one that does;
//! `client` speaks the OCI distribution API and `hub` Docker Hub's own; `signature`
//! says whether a signature holds (`keyless`: with a certificate instead of a known
//! key) and `attached` what is beside an image; `facts` makes a fact of each thing that
//! judging wants, kept on a `shelf` and in an [`Archive`]; `own` is what nobody outside
//! has to be asked for; [`Inquiry`] asks for all of them and judges again.
//! Knows no policy's form and nothing of GitHub.

mod archive;
mod attached;
mod challenge;
mod client;
mod error;
mod facts;
mod guard;
mod hub;
mod inquiry;
mod keyless;
mod look;
mod manifest;
mod operator;
mod own;
mod scan;
mod shelf;
mod signature;
mod unproven;

pub use archive::{Archive, Archived};
pub use error::Error;
pub use guard::{Authority, Credentials, Guard, Limits, Names, Network, Row};
pub use inquiry::{Asking, Inquiry, Late};
pub use operator::{KnownKey, Operator};
pub use own::Organisation;
