//! The reader of GitHub Actions: whatever the text of a workflow that an action and
//! itself call, it ends, and every place that it names is a place in its file.

use super::check_tree;

/// One text as a workflow, as an action and as a workflow that may call both.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    check_tree(&[
        (".github/workflows/a.yml", &text),
        (".github/workflows/b.yml", CALLER),
        ("a/action.yml", &text),
    ]);
}

/// Calls the others, so that their inputs have values.
const CALLER: &str = "jobs:
  a:
    uses: ./.github/workflows/a.yml
    with: {image: '${{ matrix.image }}'}
    strategy: {matrix: {image: ['alpine:3', busybox]}}
  b:
    steps: [{uses: ./a, with: {image: debian}}]
";
