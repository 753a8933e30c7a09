//! Scan results as files that somebody keeps: what they are called, and which of several
//! counts. A file is found by its name alone, so that no folder has to be listed; what it
//! says of itself still decides of which image it is.

use crate::day::Day;
use crate::image::Digest;
use crate::trust::Fact;
use crate::trust::Learnt;
use crate::trust::ScanResult;
use crate::trust::read_scan;

/// Where the organisation's repository `.github` keeps scan results.
pub const SCANS_PATH: &str = "fromguard/scans";

/// A file that is called like the scan result of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanFile {
    /// Who keeps it, for people: `acme/.github`.
    pub keeper: String,
    /// The scanner and what it found; or why the file is of no use, with its name.
    pub said: Result<(String, ScanResult), String>,
}

impl ScanFile {
    /// Reads a file's text: it is of use when the image that it says was scanned is the digest's.
    #[must_use]
    pub fn read(keeper: String, name: &str, digest: &Digest, text: &str) -> ScanFile {
        let said = match read_scan(text) {
            Ok(scan) if scan.digests.contains(digest) => Ok((scan.scanner, scan.result)),
            Ok(_) => Err("it is of another image".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        ScanFile { keeper, said: said.map_err(|why| format!("{name}: {why}")) }
    }

    /// A file that is there and cannot be read.
    #[must_use]
    pub fn unreadable(keeper: String, name: &str, why: &str) -> ScanFile {
        ScanFile { keeper, said: Err(format!("{name}: {why}")) }
    }
}

/// What a file with a scan result of a digest may be called: `sha256-….json` (Trivy's or
/// Grype's own form) or `sha256-….sarif`.
#[must_use]
pub fn scan_names(digest: &Digest) -> [String; 2] {
    let stem = digest.as_str().replacen(':', "-", 1);
    [format!("{stem}.json"), format!("{stem}.sarif")]
}

/// What the files of a digest say together, on the day on which they were read: the newest
/// result counts. One that is of no use says so when there is no other; without any file
/// nothing is said.
#[must_use]
pub fn supplied_scan(files: &[ScanFile], day: Day) -> Learnt<Option<ScanResult>> {
    let results = files.iter().filter_map(|file| Some((file, file.said.as_ref().ok()?)));
    if let Some((file, (scanner, result))) = results.max_by_key(|(_, (_, result))| result.day) {
        let source = format!("{scanner}, supplied in {}", file.keeper);
        return Learnt::Known(Fact { value: Some(*result), source, day });
    }
    match files.first() {
        Some(ScanFile { keeper, said: Err(why) }) => {
            Learnt::Unavailable(format!("the scan result that {keeper} supplies is of no use: {why}"))
        }
        _ => Learnt::NotAsked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(digit: &str) -> Digest {
        Digest::parse(&format!("sha256:{}", digit.repeat(64))).expect("a digest")
    }

    fn trivy(of: &Digest, created: &str) -> String {
        format!(
            r#"{{"CreatedAt":"{created}","Metadata":{{"RepoDigests":["ghcr.io/a/b@{of}"]}},"Results":[]}}"#
        )
    }

    fn file(text: &str) -> ScanFile {
        let wanted = digest("a");
        ScanFile::read("acme/.github".to_owned(), &scan_names(&wanted)[0], &wanted, text)
    }

    fn said(files: &[ScanFile]) -> String {
        match supplied_scan(files, Day::parse("2026-11-26").expect("a day")) {
            Learnt::NotAsked => "nothing".to_owned(),
            Learnt::Unavailable(why) => why,
            Learnt::Known(Fact { value, source, .. }) => {
                format!("{} ({source})", value.map_or("none".to_owned(), |scan| scan.day.to_string()))
            }
        }
    }

    #[test]
    fn the_newest_of_what_is_of_use_counts() {
        let of = |created| file(&trivy(&digest("a"), created));
        let (old, new) = (of("2026-11-01T00:00:00Z"), of("2026-11-20T00:00:00Z"));
        let newest = "2026-11-20 (Trivy, supplied in acme/.github)";
        assert_eq!(said(&[old.clone(), new.clone()]), newest);
        assert_eq!(said(&[file("{"), new, old]), newest);
        assert_eq!(said(&[]), "nothing");
    }

    #[test]
    fn what_its_name_promises_and_it_does_not_say_proves_nothing() {
        let other = said(&[file(&trivy(&digest("b"), "2026-11-20T00:00:00Z"))]);
        assert!(other.starts_with("the scan result that acme/.github supplies is of no use: sha256-aaaa"));
        assert!(other.ends_with(".json: it is of another image"), "{other}");
        assert!(said(&[file("{")]).contains("it is not JSON"));
    }
}
