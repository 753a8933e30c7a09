//! Charts as text, and the images that Helm renders of them.
//!
//! ```text
//! chart  := { line } { "--- " key ": " value } { "=== " path { line } }
//! key    := "values" | "not rendered"
//! golden := "# " versions { image } | "# " versions "fails: " reason
//! ```
//!
//! The lines before the keys say what the chart shows. `values` names a file of it
//! that is laid over its values, once more beside rendering it without; `not rendered`
//! an image that fromguard finds and Helm does not render, in normal form.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use fromguard_core::image::Target;
use fromguard_core::scan::Scan;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;

/// A chart.
#[derive(Debug, Default)]
pub(crate) struct Chart {
    /// Its files by their paths.
    pub(crate) files: BTreeMap<String, String>,
    /// The values files that it is rendered with.
    pub(crate) values: Vec<String>,
    /// What fromguard finds and Helm does not render.
    pub(crate) not_rendered: BTreeSet<String>,
}

/// Reads a chart.
pub(crate) fn read(text: &str) -> Result<Chart, String> {
    let mut chart = Chart::default();
    let mut file: Option<&mut String> = None;
    for line in text.split_inclusive('\n') {
        if let Some(path) = line.strip_prefix("=== ") {
            file = Some(chart.files.entry(path.trim_end().to_owned()).or_default());
        } else if let Some(file) = &mut file {
            file.push_str(line);
        } else if let Some(key) = line.strip_prefix("--- ") {
            match key.trim_end().split_once(": ") {
                Some(("values", path)) => chart.values.push(path.to_owned()),
                Some(("not rendered", image)) => {
                    chart.not_rendered.insert(image.to_owned());
                }
                _ => return Err(format!("`{}` is no key of a chart", line.trim_end())),
            }
        }
    }
    match chart.values.iter().find(|path| !chart.files.contains_key(*path)) {
        Some(path) => Err(format!("the values file {path} is not there")),
        None => Ok(chart),
    }
}

/// The images of a golden file, as Helm prints them.
pub(crate) fn golden(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with("# ")).collect()
}

/// Where fromguard and Helm disagree.
pub(crate) fn differences(chart: &Chart, rendered: &[&str]) -> Vec<String> {
    let ours = images(chart);
    let theirs: BTreeSet<String> = rendered.iter().map(|image| printed(Target::parse(image))).collect();
    let mut wrong: Vec<String> =
        theirs.difference(&ours).map(|image| format!("Helm renders {image}")).collect();
    let explained: BTreeSet<String> = theirs.union(&chart.not_rendered).cloned().collect();
    wrong.extend(ours.difference(&explained).map(|image| format!("Helm does not render {image}")));
    wrong
        .extend(chart.not_rendered.difference(&ours).map(|image| format!("fromguard does not find {image}")));
    wrong.extend(
        chart.not_rendered.intersection(&theirs).map(|image| format!("Helm does render {image} after all")),
    );
    wrong
}

/// What fromguard finds in a chart; what is not an image is printed, so that it
/// never passes for one.
fn images(chart: &Chart) -> BTreeSet<String> {
    let mut scan = Scan::of_tree(chart.files.keys().map(|path| RepoPath::new(path)).collect());
    loop {
        let wanted = scan.wanted();
        if wanted.is_empty() {
            break;
        }
        for path in wanted {
            let text = chart.files.get(path.as_str());
            scan.feed(&path, text.map_or(Content::Missing, |text| Content::Text(text.as_str().into())));
        }
    }
    let scanned = scan.finish();
    let found = scanned.uses.into_iter().flat_map(|usage| usage.targets).map(printed);
    found.chain(scanned.problems.into_iter().map(|problem| problem.message)).collect()
}

/// A text that is no reference may be rendered, too.
fn printed(target: Target) -> String {
    match target {
        Target::Image(image) => image.to_string(),
        Target::Invalid { text, .. } => format!("invalid {text}"),
        other => format!("{other:?}"),
    }
}
