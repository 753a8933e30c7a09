//! `--online` and `--scans`: what registries and scanners say of images, and judging with it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use fromguard_core::image::ImageRef;
use fromguard_core::image::Role;
use fromguard_core::image::Target;
use fromguard_core::image::normal_host;
use fromguard_core::report;
use fromguard_core::report::Report;
use fromguard_core::report::Subject;
use fromguard_core::scan::Scanned;
use fromguard_core::trust;
use fromguard_core::trust::Badge;
use fromguard_core::trust::Item;
use fromguard_core::trust::Learnt;
use fromguard_core::trust::Wanted;

use crate::clock::Clock;
use crate::config;
use crate::registry::Inquiry;

/// What registries say of an image: what about, and that.
pub(super) type Said = Vec<(&'static str, String)>;

/// What registries say of everything that was found, by the reference: what its tag stands for,
/// and its publisher's badge.
pub(super) fn ask(scanned: &Scanned) -> anyhow::Result<BTreeMap<ImageRef, Said>> {
    let Some(operator) = config::registries_from_environment()? else {
        warn_offline();
        return Ok(BTreeMap::new());
    };
    let targets = scanned.uses.iter().filter(|usage| usage.role != Role::PullableOutput);
    let images: BTreeSet<&ImageRef> = targets
        .flat_map(|usage| &usage.targets)
        .filter_map(|target| match target {
            Target::Image(image) => Some(image),
            Target::Partial(_) | Target::Unresolved { .. } | Target::Invalid { .. } => None,
        })
        .collect();
    let publisher = |image: &ImageRef| {
        trust::namespace(&normal_host(&image.registry), &image.repository).map(str::to_owned)
    };
    let wants = images.iter().flat_map(|image| {
        let badge = publisher(image).map(Wanted::Publisher);
        std::iter::once(Wanted::Image((*image).clone(), Item::Tag)).chain(badge)
    });
    let inquiry = Inquiry::new(operator, Clock::system(), Inquiry::BUDGET).map_err(anyhow::Error::msg)?;
    let evidence = runtime()?.block_on(inquiry.ask(wants.collect()));
    let said_of = |image: &ImageRef| {
        let tag = said("Stands for", &evidence.of(image).tag, |truth| truth.digest.to_string());
        let badge = publisher(image).map(|publisher| {
            said("Publisher", evidence.publisher(&publisher), |badge| match badge {
                Badge::VerifiedPublisher => format!("{publisher}, a verified publisher"),
                Badge::OpenSource => format!("{publisher}, sponsored open source"),
                Badge::Community => format!("{publisher}, a community account"),
            })
        });
        std::iter::once(tag).chain(badge).collect()
    };
    Ok(images.into_iter().map(|image| (image.clone(), said_of(image))).collect())
}

/// A fact with who says it and when; or why it is not known.
fn said<T>(
    about: &'static str,
    learnt: &Learnt<T>,
    text: impl FnOnce(&T) -> String,
) -> (&'static str, String) {
    match learnt {
        Learnt::Known(fact) => (about, format!("{} ({}, {})", text(&fact.value), fact.source, fact.day)),
        Learnt::Unavailable(why) => (about, format!("not known: {why}")),
        Learnt::NotAsked => (about, "not known: nobody was asked".to_owned()),
    }
}

fn warn_offline() {
    let _ = writeln!(io::stderr(), "warning: FROMGUARD_OFFLINE is set: no registry is asked");
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("the runtime did not start")
}

/// Judges a subject with what registries and a folder of scan results say; without `ask`
/// no registry is asked. Whoever runs the command may see what their own credentials show.
pub(super) fn judge(subject: Subject, ask: bool, scans: Option<&Path>) -> anyhow::Result<Report> {
    let asked = if ask { config::registries_from_environment()? } else { None };
    if ask && asked.is_none() {
        warn_offline();
    }
    let offline = asked.is_none();
    if offline && scans.is_none() {
        return Ok(report::judge(subject));
    }
    let mut operator = asked.unwrap_or_default();
    operator.scans = scans.map(Path::to_owned).or(operator.scans);
    let inquiry = Inquiry::new(operator, Clock::system(), Inquiry::BUDGET).map_err(anyhow::Error::msg)?;
    let inquiry = if offline { inquiry.offline() } else { inquiry };
    let judged = runtime()?.block_on(inquiry.judge(subject, true));
    let (report, _late) = judged.context("judging stopped inside fromguard")?;
    Ok(report)
}
