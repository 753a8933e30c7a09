//! `replace` and `mirrors`: one name for another, `/**` on both sides or neither.

use super::diagnostic::Diagnostics;
use super::matcher::Hit;
use super::matcher::Matcher;
use super::reader::Entry;
use super::reader::Spanned;
use crate::image::ImageRef;
use crate::image::Pattern;
use crate::image::Specificity;
use crate::image::normal_host;
use crate::source::Location;
use crate::source::SourceFile;
use crate::source::Span;
use crate::yaml::Node;

/// One entry as it is written.
#[derive(Debug)]
pub(super) struct RewriteForm {
    pub(super) from: Spanned<Pattern>,
    pub(super) to: Spanned<Pattern>,
}

/// Reads the entries of `replace` or `mirrors`.
pub(super) fn read(node: Node<'_>, what: &str, out: &mut Diagnostics) -> Vec<RewriteForm> {
    let mut forms: Vec<RewriteForm> = Vec::new();
    let mut seen = std::collections::HashMap::new();
    for Entry { key, key_span, value } in out.named_entries(node, what) {
        let from = match Pattern::parse(key) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                super::form::pattern_error(key_span, error, out);
                None
            }
        };
        let to = out
            .text(value, &format!("the right side of {what}"))
            .and_then(|text| super::form::pattern(value, text, out));
        let (Some(from), Some(to)) = (from, to) else { continue };
        if let Some(first) = seen.insert(from.clone(), key_span) {
            let message = format!("`{from}` stands here twice, first on line {}", out.line(first));
            out.error(key_span, message, "keep one of them");
            continue;
        }
        let mut valid = true;
        for (pattern, span) in [(&from, key_span), (&to, value.span())] {
            if !pattern.is_name_only() {
                valid = false;
                out.error(
                    span,
                    format!("{what} rewrites names: the tag is kept"),
                    "write it without tag and digest",
                );
            }
            if !pattern.segments().iter().all(crate::image::Glob::is_literal) {
                valid = false;
                out.error(
                    span,
                    format!("{what} knows only a final `/**`, no `*` in a segment"),
                    "write one entry for each repository, or `/**` on both sides",
                );
            }
        }
        if to.host().subdomains {
            valid = false;
            out.error(
                value.span(),
                format!("the right side of {what} must be one place"),
                "write its host in full",
            );
        }
        if from.is_deep() != to.is_deep() {
            valid = false;
            out.error(
                value.span(),
                "`/**` stands on one side only",
                "write `/**` on both sides, or on neither",
            );
        }
        if from == to {
            valid = false;
            out.error(value.span(), "both sides are the same", "remove the entry");
        }
        if valid {
            forms.push(RewriteForm {
                from: Spanned { value: from, span: key_span },
                to: Spanned { value: to, span: value.span() },
            });
        }
    }
    forms
}

/// The rewrites of a file, indexed.
#[derive(Debug, Clone, Default)]
pub(super) struct Rewrites {
    entries: Vec<Rewrite>,
    matcher: Matcher,
}

#[derive(Debug, Clone)]
pub(super) struct Rewrite {
    pub(super) from: Pattern,
    pub(super) to: Pattern,
    pub(super) at: Location,
    key: Specificity,
}

impl Rewrites {
    pub(super) fn new(forms: Vec<RewriteForm>, file: &SourceFile) -> Rewrites {
        let mut rewrites = Rewrites::default();
        for form in forms {
            rewrites.matcher.insert(&form.from.value, rewrites.entries.len());
            rewrites.entries.push(Rewrite {
                key: form.from.value.specificity(),
                from: form.from.value,
                to: form.to.value,
                at: Location { file: file.path().clone(), span: form.from.span },
            });
        }
        rewrites
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The name that stands for `image`'s, by the most specific entry: tag and
    /// digest are kept. `None` when no entry covers it.
    pub(super) fn apply(&self, image: &ImageRef) -> Option<(ImageRef, &Rewrite)> {
        let mut best: Option<&Rewrite> = None;
        self.matcher.find(&normal_host(&image.registry), &image.repository, &mut |id, hit| {
            let entry = &self.entries[id];
            if hit == Hit::Covers && best.is_none_or(|best| entry.key > best.key) {
                best = Some(entry);
            }
        });
        let entry = best?;
        let mut text = entry.to.host().name.clone();
        for segment in entry.to.segments() {
            text.push('/');
            text.push_str(segment.as_str());
        }
        for segment in image.repository.split('/').skip(entry.from.segments().len()) {
            text.push('/');
            text.push_str(segment);
        }
        // Read again: on Docker Hub a single name gains its `library/`.
        let name = ImageRef::parse(&text).ok()?;
        Some((ImageRef { tag: image.tag.clone(), digest: image.digest.clone(), ..name }, entry))
    }
}

/// A pattern inside a mirror would never match: images are judged as their origin.
pub(super) fn reject_mirrored<'a>(
    patterns: impl Iterator<Item = (&'a Pattern, Span)>,
    mirrors: &Rewrites,
    out: &mut Diagnostics,
) {
    if mirrors.is_empty() {
        return;
    }
    for (pattern, span) in patterns {
        let host = pattern.host();
        let name = if host.subdomains { format!("*.{}", host.name) } else { host.name.clone() };
        let mut covering: Option<&Rewrite> = None;
        mirrors.matcher.find(&name, &pattern.path_text(), &mut |id, hit| {
            let entry = &mirrors.entries[id];
            if hit == Hit::Covers && covering.is_none_or(|best| entry.key > best.key) {
                covering = Some(entry);
            }
        });
        if let Some(mirror) = covering {
            let message = format!(
                "`{pattern}` lies in the mirror `{}`, and images are judged as their origin: it would never match",
                mirror.from
            );
            out.error(span, message, format!("write the place in `{}` that is meant", mirror.to));
        }
    }
}

/// Rewrites with a host wildcard are compared with every other one; this many
/// comparisons keep loading short.
const MAX_COMPARED_PAIRS: usize = 200_000;

/// A mirror's origin that is a mirror itself would be judged by neither: an error.
pub(super) fn reject_chains(forms: &[RewriteForm], out: &mut Diagnostics) {
    let (mut from, mut to) = (Matcher::default(), Matcher::default());
    for (id, form) in forms.iter().enumerate() {
        from.insert(&form.from.value, id);
        to.insert(&form.to.value, id);
    }
    let mut chained: Vec<Option<usize>> = vec![None; forms.len()];
    let mut note = |origin: usize, mirror: usize| {
        let first = chained[origin].get_or_insert(mirror);
        *first = mirror.min(*first);
    };
    // Two patterns without `*` share an image exactly when one covers the other.
    for (id, form) in forms.iter().enumerate() {
        let (origin, mirror) = (&form.to.value, &form.from.value);
        from.find(&origin.host().name, &origin.path_text(), &mut |mirror, hit| {
            if hit == Hit::Covers {
                note(id, mirror);
            }
        });
        to.find(&mirror.host().name, &mirror.path_text(), &mut |origin, hit| {
            if hit == Hit::Covers && !mirror.host().subdomains {
                note(origin, id);
            }
        });
    }
    let wide: Vec<usize> = (0..forms.len()).filter(|id| forms[*id].from.value.host().subdomains).collect();
    if wide.len() * forms.len() > MAX_COMPARED_PAIRS {
        let message = "too many mirrors with a host wildcard to tell whether one leads to another";
        return out.error(forms[wide[0]].from.span, message, "write hosts in full");
    }
    for mirror in wide {
        for (origin, form) in forms.iter().enumerate() {
            if forms[mirror].from.value.overlaps(&form.to.value) {
                note(origin, mirror);
            }
        }
    }
    for (form, mirror) in forms.iter().zip(chained) {
        if let Some(mirror) = mirror {
            let line = out.line(forms[mirror].from.span);
            let message = format!("`{}` is itself a mirror, on line {line}", form.to.value);
            out.error(form.to.span, message, "write the place where the images come from in the end");
        }
    }
}
