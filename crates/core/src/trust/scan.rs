//! Results of vulnerability scanners that an organisation supplies, each of one image by
//! its digest: how many critical vulnerabilities with a fix there are, and when it looked.
//!
//! ```text
//! Trivy   `trivy image --format json`:  Metadata.{RepoDigests,OS}, CreatedAt, Results[].Vulnerabilities[]
//! Grype   `grype -o json`:              source.target.{manifestDigest,repoDigests}, descriptor.timestamp, matches[]
//! SARIF   2.1.0, of either:             runs[].{properties.repoDigests,invocations[].endTimeUtc,results[]}
//! ```
//!
//! What a document does not say is not filled in: without a digest or a time it proves
//! nothing. A vulnerability whose fix is not told counts as one with a fix.

use serde_json::Value;
use thiserror::Error;

use crate::day::Day;
use crate::image::Digest;
use crate::trust::ScanResult;

/// The largest document that is read, in bytes.
pub const MAX_SCAN_BYTES: usize = 64 * 1024 * 1024;

/// From this score on GitHub calls a result of a SARIF document critical
/// (docs.github.com, "SARIF support for code scanning", `security-severity`).
const CRITICAL_SCORE: f64 = 9.0;

/// A scan result as somebody supplies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppliedScan {
    /// The digests of the image: of what was pulled, and of the index around it.
    pub digests: Vec<Digest>,
    /// The name of the scanner, as the document has it.
    pub scanner: String,
    /// What it found.
    pub result: ScanResult,
}

/// Why a document is no scan result that could be believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScanError {
    /// Over [`MAX_SCAN_BYTES`].
    #[error("it is {0} bytes long, the limit is {MAX_SCAN_BYTES}")]
    TooLong(usize),
    /// Not JSON.
    #[error("it is not JSON: {0}")]
    Json(String),
    /// None of the three.
    #[error("it is neither Trivy's nor Grype's JSON nor SARIF")]
    Form,
    /// No digest, so that it cannot be told which image was scanned.
    #[error("it does not say by digest which image was scanned")]
    NoDigest,
    /// No time, so that it cannot be told how old it is.
    #[error("it does not say when the image was scanned")]
    NoTime,
}

/// Reads a scan result.
///
/// # Errors
/// When the text is none of the forms, or leaves out the digest or the time.
pub fn read_scan(text: &str) -> Result<SuppliedScan, ScanError> {
    if text.len() > MAX_SCAN_BYTES {
        return Err(ScanError::TooLong(text.len()));
    }
    let document: Value = serde_json::from_str(text).map_err(|error| ScanError::Json(error.to_string()))?;
    if document["matches"].is_array() {
        grype(&document)
    } else if document["runs"].is_array() {
        sarif(&document)
    } else if document["Metadata"].is_object() || document["Results"].is_array() {
        trivy(&document)
    } else {
        Err(ScanError::Form)
    }
}

fn trivy(document: &Value) -> Result<SuppliedScan, ScanError> {
    let found = items(&document["Results"]).flat_map(|result| items(&result["Vulnerabilities"]));
    let critical = found.filter(|one| is(&one["Severity"], "critical") && trivy_has_fix(one));
    let critical = critical.count();
    let metadata = &document["Metadata"];
    let scan = supplied("Trivy", digests(&metadata["RepoDigests"]), &document["CreatedAt"], critical)?;
    // Trivy writes `EOSL` only where it is true.
    let system = &metadata["OS"];
    let is_known = system["Family"].as_str().is_some_and(|family| !family.is_empty() && family != "none");
    let end_of_life = is_known.then(|| system["EOSL"] == Value::Bool(true));
    Ok(SuppliedScan { result: ScanResult { end_of_life, ..scan.result }, ..scan })
}

/// `Status` says it; before Trivy had that, an empty `FixedVersion` did.
fn trivy_has_fix(found: &Value) -> bool {
    match found["Status"].as_str() {
        Some(status) => status.eq_ignore_ascii_case("fixed"),
        None => !matches!(found["FixedVersion"].as_str(), None | Some("")),
    }
}

fn grype(document: &Value) -> Result<SuppliedScan, ScanError> {
    let found = items(&document["matches"]).map(|one| &one["vulnerability"]);
    let critical = found.filter(|one| {
        is(&one["severity"], "critical")
            && !matches!(one["fix"]["state"].as_str(), Some("not-fixed" | "wont-fix"))
    });
    let target = &document["source"]["target"];
    let mut of_image = digests(&target["repoDigests"]);
    of_image.extend(target["manifestDigest"].as_str().and_then(|text| Digest::parse(text).ok()));
    supplied("Grype", of_image, &document["descriptor"]["timestamp"], critical.count())
}

fn sarif(document: &Value) -> Result<SuppliedScan, ScanError> {
    let (mut scanner, mut of_image, mut time, mut critical) = (None, Vec::new(), &Value::Null, 0);
    for run in items(&document["runs"]) {
        let driver = &run["tool"]["driver"];
        scanner = scanner.or(driver["name"].as_str());
        of_image.extend(digests(&run["properties"]["repoDigests"]));
        // Of several runs the oldest counts: nothing is newer than that.
        for end in items(&run["invocations"]).map(|one| &one["endTimeUtc"]).filter(|end| end.is_string()) {
            if time.is_null() || end.as_str() < time.as_str() {
                time = end;
            }
        }
        let severe: std::collections::BTreeSet<&str> = items(&driver["rules"])
            .filter(|rule| is_critical_rule(&rule["properties"]))
            .filter_map(|rule| rule["id"].as_str())
            .collect();
        critical += items(&run["results"])
            .filter(|result| result["ruleId"].as_str().is_some_and(|id| severe.contains(id)))
            .filter(|result| !says_no_fix(&result["message"]["text"]))
            .count();
    }
    supplied(scanner.unwrap_or("SARIF"), of_image, time, critical)
}

fn is_critical_rule(properties: &Value) -> bool {
    let score = match &properties["security-severity"] {
        Value::String(text) => text.parse::<f64>().ok(),
        other => other.as_f64(),
    };
    score.is_some_and(|score| score >= CRITICAL_SCORE)
        || items(&properties["tags"]).any(|tag| is(tag, "critical"))
}

/// Trivy writes `Fixed Version: ` into the message, and nothing after it when there is none.
fn says_no_fix(message: &Value) -> bool {
    let lines = message.as_str().into_iter().flat_map(str::lines);
    let mut fixed = lines.filter_map(|line| line.strip_prefix("Fixed Version:"));
    fixed.next().is_some_and(|version| version.trim().is_empty())
}

fn supplied(
    scanner: &str,
    digests: Vec<Digest>,
    time: &Value,
    critical: usize,
) -> Result<SuppliedScan, ScanError> {
    if digests.is_empty() {
        return Err(ScanError::NoDigest);
    }
    // RFC 3339: the day stands first, in UTC or in an offset that moves it by one at most.
    let day = time.as_str().and_then(|time| Day::parse(time.get(..10)?)).ok_or(ScanError::NoTime)?;
    let critical_fixable = u32::try_from(critical).unwrap_or(u32::MAX);
    let result = ScanResult { critical_fixable, day, end_of_life: None };
    Ok(SuppliedScan { digests, scanner: scanner.to_owned(), result })
}

/// The digests of references: `sha256:…` of `ghcr.io/acme/app@sha256:…`.
fn digests(references: &Value) -> Vec<Digest> {
    let texts = items(references).filter_map(Value::as_str);
    texts.filter_map(|text| Digest::parse(text.rsplit_once('@')?.1).ok()).collect()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn is(value: &Value, word: &str) -> bool {
    value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    /// `scanner digests criticals day`
    fn read(text: &str) -> String {
        match read_scan(&text.replace("DIGEST", DIGEST)) {
            Ok(SuppliedScan { digests, scanner, result }) => {
                format!("{scanner} {} {} {}", digests.len(), result.critical_fixable, result.day)
            }
            Err(error) => error.to_string(),
        }
    }

    const TRIVY: &str = r#"{"SchemaVersion": 2, "CreatedAt": "2026-11-20T08:15:30.123456789Z", "ArtifactName": "ghcr.io/acme/app:1",
        "Metadata": {"RepoTags": ["ghcr.io/acme/app:1"], "RepoDigests": ["ghcr.io/acme/app@DIGEST"]},
        "Results": [{"Target": "debian"}, {"Target": "app", "Vulnerabilities": [
            {"VulnerabilityID": "CVE-1", "Severity": "CRITICAL", "FixedVersion": "1.2", "Status": "fixed"},
            {"VulnerabilityID": "CVE-2", "Severity": "CRITICAL", "Status": "affected"},
            {"VulnerabilityID": "CVE-3", "Severity": "CRITICAL", "FixedVersion": "2"},
            {"VulnerabilityID": "CVE-4", "Severity": "HIGH", "FixedVersion": "2", "Status": "fixed"}]}]}"#;

    const GRYPE: &str = r#"{"matches": [
            {"vulnerability": {"id": "CVE-1", "severity": "Critical", "fix": {"versions": ["1.2"], "state": "fixed"}}},
            {"vulnerability": {"id": "CVE-2", "severity": "Critical", "fix": {"versions": [], "state": "not-fixed"}}},
            {"vulnerability": {"id": "CVE-3", "severity": "Critical", "fix": {"state": "unknown"}}},
            {"vulnerability": {"id": "CVE-4", "severity": "Low", "fix": {"state": "fixed"}}}],
        "source": {"type": "image", "target": {"manifestDigest": "DIGEST", "repoDigests": ["ghcr.io/acme/app@DIGEST"]}},
        "descriptor": {"name": "grype", "version": "0.99.0", "timestamp": "2026-11-21T00:00:00Z"}}"#;

    const SARIF: &str = r#"{"version": "2.1.0", "runs": [{
        "tool": {"driver": {"name": "Trivy", "rules": [
            {"id": "CVE-1", "properties": {"security-severity": "9.8", "tags": ["vulnerability", "CRITICAL"]}},
            {"id": "CVE-2", "properties": {"security-severity": "7.5", "tags": ["HIGH"]}}]}},
        "invocations": [{"executionSuccessful": true, "endTimeUtc": "2026-11-22T10:00:00Z"}],
        "results": [
            {"ruleId": "CVE-1", "message": {"text": "Package: a\nFixed Version: 1.2\nLink: x"}},
            {"ruleId": "CVE-1", "message": {"text": "Package: b\nFixed Version: \nLink: x"}},
            {"ruleId": "CVE-2", "message": {"text": "Package: c\nFixed Version: 3"}}],
        "properties": {"imageName": "ghcr.io/acme/app:1", "repoDigests": ["ghcr.io/acme/app@DIGEST"]}}]}"#;

    #[test]
    fn each_form_is_read() {
        assert_eq!(read(TRIVY), "Trivy 1 2 2026-11-20");
        // A fix that nobody told of counts as one.
        assert_eq!(read(GRYPE), "Grype 2 2 2026-11-21");
        assert_eq!(read(SARIF), "Trivy 1 1 2026-11-22");
    }

    #[test]
    fn trivy_says_whether_the_operating_system_is_over() {
        let over = |system: &str| {
            let text = TRIVY
                .replace("DIGEST", DIGEST)
                .replace("\"Metadata\": {", &format!("\"Metadata\": {{{system}"));
            read_scan(&text).map(|scan| scan.result.end_of_life)
        };
        assert_eq!(over(r#""OS": {"Family": "debian", "Name": "8.11", "EOSL": true}, "#), Ok(Some(true)));
        assert_eq!(over(r#""OS": {"Family": "debian", "Name": "12.8"}, "#), Ok(Some(false)));
        assert_eq!(over(r#""OS": {"Family": "none"}, "#), Ok(None));
        assert_eq!(over(""), Ok(None));
    }

    #[test]
    fn what_is_left_out_proves_nothing() {
        assert_eq!(read(&TRIVY.replace("CreatedAt", "X")), "it does not say when the image was scanned");
        assert_eq!(
            read(&GRYPE.replace("2026-11-21T", "yesterday")),
            "it does not say when the image was scanned"
        );
        assert_eq!(read(&SARIF.replace("endTimeUtc", "x")), "it does not say when the image was scanned");
        let by_tag = "it does not say by digest which image was scanned";
        assert_eq!(read(&TRIVY.replace("@DIGEST", ":1")), by_tag);
        assert_eq!(read(&GRYPE.replace("DIGEST", "sha256:abc")), by_tag);
        assert_eq!(read(&SARIF.replace("repoDigests", "x")), by_tag);
        assert_eq!(read("{}"), "it is neither Trivy's nor Grype's JSON nor SARIF");
        assert_eq!(read("[1]"), "it is neither Trivy's nor Grype's JSON nor SARIF");
        assert!(read("{").starts_with("it is not JSON: "));
        assert!(read(&"[".repeat(100_000)).starts_with("it is not JSON: "));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_supplied_is_read_or_refused(at in 0..TRIVY.len(), with in "[\\[\\]{},:\"0-9a-z]{0,4}") {
            for text in [TRIVY, GRYPE, SARIF] {
                let at = at.min(text.len());
                let _ = read_scan(&format!("{}{with}{}", &text[..at], &text[at..]));
            }
        }
    }
}
