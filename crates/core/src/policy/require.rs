//! `require`: what a use must have, of a source or in a place.

use super::diagnostic::Diagnostics;
use super::form::pattern_error;
use super::form::reject_repeated;
use super::keys;
use super::reader::Entry;
use super::reader::Spanned;
use super::signer;
use super::signer::SignedBy;
use crate::image::Glob;
use crate::source::Span;
use crate::yaml::Node;

/// What is required, each with its place.
#[derive(Debug, Clone, Default)]
pub(super) struct Require {
    pub(super) digest: Option<Span>,
    pub(super) supported_tag: Option<Span>,
    pub(super) forbid_tags: Vec<Spanned<Glob>>,
    pub(super) signed_by: Option<Spanned<SignedBy>>,
    /// Where `provenance: {builder: github-hosted}` stands.
    pub(super) github_hosted: Option<Span>,
    pub(super) sbom: Option<Span>,
}

impl Require {
    /// Whether nothing is required. Everything that can be reads the tag, the
    /// digest, or what the digest stands for.
    pub(super) fn is_empty(&self) -> bool {
        self.ids().next().is_none()
    }
}

impl Require {
    /// The ids of the findings that a source with these requirements can make.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        let ids = [
            ("digest", self.digest.is_some()),
            ("tag", self.supported_tag.is_some()),
            ("forbid-tags", !self.forbid_tags.is_empty()),
            ("signed-by", self.signed_by.is_some()),
            ("provenance", self.github_hosted.is_some()),
            ("sbom", self.sbom.is_some()),
        ];
        ids.into_iter().filter(|(_, required)| *required).map(|(id, _)| id)
    }
}

/// Reads `require`.
pub(super) fn read(node: Node<'_>, out: &mut Diagnostics) -> Require {
    let mut require = Require::default();
    for Entry { key, key_span, value } in out.entries(node, "`require`", &keys::REQUIRE) {
        match key {
            "digest" => require.digest = out.only_true(value, key_span, "digest"),
            "tag" => {
                require.supported_tag = out.word(value, "`tag`", &[("supported", ())]).map(|_| key_span);
            }
            "forbid-tags" => {
                for item in out.list(value, "`forbid-tags`") {
                    let Some(text) = out.text(item, "a tag") else { continue };
                    let text = text.strip_prefix(':').unwrap_or(text);
                    match Glob::of_tag(text) {
                        Ok(value) => require.forbid_tags.push(Spanned { value, span: item.span() }),
                        Err(error) => pattern_error(item.span(), error, out),
                    }
                }
                reject_repeated(&require.forbid_tags, out);
            }
            "signed-by" => {
                require.signed_by = signer::read(value, out).map(|value| Spanned { value, span: key_span });
            }
            "provenance" => {
                for Entry { value, .. } in out.entries(value, "`provenance`", &keys::PROVENANCE) {
                    let builder = out.word(value, "`builder`", &[("github-hosted", ())]);
                    require.github_hosted = builder.map(|_| key_span);
                }
                out.needed(value, "`provenance`", &keys::PROVENANCE);
            }
            "sbom" => require.sbom = out.only_true(value, key_span, "sbom"),
            _ => {}
        }
    }
    require
}
