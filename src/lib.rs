//! The shell of fromguard: everything that touches the world around the pure
//! core `fromguard_core`.
//!
//! Reading order: [`ids`], [`clock`], [`counts`], [`config`], [`store`], [`github`],
//! [`worker`], [`server`], [`doctor`], [`standin`], [`local`], [`cli`].

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod counts;
pub mod doctor;
pub mod github;
pub mod ids;
pub mod local;
pub mod registry;
pub mod server;
pub mod standin;
pub mod store;
pub mod worker;
