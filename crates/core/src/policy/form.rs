//! The form of a policy file: which keys there are and what each may hold. Each
//! value is checked alone; what values mean together is `load`'s.
//!
//! The language: <https://yaml.org/spec/1.2.2/> without anchors, aliases, merge
//! keys and tags, and the keys below.

use super::diagnostic::Diagnostics;
use super::exception;
use super::exception::Exception;
use super::keys;
use super::paths::PathGlob;
use super::place;
use super::place::Place;
use super::reader::Entry;
use super::reader::Spanned;
use super::require;
use super::require::Require;
use super::rewrite::RewriteForm;
use super::rules::RuleForm;
use super::scrutiny;
use super::scrutiny::Scrutiny;
use super::trial;
use super::trial::Trial;
use super::verdict::Effect;
use super::verdict::Mode;
use super::wording::prose;
use super::wording::quoted;
use crate::image::Pattern;
use crate::image::PatternError;
use crate::policy::JudgeScope;
use crate::source::RepoPath;
use crate::source::Span;
use crate::yaml::Node;

/// The words that say something else in findings, tests and exceptions.
pub(super) const RESERVED_NAMES: [&str; 13] = [
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
pub(super) const MAX_NAME_BYTES: usize = 64;

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
    pub(super) scrutiny: Option<Scrutiny>,
    pub(super) places: Vec<Place>,
    pub(super) exceptions: Vec<Exception>,
    pub(super) trials: Vec<Trial>,
    /// How far ahead repositories may except something; `None`: not at all.
    pub(super) max_exception_days: Option<u32>,
    pub(super) reviewers: Vec<String>,
    pub(super) contact: Vec<String>,
    pub(super) rules: Vec<RuleForm>,
}

impl Form {
    /// The patterns that are matched against the origin of an image.
    pub(super) fn patterns(&self) -> impl Iterator<Item = (&Pattern, Span)> {
        let trusted =
            self.trust.iter().flat_map(|source| &source.images).filter_map(|item| match &item.value {
                Images::Pattern(pattern) => Some((pattern, item.span)),
                Images::HubOfficial | Images::HubVerified => None,
            });
        let excepted = self.exceptions.iter().flat_map(|exception| &exception.images);
        trusted.chain(excepted.map(|item| (&item.value, item.span)))
    }
}

/// A source of `trust`.
#[derive(Debug)]
pub(super) struct SourceForm {
    pub(super) name: Spanned<String>,
    pub(super) images: Vec<Spanned<Images>>,
    /// Where `i-trust-everyone: true` stands.
    pub(super) everyone: Option<Span>,
    /// The namespaces that `hub:verified-publisher` is limited to; empty: every one.
    pub(super) publishers: Vec<Spanned<String>>,
    pub(super) require: Require,
}

/// An item of a source's `images`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Images {
    Pattern(Pattern),
    HubOfficial,
    /// Docker's verified publishers; which ones the source says.
    HubVerified,
}

/// An item of `block`.
#[derive(Debug)]
pub(super) struct BlockForm {
    pub(super) images: Vec<Spanned<Pattern>>,
    pub(super) because: Option<String>,
}

/// Reads the root of a policy file.
pub(super) fn read(root: Node<'_>, file: &RepoPath, out: &mut Diagnostics) -> Form {
    let mut form = Form::default();
    let mut version = None;
    for Entry { key, key_span, value } in out.entries(root, "a policy", &keys::FILE) {
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
            "skip-paths" => form.skip_paths = path_globs(value, "`skip-paths`", out),
            "trust" => form.trust = trust(value, out),
            "block" => form.block = block(value, out),
            "replace" => form.replace = super::rewrite::read(value, "`replace`", out),
            "mirrors" => form.mirrors = super::rewrite::read(value, "`mirrors`", out),
            "scrutinise" => form.scrutiny = Some(scrutiny::read(value, key_span, file, out)),
            "where" => form.places = place::read(value, out),
            "exceptions" => form.exceptions = exception::read(value, file, out),
            "tests" => form.trials = trial::read(value, out),
            "repos-may" => form.max_exception_days = exception::read_repos_may(value, out),
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
        let mut publishers = None;
        let mut require = Require::default();
        for entry in out.entries(value, &what, &keys::SOURCE) {
            match entry.key {
                "images" => images = Some(source_images(entry.value, &what, out)),
                "require" => require = require::read(entry.value, out),
                "publishers" => {
                    publishers =
                        Some(Spanned { value: read_publishers(entry.value, out), span: entry.key_span });
                }
                "i-trust-everyone" => {
                    everyone = out.only_true(entry.value, entry.key_span, "i-trust-everyone");
                }
                _ => {}
            }
        }
        if images.is_none() && value.mapping().is_some_and(|mapping| mapping.entries().len() > 0) {
            let help = "write `images: [\"registry.example.com/team/**\"]` under it";
            out.error(key_span, format!("{what} has no `images`"), help);
        }
        let name = Spanned { value: key.to_owned(), span: key_span };
        let images = images.unwrap_or_default();
        let of_publishers = images.iter().any(|item| item.value == Images::HubVerified);
        if let Some(publishers) = publishers.as_ref().filter(|_| !of_publishers) {
            let message = "`publishers` limits `hub:verified-publisher`, and the list does not have that";
            out.error(
                publishers.span,
                message,
                "write `\"hub:verified-publisher\"` in `images`, or remove it",
            );
        }
        let publishers = publishers.map(|publishers| publishers.value).unwrap_or_default();
        sources.push(SourceForm { name, images, everyone, publishers, require });
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

/// A name that the author gives to something.
pub(super) fn name(node: Node<'_>, what: &str, out: &mut Diagnostics) -> Option<Spanned<String>> {
    let text = out.text(node, what)?;
    check_name(text, node.span(), out);
    Some(Spanned { value: text.to_owned(), span: node.span() })
}

/// Two things of one name cannot be told apart in messages.
pub(super) fn reject_repeated_names<'a>(
    names: impl Iterator<Item = &'a Spanned<String>>,
    what: &str,
    out: &mut Diagnostics,
) {
    let mut seen = std::collections::HashMap::new();
    for name in names {
        if let Some(first) = seen.insert(name.value.as_str(), name.span) {
            let line = out.line(first);
            let message =
                format!("the {what} {} stands here twice, first on line {line}", quoted(&name.value));
            out.error(name.span, message, "give each a name of its own");
        }
    }
}

/// Namespaces on Docker Hub.
fn read_publishers(node: Node<'_>, out: &mut Diagnostics) -> Vec<Spanned<String>> {
    let mut publishers = Vec::new();
    for item in out.list(node, "`publishers`") {
        let Some(text) = out.text(item, "a publisher") else { continue };
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if !text.chars().all(legal) {
            let message = format!("{} is not a namespace on Docker Hub", quoted(text));
            out.error(
                item.span(),
                message,
                "write what stands before the `/`, as `grafana` of `grafana/loki`",
            );
            continue;
        }
        publishers.push(Spanned { value: text.to_owned(), span: item.span() });
    }
    reject_repeated(&publishers, out);
    publishers
}

fn source_images(node: Node<'_>, what: &str, out: &mut Diagnostics) -> Vec<Spanned<Images>> {
    let mut images: Vec<Spanned<Images>> = Vec::new();
    for item in out.list(node, &format!("`images` of {what}")) {
        let Some(text) = out.text(item, "an image pattern") else { continue };
        let value = match text.strip_prefix("hub:") {
            Some("official") => Images::HubOfficial,
            Some("verified-publisher") => Images::HubVerified,
            Some(other) => {
                let help = match super::reader::closest(other, &["official", "verified-publisher"]) {
                    Some(close) => format!("did you mean `hub:{close}`?"),
                    None => "write `hub:official`, `hub:verified-publisher` or a pattern".to_owned(),
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

/// A list of image patterns, none of which is a list of Docker Hub.
pub(super) fn patterns(node: Node<'_>, what: &str, out: &mut Diagnostics) -> Vec<Spanned<Pattern>> {
    let mut list = Vec::new();
    for item in out.list(node, what) {
        let Some(text) = out.text(item, "an image pattern") else { continue };
        if text.starts_with("hub:") {
            let message = format!("{} can stand in `trust` only", quoted(text));
            out.error(item.span(), message, "write a pattern, as `docker.io/library/**`");
            continue;
        }
        if let Some(value) = pattern(item, text, out) {
            list.push(Spanned { value, span: item.span() });
        }
    }
    reject_repeated(&list, out);
    list
}

/// A list that trusts more people than it names.
pub(super) fn reject_broad<'a>(
    patterns: impl Iterator<Item = (&'a Pattern, Span)>,
    everyone: Option<Span>,
    out: &mut Diagnostics,
) {
    let (mut any, mut any_broad) = (false, false);
    for (pattern, span) in patterns {
        any = true;
        if let Err(error) = pattern.check_not_broad() {
            any_broad = true;
            if everyone.is_none() {
                out.error(span, error.message, error.help.unwrap_or_default());
            }
        }
    }
    if let Some(span) = everyone.filter(|_| any && !any_broad) {
        let message = "`i-trust-everyone` lifts nothing here: every pattern of the list names an owner";
        out.error(span, message, "remove it");
    }
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

/// An item that stands twice in a list.
pub(super) fn reject_repeated<T: Eq + std::hash::Hash>(list: &[Spanned<T>], out: &mut Diagnostics) {
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

fn block(node: Node<'_>, out: &mut Diagnostics) -> Vec<BlockForm> {
    let mut blocks = Vec::new();
    for item in out.list(node, "`block`") {
        let mut images = None;
        let mut because = None;
        for entry in out.entries(item, "an item of `block`", &keys::BLOCK) {
            match entry.key {
                "images" => images = Some(patterns(entry.value, "`images`", out)),
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

/// A list of path globs.
pub(super) fn path_globs(node: Node<'_>, what: &str, out: &mut Diagnostics) -> Vec<PathGlob> {
    let mut globs = Vec::new();
    for item in out.list(node, what) {
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
