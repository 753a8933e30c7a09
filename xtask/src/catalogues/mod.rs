//! `cargo xtask catalogues`: the facts bundled in `crates/core/data`, from checkouts
//! of the repositories that publish them. Writes nothing of a file that does not read.

mod ages;
mod checkout;
mod official;

use std::fs;
use std::path::Path;

use anyhow::Context;
use anyhow::bail;

use self::checkout::Checkout;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/core/data");

const USAGE: &str = "\
Usage: cargo xtask catalogues OFFICIAL_IMAGES ENDOFLIFE

OFFICIAL_IMAGES   a clone of https://github.com/docker-library/official-images, with its history
ENDOFLIFE         a clone of https://github.com/endoflife-date/endoflife.date";

/// Refreshes both catalogues from what is committed in two clones.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let [official_images, endoflife] = arguments else { bail!("two clones are needed\n\n{USAGE}") };
    let official_images = Checkout::new(official_images, "docker-library/official-images", "Apache-2.0")?;
    let endoflife = Checkout::new(endoflife, "endoflife-date/endoflife.date", "MIT")?;
    write("official-images.json", &official::catalogue(&official_images)?)?;
    write("end-of-life.json", &ages::catalogue(&endoflife)?)
}

fn write(name: &str, text: &str) -> anyhow::Result<()> {
    serde_json::from_str::<serde_json::Value>(text).with_context(|| format!("{name} would be no JSON"))?;
    let path = Path::new(DATA).join(name);
    fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    println!("{name}: {} bytes", text.len());
    Ok(())
}
