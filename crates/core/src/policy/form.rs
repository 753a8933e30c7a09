//! The form of a policy file: which keys there are and what each may hold. Each
//! value is checked alone; what values mean together is `load`'s.
//!
//! The language: <https://yaml.org/spec/1.2.2/> without anchors, aliases, merge
//! keys and tags, and the keys below.

use super::diagnostic::Diagnostics;
use super::paths::PathGlob;
use super::reader::Entry;
use super::reader::Keys;
use super::reader::Spanned;
use super::rewrite::RewriteForm;
use super::rules::RuleForm;
use super::verdict::Effect;
use super::verdict::Mode;
use super::wording::prose;
use super::wording::quoted;
use crate::image::Glob;
use crate::image::Pattern;
use crate::image::PatternError;
use crate::policy::JudgeScope;
use crate::source::Span;
use crate::yaml::Node;

/// The keys of a file.
pub(super) const FILE_KEYS: Keys = Keys {
    known: &[
        "version",
        "mode",
        "unknown",
        "when-unsure",
        "judge",
        "skip-paths",
        "trust",
        "block",
        "replace",
        "mirrors",
        "reviewers",
        "contact",
        "rules",
    ],
    later: &["scrutinise", "where", "exceptions", "repos-may", "tests"],
};
pub(super) const SOURCE_KEYS: Keys =
    Keys { known: &["images", "require", "i-trust-everyone"], later: &["publishers"] };
pub(super) const REQUIRE_KEYS: Keys =
    Keys { known: &["digest", "tag", "forbid-tags"], later: &["signed-by", "provenance", "sbom"] };
pub(super) const BLOCK_KEYS: Keys = Keys { known: &["images", "because"], later: &[] };

/// The words that say something else in findings, tests and exceptions.
const RESERVED_NAMES: [&str; 13] = [
    "unknown",
    "unsure",
    "digest",
    "tag",
    "forbid-tags",
    "signed-by",
    "provenance",
    "sbom",
    "lookalike",
    "pin-mismatch",
    "invalid",
    "unreadable",
    "block",
];
/// The longest name of a source, in bytes: names stand in every message.
const MAX_NAME_BYTES: usize = 64;

/// What becomes of an image that no source names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    Allow,
    Review,
    Fail,
}

impl Unknown {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Unknown::Allow => "allow",
            Unknown::Review => "review",
            Unknown::Fail => "fail",
        }
    }
}

/// A file as it is written, every value checked alone.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// Every key that stands at the top, in order.
    pub(super) keys: Vec<Spanned<String>>,
    pub(super) mode: Option<Spanned<Mode>>,
    pub(super) unknown: Option<Spanned<Unknown>>,
    pub(super) when_unsure: Option<Spanned<Effect>>,
    pub(super) judge: Option<Spanned<JudgeScope>>,
    pub(super) skip_paths: Vec<PathGlob>,
    pub(super) trust: Vec<SourceForm>,
    pub(super) block: Vec<BlockForm>,
    pub(super) replace: Vec<RewriteForm>,
    pub(super) mirrors: Vec<RewriteForm>,
    pub(super) reviewers: Vec<String>,
    pub(super) contact: Vec<String>,
    pub(super) rules: Vec<RuleForm>,
}

/// A source of `trust`.
#[derive(Debug)]
pub(super) struct SourceForm {
    pub(super) name: Spanned<String>,
    pub(super) images: Vec<Spanned<Images>>,
    /// Where `i-trust-everyone: true` stands.
    pub(super) everyone: Option<Span>,
    pub(super) require: Require,
}

/// An item of a source's `images`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Images {
    Pattern(Pattern),
    HubOfficial,
}

/// What a source requires of its images, each with its place.
#[derive(Debug, Clone, Default)]
pub(super) struct Require {
    pub(super) digest: Option<Span>,
    pub(super) supported_tag: Option<Span>,
    pub(super) forbid_tags: Vec<Spanned<Glob>>,
}

impl Require {
    /// Whether a verdict depends on tag or digest.
    pub(super) fn reads_version(&self) -> bool {
        self.digest.is_some() || self.supported_tag.is_some() || !self.forbid_tags.is_empty()
    }
}

/// An item of `block`.
#[derive(Debug)]
pub(super) struct BlockForm {
    pub(super) images: Vec<Spanned<Pattern>>,
    pub(super) because: Option<String>,
}

/// Reads the root of a policy file.
pub(super) fn read(root: Node<'_>, out: &mut Diagnostics) -> Form {
    let mut form = Form::default();
    let mut version = None;
    for Entry { key, key_span, value } in out.entries(root, "a policy", &FILE_KEYS) {
        form.keys.push(Spanned { value: key.to_owned(), span: key_span });
        match key {
            "version" => {
                version = Some(key_span);
                let scalar = value.scalar().map(|scalar| scalar.text);
                if scalar != Some("1") {
                    out.error(
                        value.span(),
                        "this version of fromguard reads `version: 1` only",
                        "write `version: 1`",
                    );
                }
            }
            "mode" => {
                let words = [("observe", Mode::Observe), ("enforce", Mode::Enforce)];
                form.mode = out.word(value, "`mode`", &words);
            }
            "unknown" => {
                let words = [("allow", Unknown::Allow), ("review", Unknown::Review), ("fail", Unknown::Fail)];
                form.unknown = out.word(value, "`unknown`", &words);
            }
            "when-unsure" => {
                let words = [("review", Effect::Review), ("fail", Effect::Fail)];
                form.when_unsure = out.word(value, "`when-unsure`", &words);
            }
            "judge" => {
                let words = [
                    ("changed", JudgeScope::Changed),
                    ("touched", JudgeScope::Touched),
                    ("repository", JudgeScope::Repository),
                ];
                form.judge = out.word(value, "`judge`", &words);
            }
            "skip-paths" => form.skip_paths = skip_paths(value, out),
            "trust" => form.trust = trust(value, out),
            "block" => form.block = block(value, out),
            "replace" => form.replace = super::rewrite::read(value, "`replace`", out),
            "mirrors" => form.mirrors = super::rewrite::read(value, "`mirrors`", out),
            "reviewers" => form.reviewers = reviewers(value, out),
            "contact" => form.contact = contact(value, out),
            "rules" => form.rules = super::rules::read(value, out),
            _ => {}
        }
    }
    if version.is_none() && root.mapping().is_some() {
        out.error(first_line(root), "`version` is missing", "write `version: 1` as the first line");
    }
    form
}

/// The place to say that a key is missing: the first one.
pub(super) fn first_line(root: Node<'_>) -> Span {
    root.mapping().and_then(|mapping| mapping.entries().next()).map_or(root.span(), |(key, _)| key.span())
}

fn trust(node: Node<'_>, out: &mut Diagnostics) -> Vec<SourceForm> {
    let mut sources = Vec::new();
    for Entry { key, key_span, value } in out.named_entries(node, "`trust`") {
        check_name(key, key_span, out);
        let what = format!("the source {}", quoted(key));
        let mut images = None;
        let mut everyone = None;
        let mut require = Require::default();
        for entry in out.entries(value, &what, &SOURCE_KEYS) {
            match entry.key {
                "images" => images = Some(source_images(entry.value, &what, out)),
                "require" => require = read_require(entry.value, out),
                "i-trust-everyone" => match out.boolean(entry.value, "`i-trust-everyone`") {
                    Some(true) => everyone = Some(entry.key_span),
                    Some(false) => {
                        let message = "`i-trust-everyone: false` says nothing";
                        out.error(entry.key_span, message, "leave it out");
                    }
                    None => {}
                },
                _ => {}
            }
        }
        if images.is_none() && value.mapping().is_some_and(|mapping| mapping.entries().len() > 0) {
            let help = "write `images: [\"registry.example.com/team/**\"]` under it";
            out.error(key_span, format!("{what} has no `images`"), help);
        }
        let name = Spanned { value: key.to_owned(), span: key_span };
        sources.push(SourceForm { name, images: images.unwrap_or_default(), everyone, require });
    }
    sources
}

/// Says whether a text can be a name that stands in messages and findings.
pub(super) fn check_name(name: &str, span: Span, out: &mut Diagnostics) {
    if RESERVED_NAMES.contains(&name) {
        let help = format!("choose another name, as `{name}-images`");
        return out.error(span, format!("`{name}` is the id of a finding and cannot be a name"), help);
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.chars().all(legal) {
        let help = format!("write letters, digits, `-`, `_` and `.`, at most {MAX_NAME_BYTES}");
        out.error(span, format!("{} cannot be a name: it stands in every message", quoted(name)), help);
    }
}

fn source_images(node: Node<'_>, what: &str, out: &mut Diagnostics) -> Vec<Spanned<Images>> {
    let mut images: Vec<Spanned<Images>> = Vec::new();
    for item in out.list(node, &format!("`images` of {what}")) {
        let Some(text) = out.text(item, "an image pattern") else { continue };
        let value = match text.strip_prefix("hub:") {
            Some("official") => Images::HubOfficial,
            Some("verified-publisher") => {
                out.not_yet(item.span(), "hub:verified-publisher");
                continue;
            }
            Some(other) => {
                let help = match super::reader::closest(other, &["official"]) {
                    Some(close) => format!("did you mean `hub:{close}`?"),
                    None => "write `hub:official`, or a pattern".to_owned(),
                };
                out.error(item.span(), format!("{} is not a list of Docker Hub", quoted(text)), help);
                continue;
            }
            None => match pattern(item, text, out) {
                Some(pattern) => Images::Pattern(pattern),
                None => continue,
            },
        };
        images.push(Spanned { value, span: item.span() });
    }
    reject_repeated(&images, out);
    images
}

/// One image pattern; what is wrong with it is said.
pub(super) fn pattern(node: Node<'_>, text: &str, out: &mut Diagnostics) -> Option<Pattern> {
    match Pattern::parse(text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            pattern_error(node.span(), error, out);
            None
        }
    }
}

pub(super) fn pattern_error(span: Span, error: PatternError, out: &mut Diagnostics) {
    let message = super::wording::foreign_sentence(&error.message);
    match error.help {
        Some(help) => out.error(span, message, super::wording::foreign_sentence(&help)),
        None => out.error_without_help(span, message),
    }
}

fn reject_repeated<T: Eq + std::hash::Hash>(list: &[Spanned<T>], out: &mut Diagnostics) {
    let mut seen = std::collections::HashMap::new();
    for item in list {
        if let Some(first) = seen.get(&item.value) {
            let message = format!("this repeats line {} of the same list", out.line(*first));
            out.error(item.span, message, "remove one of them");
        } else {
            seen.insert(&item.value, item.span);
        }
    }
}

fn read_require(node: Node<'_>, out: &mut Diagnostics) -> Require {
    let mut require = Require::default();
    for Entry { key, key_span, value } in out.entries(node, "`require`", &REQUIRE_KEYS) {
        match key {
            "digest" => {
                require.digest = out.boolean(value, "`digest`").filter(|wanted| *wanted).map(|_| key_span);
            }
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
            _ => {}
        }
    }
    require
}

fn block(node: Node<'_>, out: &mut Diagnostics) -> Vec<BlockForm> {
    let mut blocks = Vec::new();
    for item in out.list(node, "`block`") {
        let mut images = None;
        let mut because = None;
        for entry in out.entries(item, "an item of `block`", &BLOCK_KEYS) {
            match entry.key {
                "images" => {
                    let mut list = Vec::new();
                    for item in out.list(entry.value, "`images`") {
                        let Some(text) = out.text(item, "an image pattern") else { continue };
                        if text.starts_with("hub:") {
                            let message = format!("{} cannot be blocked as a whole", quoted(text));
                            out.error(item.span(), message, "write a pattern, as `docker.io/library/**`");
                            continue;
                        }
                        if let Some(value) = pattern(item, text, out) {
                            list.push(Spanned { value, span: item.span() });
                        }
                    }
                    reject_repeated(&list, out);
                    images = Some(list);
                }
                "because" => because = out.text(entry.value, "`because`").map(prose),
                _ => {}
            }
        }
        match images {
            Some(images) => blocks.push(BlockForm { images, because }),
            None if item.mapping().is_some() => {
                out.error(
                    item.span(),
                    "an item of `block` has no `images`",
                    "write `images: [\"k8s.gcr.io/**\"]` in it",
                );
            }
            None => {}
        }
    }
    blocks
}

fn skip_paths(node: Node<'_>, out: &mut Diagnostics) -> Vec<PathGlob> {
    let mut globs = Vec::new();
    for item in out.list(node, "`skip-paths`") {
        let Some(text) = out.text(item, "a path") else { continue };
        match PathGlob::parse(text) {
            Ok(glob) => globs.push(Spanned { value: glob, span: item.span() }),
            Err((message, help)) => {
                let message = format!("{}: {message}", quoted(text));
                out.error(item.span(), message, super::wording::foreign_sentence(&help));
            }
        }
    }
    reject_repeated(&globs, out);
    globs.into_iter().map(|glob| glob.value).collect()
}

fn reviewers(node: Node<'_>, out: &mut Diagnostics) -> Vec<String> {
    let mut reviewers = Vec::new();
    for item in out.list(node, "`reviewers`") {
        let Some(text) = out.text(item, "a reviewer") else { continue };
        let name = |part: &str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        let valid = text.strip_prefix('@').is_some_and(|who| match who.split_once('/') {
            Some((organisation, team)) => name(organisation) && name(team),
            None => name(who),
        });
        if valid {
            reviewers.push(Spanned { value: text.to_owned(), span: item.span() });
        } else {
            let message = format!("{} is not a user or a team of GitHub", quoted(text));
            out.error(item.span(), message, "write `@user` or `@organisation/team`, in quotes");
        }
    }
    reject_repeated(&reviewers, out);
    reviewers.into_iter().map(|reviewer| reviewer.value).collect()
}

fn contact(node: Node<'_>, out: &mut Diagnostics) -> Vec<String> {
    let mut hosts = Vec::new();
    for item in out.list(node, "`contact`") {
        let Some(text) = out.text(item, "a host") else { continue };
        // A host is what can stand before a path in a pattern.
        let host = match Pattern::parse(&format!("{text}/a/a/a")) {
            Ok(pattern) if !pattern.host().subdomains && !text.contains('/') => pattern.host().name.clone(),
            _ => {
                let message = format!("{} is not a host", quoted(text));
                out.error(
                    item.span(),
                    message,
                    "write one host, with a port if it is not 443: `registry.example.com`",
                );
                continue;
            }
        };
        hosts.push(Spanned { value: host, span: item.span() });
    }
    reject_repeated(&hosts, out);
    hosts.into_iter().map(|host| host.value).collect()
}
