//! How fast scripts are read: a written one in bytes a second, and texts of 1 MiB of
//! every shape that could be slow, each of which has to stay linear.
//!
//! `cargo bench -p fromguard_core --bench shell`

use std::sync::Arc;

use divan::Bencher;
use divan::counter::BytesCount;

use fromguard_core::formats;
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

fn measure(bencher: Bencher<'_, '_>, name: &str, text: &str) {
    let path = RepoPath::new(name);
    let text: Arc<str> = text.into();
    bencher.counter(BytesCount::of_str(&*text)).bench_local(|| {
        let (format, _) = formats::formats_for(&path).next().expect("a script");
        format.extract(&SourceFile::new(path.clone(), Arc::clone(&text)), &mut Files::new(&|_| None))
    });
}

/// `part` over and over behind a command that has to be looked at, to the largest file that is read.
fn filled(part: impl Fn(usize) -> String) -> String {
    let limit = usize::try_from(MAX_FILE_BYTES).expect("1 MiB");
    let mut text = "docker pull a\n".to_owned();
    for index in 0.. {
        let part = part(index);
        if text.len() + part.len() > limit {
            break;
        }
        text.push_str(&part);
    }
    text
}

const WRITTEN: &str = r#"set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
IMAGE="${IMAGE:-ghcr.io/acme/builder:1.2}"
build() {
  local target=$1
  docker build --pull -t "$IMAGE" --build-arg BASE=debian:13 -f "$ROOT/Dockerfile" "$ROOT"
  docker run --rm -v "$ROOT:/src" -w /src "$IMAGE" make "$target"
}
for target in test lint; do
  if [[ -n "${CI:-}" ]]; then
    echo "building $target"
  fi
  build "$target"
done
"#;

#[divan::bench]
fn written(bencher: Bencher<'_, '_>) {
    measure(bencher, "a.sh", WRITTEN);
}

#[divan::bench(args = [
    "commands", "images", "arrays", "substitutions", "backquotes", "double quotes", "single quotes", "mixed quotes", "heredocs", "open heredocs",
    "arithmetic", "expansions", "indexes", "parentheses", "braces", "blocks", "branches", "cases", "functions", "assignments", "doubling",
    "one value many times", "options", "wrappers", "scripts", "quoted scripts", "piped scripts", "globs", "words", "pieces",
    "appended arrays", "long array", "many names", "many values", "choices", "builds", "calls",
    "different elements", "chosen arrays", "wide case", "wide loop", "loops in loops", "functions in functions",
    "calls of functions", "here-strings", "evals", "shells in shells", "pipeline", "printed scripts", "folders",
    "build arguments", "local images", "long names", "conjunctions",
])]
fn worst(bencher: Bencher<'_, '_>, shape: &str) {
    let text = match shape {
        "commands" => filled(|_| "x y z\n".into()),
        "images" => filled(|index| format!("docker pull a{index}\n")),
        "arrays" => filled(|_| "a=(".into()),
        "substitutions" => filled(|_| "$(".into()),
        "backquotes" => filled(|_| "`a ".into()),
        "double quotes" => filled(|_| "\"$(\"".into()),
        "single quotes" => filled(|_| "' ".into()),
        "mixed quotes" => filled(|_| "\"'\"' ".into()),
        "heredocs" => filled(|_| "cat <<E\n$(\nE\n".into()),
        "open heredocs" => filled(|index| format!("cat <<E{index}\n")),
        "arithmetic" => filled(|_| "$((".into()),
        "expansions" => filled(|_| "${a:-".into()),
        "indexes" => filled(|_| "${a[".into()),
        "parentheses" => filled(|_| "((".into()),
        "braces" => filled(|_| "{ ".into()),
        "blocks" => filled(|index| format!("if A{index}=1\n")),
        "branches" => filled(|index| format!("if a; then A{index}=1; else A=2; fi\n")),
        "cases" => filled(|_| "case a in b) ".into()),
        "functions" => filled(|index| format!("f{index}() {{ A=$A; docker pull $A; }}\n")),
        "assignments" => filled(|index| format!("A{}=$A{index}x\n", index + 1)),
        "doubling" => filled(|_| "A=$A$A; docker pull $A\n".into()),
        "one value many times" => {
            format!("A={}\n{}", "a ".repeat(30_000), filled(|_| "docker pull $A\n".into()).split_off(70_000))
        }
        "options" => filled(|_| " docker run -e a=b".into()),
        "wrappers" => filled(|_| "sudo xargs bash -c ".into()),
        "scripts" => filled(|_| "bash -c \"docker pull $a\"\n".into()),
        "quoted scripts" => filled(|_| "bash -c 'docker pull a'\n".into()),
        "piped scripts" => filled(|index| match index {
            0 => format!("bash <<E{}\n{}E\n", " | bash".repeat(50_000), "docker pull $a\n".repeat(30_000)),
            _ => "docker pull a\n".into(),
        }),
        "globs" => filled(|_| "@(".into()),
        "words" => filled(|_| "docker ".into()),
        "pieces" => "docker pull x".to_owned() + &filled(|_| "\\a$b".into()).split_off(16),
        "appended arrays" => filled(|_| "a+=(b)\n".into()),
        "long array" => {
            format!(
                "a=({})\n{}",
                "b ".repeat(4000),
                filled(|_| "docker pull ${a[@]}\n".into()).split_off(10_000)
            )
        }
        "many names" => format!(
            "{}{}{}docker pull $A1\n",
            "if a; then\n".repeat(64),
            filled(|index| format!("A{index}=\n")).split_off(2000),
            "fi\n".repeat(64)
        ),
        "many values" => format!(
            "for i in {}; do\n{}",
            "a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7 8 9 ",
            filled(|_| "A=$i$i; docker pull $i:$A\n".into()).split_off(200)
        ),
        "choices" => format!(
            "if a; then A=; else A=-i; fi\n{}",
            filled(|_| "docker run $A $A $A $A $A $A $A b\n".into()).split_off(100)
        ),
        "builds" => filled(|index| format!("docker build -f a{index} .\n")),
        "calls" => format!(
            "if a; then A=; else A=-i; fi\ndocker run {}",
            filled(|_| "$A $B$A ".into()).split_off(100)
        ),
        "different elements" => format!(
            "a=({})\n{}",
            (0..4000).map(|number| format!("b{number} ")).collect::<String>(),
            filled(|_| "docker pull ${a[@]}\n".into()).split_off(30_000)
        ),
        "chosen arrays" => format!(
            "if a; then X=a; else X='b c'; fi\n{}",
            filled(|_| "a=($X $X $X)\ndocker pull \"${a[@]}\"\n".into()).split_off(200)
        ),
        "wide case" => format!(
            "case $x in\n{}esac\ndocker pull $A $B\n",
            filled(|index| format!("v{index}) A=i{index}; B=$A ;;\n")).split_off(100)
        ),
        "wide loop" => format!(
            "for i in {}; do docker pull $i; done\n",
            filled(|index| format!("v{index} ")).split_off(100)
        ),
        "loops in loops" => {
            filled(|index| format!("for i{index} in a b; do A=$A$i{index}; docker pull $A\n"))
        }
        "functions in functions" => filled(|index| format!("f{index}() {{ X=a{index}; docker pull $X$Y\n")),
        "calls of functions" => {
            filled(|index| format!("f{index}() {{ f{}; docker run $X$Y; X=a{index}; }}\n", index + 1))
        }
        "here-strings" => filled(|_| "bash <<< \"docker pull $a\"\n".into()),
        "evals" => filled(|_| "A='docker pull x'; eval $A\n".into()),
        "shells in shells" => filled(|_| "sh -c \"sh -c 'docker pull a'\"; ".into()),
        "pipeline" => format!("docker pull a {} | bash", filled(|_| "| cat -n ".into()).split_off(30)),
        "printed scripts" => filled(|_| "echo \"docker pull a\" | bash\n".into()),
        "folders" => filled(|index| format!("cd a{index}; docker build .\n")),
        "build arguments" => format!(
            "for i in {}; do\n{}",
            (0..60).map(|number| format!("v{number} ")).collect::<String>(),
            filled(|_| "docker build --build-arg A=$i --build-arg B=$i .\n".into()).split_off(500)
        ),
        "local images" => filled(|index| format!("docker build -t a{index} .; docker run a{index}\n")),
        "long names" => filled(|_| "docker build -t $A$B$C$D$E$F .; docker run $A$B$C$D$E$F$G\n".into()),
        "conjunctions" => filled(|index| format!("A=a{index} && docker pull $A && ")),
        other => unreachable!("{other}"),
    };
    measure(bencher, "a.sh", &text);
}

#[divan::bench(args = [
    "recipes", "doubling", "one value many times", "open references", "variables", "chains", "one name", "shells",
    "shells in shells", "functions", "functions in functions",
])]
fn makefile(bencher: Bencher<'_, '_>, shape: &str) {
    let text = match shape {
        "recipes" => filled(|_| "a:\n\tdocker run $(A)\n".into()),
        "doubling" => {
            filled(|index| format!("A{} = $(A{index}) $(A{index})\n", index + 1))
                + "a:\n\tdocker run $(A20)\n"
        }
        "one value many times" => format!(
            "A = {}\na:\n{}",
            "a ".repeat(30_000),
            filled(|_| "\tdocker run $(A)\n".into()).split_off(70_000)
        ),
        "open references" => format!("a:\n\tdocker {}", filled(|_| "$(".into())),
        "variables" => rules(|index| format!("V{index} = a{index}\n"), |index| format!("$(V{index})")),
        "chains" => rules(
            |index| format!("V{index} = a:$(V{})\n", index.saturating_sub(1)),
            |index| format!("x$(V{index})"),
        ),
        "one name" => rules(|index| format!("ifdef X\nV = a{index}\nendif\n"), |_| "$(V)".into()),
        "shells" => filled(|_| "A := $(shell docker run a)\n".into()),
        "shells in shells" => {
            format!("A := {}{}", "$(shell docker run ".repeat(40_000), ")".repeat(40_000))
        }
        "functions" => "a:\n".to_owned() + &filled(|_| "\t$(if $(X),docker run a,docker run b)\n".into()),
        "functions in functions" => {
            format!("a:\n\t{}{}", "$(if docker run a,".repeat(50_000), ")".repeat(50_000))
        }
        other => unreachable!("{other}"),
    };
    measure(bencher, "Makefile", &text);
}

/// 20,000 variables, and 15,000 recipes that use them.
fn rules(definition: impl Fn(usize) -> String, value: impl Fn(usize) -> String) -> String {
    let definitions: String = (0..20_000).map(definition).collect();
    let recipes = (0..15_000).map(|index| format!("t{index}:\n\tdocker run {}\n", value(index)));
    definitions + &recipes.collect::<String>()
}

#[divan::bench(args = ["recipes", "variables", "script", "continued"])]
fn justfile(bencher: Bencher<'_, '_>, shape: &str) {
    let text = match shape {
        "recipes" => filled(|index| format!("a{index}:\n  docker run {{{{x}}}}\n")),
        "variables" => {
            let variables: String = (0..20_000).map(|index| format!("v{index} := 'a{index}'\n")).collect();
            let recipes = (0..15_000).map(|index| format!("t{index}:\n  docker run {{{{v{index}}}}}\n"));
            variables + &recipes.collect::<String>()
        }
        "script" => format!("a:\n  #!/bin/bash\n  {}", filled(|_| "  docker run {{x}}\n".into())),
        "continued" => format!("a:\n  {}", filled(|_| "  docker run a \\\n".into())),
        other => unreachable!("{other}"),
    };
    measure(bencher, "justfile", &text);
}
