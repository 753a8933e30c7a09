//! How fast Dockerfiles are read: written ones in bytes a second, and files of
//! 1 MiB of every shape that could be slow, each of which has to stay linear.
//!
//! `cargo bench -p fromguard_core --bench dockerfile`; with `DOCKERFILES=FOLDER` also
//! all the files of a folder, one after the other.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::BytesCount;

use fromguard_core::formats;
use fromguard_core::formats::Extracted;
use fromguard_core::formats::Files;
use fromguard_core::source::MAX_FILE_BYTES;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;

// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// What people write, each file a kind of its own. `dense.txt` has everything at
/// once and hardly any plain text between.
const FILES: [(&str, &str); 5] = [
    ("service", include_str!("dockerfiles/service.txt")),
    ("stages", include_str!("dockerfiles/stages.txt")),
    ("arguments", include_str!("dockerfiles/arguments.txt")),
    ("heredocs", include_str!("dockerfiles/heredocs.txt")),
    ("dense", include_str!("dockerfiles/dense.txt")),
];

fn extract(file: &SourceFile) -> Extracted {
    let (format, _) = formats::formats_for(file.path()).next().expect("a Dockerfile");
    format.extract(file, &mut Files::new(&|_| None))
}

fn measure(bencher: Bencher<'_, '_>, text: &str) {
    let path = RepoPath::new("Dockerfile");
    let text: Arc<str> = text.into();
    bencher
        .counter(BytesCount::of_str(&*text))
        .bench_local(|| extract(&SourceFile::new(path.clone(), Arc::clone(&text))));
}

/// `line` over and over, to the largest file that is read.
fn filled(start: &str, line: impl Fn(usize) -> String, end: &str) -> String {
    let limit = usize::try_from(MAX_FILE_BYTES).expect("1 MiB");
    let mut text = start.to_owned();
    for index in 0.. {
        let line = line(index);
        if text.len() + line.len() + end.len() > limit {
            break;
        }
        text.push_str(&line);
    }
    text + end
}

#[divan::bench(args = FILES.map(|(name, _)| name))]
fn file(bencher: Bencher<'_, '_>, name: &str) {
    let text = FILES.iter().find(|(file, _)| *file == name).map(|(_, text)| *text);
    measure(bencher, text.expect("one of the files"));
}

/// All of them, one after the other.
#[divan::bench]
fn files(bencher: Bencher<'_, '_>) {
    let path = RepoPath::new("Dockerfile");
    let texts = FILES.map(|(_, text)| Arc::<str>::from(text));
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        texts.each_ref().map(|text| extract(&SourceFile::new(path.clone(), Arc::clone(text))))
    });
}

/// The variable that names a folder of Dockerfiles that are not in this repository.
const FOLDER: &str = "DOCKERFILES";

/// What people wrote.
#[divan::bench(ignore = std::env::var_os(FOLDER).is_none())]
fn folder(bencher: Bencher<'_, '_>) {
    let folder = std::env::var_os(FOLDER).expect("a folder");
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let texts: Vec<Arc<str>> =
        entries.filter_map(|path| std::fs::read_to_string(path).ok()).map(Into::into).collect();
    let path = RepoPath::new("Dockerfile");
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        texts
            .iter()
            .map(|text| extract(&SourceFile::new(path.clone(), Arc::clone(text))).uses.len())
            .sum::<usize>()
    });
}

#[divan::bench]
fn scripts(bencher: Bencher<'_, '_>) {
    let run = "RUN apt-get update && apt-get install -y --no-install-recommends curl git \\\n";
    let more = "    && curl -fsSL https://example.com/install.sh | sh -s -- --prefix /usr/local \\\n";
    let line = format!("{run}{}    && rm -rf /var/lib/apt/lists/*\n# next\n", more.repeat(10));
    measure(bencher, &filled("FROM debian:13\n", |_| line.clone(), ""));
}

#[divan::bench(args = [
    "continuations", "blank continuations", "arguments", "chained arguments", "one value many times", "stages", "chained stages",
    "unknown bases", "platforms", "targets", "copies", "mounts", "heredocs", "open heredocs", "quotes", "nested", "patterns", "words", "json", "errors", "triggers",
])]
fn worst(bencher: Bencher<'_, '_>, shape: &str) {
    let text = match shape {
        "continuations" => filled("FROM a\nRUN x \\\n", |_| " \\\n".into(), ""),
        "blank continuations" => filled("FROM a\nRUN x \\\n", |_| "\n".into(), ""),
        "arguments" => filled("", |i| format!("ARG A{i}\n"), "FROM a\n"),
        "chained arguments" => filled("ARG A0=a\n", |i| format!("ARG A{}=${{A{i}}}\n", i + 1), "FROM $A9\n"),
        "one value many times" => {
            filled(&format!("ARG A={}\n", "a".repeat(60_000)), |_| "ARG B=$A\n".into(), "FROM a\n")
        }
        "stages" => filled("", |i| format!("FROM a{i}\n"), ""),
        "chained stages" => filled("FROM a AS s0\n", |i| format!("FROM s{i} AS s{}\n", i + 1), ""),
        "unknown bases" => filled("ARG X\n", |i| format!("FROM a$X AS a{i}\n"), ""),
        "platforms" => filled("", |i| format!("FROM a{i}:$BUILDARCH-$TARGETARCH\n"), ""),
        "targets" => filled("", |i| format!("FROM a:$TARGETSTAGE-$TARGETARCH AS a{i}\n"), ""),
        "copies" => filled("FROM a\n", |i| format!("COPY --from=a{i} / /\n"), ""),
        "mounts" => filled("FROM a\nRUN", |_| " --mount=from=a".into(), " x\n"),
        "heredocs" => filled("FROM a\n", |_| "RUN <<E\nE\n".into(), ""),
        "open heredocs" => filled("# syntax=docker/dockerfile:1.0\nFROM a\n", |_| "RUN <<E\n".into(), ""),
        "quotes" => filled("FROM a\nRUN <<", |_| "\"'\"'".into(), "\n"),
        "nested" => filled("FROM ", |_| "${A:-".into(), "\n"),
        "patterns" => filled(
            &format!("ARG A={}\n", "a".repeat(60_000)),
            |_| "ARG B=${A//*a*a*a*b/}\n".into(),
            "FROM a\n",
        ),
        "words" => filled("FROM a\nENV", |_| " a=b".into(), "\n"),
        "json" => filled("FROM a\nRUN [", |_| "\"a\",".into(), "\"a\"]\n"),
        "errors" => filled("", |_| "F\n".into(), ""),
        "triggers" => filled("FROM a AS b\n", |_| "ONBUILD RUN --mount=from=x y\n".into(), "FROM b\n"),
        other => unreachable!("{other}"),
    };
    measure(bencher, &text);
}
