//! `fromguard inventory`: what stands on the default branches, and what became of it.

use std::fmt::Write;

use anyhow::Context;
use anyhow::bail;
use clap::ValueEnum;
use fromguard_core::day::Day;
use fromguard_core::trust::Drift;
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::cli::Outcome;
use crate::cli::print;
use crate::cli::printable;
use crate::config::Config;
use crate::config::Flags;
use crate::store;
use crate::store::Stands;

/// List the images that stand on default branches, where, and how they have drifted: a tag that moved, a publisher
/// that lost its badge, an end of life, a repository that is gone.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The database is that of fromguard serve: run it with the same environment and flags. It is read \
    while the server runs, and nothing is changed or asked."
)]
pub(super) struct Args {
    /// Only what has drifted.
    #[arg(long)]
    drifted: bool,
    /// How the result is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// An image, with every place where it stands.
#[derive(Debug, Serialize)]
struct Image {
    image: String,
    /// The day of the last look; null before the first.
    looked: Option<String>,
    drift: Vec<Drift>,
    stands: Vec<Place>,
}

#[derive(Debug, Serialize)]
struct Place {
    repository: String,
    file: String,
    line: u64,
    uses: u64,
    /// The day on which the default branch was last seen to hold it.
    read: String,
}

#[derive(Serialize)]
struct Document {
    version: u32,
    images: Vec<Image>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let config = Config::from_environment(&args.flags)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the runtime did not start")?;
    let found = runtime.block_on(store::glance::inventory(config.database_url.expose_secret()))?;
    let Some(found) = found else {
        bail!("there is no database of this version of fromguard's here: start fromguard serve first");
    };
    let mut images = by_image(found);
    images.retain(|image| !args.drifted || !image.drift.is_empty());
    print(&match args.format {
        Format::Text => text(&images),
        Format::Json => serde_json::to_string_pretty(&Document { version: 1, images })? + "\n",
    })?;
    Ok(Outcome::Pass)
}

/// Each image of an installation once. What stands there comes in the order of images.
fn by_image(found: Vec<Stands>) -> Vec<Image> {
    let mut images: Vec<(store::LookedAt, Image)> = Vec::new();
    for Stands { looked, repository, file, line, uses, read_ms } in found {
        let read = Day::from_unix_ms(read_ms).to_string();
        let place = Place { repository: repository.to_string(), file, line, uses, read };
        match images
            .iter_mut()
            .rev()
            .take_while(|(known, _)| known.image == looked.image)
            .find(|(known, _)| known.installation == looked.installation)
        {
            Some((_, image)) => image.stands.push(place),
            None => {
                let image = Image {
                    image: looked.image.clone(),
                    looked: (looked.looked_ms > 0).then(|| Day::from_unix_ms(looked.looked_ms).to_string()),
                    drift: serde_json::from_str(&looked.drift).unwrap_or_default(),
                    stands: vec![place],
                };
                images.push((looked, image));
            }
        }
    }
    images.into_iter().map(|(_, image)| image).collect()
}

fn text(images: &[Image]) -> String {
    let mut text = String::new();
    for Image { image, looked, drift, stands } in images {
        let looked = match looked {
            Some(day) => format!("looked at on {day}"),
            None => "not looked at yet".to_owned(),
        };
        let _ = writeln!(text, "{image} ({looked})");
        for Drift { since, text: what, .. } in drift {
            let _ = writeln!(text, "  ! since {since}: {what}");
        }
        for Place { repository, file, line, uses, .. } in stands {
            let more = if *uses > 1 { format!(" and {} more", uses - 1) } else { String::new() };
            let _ = writeln!(text, "  {repository} {}:{line}{more}", printable(file));
        }
    }
    let drifted = images.iter().filter(|image| !image.drift.is_empty()).count();
    let count = |n: usize| if n == 1 { "1 image".to_owned() } else { format!("{n} images") };
    let _ = writeln!(text, "{}, {drifted} drifted", count(images.len()));
    text
}
