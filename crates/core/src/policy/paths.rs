//! Path globs of the policy language: relative to the root of the repository,
//! `*` inside a segment, `**` across segments, case-sensitive, dotfiles included.

use crate::image::glob_matches;
use crate::source::RepoPath;

/// A checked path glob.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct PathGlob {
    segments: Vec<String>,
}

impl PathGlob {
    /// Reads a glob; the error is what is wrong and what to write.
    pub(super) fn parse(text: &str) -> Result<PathGlob, (String, String)> {
        let no = |message: &str, help: String| Err((message.to_owned(), help));
        if let Some(rest) = text.strip_prefix('/') {
            return no("paths are relative to the root of the repository", format!("write `{rest}`"));
        }
        if let Some(rest) = text.strip_prefix('!') {
            return no(
                "a path cannot be negated with `!`",
                format!("list what is meant, not what is not (`{rest}`)"),
            );
        }
        if text.ends_with('/') {
            return no("a path names files, not a folder", format!("write `{text}**` for everything in it"));
        }
        if text.contains(['?', '[', ']', '{', '}', '\\']) {
            return no(
                "the only wildcards in paths are `*` and `**`",
                "write one glob for each alternative".to_owned(),
            );
        }
        let segments: Vec<String> = text.split('/').map(str::to_owned).collect();
        if segments.iter().any(|segment| matches!(segment.as_str(), "" | "." | "..")) {
            return no(
                "a path has no empty, `.` or `..` segment",
                "write the path from the root of the repository".to_owned(),
            );
        }
        if segments.iter().any(|segment| segment.contains("**") && segment != "**") {
            return no(
                "`**` stands for whole segments",
                "write `**/` before, or `*` inside a segment".to_owned(),
            );
        }
        Ok(PathGlob { segments })
    }

    /// Whether it matches a whole path. `**` matches no segment too, so that
    /// `**/testdata/**` matches `testdata/a`; at the end it needs one.
    pub(super) fn matches(&self, path: &RepoPath) -> bool {
        let path = path.as_str();
        // The next glob, and where the next segment of the path begins: `None` after the last.
        let (mut g, mut at) = (0, Some(0));
        let mut stars: Option<(usize, usize)> = None;
        while let Some(start) = at {
            let (segment, next) = segment_at(path, start);
            match self.segments.get(g).map(String::as_str) {
                Some("**") => {
                    g += 1;
                    if g == self.segments.len() {
                        return true;
                    }
                    stars = Some((g, start));
                }
                Some(glob) if glob_matches(glob, segment) => {
                    g += 1;
                    at = next;
                }
                _ => {
                    let Some((after, from)) = stars else { return false };
                    let Some(next) = segment_at(path, from).1 else { return false };
                    stars = Some((after, next));
                    g = after;
                    at = Some(next);
                }
            }
        }
        g == self.segments.len()
    }
}

/// The segment of a path that begins at a byte, and where the next one begins.
fn segment_at(path: &str, start: usize) -> (&str, Option<usize>) {
    match path.as_bytes()[start..].iter().position(|byte| *byte == b'/') {
        Some(length) => (&path[start..start + length], Some(start + length + 1)),
        None => (&path[start..], None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_paths() {
        let check = |glob: &str, path: &str| {
            PathGlob::parse(glob).expect("the glob is valid").matches(&RepoPath::new(path))
        };
        for (glob, path) in [
            ("**/testdata/**", "testdata/Dockerfile"),
            ("**/testdata/**", "a/b/testdata/c/Dockerfile"),
            ("services/**/Dockerfile*", "services/Dockerfile"),
            ("services/**/Dockerfile*", "services/a/b/Dockerfile.dev"),
            ("*", "Dockerfile"),
            ("**", ".github/a"),
            ("a/*/c", "a/.b/c"),
            ("**/a/**/b", "x/a/y/a/z/b"),
        ] {
            assert!(check(glob, path), "{glob} {path}");
        }
        for (glob, path) in [
            ("**/testdata/**", "testdata"),
            ("**/testdata/**", "mytestdata/Dockerfile"),
            ("services/**/Dockerfile*", "other/services/Dockerfile"),
            ("*", "a/Dockerfile"),
            ("a/*/c", "a/c"),
            ("A/b", "a/b"),
            ("a/**", "a"),
        ] {
            assert!(!check(glob, path), "{glob} {path}");
        }
    }

    #[test]
    fn what_is_no_glob_says_what_to_write() {
        for (glob, help) in [
            ("/a", "write `a`"),
            ("!a", "list what is meant, not what is not (`a`)"),
            ("a/", "write `a/**` for everything in it"),
            ("a/../b", "write the path from the root of the repository"),
            ("a/**.yml", "write `**/` before, or `*` inside a segment"),
            ("a/[bc]", "write one glob for each alternative"),
        ] {
            assert_eq!(PathGlob::parse(glob).expect_err(glob).1, help);
        }
    }
}
