//! `exceptions`: findings that somebody answers for, until a day. An exception
//! lifts the findings that it names, of the images that it names, and never `block`.

use std::collections::BTreeSet;

use super::Explanation;
use super::Finding;
use super::Lifted;
use super::diagnostic::Diagnostics;
use super::form;
use super::keys;
use super::matcher::Hit;
use super::matcher::Matcher;
use super::paths::PathGlob;
use super::reader::Entry;
use super::reader::Spanned;
use super::reader::closest;
use super::wording::listed;
use super::wording::prose;
use super::wording::quoted;
use crate::day::Day;
use crate::image::ImageRef;
use crate::image::Pattern;
use crate::image::PatternMatch;
use crate::image::normal_host;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::Span;
use crate::yaml::Node;

/// One that ends within so many days is said beforehand.
const ENDS_SOON_DAYS: i64 = 14;
/// The most that an organisation can allow its repositories, in days.
const MAX_DAYS: u32 = 3650;
/// More near misses than this are not read by anybody.
const MAX_MISSES: usize = 3;

/// What is made whatever the policy says.
const ALWAYS_MADE: [&str; 6] = ["unknown", "unsure", "invalid", "unreadable", "lookalike", "pin-mismatch"];

/// An item of `exceptions`.
#[derive(Debug, Clone)]
pub(super) struct Exception {
    pub(super) id: Spanned<String>,
    pub(super) images: Vec<Spanned<Pattern>>,
    /// Where `i-trust-everyone: true` stands.
    pub(super) everyone: Option<Span>,
    /// Empty: every file.
    paths: Vec<PathGlob>,
    /// The ids of the findings that it lifts.
    rules: Vec<Spanned<String>>,
    /// The last day on which it is in force.
    until: Spanned<Day>,
    owner: String,
    reason: String,
    /// The file that it stands in.
    file: RepoPath,
}

impl Exception {
    /// Whether it is in force on a day: the one place where that is decided.
    pub(super) fn is_active(&self, day: Day) -> bool {
        day <= self.until.value
    }

    /// A finding that it takes away.
    pub(super) fn lifts(&self, finding: Finding) -> Lifted {
        Lifted {
            finding,
            exception: self.id.value.clone(),
            at: self.at(),
            until: self.until.value,
            reason: format!("{}, for {}", self.reason, self.owner),
        }
    }

    pub(super) fn at(&self) -> Location {
        Location { file: self.file.clone(), span: self.id.span }
    }

    /// Whether it covers the version of an image whose name it covers. The use's
    /// own file has to match: a file that only supplies a value does not loosen others.
    fn covers(&self, image: &ImageRef, open: bool) -> bool {
        self.images.iter().any(|item| {
            item.value.covers_name(image) && item.value.trusts_version(image, open) == PatternMatch::Yes
        })
    }

    fn is_for(&self, file: &RepoPath) -> bool {
        self.paths.is_empty() || self.paths.iter().any(|glob| glob.matches(file))
    }
}

/// What is asked of the exceptions about one use.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) day: Day,
    /// The image as it is judged: a mirror's origin.
    pub(super) image: &'a ImageRef,
    /// The tag or, when there is one, the digest is not known.
    pub(super) open: bool,
    pub(super) file: &'a RepoPath,
}

/// The exceptions of a file, indexed.
#[derive(Debug, Clone, Default)]
pub(super) struct Exceptions {
    pub(super) list: Vec<Exception>,
    pub(super) matcher: Matcher,
}

impl Exceptions {
    pub(super) fn new(list: Vec<Exception>) -> Exceptions {
        let mut matcher = Matcher::default();
        for (id, exception) in list.iter().enumerate() {
            exception.images.iter().for_each(|item| matcher.insert(&item.value, id));
        }
        Exceptions { list, matcher }
    }

    /// The exceptions that cover the name of the image that is asked about.
    pub(super) fn naming<'a>(&'a self, asked: Asked<'a>) -> Naming<'a> {
        let mut found = Vec::new();
        if !self.list.is_empty() {
            let host = normal_host(&asked.image.registry);
            self.matcher.find(&host, &asked.image.repository, &mut |id, hit| {
                if hit == Hit::Covers {
                    found.push(id);
                }
            });
        }
        found.sort_unstable();
        found.dedup();
        Naming { list: found.into_iter().map(|id| &self.list[id]).collect(), asked }
    }
}

/// The exceptions of a file that cover the name of an image, in the order of the file.
pub(super) struct Naming<'a> {
    list: Vec<&'a Exception>,
    asked: Asked<'a>,
}

impl<'a> Naming<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The exception that lifts a finding: of several the one that lasts longest.
    pub(super) fn lifting(&self, rule: &str) -> Option<&'a Exception> {
        let asked = &self.asked;
        let lifting = self.list.iter().copied().filter(|exception| {
            exception.is_active(asked.day)
                && exception.is_for(asked.file)
                && exception.covers(asked.image, asked.open)
                && exception.rules.iter().any(|lifted| lifted.value == rule)
        });
        lifting.max_by_key(|exception| exception.until.value)
    }

    /// Why none of them lifts a finding.
    pub(super) fn misses(&self, rule: &str) -> impl Iterator<Item = Explanation> {
        let asked = &self.asked;
        self.list.iter().take(MAX_MISSES).map(move |exception| {
            let id = quoted(&exception.id.value);
            let text = if !exception.is_active(asked.day) {
                format!("the exception {id} ended on {}", exception.until.value)
            } else if !exception.covers(asked.image, asked.open) {
                format!("the exception {id} is for another tag or digest")
            } else if !exception.is_for(asked.file) {
                format!("the exception {id} is for other paths")
            } else {
                let lifts: Vec<&str> = exception.rules.iter().map(|rule| rule.value.as_str()).collect();
                format!("the exception {id} lifts {}, not {}", listed(&lifts, "and"), quoted(rule))
            };
            Explanation { text, at: Some(exception.at()), because: Vec::new() }
        })
    }
}

/// Reads `exceptions`.
pub(super) fn read(node: Node<'_>, file: &RepoPath, out: &mut Diagnostics) -> Vec<Exception> {
    let items = out.list(node, "`exceptions`");
    let exceptions: Vec<Exception> =
        items.into_iter().filter_map(|item| read_exception(item, file, out)).collect();
    form::reject_repeated_names(exceptions.iter().map(|exception| &exception.id), "exception", out);
    exceptions
}

fn read_exception(node: Node<'_>, file: &RepoPath, out: &mut Diagnostics) -> Option<Exception> {
    let (mut id, mut until, mut owner, mut reason) = (None, None, None, None);
    let (mut images, mut paths, mut rules) = (Vec::new(), Vec::new(), Vec::new());
    let mut everyone = None;
    for Entry { key, key_span, value } in out.entries(node, "an exception", &keys::EXCEPTION) {
        match key {
            "id" => id = form::name(value, "`id`", out),
            "images" => images = form::patterns(value, "`images` of an exception", out),
            "i-trust-everyone" => everyone = out.only_true(value, key_span, "i-trust-everyone"),
            "paths" => paths = form::path_globs(value, "`paths`", out),
            "rules" => {
                for item in out.list(value, "`rules` of an exception") {
                    let Some(text) = out.text(item, "the id of a finding") else { continue };
                    rules.push(Spanned { value: text.to_owned(), span: item.span() });
                }
                form::reject_repeated(&rules, out);
            }
            "until" => until = read_day(value, out),
            "owner" => owner = out.text(value, "`owner`").map(prose),
            "reason" => reason = out.text(value, "`reason`").map(prose),
            _ => {}
        }
    }
    out.needed(node, "an exception", &keys::EXCEPTION);
    Some(Exception {
        id: id?,
        images,
        everyone,
        paths,
        rules,
        until: until?,
        owner: owner?,
        reason: reason?,
        file: file.clone(),
    })
}

fn read_day(node: Node<'_>, out: &mut Diagnostics) -> Option<Spanned<Day>> {
    let text = out.text(node, "`until`")?;
    match Day::parse(text) {
        Some(value) => Some(Spanned { value, span: node.span() }),
        None => {
            let message = format!("{} is not a day of the calendar", quoted(text));
            out.error(node.span(), message, "write the last day on which it holds, as `2027-01-31`");
            None
        }
    }
}

/// How many days ahead repositories may except something: `add-exceptions` of `repos-may`.
pub(super) fn read_repos_may(node: Node<'_>, out: &mut Diagnostics) -> Option<u32> {
    let mut days = None;
    for entry in out.entries(node, "`repos-may`", &keys::REPOS_MAY) {
        for Entry { value, .. } in out.entries(entry.value, "`add-exceptions`", &keys::ADD_EXCEPTIONS) {
            days = out.count(value, "`max-days`", 1..=MAX_DAYS);
        }
        out.needed(entry.value, "`add-exceptions`", &keys::ADD_EXCEPTIONS);
    }
    days
}

/// What an exception of a file may name and how long it may last.
pub(super) struct Bounds<'a> {
    pub(super) day: Day,
    /// The most days ahead, of a repository under an organisation.
    pub(super) max_days: Option<u32>,
    /// What the files make beside [`ALWAYS_MADE`]; `None` when the organisation's did not load.
    pub(super) made: Option<BTreeSet<&'a str>>,
    /// The ids of the organisation's exceptions.
    pub(super) taken: BTreeSet<&'a str>,
}

/// Exceptions from nothing, from everything, or for too long, and those that end.
pub(super) fn check(exceptions: &[Exception], bounds: &Bounds<'_>, out: &mut Diagnostics) {
    for exception in exceptions {
        let id = quoted(&exception.id.value);
        if bounds.taken.contains(exception.id.value.as_str()) {
            let message = format!("the organisation's policy has an exception {id} already");
            out.error(exception.id.span, message, "give each a name of its own");
        }
        for rule in &exception.rules {
            check_rule(rule, bounds, out);
        }
        let patterns = exception.images.iter().map(|item| (&item.value, item.span));
        form::reject_broad(patterns, exception.everyone, out);
        let until = exception.until;
        if let Some(max_days) = bounds.max_days {
            let last = bounds.day.plus(max_days);
            if until.value > last {
                let message = format!(
                    "the exception {id} lasts longer than the {max_days} days that the organisation's policy allows its repositories"
                );
                out.error(until.span, message, format!("write `until: {last}` or a day before"));
            }
        }
        let left = until.value.days_since(bounds.day);
        if !exception.is_active(bounds.day) {
            let message = format!("the exception {id} ended on {} and lifts nothing any more", until.value);
            out.notice(until.span, message, "remove it");
        } else if left <= ENDS_SOON_DAYS {
            let when = match left {
                0 => "today".to_owned(),
                1 => "tomorrow".to_owned(),
                days => format!("in {days} days"),
            };
            let message = format!("the exception {id} ends {when}, on {}", until.value);
            out.notice(until.span, message, format!("{} answers for it", exception.owner));
        }
    }
}

fn check_rule(rule: &Spanned<String>, bounds: &Bounds<'_>, out: &mut Diagnostics) {
    let name = rule.value.as_str();
    if name == "block" {
        let message = "`block` always wins: no exception lifts it";
        return out.error(rule.span, message, "change `block` itself, or use another image");
    }
    if matches!(name, "invalid" | "unreadable") {
        let message = format!("`{name}` is said of what names no image, so that no exception lifts it");
        return out.notice(rule.span, message, "remove it, and mend what the finding shows");
    }
    check_made(rule, bounds, out);
}

/// An id that nothing makes.
pub(super) fn check_made(rule: &Spanned<String>, bounds: &Bounds<'_>, out: &mut Diagnostics) {
    let name = rule.value.as_str();
    let Some(made) = &bounds.made else { return };
    if made.contains(name) || ALWAYS_MADE.contains(&name) {
        return;
    }
    let known: Vec<&str> = ALWAYS_MADE.iter().chain(made).copied().collect();
    let help = match closest(name, &known) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("the findings here are {}", listed(&known, "and")),
    };
    out.error(rule.span, format!("nothing makes the finding {}", quoted(name)), help);
}
