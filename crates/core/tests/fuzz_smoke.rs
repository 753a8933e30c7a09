//! A short pass of the fuzz targets with every test run: their corpus, and a
//! series of mutations of it from a fixed seed. `fuzz/README.md` says how to run
//! them for long.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its corpus should stop")]

#[path = "../../../fuzz/targets/mod.rs"]
#[allow(unreachable_pub, reason = "they are public to the fuzz package")]
mod targets;

use std::fs;
use std::path::Path;

/// How many mutated inputs each target is given.
const MUTATIONS: usize = 1500;
/// Where a mutation stops growing, in bytes.
const MAX_BYTES: usize = 1024;

#[test]
fn compose() {
    pass("compose", targets::compose::run);
}

#[test]
fn dockerfile() {
    pass("dockerfile", targets::dockerfile::run);
}

#[test]
fn expansion() {
    pass("expansion", targets::expansion::run);
}

#[test]
fn helm() {
    pass("helm", targets::helm::run);
}

#[test]
fn github_actions() {
    pass("github_actions", targets::github_actions::run);
}

#[test]
fn gitlab_ci() {
    pass("gitlab_ci", targets::gitlab_ci::run);
}

#[test]
fn kubernetes() {
    pass("kubernetes", targets::kubernetes::run);
}

#[test]
fn reference() {
    pass("reference", targets::reference::run);
}

#[test]
fn pattern() {
    pass("pattern", targets::pattern::run);
}

#[test]
fn policy() {
    pass("policy", targets::policy::run);
}

#[test]
fn rule() {
    pass("rule", targets::rule::run);
}

#[test]
fn shell() {
    pass("shell", targets::shell::run);
}

/// Every target that cargo-fuzz knows has its test here, and a corpus.
#[test]
fn every_target_is_tried() {
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let mut listed: Vec<&str> = manifest
        .split("[[bin]]")
        .skip(1)
        .map(|bin| bin.split('"').nth(1).expect("a binary has a name"))
        .collect();
    listed.sort_unstable();
    let mut folders: Vec<String> = fs::read_dir(fuzz().join("corpus"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(
        listed,
        [
            "compose",
            "dockerfile",
            "expansion",
            "github_actions",
            "gitlab_ci",
            "helm",
            "kubernetes",
            "pattern",
            "policy",
            "reference",
            "rule",
            "shell"
        ]
    );
    assert_eq!(folders, listed);
}

fn fuzz() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz"))
}

fn pass(name: &str, run: fn(&[u8])) {
    let mut files: Vec<_> =
        fs::read_dir(fuzz().join("corpus").join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let corpus: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    for (file, input) in files.iter().zip(&corpus) {
        try_one(&format!("{}", file.display()), input, run);
    }
    let tokens = tokens(name);
    // Any constant will do; this one gives the same series everywhere.
    let mut random = Random(0x5eed);
    for number in 0..MUTATIONS {
        let mut input = random.choice(&corpus).clone();
        input.truncate(MAX_BYTES);
        for _ in 0..=random.below(6) {
            mutate(&mut input, &corpus, &tokens, &mut random);
        }
        try_one(&format!("mutation {number} of {name}"), &input, run);
    }
}

/// Runs a target; a failure says which input it was.
fn try_one(what: &str, input: &[u8], run: fn(&[u8])) {
    if let Err(panic) = std::panic::catch_unwind(|| run(input)) {
        eprintln!("{what}: {:?}", String::from_utf8_lossy(input));
        std::panic::resume_unwind(panic);
    }
}

/// The quoted words of a target's dictionary.
fn tokens(name: &str) -> Vec<Vec<u8>> {
    let path = fuzz().join("dictionaries").join(format!("words-of-{name}.dict"));
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"')).map(unescaped).collect()
}

/// libFuzzer's notation: `\xNN`, `\\`, `\"`.
fn unescaped(word: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = word.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(1..3).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte;
        (byte, rest) = match (first, after.first()) {
            (b'\\', Some(b'x')) => (u8::from_str_radix(hex.unwrap(), 16).unwrap(), &after[3..]),
            (b'\\', Some(&escaped)) => (escaped, &after[1..]),
            _ => (first, after),
        };
        bytes.push(byte);
    }
    bytes
}

/// SplitMix64: numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % limit as u64).unwrap()
    }

    fn choice<'c, T>(&mut self, of: &'c [T]) -> &'c T {
        &of[self.below(of.len())]
    }

    /// A part of an input.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..(start + self.below(32) + 1).min(length)
    }
}

fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], tokens: &[Vec<u8>], random: &mut Random) {
    let at = random.below(input.len() + 1);
    match random.below(7) {
        0 | 1 => drop(input.splice(at..at, random.choice(tokens).iter().copied())),
        2 => drop(input.drain(random.range(input.len()))),
        3 => {
            let part = input[random.range(input.len())].to_vec();
            input.splice(at..at, part);
        }
        4 => {
            let other = random.choice(corpus);
            let part = other[random.range(other.len())].to_vec();
            input.splice(at..at, part);
        }
        5 => input.insert(at, u8::try_from(random.below(256)).unwrap()),
        _ => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
    }
    input.truncate(MAX_BYTES);
}
