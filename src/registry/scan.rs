//! The scan that an attestation holds: cosign's vulnerability attestation, version 1
//! (sigstore/cosign `specs/COSIGN_VULN_ATTESTATION_SPEC.md`), around the JSON of
//! Trivy or Grype.

use fromguard_core::day::Day;
use fromguard_core::trust::ScanResult;
use serde_json::Value;

/// What such a statement calls itself.
pub(super) const KIND: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

/// Reads the predicate; `None` when it is of no scanner that is known, or has no day.
pub(super) fn read(predicate: &Value) -> Option<ScanResult> {
    let day = Day::parse(predicate.pointer("/metadata/scanFinishedOn")?.as_str()?.get(..10)?)?;
    let result = predicate.pointer("/scanner/result")?;
    let critical_fixable = trivy(result).or_else(|| grype(result))?;
    Some(ScanResult { critical_fixable: u32::try_from(critical_fixable).unwrap_or(u32::MAX), day })
}

fn trivy(result: &Value) -> Option<usize> {
    let found = result.get("Results")?.as_array()?.iter();
    let found = found.filter_map(|target| target.get("Vulnerabilities")?.as_array()).flatten();
    let counts = |one: &&Value| {
        is_critical(one.get("Severity")) && one["FixedVersion"].as_str().is_some_and(|fix| !fix.is_empty())
    };
    Some(found.filter(counts).count())
}

fn grype(result: &Value) -> Option<usize> {
    let found = result.get("matches")?.as_array()?.iter();
    let counts = |one: &&Value| {
        is_critical(one.pointer("/vulnerability/severity"))
            && one.pointer("/vulnerability/fix/state").is_some_and(|state| state == "fixed")
    };
    Some(found.filter(counts).count())
}

fn is_critical(severity: Option<&Value>) -> bool {
    severity.and_then(Value::as_str).is_some_and(|severity| severity.eq_ignore_ascii_case("critical"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(result: &Value) -> Option<u32> {
        let predicate =
            json!({"scanner": {"result": result}, "metadata": {"scanFinishedOn": "2026-11-20T01:02:03Z"}});
        read(&predicate).map(|scan| scan.critical_fixable)
    }

    #[test]
    fn critical_ones_with_a_fix_are_counted() {
        let trivy = json!({"Results": [
            {"Target": "os", "Vulnerabilities": [
                {"Severity": "CRITICAL", "FixedVersion": "1.2"},
                {"Severity": "CRITICAL", "FixedVersion": ""},
                {"Severity": "HIGH", "FixedVersion": "3"},
            ]},
            {"Target": "clean"},
            {"Target": "app", "Vulnerabilities": [{"Severity": "CRITICAL", "FixedVersion": "2"}]},
        ]});
        let grype = json!({"matches": [
            {"vulnerability": {"severity": "Critical", "fix": {"state": "fixed"}}},
            {"vulnerability": {"severity": "Critical", "fix": {"state": "not-fixed"}}},
            {"vulnerability": {"severity": "Low", "fix": {"state": "fixed"}}},
        ]});
        assert_eq!((of(&trivy), of(&grype)), (Some(2), Some(1)));
    }

    #[test]
    fn what_is_no_scan_of_a_known_scanner_is_none() {
        for result in [json!({}), json!({"Results": 1}), json!([]), json!({"matches": {}})] {
            assert_eq!(of(&result), None, "{result}");
        }
        let without_day = json!({"scanner": {"result": {"matches": []}}});
        assert_eq!(read(&without_day), None);
    }
}
