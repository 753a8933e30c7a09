//! The whole App by conversation: merge queues, huge pull requests, what a judgement
//! costs. One binary, since each takes long to link.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../contract/mod.rs"]
mod contract;
#[path = "../harness/mod.rs"]
mod harness;

mod comments;
mod enterprise;
mod heads;
mod large;
mod limits;
mod plan;
mod queue;
mod repositories;
mod sweeps;
