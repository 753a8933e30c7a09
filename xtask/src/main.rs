//! `cargo xtask`: runs the tests and refreshes bundled data.

fn main() {}
