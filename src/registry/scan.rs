//! The scan that an attestation holds: cosign's vulnerability attestation, version 1
//! (sigstore/cosign `specs/COSIGN_VULN_ATTESTATION_SPEC.md`), around what a scanner wrote.

use fromguard_core::day::Day;
use fromguard_core::trust;
use fromguard_core::trust::ScanResult;
use serde_json::Value;

/// What such a statement calls itself.
pub(super) const KIND: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

/// Reads the predicate; `None` when it is of no scanner that is known, or has no day.
/// Of the two days that it has, the older counts.
pub(super) fn read(predicate: &Value) -> Option<ScanResult> {
    let finished = Day::parse(predicate.pointer("/metadata/scanFinishedOn")?.as_str()?.get(..10)?)?;
    let result = trust::read_scan(&predicate.pointer("/scanner/result")?.to_string()).ok()?.result;
    Some(ScanResult { day: result.day.min(finished), ..result })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_scanners_own_words_count_and_the_older_day() {
        let digest = format!("ghcr.io/acme/app@sha256:{}", "a".repeat(64));
        let result = json!({
            "CreatedAt": "2026-11-18T08:00:00Z", "Metadata": {"RepoDigests": [digest]},
            "Results": [{"Vulnerabilities": [{"Severity": "CRITICAL", "FixedVersion": "2"}]}],
        });
        let read_of = |result: &Value, finished: &str| {
            read(&json!({"scanner": {"result": result}, "metadata": {"scanFinishedOn": finished}}))
        };
        let day = |text| Day::parse(text).expect("a day");
        let scan = |text| Some(ScanResult { critical_fixable: 1, day: day(text), end_of_life: None });
        assert_eq!(read_of(&result, "2026-11-20T01:02:03Z"), scan("2026-11-18"));
        assert_eq!(read_of(&result, "2026-11-17T01:02:03Z"), scan("2026-11-17"));
        assert_eq!((read_of(&result, "soon"), read_of(&json!({}), "2026-11-17T01:02:03Z")), (None, None));
    }
}
