//! The reader of GitLab CI: whatever the text of a pipeline and of what it includes,
//! it ends, and every place that it names is a place in its file.

use super::check_tree;

/// One text as the first file, as an included one, and as one that stands alone.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    check_tree(&[
        (".gitlab-ci.yml", &text),
        ("ci/a.yml", &text),
        ("other/.gitlab-ci.yml", "include: [.gitlab-ci.yml, 'ci/*.yml']\nvariables: {A: '1'}\n"),
        (".gitlab/b.yml", &text),
    ]);
}
