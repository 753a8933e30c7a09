//! The readers of Kubernetes manifests and kustomizations: whatever the bytes, they
//! return, and every place that they name is a place in the file.

use fromguard_core::formats;
use fromguard_core::formats::Files;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;
use fromguard_core::source::Tree;

use super::check_span;
use super::dockerfile::check_use;

/// The same bytes as a manifest, as JSON and as a kustomization that is built from
/// that manifest.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let paths = ["a.yaml", "a.json", "kustomization.yaml"].map(RepoPath::new);
    let tree: Tree = paths.iter().cloned().collect();
    for path in &paths {
        let file = SourceFile::new(path.clone(), &*text);
        let known = |_: &RepoPath| Some(Content::Text((&*text).into()));
        for (format, _) in formats::formats_for(path) {
            let extracted = format.extract(&file, &mut Files::new(&known).with_tree(Some(&tree)));
            for usage in &extracted.uses {
                if usage.file == *path {
                    check_use(&file, usage);
                }
            }
            for problem in &extracted.problems {
                check_span(&file, problem.at.span);
                assert!(!problem.message.is_empty());
            }
            let again = format.extract(&file, &mut Files::new(&known).with_tree(Some(&tree)));
            assert_eq!(extracted, again, "the same file is read the same way");
        }
    }
}
