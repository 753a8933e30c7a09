//! How fast trees of YAML are read: 10,000 files of the kinds that repositories hold,
//! and files of 1 MiB that could be slow, each of which has to stay linear.
//!
//! `cargo bench -p fromguard_core --bench kubernetes`

use std::sync::Arc;

use divan::Bencher;
use divan::counter::BytesCount;
use divan::counter::ItemsCount;

use fromguard_core::scan::Scan;
use fromguard_core::scan::Scanned;
use fromguard_core::source::Content;
use fromguard_core::source::MAX_FILE_BYTES;
use fromguard_core::source::RepoPath;

fn main() {
    divan::main();
}

type Files = Vec<(RepoPath, Arc<str>)>;

fn scan(files: &Files) -> Scanned {
    let mut scan = Scan::of_tree(files.iter().map(|(path, _)| path.clone()).collect());
    let texts: std::collections::HashMap<&RepoPath, &Arc<str>> =
        files.iter().map(|(path, text)| (path, text)).collect();
    loop {
        let wanted = scan.wanted();
        if wanted.is_empty() {
            return scan.finish();
        }
        for path in wanted {
            let text = texts.get(&path).map(|text| Content::Text(Arc::clone(text)));
            scan.feed(&path, text.unwrap_or(Content::Missing));
        }
    }
}

const DEPLOYMENT: &str = include_str!("kubernetes/deployment.txt");
const SERVICE: &str = include_str!("kubernetes/service.txt");
const DATA: &str = include_str!("kubernetes/data.txt");

/// One folder in ten has a base and an overlay; of the files a fifth are workloads.
fn tree(count: usize) -> Files {
    let mut files = Files::new();
    for index in 0.. {
        let folder = format!("apps/{}/base", index / 10);
        let (name, text) = match index % 10 {
            0 | 1 => (format!("{folder}/deployment-{index}.yaml"), DEPLOYMENT.to_owned()),
            2..=4 => (format!("{folder}/service-{index}.yaml"), SERVICE.to_owned()),
            5 => (
                format!("{folder}/kustomization.yaml"),
                format!("resources: [deployment-{}.yaml]\n", index - 5),
            ),
            6 => (
                format!("apps/{}/prod/kustomization.yaml", index / 10),
                "resources: [../base]\nimages: [{name: nginx, newTag: '2'}]\n".to_owned(),
            ),
            _ => (format!("data/{}/{index}.yml", index / 100), DATA.to_owned()),
        };
        files.push((RepoPath::new(&name), text.into()));
        if files.len() == count {
            break;
        }
    }
    files
}

#[divan::bench(sample_count = 10)]
fn ten_thousand_files(bencher: Bencher<'_, '_>) {
    let files = tree(10_000);
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    bencher
        .counter(BytesCount::new(bytes))
        .counter(ItemsCount::new(files.len()))
        .bench_local(|| scan(&files));
}

fn filled(start: &str, line: impl Fn(usize) -> String) -> String {
    let limit = usize::try_from(MAX_FILE_BYTES).expect("1 MiB");
    let mut text = start.to_owned();
    for index in 0.. {
        let line = line(index);
        if text.len() + line.len() > limit {
            break;
        }
        text.push_str(&line);
    }
    text
}

/// Shapes of 1 MiB that could cost more than their length.
const SHAPES: [&str; 8] =
    ["workloads", "aliases", "merges", "strings", "templates", "parameters", "calls", "images"];

fn shape(name: &str) -> (&'static str, String) {
    let object = "apiVersion: v1\nkind: Pod\n";
    match name {
        "workloads" => ("a.yaml", filled("", |_| format!("---\n{DEPLOYMENT}"))),
        "aliases" => (
            "a.yaml",
            filled(&format!("{object}a0: &a0 [{{image: x}}]\n"), |at| {
                format!("a{0}: &a{0} [*a{at}, *a{at}]\n", at + 1)
            }),
        ),
        "merges" => {
            let base: String = (0..20_000).map(|at| format!("  k{at}: {{image: v}}\n")).collect();
            (
                "a.yaml",
                filled(&format!("{object}base: &base\n{base}containers:\n"), |_| {
                    "- {<<: *base}\n".to_owned()
                }),
            )
        }
        "strings" => (
            "a.yaml",
            filled("apiVersion: v1\nkind: ConfigMap\ndata:\n", |at| {
                format!(
                    "  a{at}: |\n    apiVersion: v1\n    kind: Pod\n    spec: {{containers: [{{image: x}}]}}\n"
                )
            }),
        ),
        "templates" => (
            "a.yaml",
            filled(&format!("{object}spec:\n  containers:\n"), |at| {
                format!("  {{{{ if {at} }}}}\n  - image: {{{{ a }}}}\n  {{{{ end }}}}\n")
            }),
        ),
        "parameters" => (
            "a.yaml",
            filled(
                "apiVersion: tekton.dev/v1\nkind: Task\nspec:\n  params: [{name: p, default: q}]\n  steps:\n",
                |_| "  - image: a/$(params.p):$(params.p)\n".to_owned(),
            ),
        ),
        "calls" => (
            "a.yaml",
            filled(
                "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n  templates:\n  - name: t\n    inputs: {parameters: [{name: p}]}\n    container: {image: '{{inputs.parameters.p}}'}\n  - name: main\n    steps:\n",
                |at| {
                    format!(
                        "    - - {{template: t, arguments: {{parameters: [{{name: p, value: a{at}}}]}}}}\n"
                    )
                },
            ),
        ),
        _ => ("kustomization.yaml", filled("images:\n", |at| format!("- {{name: a{at}, newTag: '1'}}\n"))),
    }
}

#[divan::bench(args = SHAPES, sample_count = 10)]
fn one_mib(bencher: Bencher<'_, '_>, name: &str) {
    let (path, text) = shape(name);
    let files: Files = vec![(RepoPath::new(path), text.into())];
    bencher.counter(BytesCount::new(files[0].1.len())).bench_local(|| scan(&files));
}
