//! How fast trees of YAML are read: 10,000 files of the kinds that repositories hold,
//! and inputs of 1 MiB that could be slow, each of which has to end in a fifth of a second.
//!
//! `cargo bench -p fromguard_core --bench manifests`; with `TREE=FOLDER` also all the
//! YAML files of a folder.

#[path = "manifests/shapes.rs"]
mod shapes;

use std::sync::Arc;

use divan::Bencher;
use divan::counter::BytesCount;
use divan::counter::ItemsCount;

use fromguard_core::scan::Scan;
use fromguard_core::scan::Scanned;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;

// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
        let contents = wanted.into_iter().map(|path| {
            let text = texts.get(&path).map(|text| Content::Text(Arc::clone(text)));
            (path, text.unwrap_or(Content::Missing))
        });
        scan.feed_all(contents.collect::<Vec<_>>(), &|count, task| (0..count).for_each(task));
    }
}

const DEPLOYMENT: &str = include_str!("manifests/deployment.txt");
const SERVICE: &str = include_str!("manifests/service.txt");
const DATA: &str = include_str!("manifests/data.txt");

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

/// The variable that names a folder of YAML files that are not in this repository.
const FOLDER: &str = "TREE";

/// What people wrote.
#[divan::bench(ignore = std::env::var_os(FOLDER).is_none(), sample_count = 20)]
fn folder(bencher: Bencher<'_, '_>) {
    let root = std::path::PathBuf::from(std::env::var_os(FOLDER).expect("a folder"));
    let mut files = Files::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if let (Ok(text), Ok(path)) = (std::fs::read_to_string(&path), path.strip_prefix(&root)) {
                files.push((RepoPath::new(&path.to_string_lossy()), text.into()));
            }
        }
    }
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| scan(&files));
}

#[divan::bench(args = shapes::NAMES, sample_count = 5)]
fn one_mib(bencher: Bencher<'_, '_>, name: &str) {
    let files = shapes::shape(name);
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| scan(&files));
}
