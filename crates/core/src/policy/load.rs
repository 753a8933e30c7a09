//! From a file to a policy, or to everything that is wrong with it.

use std::sync::Arc;

use super::Loaded;
use super::Policy;
use super::Scope;
use super::block;
use super::block::Blocks;
use super::diagnostic::Diagnostics;
use super::exception;
use super::exception::Bounds;
use super::exception::Exceptions;
use super::form;
use super::form::Form;
use super::form::Unknown;
use super::matcher::Matcher;
use super::place;
use super::place::Around;
use super::reader::Spanned;
use super::rewrite;
use super::rewrite::Rewrites;
use super::rules::Rule;
use super::scrutiny::Scrutiny;
use super::source;
use super::source::Source;
use super::source::Trust;
use super::trial;
use super::verdict::Effect;
use super::verdict::Mode;
use crate::day::Day;
use crate::policy::JudgeScope;
use crate::source::Location;
use crate::source::SourceFile;
use crate::source::Span;
use crate::yaml;
use crate::yaml::Document;
use crate::yaml::Limits;
use crate::yaml::Shape;

/// The largest policy file, in bytes (docs/policy.md, "The file").
pub const MAX_POLICY_BYTES: usize = 262_144;
/// Collections inside each other; the form needs five.
const MAX_DEPTH: usize = 32;
/// Values in a file; one of [`MAX_POLICY_BYTES`] cannot hold more.
const MAX_NODES: usize = MAX_POLICY_BYTES;

/// Patterns with `*` in the same segment of the same folder: each costs every use
/// in that folder a comparison.
const MAX_GLOBS_IN_ONE_PLACE: usize = 1000;

/// Keys that loosen or that only one file can decide.
const ORGANISATION_ONLY: [&str; 7] =
    ["trust", "mirrors", "scrutinise", "reviewers", "repos-may", "skip-paths", "contact"];

/// Reads a policy file, as it is on a day: an exception may be over, or be too far ahead.
#[must_use]
pub fn load(file: Arc<SourceFile>, scope: Scope<'_>, day: Day) -> Loaded {
    let mut out = Diagnostics::new(Arc::clone(&file));
    let policy = read_document(&file, &mut out).and_then(|document| {
        let mut form = form::read(document.root(), file.path(), &mut out);
        check(&form, form::first_line(document.root()), scope, day, &mut out);
        let blocks = Blocks::new(std::mem::take(&mut form.block));
        if reject_many_globs(&blocks.matcher, "`block`", &form.keys, &mut out) {
            return None;
        }
        block::reject_blocked(&form, &blocks, &mut out);
        if let Scope::RepositoryUnderOrganisation(Some(organisation)) = scope {
            block::reject_blocked_by_organisation(&form, organisation, &mut out);
        }
        let mirrors = match scope {
            Scope::RepositoryUnderOrganisation(organisation) => {
                organisation.map(|policy| Arc::clone(&policy.mirrors)).unwrap_or_default()
            }
            Scope::Organisation | Scope::Repository => {
                Arc::new(Rewrites::new(std::mem::take(&mut form.mirrors), &file))
            }
        };
        rewrite::reject_mirrored(form.patterns(), &mirrors, &mut out);
        let trust = Trust::new(std::mem::take(&mut form.trust), file.path().clone());
        reject_many_globs(&trust.matcher, "`trust`", &form.keys, &mut out);
        let exceptions = Exceptions::new(std::mem::take(&mut form.exceptions));
        reject_many_globs(&exceptions.matcher, "`exceptions`", &form.keys, &mut out);
        let compiled = Compiled { trust, mirrors, blocks, exceptions };
        (!out.has_errors()).then(|| compile(&file, form, compiled, scope))
    });
    Loaded { file, policy, diagnostics: out.finish() }
}

/// The one document of a policy file, free of what the language leaves out.
fn read_document(file: &SourceFile, out: &mut Diagnostics) -> Option<Document> {
    let text = file.text();
    if text.len() > MAX_POLICY_BYTES {
        let message = format!("the policy is {} bytes long, the limit is {MAX_POLICY_BYTES}", text.len());
        out.error(Span::new(0, 0), message, "end patterns in `/**` instead of listing repositories");
        return None;
    }
    let limits = Limits { bytes: MAX_POLICY_BYTES, depth: MAX_DEPTH, nodes: MAX_NODES, documents: 2 };
    let read = yaml::read(text, limits);
    for error in &read.errors {
        let message = format!("this is not YAML: {}", super::wording::foreign_sentence(&error.message));
        out.error(error.span, message, "mend the syntax here; nothing after it was checked");
    }
    if let Some(second) = read.documents.get(1) {
        out.error(second.span(), "a policy is one document", "remove the `---` and what is not meant");
    }
    let Some(document) = read.documents.into_iter().next() else {
        if read.errors.is_empty() {
            reject_empty(Span::new(0, 0), out);
        }
        return None;
    };
    reject_foreign_features(&document, out);
    if document.root().is_null() {
        reject_empty(document.span(), out);
        return None;
    }
    Some(document)
}

fn reject_empty(span: Span, out: &mut Diagnostics) {
    let help =
        "write at least `version: 1`, `mode: observe`, `unknown: review` and the sources under `trust`";
    out.error(span, "the policy is empty", help);
}

fn reject_foreign_features(document: &Document, out: &mut Diagnostics) {
    const WHY: &str = "write the value itself: what a policy says must stand where it is read";
    for node in document.nodes() {
        if let Some(anchor) = node.anchor() {
            out.error(anchor.span, "a policy has no anchors (`&`)", WHY);
        }
        if let Some(tag) = node.tag() {
            out.error(tag.span, "a policy has no tags (`!`)", "put a text that starts with `!` into quotes");
        }
        match node.shape() {
            Shape::Alias(_) => out.error(
                node.span(),
                "a policy has no aliases (`*name`)",
                "put a pattern that starts with `*` into quotes, or write the value itself",
            ),
            Shape::Mapping(mapping) => {
                for (key, _) in mapping.entries() {
                    if key.scalar().is_some_and(|scalar| scalar.text == super::reader::MERGE_KEY) {
                        out.error(key.span(), "a policy has no merge keys (`<<`)", WHY);
                    }
                }
            }
            _ => {}
        }
    }
}

/// What values mean together.
fn check(form: &Form, first_line: Span, scope: Scope<'_>, day: Day, out: &mut Diagnostics) {
    match scope {
        Scope::RepositoryUnderOrganisation(organisation) => {
            refuse_exceptions(form, organisation, out);
            for key in form.keys.iter().filter(|key| ORGANISATION_ONLY.contains(&key.value.as_str())) {
                let message = format!(
                    "`{}` stands in the organisation's policy only: a repository's file can add findings, not lift them",
                    key.value
                );
                out.error(
                    key.span,
                    message,
                    "remove it here, or propose it for the organisation's `fromguard.yml`",
                );
            }
        }
        Scope::Organisation | Scope::Repository => {
            let has = |key: &str| form.keys.iter().any(|written| written.value == key);
            if !has("mode") {
                out.error(
                    first_line,
                    "`mode` is missing",
                    "write `mode: observe` (comment, the check passes) or `mode: enforce`",
                );
            }
            if !has("unknown") {
                out.error(
                    first_line,
                    "`unknown` is missing: what becomes of an image that no source names",
                    "write `unknown: review`, `unknown: fail` or `unknown: allow`",
                );
            }
            notice_reviews(form, out);
        }
    }
    if let (Some(scrutiny), Some(Unknown::Allow)) =
        (&form.scrutiny, form.unknown.map(|unknown| unknown.value))
    {
        let message = "`scrutinise` proves nothing beside `unknown: allow`, which lets everything pass";
        out.error(scrutiny.span, message, "write `unknown: review` or `unknown: fail`, or remove it");
    }
    source::reject_broad(&form.trust, out);
    source::reject_unsupported_requirements(&form.trust, out);
    source::reject_ties(&form.trust, out);
    rewrite::reject_chains(&form.mirrors, out);
    reject_shared_names(form, out);
    place::check(&form.places, &around(form, scope), out);
    let bounds = bounds(form, scope, day);
    exception::check(&form.exceptions, &bounds, out);
    trial::check(&form.trials, &bounds, out);
}

/// A place and a rule of one name could not be told apart in findings.
fn reject_shared_names(form: &Form, out: &mut Diagnostics) {
    for rule in &form.rules {
        if let Some(place) = form.places.iter().find(|place| place.name.value == rule.name.value) {
            let line = out.line(place.name.span);
            let message = format!("the place on line {line} has the name `{}` already", rule.name.value);
            out.error(rule.name.span, message, "give each a name of its own");
        }
    }
}

/// A repository under an organisation has exceptions only if that lets it.
fn refuse_exceptions(form: &Form, organisation: Option<&Policy>, out: &mut Diagnostics) {
    let Some(key) = form.keys.iter().find(|key| key.value == "exceptions") else { return };
    match organisation {
        Some(policy) if policy.max_exception_days.is_some() => {}
        Some(_) => out.error(
            key.span,
            "the organisation's policy does not let a repository have `exceptions`",
            "propose them there, or `repos-may: {add-exceptions: {max-days: 14}}`",
        ),
        None => out.error(
            key.span,
            "the organisation's policy did not load, so that it is not known whether a repository may have `exceptions`",
            "mend the organisation's policy first",
        ),
    }
}

/// What the exceptions of a file may name and how long they may last.
fn bounds<'a>(form: &'a Form, scope: Scope<'a>, day: Day) -> Bounds<'a> {
    let own = form.trust.iter().flat_map(|source| source.require.ids());
    let own = own.chain(form.places.iter().map(|place| place.name.value.as_str()));
    let own = own.chain(form.rules.iter().map(|rule| rule.name.value.as_str()));
    let mut bounds =
        Bounds { day, max_days: None, made: Some(own.collect()), taken: std::collections::BTreeSet::new() };
    if let Scope::RepositoryUnderOrganisation(organisation) = scope {
        match organisation {
            Some(policy) => {
                bounds.max_days = policy.max_exception_days;
                bounds.made.iter_mut().for_each(|made| made.extend(policy.made()));
                bounds.taken = policy.exceptions.list.iter().map(|one| one.id.value.as_str()).collect();
            }
            None => bounds.made = None,
        }
    }
    bounds
}

/// What the places of a file may not be looser than, and the sources they may name.
fn around<'a>(form: &'a Form, scope: Scope<'a>) -> Around<'a> {
    let unknown = form.unknown.map(|unknown| unknown.value);
    let when_unsure = form.when_unsure.map(|effect| effect.value);
    let Scope::RepositoryUnderOrganisation(organisation) = scope else {
        let official = form.trust.iter().filter(|source| source.is_official());
        return Around {
            unknown,
            when_unsure: when_unsure.unwrap_or(Effect::Review),
            sources: Some(form.trust.iter().map(|source| source.name.value.as_str()).collect()),
            official: official.map(|source| source.name.value.as_str()).collect(),
        };
    };
    let trust = organisation.and_then(|policy| policy.trust.as_deref());
    let named = |source: &'a Source| source.name.as_str();
    Around {
        unknown: unknown.or(organisation.and_then(|policy| policy.unknown.as_ref()).map(|unknown| unknown.0)),
        when_unsure: when_unsure
            .or(organisation.map(|policy| policy.when_unsure.0))
            .unwrap_or(Effect::Review),
        sources: trust.map(|trust| trust.sources.iter().map(named).collect()),
        official: trust
            .map(|trust| trust.sources.iter().filter(|source| source.is_official).map(named).collect())
            .unwrap_or_default(),
    }
}

/// Under `enforce` a review blocks until somebody in `reviewers` approves.
fn notice_reviews(form: &Form, out: &mut Diagnostics) {
    let enforced = form.mode.filter(|mode| mode.value == Mode::Enforce).map(|mode| mode.span);
    let enforced = enforced.or(form.places.iter().find_map(|place| place.enforce));
    let Some(enforced) = enforced else { return };
    // Under `unknown: allow` a lookalike still needs a person.
    let can_review = form.scrutiny.as_ref().is_some_and(Scrutiny::asks_a_person)
        || form.unknown.is_some_and(|unknown| unknown.value != Unknown::Fail)
        || form.when_unsure.is_none_or(|effect| effect.value == Effect::Review);
    if can_review && !form.keys.iter().any(|key| key.value == "reviewers") {
        let message = "something here can end in `review`, and nobody is named who could settle it";
        out.notice(enforced, message, "name them: `reviewers: [\"@organisation/team\"]`");
    }
}

/// Patterns with `*` in one place are tried one by one; `true` when there are too many.
fn reject_many_globs(matcher: &Matcher, what: &str, keys: &[Spanned<String>], out: &mut Diagnostics) -> bool {
    let most = matcher.most_globs_in_one_place();
    if most <= MAX_GLOBS_IN_ONE_PLACE {
        return false;
    }
    let key = what.trim_matches('`');
    let span =
        keys.iter().find(|written| written.value == key).map_or(Span::default(), |written| written.span);
    let message =
        format!("{what} holds {most} patterns with `*` in one place, the limit is {MAX_GLOBS_IN_ONE_PLACE}");
    out.error(span, message, "end patterns in `/**` instead of listing repositories");
    true
}

/// The indexed parts of a file.
struct Compiled {
    trust: Trust,
    mirrors: Arc<Rewrites>,
    blocks: Blocks,
    exceptions: Exceptions,
}

fn compile(file: &Arc<SourceFile>, form: Form, compiled: Compiled, scope: Scope<'_>) -> Policy {
    let at = |span: Span| Location { file: file.path().clone(), span };
    let organisation = match scope {
        Scope::RepositoryUnderOrganisation(organisation) => organisation,
        Scope::Organisation | Scope::Repository => None,
    };
    let trust = match scope {
        Scope::RepositoryUnderOrganisation(_) => organisation.and_then(|policy| policy.trust.clone()),
        Scope::Organisation | Scope::Repository => Some(Arc::new(compiled.trust)),
    };
    Policy {
        file: Arc::clone(file),
        // Without the organisation's word, the stricter one.
        mode: form
            .mode
            .map(|mode| mode.value)
            .or(organisation.map(|policy| policy.mode))
            .unwrap_or(Mode::Enforce),
        unknown: form
            .unknown
            .map(|unknown| (unknown.value, at(unknown.span)))
            .or(organisation.and_then(|policy| policy.unknown.clone())),
        when_unsure: form
            .when_unsure
            .map(|effect| (effect.value, Some(at(effect.span))))
            .or(organisation.map(|policy| policy.when_unsure.clone()))
            .unwrap_or((Effect::Review, None)),
        judge: form
            .judge
            .map(|judge| judge.value)
            .or(organisation.map(|policy| policy.judge))
            .unwrap_or(JudgeScope::Changed),
        skip_paths: form.skip_paths,
        trust,
        mirrors: compiled.mirrors,
        // A repository that is harder on what no source names than its organisation
        // is so whatever that one scrutinises.
        scrutiny: match form.unknown {
            Some(_) => form.scrutiny.map(Arc::new),
            None => organisation.and_then(|policy| policy.scrutiny.clone()),
        },
        blocks: compiled.blocks,
        replace: Rewrites::new(form.replace, file),
        places: form.places,
        exceptions: compiled.exceptions,
        trials: form.trials,
        max_exception_days: form.max_exception_days,
        reviewers: organisation.map_or_else(|| form.reviewers.into(), |policy| Arc::clone(&policy.reviewers)),
        contact: form.contact,
        rules: form.rules.into_iter().filter_map(|rule| Rule::new(rule, file.path())).collect(),
    }
}
