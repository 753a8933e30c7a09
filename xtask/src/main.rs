//! `cargo xtask`: runs the tests and refreshes bundled data.

mod github_data;

use anyhow::Result;
use anyhow::bail;

const USAGE: &str =
    "usage: cargo xtask github-data [NODE_MODULES]   extract tests/data/github from npm's published packages";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("github-data") => github_data::run(arguments.next().as_deref().map(std::path::Path::new)),
        _ => bail!("{USAGE}"),
    }
}
