//! `signed-by` and `provenance`: who must have signed or built an image.
//!
//! ```text
//! identity := address with "*" for zero or more characters other than "/"
//! ```

use super::diagnostic::Diagnostics;
use super::keys;
use super::reader::Entry;
use super::reader::Spanned;
use super::wording::quoted;
use crate::trust;
use crate::yaml::Node;

/// The longest identity, in bytes.
const MAX_IDENTITY_BYTES: usize = 1024;

/// Who must have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedBy {
    pub(super) issuer: String,
    pub(super) identity: String,
}

impl SignedBy {
    /// Whether a verified signature is the one that is required.
    pub(super) fn is(&self, signer: &trust::Signer) -> bool {
        signer.is(&self.issuer, &self.identity)
    }
}

/// Reads `signed-by`.
pub(super) fn read(node: Node<'_>, out: &mut Diagnostics) -> Option<SignedBy> {
    let (mut issuer, mut identity) = (None, None);
    for Entry { key, value, .. } in out.entries(node, "`signed-by`", &keys::SIGNED_BY) {
        match key {
            "issuer" => issuer = read_issuer(value, out),
            "identity" => identity = read_identity(value, out),
            _ => {}
        }
    }
    out.needed(node, "`signed-by`", &keys::SIGNED_BY);
    Some(SignedBy { issuer: issuer?.value, identity: identity?.value })
}

fn read_issuer(node: Node<'_>, out: &mut Diagnostics) -> Option<Spanned<String>> {
    let text = out.text(node, "`issuer`")?;
    let host = text.strip_prefix("https://").filter(|rest| !rest.is_empty());
    if host.is_none() || text.contains(['*', ' ']) {
        let message = format!("{} is not the address of an issuer", quoted(text));
        out.error(node.span(), message, "write it in full, as `https://token.actions.githubusercontent.com`");
        return None;
    }
    Some(Spanned { value: text.to_owned(), span: node.span() })
}

fn read_identity(node: Node<'_>, out: &mut Diagnostics) -> Option<Spanned<String>> {
    let text = out.text(node, "`identity`")?;
    let value = Spanned { value: text.to_owned(), span: node.span() };
    if text.len() > MAX_IDENTITY_BYTES || text.contains("**") {
        let message = format!("{} is not an identity: `*` stands inside one segment", quoted(text));
        out.error(node.span(), message, "write one `*` for each segment that may vary");
        return None;
    }
    if !trust::names_somebody(text) {
        let message = format!("{} does not say whose signature is trusted", quoted(text));
        let help = "write host and owner in full, as `https://github.com/acme/*/.github/workflows/release.yml@refs/tags/*`";
        out.error(node.span(), message, help);
        return None;
    }
    Some(value)
}
