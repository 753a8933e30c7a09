//! No text of a policy can keep loading or judging long, or end the process.

use std::time::Duration;
use std::time::Instant;

use proptest::prelude::*;

use super::*;

/// Far above what anything takes in a debug build on a busy machine, far below a hang.
const LONG: Duration = Duration::from_secs(2);

fn message(expression: &str) -> String {
    match Expression::read(expression) {
        Ok(_) => "fine".to_owned(),
        Err(mistakes) => mistakes[0].message.clone(),
    }
}

#[test]
fn the_limits_are_where_the_page_says() {
    let long = |bytes: usize| format!("image.tag == \"{}\"", "x".repeat(bytes - 15));
    assert_eq!(message(&long(1024)), "fine");
    assert_eq!(message(&long(1025)), "the expression is 1025 bytes long, the limit is 1024");

    let terms = |count: usize| vec!["1<2"; count].join("||");
    assert_eq!(message(&terms(50)), "fine");
    assert!(message(&terms(51)).starts_with("the expression holds more than 200 names"));

    let deep = |depth: usize| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(message(&deep(16)), "fine");
    assert_eq!(message(&deep(17)), "the expression nests deeper than 16 from here on");
}

#[test]
fn everything_that_nests_is_bounded() {
    for deep in [
        "[".repeat(100) + &"]".repeat(100),
        "!".repeat(100) + "true",
        "-".repeat(100) + "1 == 1",
        vec!["1"; 90].join("+") + " == 1",
        vec!["a"; 60].join("?a:"),
        "true ? ".repeat(40) + "true" + &" : true".repeat(40),
        "image".to_owned() + &".tag".repeat(90) + " == ''",
        "use.via".to_owned() + &"[0]".repeat(60) + " == ''",
        vec!["1"; 60].join(" < "),
        "size(".repeat(60) + "'a'" + &")".repeat(60) + " == 1",
        "use.via".to_owned() + &".filter(x, true)".repeat(17) + ".size() == 1",
    ] {
        assert_eq!(message(&deep), "the expression nests deeper than 16 from here on", "{deep}");
    }
    let nested = "use.via.all(a, use.via.filter(b, true).size() == 1)";
    assert_eq!(message(nested), "`filter` stands inside another of its kind");
    assert_eq!(message("use.via.filter(a, true).all(b, true)"), "fine");
    assert_eq!(message("use.via.all(a, (use.via.all(b, true)))"), "`all` stands inside another of its kind");
}

#[test]
fn the_deepest_expressions_need_little_stack() {
    let logical = format!("({})", vec!["1<2"; 40].join("||"));
    let texts = [
        logical,
        format!("{}true{}", "!(".repeat(8), ")".repeat(8)),
        format!("use.via.exists(x, {}x{} == 'a')", "(".repeat(12), ")".repeat(12)),
    ];
    let run = move || {
        for text in &texts {
            let expression = Expression::read(text).unwrap();
            let usage = usage("node:24");
            let subject = Subject {
                usage: &usage,
                origin: None,
                whole: false,
                tier: None,
                circumstances: &Circumstances::default(),
            };
            assert!(expression.run(&subject).is_some(), "{text}");
        }
    };
    // An eighth of what threads have by default.
    std::thread::Builder::new().stack_size(256 * 1024).spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_file_full_of_the_largest_rules_loads_soon() {
    let largest = vec!["image.tag.matches('^((a|b)*c)*$')"; 28].join(" || ");
    let mut text = POLICY.to_owned();
    for index in 0..65 {
        text.push_str(&format!("  - {{name: r{index}, then: fail, if: \"{largest}\"}}\n"));
    }
    let start = Instant::now();
    assert!(said(&text).contains("`rules` holds 65 rules, the limit is 64"));
    assert!(start.elapsed() < 5 * LONG, "{:?}", start.elapsed());
}

#[test]
fn a_regular_expression_cannot_blow_up() {
    let tag = "a".repeat(127) + "!";
    let start = Instant::now();
    check(r#"image.tag.matches("^(a+)+$")"#, &format!("acme/x:{} → review a-rule", &tag[..127]));
    check(r#"image.tag.matches("(a*)*(a*)*(a*)*b")"#, &format!("acme/x:{} → ", &tag[..127]));
    assert!(message(r#"image.tag.matches("(a{100}){100}")"#).starts_with("this is no regular expression"));
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "image.tag",
        "image.tier",
        "image.user",
        "use.via",
        "file.path",
        "pull_request.number",
        "image",
        "x",
        ".",
        "(",
        ")",
        "[",
        "]",
        ",",
        "?",
        ":",
        "||",
        "&&",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        ">=",
        " in ",
        "1",
        "0",
        "9223372036854775807",
        "'x'",
        "\"\"",
        "r'\\d'",
        "true",
        "false",
        "null",
        ".exists(x, ",
        ".all(x, ",
        ".map(x, ",
        ".filter(x, ",
        ".exists_one(x, ",
        "has(",
        "size(",
        ".size()",
        ".matches(",
        ".startsWith(",
        ".contains(",
        "é",
        "`a`",
        "{",
        "}",
        "1u",
        "1.5",
        "b'x'",
        "'''",
        "//",
        "\n",
        " ",
        "\\",
        "?.",
        "[?",
        "dyn(",
        "int(",
        "timestamp(",
        "string(",
        "type(",
        "@result",
        "_==_",
        "__",
        "\u{0}",
        "=",
        "&",
    ])
}

/// Expressions that often have types: comparisons, joined and nested.
fn likely() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "image.tag == \"24\"",
        "image.user == \"root\"",
        "file.path.contains(\"a\")",
        "use.via.size() == 0",
        "true",
        "image.tag in [\"24\", \"x\"]",
        "use.reachable",
        "1 / use.via.size() == 1",
        "image.tag.matches(\"^[0-9]+$\")",
        "use.via.exists(f, f == file.path)",
        "[1, 2, 3].all(n, n < image.tag.size() + 2)",
        "pull_request.number == 1",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 24, 3, |inner| {
        (inner.clone(), inner.clone(), inner, 0..5usize).prop_map(|(a, b, c, how)| match how {
            0 => format!("{a} && {b}"),
            1 => format!("({a} || {b})"),
            2 => format!("!({a})"),
            3 => format!("({a} ? {b} : {c})"),
            _ => format!("({a}) == ({b})"),
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_stands_in_a_rule_is_read_or_refused_soon(
        text in prop_oneof![
            prop::collection::vec(word(), 1..60).prop_map(|words| words.concat()),
            likely(),
            "\\PC{0,80}",
        ],
    ) {
        let start = Instant::now();
        match Expression::read(&text) {
            Err(mistakes) => {
                prop_assert!(!mistakes.is_empty());
                for mistake in mistakes {
                    prop_assert!(text.get(mistake.at.clone()).is_some(), "{:?} in {}", mistake, text);
                    prop_assert!(!mistake.message.is_empty() && !mistake.help.is_empty());
                }
            }
            Ok(expression) => {
                let usage = usage("node:24");
                let subject = Subject {
                    usage: &usage,
                    origin: Some(crate::image::ImageRef::parse("node:24").unwrap()),
                    whole: true,
                    tier: None,
                    circumstances: &Circumstances::default(),
                };
                let first = expression.run(&subject);
                prop_assert_eq!(first, expression.run(&subject));
            }
        }
        prop_assert!(start.elapsed() < LONG, "{:?} for {}", start.elapsed(), text);
    }

    #[test]
    fn a_rule_never_makes_anything_better(expression in likely(), reference in prop::sample::select(vec![
        "node:24", "ghcr.io/acme/x", "registry.example.com/base/x:1", "quay.io/a/b:1", "A B", "centos:7",
    ])) {
        let without = Policies::load(Found::Absent, Found::File(file(POLICY.trim_end_matches("rules:\n"))), Day::from_unix_ms(0));
        let rule = format!("  - {{name: a-rule, then: review, if: '{expression}'}}\n");
        let with = Policies::load(Found::Absent, Found::File(file(&format!("{POLICY}{rule}"))), Day::from_unix_ms(0));
        if let (Some(with), Some(without)) = (with.judge(&usage(reference), &Evidence::none()), without.judge(&usage(reference), &Evidence::none())) {
            prop_assert!(with.verdict >= without.verdict);
            prop_assert!(without.findings.iter().all(|finding| with.findings.contains(finding)));
        }
    }

    #[test]
    fn a_mistake_is_underlined_where_it_stands(
        before in "[a-z \n]{0,12}", quote in prop::sample::select(vec!["'", "\"", ""]),
    ) {
        // However YAML writes the text, the unknown field is what is underlined.
        let expression = format!("\"{}\" != image.tagg", before.replace('\n', " "));
        let written = match quote {
            "'" => format!("'{expression}'"),
            "\"" => format!("\"{}\"", expression.replace('"', "\\\"")),
            _ => format!(">-\n      {}", expression.replace(" != ", "\n      != ")),
        };
        let said = said(&format!("{POLICY}  - name: a-rule\n    then: fail\n    if: {written}\n"));
        prop_assert!(said.ends_with("[did you mean `image.tag`?]\n    tagg\n"), "{} in {}", said, written);
    }
}
