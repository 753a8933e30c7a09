//! The Dockerfile reader: whatever the bytes, it returns, and every place that it
//! names is a place in the file.

use fromguard_core::formats;
use fromguard_core::formats::Extracted;
use fromguard_core::formats::Files;
use fromguard_core::image::ImageRef;
use fromguard_core::image::ImageUse;
use fromguard_core::image::Target;
use fromguard_core::scan::Scan;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;

use super::check_span;

/// Above this the file is read once: reading it again shows what depends on
/// chance, and small files show that as well as large ones.
const MAX_REREAD_BYTES: usize = 4096;

/// Bytes as they stand in a repository, and as text with the broken parts replaced.
pub fn run(data: &[u8]) {
    let path = RepoPath::new("Dockerfile");
    let mut scan = Scan::new([path.clone()]);
    for wanted in scan.wanted() {
        scan.feed(&wanted, Content::from_bytes(data.to_vec()));
    }
    let scanned = scan.finish();
    let text = String::from_utf8_lossy(data);
    let extracted = check(&text);
    if data == text.as_bytes() && !data.contains(&0) && !data.starts_with(b"version https://git-lfs") {
        assert_eq!(scanned.uses, extracted.uses, "a scan and its format disagree");
    }
}

/// Reads a Dockerfile and holds it to what must hold of every one.
pub(crate) fn check(text: &str) -> Extracted {
    let file = SourceFile::new(RepoPath::new("Dockerfile"), text);
    let (format, _) = formats::formats_for(file.path()).next().expect("a Dockerfile");
    let extracted = format.extract(&file, &mut Files::new(&|_| None));
    assert!(extracted.uses.is_sorted_by_key(|usage| usage.span), "uses stand in the order of the file");
    assert!(extracted.problems.is_sorted_by_key(|problem| problem.at.span.start), "problems do too");
    extracted.uses.iter().for_each(|usage| check_use(&file, usage));
    for problem in &extracted.problems {
        check_span(&file, problem.at.span);
        assert!(!problem.message.is_empty());
    }
    let said: usize = extracted.problems.iter().map(|problem| problem.message.len()).sum::<usize>()
        + extracted.uses.iter().map(said).sum::<usize>();
    // Expansion may copy 4 MiB for each of four builds.
    assert!(said <= (16 << 20) + 64 * text.len(), "{said} bytes of output for {} of input", text.len());
    if text.len() <= MAX_REREAD_BYTES {
        let again = format.extract(&file, &mut Files::new(&|_| None));
        assert_eq!(extracted, again, "the same file is read the same way");
    }
    extracted
}

fn check_use(file: &SourceFile, usage: &ImageUse) {
    check_span(file, usage.span);
    assert_eq!(usage.raw, file.slice(usage.span), "`raw` is the text of its span");
    check_span(file, usage.decided_at.span);
    usage.via.iter().for_each(|via| check_span(file, via.at.span));
    assert!(!usage.targets.is_empty(), "a use stands for something");
    assert!(usage.targets.is_sorted_by(|a, b| a < b), "targets are distinct");
    for target in &usage.targets {
        match target {
            Target::Image(image) => {
                assert_eq!(ImageRef::parse(&image.to_string()).as_ref(), Ok(image));
            }
            Target::Partial(partial) => {
                assert_eq!(ImageRef::parse(&partial.name.to_string()).as_ref(), Ok(&partial.name));
            }
            Target::Unresolved { reason } | Target::Invalid { reason, .. } => assert!(!reason.is_empty()),
        }
    }
}

/// How many bytes a use says beside its image.
fn said(usage: &ImageUse) -> usize {
    let targets = usage.targets.iter().map(|target| match target {
        Target::Image(image) => image.to_string().len(),
        Target::Partial(partial) => partial.reason.len(),
        Target::Unresolved { reason } => reason.len(),
        Target::Invalid { text, reason } => text.len() + reason.len(),
    });
    targets.sum::<usize>() + usage.via.iter().map(|via| via.what.len()).sum::<usize>() + usage.raw.len()
}
