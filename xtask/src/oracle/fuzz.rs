//! Compares made-up Dockerfiles until there are enough of them.

use std::fs;
use std::fs::OpenOptions;
use std::io::IsTerminal;
use std::io::Write;
use std::ops::Range;
use std::panic::catch_unwind;
use std::time::Instant;

use anyhow::bail;

use crate::oracle::answer::Answer;
use crate::oracle::cases;
use crate::oracle::cases::Case;
use crate::oracle::conformance;
use crate::oracle::generate::Generator;
use crate::oracle::golden;
use crate::oracle::program::Program;
use crate::oracle::references;
use crate::oracle::rule;
use crate::oracle::shrink::shrink;

/// How many are made before they are asked about together.
const ROUND: u64 = 1024;
/// How many differences are shrunk and kept before the run gives up.
const ENOUGH: usize = 25;
/// How many differences of a kind are kept: more teach nothing.
const ENOUGH_OF_A_KIND: usize = 3;

/// Compares `count` texts made from `seed` on; text number n of a seed is
/// always the same. Differences are shrunk and written to `found.cases`.
pub(crate) fn run(program: &mut Program, count: u64, seed: u64) -> anyhow::Result<()> {
    let samples =
        golden::dockerfiles()?.into_iter().flat_map(|(_, cases)| cases).map(|case| case.text).collect();
    let generator = Generator::new(samples, golden::references()?.1);
    let started = Instant::now();
    let mut found: Vec<Case> = Vec::new();
    let (mut built, mut images, mut different) = (0u64, 0u64, 0u64);
    let mut done = 0;
    while done < count && found.len() < ENOUGH {
        let round = ROUND.min(count - done);
        let cases: Vec<Case> = (done..done + round).map(|number| generator.case(seed, number)).collect();
        for (case, answer) in cases.iter().zip(program.cases(&cases)?) {
            built += u64::from(builds(&answer));
            images += answer.default.images.len() as u64 + answer.others.images.len() as u64;
            let differences = differences(case, &answer);
            let Some(first) = differences.first() else { continue };
            different += 1;
            let kind = kind(first);
            let known = found.iter().filter(|known| self::kind(&known.about) == kind).count();
            if found.len() < ENOUGH && known < ENOUGH_OF_A_KIND {
                let smallest = smallest(program, case, &kind)?;
                if found.iter().all(|known| known.text != smallest.text) {
                    println!("\n{}", cases::write(&Case { name: case.name.clone(), ..smallest.clone() }));
                    found.push(Case { name: case.name.clone(), ..smallest });
                }
            }
        }
        different += references(program, &generator, seed, done..done + round)?;
        done += round;
        progress(done, count, built, images, different, started);
    }
    eprintln!();
    if different == 0 {
        println!(
            "{count} Dockerfiles and as many references from seed {seed}, {built} of which BuildKit builds: no difference"
        );
        return Ok(());
    }
    let path = conformance().join("dockerfile/found.cases");
    let known = fs::read_to_string(&path).unwrap_or_default();
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    for case in found.iter().filter(|case| !known.contains(&format!("=== {}\n", case.name))) {
        write!(file, "\n{}", cases::write(case))?;
    }
    bail!("{different} of {done} differ; {} are kept in {}", found.len(), path.display());
}

/// How the two disagree about a text, and what is wrong with our reading of it.
fn differences(case: &Case, answer: &Answer) -> Vec<String> {
    let text = &case.text;
    if !case.is_alone() {
        return catch_unwind(|| rule::compare_given(case, answer))
            .unwrap_or_else(|_| vec!["fromguard panics".to_owned()]);
    }
    match catch_unwind(|| rule::extract(text)) {
        Ok(ours) => {
            let mut found = rule::compare(text, answer, &ours).differences;
            found.extend(rule::inconsistencies(text, &ours));
            found
        }
        Err(_) => vec!["fromguard panics".to_owned()],
    }
}

/// Compares as many references as Dockerfiles; how many differ.
fn references(
    program: &mut Program,
    generator: &Generator,
    seed: u64,
    numbers: Range<u64>,
) -> anyhow::Result<u64> {
    let texts: Vec<String> = numbers.map(|number| generator.reference(seed, number)).collect();
    let found: Vec<String> = program.references(&texts)?.iter().filter_map(references::difference).collect();
    for difference in &found {
        println!("\n{difference}");
    }
    Ok(found.len() as u64)
}

/// The smallest text with a difference of this kind, and what it is.
fn smallest(program: &mut Program, case: &Case, wanted: &str) -> anyhow::Result<Case> {
    let mut about = String::new();
    let text = shrink(&case.text, |text| {
        let case = Case { text: text.to_owned(), ..case.clone() };
        let Ok(answers) = program.cases(std::slice::from_ref(&case)) else { return false };
        let Some(found) =
            answers.iter().flat_map(|answer| differences(&case, answer)).find(|one| kind(one) == wanted)
        else {
            return false;
        };
        about = found;
        true
    });
    Ok(Case { about, text, ..case.clone() })
}

/// A difference without what it is about: images, names, texts, places.
fn kind(difference: &str) -> String {
    let mut quoted = false;
    let plain: String = difference
        .chars()
        .filter(|character| {
            quoted ^= *character == '"';
            !quoted && *character != '"' && !character.is_ascii_digit()
        })
        .collect();
    match plain.split_once("is content: ") {
        Some((before, _)) => before.to_owned(),
        None => plain.split("problem: ").next().unwrap_or_default().replace(", ", ""),
    }
}

fn builds(answer: &Answer) -> bool {
    answer.syntax.is_none() && answer.default.errors.is_empty()
}

fn progress(done: u64, count: u64, built: u64, images: u64, different: u64, started: Instant) {
    let seconds = started.elapsed().as_secs_f64().max(0.001);
    let line = format!(
        "{done} of {count} compared, {}% build, {images} images, {different} differences, {:.0} a second",
        built * 100 / done.max(1),
        done as f64 / seconds
    );
    if std::io::stderr().is_terminal() {
        eprint!("\r{line}  ");
    } else {
        eprintln!("{line}");
    }
}
