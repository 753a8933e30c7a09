//! Patterns, tag globs and path globs against plain definitions of what they mean.
//!
//! The input is two lines: a pattern or glob, and a reference or path.

use std::sync::Arc;

use fromguard_core::day::Day;
use fromguard_core::image::Glob;
use fromguard_core::image::ImageRef;
use fromguard_core::image::Pattern;
use fromguard_core::image::normal_host;
use fromguard_core::policy;
use fromguard_core::policy::Scope;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;

/// The plain definitions take the product of both lengths, as a table.
const MAX_BYTES: usize = 512;

/// See the module.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (glob, subject) = text.split_once('\n').unwrap_or((&text, ""));
    if glob.len() > MAX_BYTES || subject.len() > MAX_BYTES {
        let _ = Pattern::parse(glob);
        return;
    }
    check_pattern(glob, subject);
    if let Ok(tag) = Glob::of_tag(glob) {
        assert_eq!(tag.matches(subject), matches(glob.as_bytes(), subject.as_bytes()), "{glob} {subject}");
    }
    check_path(glob, subject);
}

fn check_pattern(glob: &str, subject: &str) {
    let Ok(pattern) = Pattern::parse(glob) else { return };
    let written = pattern.to_string();
    assert_eq!(Pattern::parse(&written).as_ref(), Ok(&pattern), "{written}");
    let _ = pattern.check_not_broad();
    assert!(pattern.overlaps(&pattern));
    let Ok(image) = ImageRef::parse(subject) else { return };
    let host = normal_host(&image.registry);
    let covered = pattern.host().covers(&host)
        && matches_segments(pattern.path_text().split('/'), &image.repository, true);
    assert_eq!(pattern.covers_name(&image), covered, "{pattern} {image}");
    let _ = (pattern.trusts_version(&image, true), pattern.blocks_version(&image, false));
}

/// A path glob is private to the policy: it is asked for through `skip-paths`.
fn check_path(glob: &str, subject: &str) {
    let quoted = serde_json::Value::from(glob).to_string();
    let text = format!(
        "version: 1\ntrust: {{o: {{images: [\"hub:official\"]}}}}\nreviewers: [\"@a\"]\nskip-paths: [{quoted}]\n"
    );
    let file = Arc::new(SourceFile::new(RepoPath::new("fromguard.yml"), text));
    let Some(policy) = policy::load(file, Scope::Organisation, Day::from_unix_ms(0)).policy else { return };
    let path = RepoPath::new(subject);
    let expected = matches_segments(glob.split('/'), path.as_str(), false);
    assert_eq!(policy.is_skipped(&path), expected, "{glob} {subject}");
}

/// `*` is zero or more bytes: the table of which prefixes match which.
fn matches(glob: &[u8], text: &[u8]) -> bool {
    table(glob, text, |glob| *glob == b'*', |glob, text| glob == text, 0)
}

/// `**` is whole segments: one or more at the end, zero or more elsewhere
/// (patterns have it at the end only).
fn matches_segments<'g>(glob: impl Iterator<Item = &'g str>, path: &str, pattern: bool) -> bool {
    let glob: Vec<&str> = glob.collect();
    let path: Vec<&str> = path.split('/').collect();
    debug_assert!(!pattern || !glob[..glob.len() - 1].contains(&"**"));
    let one = |glob: &&str, text: &&str| matches(glob.as_bytes(), text.as_bytes());
    table(&glob, &path, |glob| *glob == "**", one, 1)
}

/// Whether `glob` matches `text`, where what `is_star` names stands for any
/// number of items, and for at least `least_at_end` when it is the last.
fn table<T>(
    glob: &[T],
    text: &[T],
    is_star: impl Fn(&T) -> bool,
    one: impl Fn(&T, &T) -> bool,
    least_at_end: usize,
) -> bool {
    // row[t]: what was read of `glob` matches the first `t` of `text`.
    let mut row = vec![false; text.len() + 1];
    row[0] = true;
    for (place, item) in glob.iter().enumerate() {
        let least = if place + 1 == glob.len() { least_at_end } else { 0 };
        let mut next = vec![false; text.len() + 1];
        for t in 0..=text.len() {
            next[t] = match is_star(item) {
                true => t.checked_sub(least).is_some_and(|last| row[..=last].contains(&true)),
                false => t > 0 && row[t - 1] && one(item, &text[t - 1]),
            };
        }
        row = next;
    }
    row[text.len()]
}
