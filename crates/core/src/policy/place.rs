//! `where`: places in which more is asked. A place adds findings and makes others
//! count for more; there is nothing in it that could take one away.

use super::Mode;
use super::diagnostic::Diagnostics;
use super::form;
use super::form::Unknown;
use super::keys;
use super::paths::PathGlob;
use super::reader::Entry;
use super::reader::Spanned;
use super::reader::closest;
use super::require;
use super::require::Require;
use super::verdict::Effect;
use super::wording::listed;
use super::wording::quoted;
use crate::image::ImageUse;
use crate::image::Stage;
use crate::source::RepoPath;
use crate::source::Span;
use crate::yaml::Node;

/// An item of `where`.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) name: Spanned<String>,
    /// Empty: every file.
    paths: Vec<PathGlob>,
    /// `None`: every stage.
    stage: Option<Stage>,
    /// The sources that images may come from, and where that stands.
    pub(super) only_from: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) require: Require,
    /// Where `mode: enforce` stands.
    pub(super) enforce: Option<Span>,
    pub(super) unknown: Option<Spanned<Effect>>,
    pub(super) when_unsure: Option<Spanned<Effect>>,
}

impl Place {
    /// Whether a use is here: its file, or any file that its value comes from.
    pub(super) fn holds(&self, usage: &ImageUse) -> bool {
        self.stage.is_none_or(|stage| stage == usage.stage)
            && (self.holds_file(&usage.file) || usage.via.iter().any(|via| self.holds_file(&via.at.file)))
    }

    /// Whether something in this file may be here, whatever stage it is.
    pub(super) fn holds_file(&self, file: &RepoPath) -> bool {
        self.paths.is_empty() || self.paths.iter().any(|glob| glob.matches(file))
    }
}

/// Reads `where`.
pub(super) fn read(node: Node<'_>, out: &mut Diagnostics) -> Vec<Place> {
    let items = out.list(node, "`where`");
    let mut places: Vec<Place> = Vec::new();
    for item in items {
        let Some(place) = read_place(item, out) else { continue };
        if !asks(item) {
            let message = format!("the place {} asks for nothing", quoted(&place.name.value));
            let help = "write `only-from`, `require`, `mode: enforce`, `unknown` or `when-unsure` in it";
            out.error(place.name.span, message, help);
        }
        places.push(place);
    }
    form::reject_repeated_names(places.iter().map(|place| &place.name), "place", out);
    places
}

/// Whether an item says anything that could make something harder.
fn asks(node: Node<'_>) -> bool {
    const ASKING: [&str; 5] = ["only-from", "require", "mode", "unknown", "when-unsure"];
    node.mapping().is_some_and(|mapping| {
        mapping.entries().any(|(key, _)| key.scalar().is_some_and(|scalar| ASKING.contains(&scalar.text)))
    })
}

fn read_place(node: Node<'_>, out: &mut Diagnostics) -> Option<Place> {
    let mut name = None;
    let mut place = Place {
        name: Spanned { value: String::new(), span: node.span() },
        paths: Vec::new(),
        stage: None,
        only_from: None,
        require: Require::default(),
        enforce: None,
        unknown: None,
        when_unsure: None,
    };
    for Entry { key, key_span, value } in out.entries(node, "an item of `where`", &keys::PLACE) {
        match key {
            "name" => name = form::name(value, "`name`", out),
            "paths" => place.paths = form::path_globs(value, "`paths`", out),
            "stages" => {
                let words = [("final", Some(Stage::Final)), ("build", Some(Stage::Build)), ("all", None)];
                place.stage = out.word(value, "`stages`", &words).and_then(|stages| stages.value);
            }
            "only-from" => {
                let mut sources = Vec::new();
                for item in out.list(value, "`only-from`") {
                    let Some(text) = out.text(item, "a source") else { continue };
                    sources.push(Spanned { value: text.to_owned(), span: item.span() });
                }
                form::reject_repeated(&sources, out);
                place.only_from = Some(Spanned { value: sources, span: key_span });
            }
            "require" => place.require = require::read(value, out),
            "mode" => match value.scalar().map(|scalar| scalar.text) {
                Some("observe") => {
                    let message = "a place can only harden, and `mode: observe` is the loosest";
                    out.error(value.span(), message, "leave it out, or write `mode: enforce`");
                }
                _ => {
                    let words = [("enforce", Mode::Enforce)];
                    place.enforce = out.word(value, "`mode` of a place", &words).map(|mode| mode.span);
                }
            },
            "unknown" => match value.scalar().map(|scalar| scalar.text) {
                Some("allow") => {
                    let message = "a place can only harden, and `unknown: allow` is the loosest";
                    out.error(value.span(), message, "leave it out, or write `unknown: fail`");
                }
                _ => {
                    let words = [("review", Effect::Review), ("fail", Effect::Fail)];
                    place.unknown = out.word(value, "`unknown` of a place", &words);
                }
            },
            "when-unsure" => {
                let words = [("review", Effect::Review), ("fail", Effect::Fail)];
                place.when_unsure = out.word(value, "`when-unsure`", &words);
            }
            _ => {}
        }
    }
    match name {
        Some(name) => Some(Place { name, ..place }),
        None => {
            let unnamed = node.mapping().is_some_and(|mapping| {
                mapping.entries().all(|(key, _)| key.scalar().is_none_or(|scalar| scalar.text != "name"))
            });
            if unnamed {
                let message = "an item of `where` has no `name`, which its findings carry";
                out.error(node.span(), message, "write `name: production` in it");
            }
            None
        }
    }
}

/// What stands around the places of a file.
pub(super) struct Around<'a> {
    /// `None` when neither the file nor a readable organisation's says it.
    pub(super) unknown: Option<Unknown>,
    pub(super) when_unsure: Effect,
    /// The names of the sources; `None` when those are the organisation's and that did not load.
    pub(super) sources: Option<Vec<&'a str>>,
    /// Those of them that hold official images only.
    pub(super) official: Vec<&'a str>,
}

/// A place that is looser than the file, or names a source that is not there.
pub(super) fn check(places: &[Place], around: &Around<'_>, out: &mut Diagnostics) {
    for place in places {
        let name = quoted(&place.name.value);
        if let (Some(unknown), Some(Unknown::Fail)) = (place.unknown, around.unknown)
            && unknown.value < Effect::Fail
        {
            let message = format!("the place {name} is looser here than the file, which has `unknown: fail`");
            out.error(unknown.span, message, "leave it out: a place can only harden");
        }
        if let Some(unsure) = place.when_unsure.filter(|unsure| unsure.value < around.when_unsure) {
            let message =
                format!("the place {name} is looser here than the file, which has `when-unsure: fail`");
            out.error(unsure.span, message, "leave it out: a place can only harden");
        }
        let Some(known) = &around.sources else { continue };
        for source in place.only_from.iter().flat_map(|only| &only.value) {
            if !known.contains(&source.value.as_str()) {
                let help = match (closest(&source.value, known), known.as_slice()) {
                    (Some(close), _) => format!("did you mean `{close}`?"),
                    (None, []) => "write the source under `trust` first".to_owned(),
                    (None, known) => format!("the sources are {}", listed(known, "and")),
                };
                out.error(source.span, format!("{} is not a source of `trust`", quoted(&source.value)), help);
            }
        }
        let only_official = place.only_from.as_ref().is_some_and(|only| {
            only.value.iter().all(|source| around.official.contains(&source.value.as_str()))
        });
        if let Some(span) = place.require.supported_tag.filter(|_| !only_official) {
            let message = format!(
                "`tag: supported` is known of official images only, and the place {name} takes others too"
            );
            let help =
                "write it under the source of `hub:official`, or limit the place to that with `only-from`";
            out.error(span, message, help);
        }
    }
}
