//! `scrutinise`: what has to be proven of an image that no source names.

use super::diagnostic::Diagnostics;
use super::keys;
use super::reader::Entry;
use super::reader::Spanned;
use super::wording::quoted;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::Span;
use crate::yaml::Node;

/// The longest age that can be asked for, in days.
const MAX_DAYS: u32 = 3650;

/// One thing to be proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// Somebody of the organisation used it before.
    FirstUse,
    SourcePublic,
    SourceActiveWithin {
        days: u32,
    },
    PushedWithin {
        days: u32,
    },
    PushedAtLeast {
        days: u32,
    },
    Vulnerabilities {
        critical_fixable: u32,
        scan_within_days: u32,
    },
    NotEndOfLife,
    NoLookalike,
}

/// The items of `scrutinise`.
#[derive(Debug, Clone)]
pub(super) struct Scrutiny {
    /// Each with its key.
    pub(super) checks: Vec<(&'static str, Spanned<Check>)>,
    pub(super) file: RepoPath,
    pub(super) span: Span,
}

impl Scrutiny {
    /// Whether it can end in a review whatever `unknown` says.
    pub(super) fn asks_a_person(&self) -> bool {
        self.checks.iter().any(|(_, check)| check.value == Check::FirstUse)
    }

    pub(super) fn at(&self, span: Span) -> Location {
        Location { file: self.file.clone(), span }
    }
}

/// Reads `scrutinise`.
pub(super) fn read(node: Node<'_>, span: Span, file: &RepoPath, out: &mut Diagnostics) -> Scrutiny {
    let mut checks = Vec::new();
    for Entry { key, key_span, value } in out.entries(node, "`scrutinise`", &keys::SCRUTINISE) {
        let check = match key {
            "first-use" => {
                out.word(value, "`first-use`", &[("review", Check::FirstUse)]).map(|word| word.value)
            }
            "source-repo" => {
                out.word(value, "`source-repo`", &[("public", Check::SourcePublic)]).map(|word| word.value)
            }
            "source-active-within" => days(value, key, out).map(|days| Check::SourceActiveWithin { days }),
            "pushed-within" => days(value, key, out).map(|days| Check::PushedWithin { days }),
            "pushed-at-least" => days(value, key, out).map(|days| Check::PushedAtLeast { days }),
            "vulnerabilities" => vulnerabilities(value, out),
            "end-of-life" => out.only_false(value, key_span, key).then_some(Check::NotEndOfLife),
            "name-lookalike" => out.only_false(value, key_span, key).then_some(Check::NoLookalike),
            _ => None,
        };
        let name = keys::SCRUTINISE.known.iter().find(|known| known.name == key).map(|known| known.name);
        checks.extend(name.zip(check).map(|(name, value)| (name, Spanned { value, span: key_span })));
    }
    Scrutiny { checks, file: file.clone(), span }
}

fn vulnerabilities(node: Node<'_>, out: &mut Diagnostics) -> Option<Check> {
    let (mut critical, mut within) = (None, None);
    for Entry { key, value, .. } in out.entries(node, "`vulnerabilities`", &keys::VULNERABILITIES) {
        match key {
            "critical-fixable" => critical = out.count(value, "`critical-fixable`", 0..=1_000_000),
            "scan-within" => within = days(value, key, out),
            _ => {}
        }
    }
    out.needed(node, "`vulnerabilities`", &keys::VULNERABILITIES);
    Some(Check::Vulnerabilities { critical_fixable: critical?, scan_within_days: within? })
}

/// A number of days: `180d`.
fn days(node: Node<'_>, key: &str, out: &mut Diagnostics) -> Option<u32> {
    let text = out.text(node, &format!("`{key}`"))?;
    let number = text
        .strip_suffix('d')
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .filter(|days| (1..=MAX_DAYS).contains(days));
    if number.is_none() {
        let message = format!("`{key}` is a number of days from `1d` to `{MAX_DAYS}d`, not {}", quoted(text));
        out.error(node.span(), message, "write the days with a `d`, as `30d`");
    }
    number
}
