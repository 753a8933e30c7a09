use super::*;
use crate::policy::Mode;
use crate::report::bench;

fn results(text: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(text).expect("it is JSON");
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    let rules: BTreeSet<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .filter_map(|rule| rule["id"].as_str())
        .collect();
    let results = run["results"].as_array().expect("results").clone();
    for result in &results {
        assert!(rules.contains(result["ruleId"].as_str().expect("an id")), "{result}");
    }
    results
}

#[test]
fn columns_count_utf16_code_units_and_paths_are_uris() {
    // U+1F600 is one scalar value and two UTF-16 code units.
    let scanned = bench::scanned(&[(
        "a b%/Dockerfile",
        "FROM node\nLABEL a=😀\nRUN --mount=from=nginx,target=/😀 true\nCOPY --chown=😀 --from=redis / /\n",
    )]);
    let results = results(&scan_sarif(&scanned, "1.0.0"));
    let place = |result: &Value| result["locations"][0]["physicalLocation"].clone();
    let last = place(results.last().expect("three uses"));
    assert_eq!(last["artifactLocation"]["uri"], "a%20b%25/Dockerfile");
    assert_eq!(last["region"]["startLine"], 4);
    assert_eq!(last["region"]["startColumn"], 1 + "COPY --chown=😀 --from=".encode_utf16().count());
}

#[test]
fn a_finding_is_where_an_edit_decides_with_the_from_related() {
    let subject = bench::subject(Some(&[]), &[("Dockerfile", "ARG B=evil.io/x:1\nFROM ${B}\n")]);
    let results = results(&check_sarif(&bench::judge(subject, Mode::Enforce), "1.0.0"));
    assert_eq!((&results[0]["ruleId"], &results[0]["level"]), (&json!("block"), &json!("error")));
    assert_eq!(results[0]["baselineState"], "new");
    assert_eq!(results[0]["locations"][0]["physicalLocation"]["region"]["startLine"], 1);
    assert_eq!(results[0]["relatedLocations"][0]["physicalLocation"]["region"]["startLine"], 2);
}

#[test]
fn what_does_not_count_is_a_note() {
    let file = [("Dockerfile", "FROM evil.io/x:1\n")];
    let subject = bench::subject(Some(&file), &file);
    let results = results(&check_sarif(&bench::judge(subject, Mode::Enforce), "1.0.0"));
    assert_eq!((&results[0]["level"], &results[0]["baselineState"]), (&json!("note"), &json!("unchanged")));
}
