//! A chart: its values, a template and helpers are cut out of the bytes at lines of
//! `===`; whatever they hold, reading ends, and every place that it names is one.

use std::collections::BTreeMap;
use std::sync::Arc;

use fromguard_core::image::Target;
use fromguard_core::scan::Scan;
use fromguard_core::scan::Scanned;
use fromguard_core::source::Content;
use fromguard_core::source::Location;
use fromguard_core::source::RepoPath;

use super::check_span;

const CHART: &str = "name: c\nappVersion: 1.10\ndependencies: [{name: d, alias: e}]\n";
/// Above this a chart is read once: reading it again shows what depends on chance,
/// and small charts show that as well as large ones.
const MAX_REREAD_BYTES: usize = 256;
const PATHS: [&str; 6] = [
    "c/values.yaml",
    "c/templates/a.yaml",
    "c/templates/_helpers.tpl",
    "c/values-prod.yaml",
    "c/charts/d/values.yaml",
    "c/charts/d/templates/d.yaml",
];

/// See the module.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut files: BTreeMap<RepoPath, Arc<str>> = BTreeMap::new();
    for (path, part) in PATHS.iter().zip(text.split("===\n")) {
        files.insert(RepoPath::new(path), part.into());
    }
    for chart in ["c/Chart.yaml", "c/charts/d/Chart.yaml"] {
        files.insert(RepoPath::new(chart), CHART.into());
    }
    let found = scan(&files);
    check(&found);
    if data.len() > MAX_REREAD_BYTES {
        return;
    }
    let again = scan(&files);
    assert_eq!(
        (found.uses, found.problems),
        (again.uses, again.problems),
        "a chart is read the same way again"
    );
}

fn scan(files: &BTreeMap<RepoPath, Arc<str>>) -> Scanned {
    let mut scan = Scan::of_tree(files.keys().cloned().collect());
    loop {
        let wanted = scan.wanted();
        if wanted.is_empty() {
            return scan.finish();
        }
        for path in wanted {
            let text = files.get(&path);
            scan.feed(&path, text.map_or(Content::Missing, |text| Content::Text(Arc::clone(text))));
        }
    }
}

fn check(found: &Scanned) {
    let check_place = |at: &Location| match found.sources.get(&at.file) {
        Some(file) => check_span(file, at.span),
        None => panic!("{at:?} is in a file that is not kept"),
    };
    for usage in &found.uses {
        check_place(&Location { file: usage.file.clone(), span: usage.span });
        check_place(&usage.decided_at);
        usage.via.iter().for_each(|via| check_place(&via.at));
        assert_eq!(usage.raw, found.sources[&usage.file].slice(usage.span), "`raw` is the text of its span");
        assert!(!usage.targets.is_empty(), "a use stands for something");
        assert!(usage.targets.is_sorted_by(|a, b| a < b), "targets are distinct");
        for target in &usage.targets {
            if let Target::Unresolved { reason } | Target::Invalid { reason, .. } = target {
                assert!(!reason.is_empty());
            }
        }
    }
    found.problems.iter().for_each(|problem| check_place(&problem.at));
}
