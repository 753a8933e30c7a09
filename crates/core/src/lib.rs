//! The pure part of fromguard: finds container image sources in text, judges
//! them by a policy, and renders what people see.
//!
//! Nothing here reads a clock, a file system or a network, and nothing here can
//! fail because of somebody's input: broken input is data (a [`source::Problem`]
//! with a span), never `Err`, never a panic. The shell (package `fromguard`)
//! fetches files and evidence and hands them in.
//!
//! Reading order, from the ground up: [`source`], [`day`], [`image`], [`formats`],
//! [`scan`], [`change`], [`trust`], [`policy`], [`import`], [`report`].

pub mod change;
pub mod day;
pub mod formats;
pub mod image;
pub mod import;
pub mod policy;
pub mod report;
pub mod scan;
pub mod source;
pub mod trust;
pub mod yaml;
