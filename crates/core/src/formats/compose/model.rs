//! What a compose file says, as far as it concerns images: texts with their
//! places, not yet interpolated, and how one file is laid onto another.
//!
//! After `override/merge.go` and `loader/reset.go` of compose-go 2.16: what stands
//! above wins, lists are joined, arguments and contexts are joined by their names,
//! `!reset` and `!override` put away what stands below.

use std::collections::HashSet;
use std::rc::Rc;

use crate::formats::value::Value;
use crate::source::Location;
use crate::source::Mapped;

use super::environment::Environment;
use super::template;
use super::template::Budget;

/// A text of a file, as YAML gives it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// The text and the place of each of its bytes.
    pub(super) mapped: Mapped,
    /// The whole of it, quotes excluded.
    pub(super) at: Location,
}

impl Text {
    pub(super) fn text(&self) -> &str {
        self.mapped.text()
    }

    /// Whether something outside of the text may decide what it is.
    pub(super) fn is_open(&self) -> bool {
        self.text().contains('$')
    }
}

/// A text that several services may share.
pub(super) type Shared = Rc<Text>;

/// A value, and whether it puts away what stands below it: `!reset`, `!override`.
#[derive(Debug, Clone, Default)]
pub(super) struct Slot<T> {
    pub(super) value: T,
    pub(super) replaces: bool,
}

impl<T> Slot<T> {
    /// Takes out what stands below, if this puts it away.
    fn put_away<U: Default>(&self, below: &mut U) {
        if self.replaces {
            *below = U::default();
        }
    }
}

/// Texts by name: build arguments, named contexts.
pub(super) type Named = Vec<(Rc<str>, Entry)>;

/// A value under a name, and the name's own place.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// `None` for a name alone, whose value comes from outside.
    pub(super) value: Option<Shared>,
    pub(super) at: Location,
    /// Nothing is under the name, not even what stands below: `!reset`.
    pub(super) is_reset: bool,
}

/// One document of a file.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) name: Option<Shared>,
    pub(super) includes: Vec<Include>,
    pub(super) services: Vec<(Rc<str>, Rc<Service>)>,
}

/// An entry of `include`.
#[derive(Debug, Default)]
pub(super) struct Include {
    pub(super) paths: Vec<Shared>,
    pub(super) folder: Option<Shared>,
    pub(super) env_files: Vec<Shared>,
}

/// `extends` of a service.
#[derive(Debug)]
pub(super) struct Extends {
    pub(super) service: Shared,
    pub(super) file: Option<Shared>,
}

/// A service, or a job.
#[derive(Debug, Default)]
pub(super) struct Service {
    /// The service puts away what stands below it.
    pub(super) replaces: bool,
    pub(super) extends: Option<Extends>,
    pub(super) image: Slot<Option<Shared>>,
    pub(super) pull_policy: Slot<Option<Shared>>,
    pub(super) platform: Slot<Option<Shared>>,
    pub(super) build: Slot<Option<Rc<BuildText>>>,
    /// Sources of volumes of the type `image`.
    pub(super) volumes: Vec<Shared>,
    /// Images of `pre_start`.
    pub(super) pre_start: Vec<Shared>,
}

/// `build` of a service.
#[derive(Debug, Default)]
pub(super) struct BuildText {
    pub(super) context: Slot<Option<Shared>>,
    pub(super) dockerfile: Slot<Option<Shared>>,
    pub(super) inline: Slot<Option<Shared>>,
    pub(super) target: Slot<Option<Shared>>,
    pub(super) args: Slot<Named>,
    pub(super) contexts: Slot<Named>,
    pub(super) platforms: Slot<Vec<Shared>>,
    pub(super) cache_from: Vec<Shared>,
}

/// What the texts of a service mean by paths and variables.
#[derive(Debug)]
pub(super) struct Setting {
    /// The folder that its paths are written for.
    pub(super) folder: Rc<str>,
    pub(super) environment: Rc<Environment>,
}

/// A text in its setting.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub(super) text: Shared,
    pub(super) setting: Rc<Setting>,
}

impl Bound {
    /// Every member of what it is.
    pub(super) fn evaluate(&self, budget: &Budget) -> Vec<Value> {
        template::evaluate(self.text.text(), &self.setting.environment, budget)
    }
}

/// Values by name, in their settings.
pub(super) type BoundNamed = Vec<(Rc<str>, Entry, Rc<Setting>)>;

/// A service with everything that it is laid onto.
#[derive(Debug, Clone, Default)]
pub(super) struct Merged {
    pub(super) image: Option<Bound>,
    pub(super) pull_policy: Option<Bound>,
    pub(super) platform: Option<Bound>,
    pub(super) build: Option<Rc<MergedBuild>>,
}

/// Its `build`.
#[derive(Debug, Clone, Default)]
pub(super) struct MergedBuild {
    pub(super) context: Option<Bound>,
    pub(super) dockerfile: Option<Bound>,
    pub(super) inline: Option<Bound>,
    pub(super) target: Option<Bound>,
    pub(super) args: Rc<BoundNamed>,
    pub(super) contexts: Rc<BoundNamed>,
    pub(super) platforms: Rc<Vec<Bound>>,
}

impl Merged {
    /// How much it takes to lay another service onto this one.
    pub(super) fn size(&self) -> usize {
        let of = |build: &Rc<MergedBuild>| build.args.len() + build.contexts.len() + build.platforms.len();
        1 + self.build.as_ref().map_or(0, of)
    }

    /// A service alone.
    fn alone(service: &Service, setting: &Rc<Setting>) -> Merged {
        let bind = |text: &Shared| Bound { text: Rc::clone(text), setting: Rc::clone(setting) };
        let one = |slot: &Slot<Option<Shared>>| slot.value.as_ref().map(bind);
        let named = |slot: &Slot<Named>| {
            let entries = slot.value.iter().cloned();
            Rc::new(entries.map(|(name, entry)| (name, entry, Rc::clone(setting))).collect())
        };
        let build = service.build.value.as_ref().map(|build| {
            Rc::new(MergedBuild {
                context: one(&build.context),
                dockerfile: one(&build.dockerfile),
                inline: one(&build.inline),
                target: one(&build.target),
                args: named(&build.args),
                contexts: named(&build.contexts),
                platforms: Rc::new(build.platforms.value.iter().map(bind).collect()),
            })
        });
        Merged {
            image: one(&service.image),
            pull_policy: one(&service.pull_policy),
            platform: one(&service.platform),
            build,
        }
    }

    /// A service in a setting, laid onto this.
    pub(super) fn lay(&mut self, service: &Service, setting: &Rc<Setting>) {
        self.put_away(service);
        self.lay_merged(&Merged::alone(service, setting));
    }

    /// Takes out what the tags of a service put away.
    pub(super) fn put_away(&mut self, service: &Service) {
        if service.replaces {
            *self = Merged::default();
        }
        service.image.put_away(&mut self.image);
        service.pull_policy.put_away(&mut self.pull_policy);
        service.platform.put_away(&mut self.platform);
        service.build.put_away(&mut self.build);
        let (Some(below), Some(build)) = (&mut self.build, &service.build.value) else { return };
        if build.has_tags() {
            let below = Rc::make_mut(below);
            build.context.put_away(&mut below.context);
            build.dockerfile.put_away(&mut below.dockerfile);
            build.inline.put_away(&mut below.inline);
            build.target.put_away(&mut below.target);
            build.args.put_away(&mut below.args);
            build.contexts.put_away(&mut below.contexts);
            build.platforms.put_away(&mut below.platforms);
        }
    }

    /// A whole service, laid onto this.
    pub(super) fn lay_merged(&mut self, above: &Merged) {
        lay_text(&mut self.image, &above.image);
        lay_text(&mut self.pull_policy, &above.pull_policy);
        lay_text(&mut self.platform, &above.platform);
        match (&mut self.build, &above.build) {
            (Some(below), Some(above)) => Rc::make_mut(below).lay_merged(above),
            (below @ None, Some(above)) => *below = Some(Rc::clone(above)),
            (_, None) => {}
        }
    }
}

impl BuildText {
    fn has_tags(&self) -> bool {
        [&self.context, &self.dockerfile, &self.inline, &self.target].iter().any(|slot| slot.replaces)
            || [&self.args, &self.contexts].iter().any(|slot| slot.replaces)
            || self.platforms.replaces
    }
}

impl MergedBuild {
    fn lay_merged(&mut self, above: &MergedBuild) {
        lay_text(&mut self.context, &above.context);
        lay_text(&mut self.dockerfile, &above.dockerfile);
        lay_text(&mut self.inline, &above.inline);
        lay_text(&mut self.target, &above.target);
        lay_named(&mut self.args, &above.args);
        lay_named(&mut self.contexts, &above.contexts);
        if !above.platforms.is_empty() {
            Rc::make_mut(&mut self.platforms).extend(above.platforms.iter().cloned());
        }
    }
}

fn lay_text(below: &mut Option<Bound>, above: &Option<Bound>) {
    if above.is_some() {
        below.clone_from(above);
    }
}

/// Of two entries with one name the later counts.
fn lay_named(below: &mut Rc<BoundNamed>, above: &Rc<BoundNamed>) {
    if below.is_empty() {
        below.clone_from(above);
    } else if !above.is_empty() {
        let names: HashSet<&str> = above.iter().map(|(name, ..)| &**name).collect();
        let below = Rc::make_mut(below);
        below.retain(|(name, ..)| !names.contains(&**name));
        below.extend(above.iter().cloned());
    }
}
