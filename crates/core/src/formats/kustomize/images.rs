//! `images`: which images an entry is for, and what it makes of them, as kustomize's
//! `api/internal/image` and `api/filters/imagetag` have it.

/// An entry of `images`.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry<'n> {
    pub(super) name: &'n str,
    pub(super) new_name: Option<&'n str>,
    pub(super) new_tag: Option<&'n str>,
    pub(super) tag_suffix: Option<&'n str>,
    pub(super) digest: Option<&'n str>,
}

impl Entry<'_> {
    /// Whether the entry is for an image: its name, then a tag, then a digest.
    ///
    /// kustomize reads `name` as a regular expression. Of those only the dot is seen
    /// in names; one with anything else in it is for nothing here.
    pub(super) fn is_for(&self, image: &str) -> bool {
        let name = self.name.as_bytes();
        let Some((start, rest)) = image.as_bytes().split_at_checked(name.len()) else { return false };
        let same = name.iter().zip(start).all(|(name, byte)| name == byte || *name == b'.');
        let Ok(mut rest) = std::str::from_utf8(rest) else { return false };
        if let Some(tag) = rest.strip_prefix(':') {
            rest = tag.trim_start_matches(is_of_tag);
        }
        if let Some(digest) = rest.strip_prefix('@') {
            let algorithm = digest.find(':').unwrap_or(0);
            let known = digest[..algorithm]
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".+_-".contains(&byte));
            rest = match algorithm > 0 && known {
                true => digest[algorithm + 1..].trim_start_matches(is_of_tag),
                false => digest,
            };
        }
        !name.is_empty() && same && rest.is_empty()
    }

    /// What the entry makes of an image.
    pub(super) fn rewritten(&self, image: &str) -> String {
        let (name, tag, digest) = split(image);
        let mut made = self.new_name.unwrap_or(name).to_owned();
        let (tag, digest) = match (self.new_tag, self.digest, self.tag_suffix) {
            (Some(tag), digest, _) => (tag.to_owned(), digest.unwrap_or_default()),
            (None, Some(digest), _) => (String::new(), digest),
            (None, None, Some(suffix)) => (format!("{tag}{suffix}"), ""),
            (None, None, None) => (tag.to_owned(), digest),
        };
        if !tag.is_empty() {
            made.push(':');
            made.push_str(&tag);
        }
        if !digest.is_empty() {
            made.push('@');
            made.push_str(digest);
        }
        made
    }
}

fn is_of_tag(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '{' | '}' | '-')
}

/// Name, tag and digest, each empty when it is not there.
fn split(image: &str) -> (&str, &str, &str) {
    let host = image.find('/').filter(|slash| *slash > 0).unwrap_or(0);
    let find = |mark: char| image[host..].find(mark).map(|at| host + at);
    match (find('@'), find(':')) {
        (None, None) => (image, "", ""),
        (Some(at), colon) if colon.is_none_or(|colon| at < colon) => (&image[..at], "", &image[at + 1..]),
        (Some(at), Some(colon)) => (&image[..colon], &image[colon + 1..at], &image[at + 1..]),
        (_, Some(colon)) => (&image[..colon], &image[colon + 1..], ""),
        (Some(at), None) => (&image[..at], "", &image[at + 1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_for_the_name_with_any_tag_and_digest() {
        let entry = |name| Entry { name, ..Entry::default() };
        for image in ["nginx", "nginx:1", "nginx@sha256:00", "nginx:1@sha256:00", "nginx:{tag}"] {
            assert!(entry("nginx").is_for(image), "{image}");
        }
        for image in ["x/nginx", "nginx2", "nginx/x", "nginx:1/x", "nginx@x", "ngin"] {
            assert!(!entry("nginx").is_for(image), "{image}");
        }
        assert!(entry("localhost:5000/a.b").is_for("localhost:5000/a.b:1"));
        assert!(!entry("").is_for(":1"));
        assert!(!entry("ngin.*").is_for("nginx"));
    }

    #[test]
    fn a_digest_takes_the_place_of_the_tag() {
        let entry = Entry { name: "a", digest: Some("sha256:1"), ..Entry::default() };
        assert_eq!(entry.rewritten("a:1"), "a@sha256:1");
        let entry = Entry { new_name: Some("b/c"), ..Entry::default() };
        assert_eq!(entry.rewritten("host:1/a:1@sha256:0"), "b/c:1@sha256:0");
        let entry = Entry { new_tag: Some("2"), ..Entry::default() };
        assert_eq!(entry.rewritten("host:1/a@sha256:0"), "host:1/a:2");
        let entry = Entry { new_tag: Some("2"), digest: Some("sha256:1"), ..Entry::default() };
        assert_eq!(entry.rewritten("a"), "a:2@sha256:1");
        let entry = Entry { tag_suffix: Some("-x"), ..Entry::default() };
        assert_eq!(entry.rewritten("a:1"), "a:1-x");
    }
}
