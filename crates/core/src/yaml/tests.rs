#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

/// Every node as `source text = what it is`, in order.
fn dump(text: &str) -> String {
    let mut out = String::new();
    let yaml = read(text, Limits::default());
    for document in &yaml.documents {
        out.push_str("---\n");
        for node in document.nodes() {
            let span = node.span();
            let what = match node.shape() {
                Shape::Scalar(scalar) => format!("{:?} {:?}", scalar.style, scalar.text),
                Shape::Mapping(mapping) => format!("mapping of {}", mapping.entries().len()),
                Shape::Sequence(sequence) => format!("sequence of {}", sequence.items().len()),
                Shape::Alias(alias) => format!("alias {} {:?}", alias.name, alias.target.map(Node::span)),
            };
            out.push_str(&format!("{:?} = {what}", text.get(span.start..span.end).unwrap()));
            for (sign, mark) in [("&", node.anchor()), ("", node.tag())] {
                if let Some(mark) = mark {
                    out.push_str(&format!(
                        " {sign}{} at {:?}",
                        mark.text,
                        &text[mark.span.start..mark.span.end]
                    ));
                }
            }
            out.push('\n');
        }
    }
    for error in &yaml.errors {
        out.push_str(&format!("{:?} at {}: {}\n", error.kind, error.span.start, error.message));
    }
    out
}

#[test]
fn every_node_knows_its_bytes() {
    insta::assert_snapshot!(dump(
        "a: é1\nb: [x, 'y', \"z\\n\"]\nc:\n  - d: |\n      text\n      more\n\n    e: >-\n      folded\n  - f:\n  - g: ~\nh:\n"
    ));
}

#[test]
fn anchors_aliases_tags_and_merge_keys_are_kept() {
    insta::assert_snapshot!(dump("\u{feff}b: &x !t {k: v}\nc: *x\n<<: *nope\nd: !!str\ne: &e [*e]\n"));
}

#[test]
fn a_broken_document_does_not_hide_the_others() {
    insta::assert_snapshot!(dump("--- a\n--- b\n...\n---\n[1, 2\n---\nok: 1\r\n"));
}

#[test]
fn nothing_is_nothing() {
    assert_eq!(dump(""), "");
    assert_eq!(dump("# only\n"), "");
    assert_eq!(dump("---\n"), "---\n\"\" = Absent \"\"\n");
    let yaml = read("a:\nb: ~\nc: ''\nd: null", Limits::default());
    let root = yaml.documents[0].root();
    let nulls: Vec<bool> = root.mapping().unwrap().entries().map(|(_, value)| value.is_null()).collect();
    assert_eq!(nulls, [true, true, false, true]);
}

#[test]
fn duplicate_keys_are_kept_and_the_first_is_found() {
    let yaml = read("a: 1\na: 2\n", Limits::default());
    let root = yaml.documents[0].root();
    assert_eq!(root.mapping().unwrap().entries().len(), 2);
    assert_eq!(root.get("a").and_then(Node::scalar).map(|scalar| scalar.text), Some("1"));
    assert!(root.get("b").is_none());
}

#[test]
fn limits_are_said() {
    let limits = Limits { bytes: 100, depth: 5, nodes: 20, documents: 2 };
    let kinds = |text: &str| {
        let yaml = read(text, limits);
        yaml.errors.iter().map(|error| error.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&"a".repeat(101)), [YamlErrorKind::Limit]);
    assert_eq!(kinds(&format!("[{}]", "a,".repeat(30))), [YamlErrorKind::Limit]);
    assert!(!kinds(&format!("{}{}", "[".repeat(20), "]".repeat(20))).is_empty());
    assert!(!kinds("- - - - - - - - a").is_empty());
    assert!(!kinds("[{a: [{b: [{c: [1]}]}]}]").is_empty());
    assert_eq!(kinds("--- a\n--- b\n--- c\n--- d\n"), [YamlErrorKind::Limit]);
    assert_eq!(kinds("a: [1, 2, 3]\n--- b\n"), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn reading_never_panics_and_spans_are_of_the_text(text in "(\\PC|\n|\r\n|\t|[:\\-\\[\\]{}&*!|>?'\"#%@`, ]){0,120}") {
        let yaml = read(&text, Limits::default());
        for node in yaml.documents.iter().flat_map(Document::nodes) {
            prop_assert!(text.get(node.span().start..node.span().end).is_some());
            for mark in [node.anchor(), node.tag()].into_iter().flatten() {
                prop_assert!(text.get(mark.span.start..mark.span.end).is_some());
            }
            if let Some(Scalar { text: value, style: Style::Plain }) = node.scalar()
                && !value.contains([' ', '\n'])
            {
                prop_assert_eq!(&text[node.span().start..node.span().end], value);
            }
        }
        for error in &yaml.errors {
            prop_assert!(text.get(error.span.start..error.span.end).is_some());
            prop_assert!(!error.message.chars().any(char::is_control));
        }
    }
}

/// Each scalar's value with the source that each of its words was made of.
fn places(text: &str) -> Vec<String> {
    let yaml = read(text, Limits::default());
    let scalars = yaml.documents.iter().flat_map(Document::nodes).filter_map(|node| node.mapped(text));
    scalars
        .map(|mapped| {
            let words: Vec<String> = mapped
                .text()
                .split_ascii_whitespace()
                .map(|word| {
                    let at = word.as_ptr() as usize - mapped.text().as_ptr() as usize;
                    let span = mapped.span(at..at + word.len());
                    format!("{word}={}", &text[span.start..span.end])
                })
                .collect();
            words.join(" ")
        })
        .collect()
}

#[test]
fn every_byte_of_a_scalar_knows_its_place() {
    assert_eq!(places("plain a:1"), ["plain=plain a:1=a:1"]);
    assert_eq!(places("plain\n  over\n\n  lines"), ["plain=plain over=over lines=lines"]);
    assert_eq!(places("'it''s a'"), ["it's=it''s a=a"]);
    assert_eq!(
        places(
            r#""a\tb \x41\u00e9 c\
          d""#
        ),
        ["a=a b=b Aé=\\x41\\u00e9 cd=c\\\n          d"]
    );
    assert_eq!(
        places("|\r\n    docker pull a\r\n      indented b\r\n\r\n    é c\r\n"),
        ["docker=docker pull=pull a=a indented=indented b=b é=é c=c"]
    );
    assert_eq!(places(">-\n  folded\n  text\n\n  more\n"), ["folded=folded text=text more=more"]);
}

#[test]
fn merge_keys_add_what_the_mapping_does_not_have() {
    let text = "
a: &a {image: a, x: 1}
b: &b {<<: *a, image: b, y: 2}
c: {z: 3, <<: [{x: 9}, *b], image: c}
d: {<<: *b}
e: {'<<': *b}
f: &f {<<: *f, k: v}
";
    let yaml = read(text, Limits::default());
    let root = yaml.documents[0].root();
    let entries = |key: &str| -> String {
        let merged = root.at(&[key]).and_then(Node::map).unwrap().merged();
        let words: Vec<String> = merged
            .into_iter()
            .map(|(key, value)| format!("{}={}", key.text().unwrap(), value.text().unwrap_or("…")))
            .collect();
        words.join(" ")
    };
    assert_eq!(entries("c"), "z=3 image=c x=9 y=2");
    assert_eq!(entries("d"), "image=b y=2 x=1");
    assert_eq!(entries("e"), "<<=…");
    assert_eq!(entries("f"), "k=v");
    assert_eq!(root.at(&["d", "x"]).and_then(Node::text), Some("1"));
    assert_eq!(root.at(&["d", "nope"]).and_then(Node::text), None);
}

#[test]
fn keys_of_a_large_mapping_are_found_like_those_of_a_small_one() {
    let many: String = (0..100).map(|at| format!("k{at}: v{at}\n")).collect();
    let text = format!("{many}k7: second\n<<: {{k7: merged, only: m}}\n\"<<\": {{quoted: q}}\n");
    let yaml = read(&text, Limits::default());
    let root = yaml.documents[0].root();
    let found = |key: &str| root.at(&[key]).and_then(Node::text);
    assert_eq!([found("k0"), found("k7"), found("k99")], [Some("v0"), Some("v7"), Some("v99")]);
    assert_eq!([found("only"), found("quoted"), found("k100")], [Some("m"), None, None]);
    let merged: Vec<_> = root.map().map(|map| map.merged()).unwrap_or_default();
    assert_eq!(merged.iter().filter(|(key, _)| key.text() == Some("k7")).count(), 2);
}
