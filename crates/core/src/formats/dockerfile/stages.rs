//! The graph of stages: which names are stages, which are images, and what a
//! build of a stage reaches.
//!
//! After `frontend/dockerfile/dockerfile2llb/convert.go` of BuildKit 0.34:
//! `buildDispatchStates`, `addState`, `findStateByName`, `findStateByIndex`,
//! `toCommand`, `detectRunMount`, `resolveStages`, `initOnBuildTriggers`.
//!
//! A `FROM` finds only stages before it and compares names exactly; `COPY` and
//! mounts find every stage of the file, later ones too, whatever the case. Every
//! image that a `COPY` or mount reads is appended to the list of states, so that
//! an index may reach it.

use std::borrow::Cow;
use std::collections::HashMap;

use super::arguments::Arguments;
use super::go;
use super::instruction::Source;
use super::instruction::SourceKind;
use super::lex;
use super::lex::Budget;
use super::lex::Mode;
use super::reader::Fault;
use super::reader::Text;
use super::value::Hole;
use super::value::Value;
use crate::image::Target;
use crate::source::Span;

/// The name of the empty image.
const SCRATCH: &str = "scratch";
/// How many comparisons are made to find the stages that an unknown base may
/// be; above it every earlier stage counts.
const MAX_GUESSES: usize = 100_000;

/// What a `FROM` is based on.
#[derive(Debug, Clone)]
pub(super) enum Base {
    /// A stage of this file, the empty image, or nothing that can be known
    /// because the `FROM` is broken.
    NoImage,
    /// An image, or a text that may become one.
    Image(Value),
    /// The named context of the stage's name takes the place of the whole stage.
    Context,
}

/// What a source of a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// A stage, the empty image, or an error that was told.
    NoImage,
    /// The image of that name.
    Image,
    /// The same, and a reachable stage reads it by its index.
    ReachedImage,
}

/// One command, resolved; as [`super::reader::Command`].
#[derive(Debug, Clone, Default)]
pub(super) struct ResolvedCommand {
    pub(super) reads: Vec<Read>,
}

/// One stage, resolved; as [`super::reader::StageText`].
#[derive(Debug, Clone)]
pub(super) struct ResolvedStage {
    pub(super) base: Base,
    pub(super) commands: Vec<ResolvedCommand>,
    /// A build of the target needs it.
    pub(super) reachable: bool,
    /// It is the target or what that is built from.
    pub(super) shipped: bool,
}

/// A file, resolved for one build.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) stages: Vec<ResolvedStage>,
    pub(super) faults: Vec<Fault>,
}

/// A state of BuildKit's: a stage, or an image that a command reads.
#[derive(Debug, Default, Clone)]
struct State {
    base: Option<usize>,
    /// Stages and images that its commands read.
    reads: Vec<StateRead>,
    /// Its base is not known and may be any of these stages.
    may_be: MayBe,
    /// For an image that a command reads: the stage, command and source.
    read_by: Option<(usize, usize, usize)>,
}

/// A state that a command reads.
#[derive(Debug, Clone, Copy)]
struct StateRead {
    state: usize,
    span: Span,
    /// By a mount without `from`: such a one is never held to the order of stages.
    unnamed: bool,
}

#[derive(Debug, Default, Clone)]
enum MayBe {
    #[default]
    Nothing,
    Any,
    These(Vec<usize>),
}

struct Graph<'t> {
    text: &'t Text<'t>,
    states: Vec<State>,
    names: HashMap<&'t str, usize>,
    faults: Vec<Fault>,
    guesses: usize,
}

/// Resolves every stage of a file for one build, of the stage `target`.
pub(super) fn resolve(
    text: &Text<'_>,
    target: usize,
    arguments: &mut Arguments<'_>,
    budget: &mut Budget,
) -> Resolved {
    let mut graph = Graph {
        text,
        states: Vec::with_capacity(text.stages.len()),
        names: HashMap::new(),
        faults: Vec::new(),
        guesses: MAX_GUESSES,
    };
    let mut stages: Vec<ResolvedStage> = Vec::with_capacity(text.stages.len());
    for index in 0..text.stages.len() {
        let base = graph.add_stage(index, arguments, budget);
        stages.push(ResolvedStage { base, commands: Vec::new(), reachable: false, shipped: false });
    }
    for (index, stage) in text.stages.iter().enumerate() {
        for (number, command) in stage.commands.iter().enumerate() {
            let reads = match command.trigger {
                None => graph.read(index, number, &command.sources),
                Some(_) => vec![Read::Image; command.sources.len()],
            };
            stages[index].commands.push(ResolvedCommand { reads });
        }
    }
    graph.mark(target, &mut stages);
    Resolved { stages, faults: graph.faults }
}

impl<'t> Graph<'t> {
    /// `buildDispatchStates` and `addState` for one `FROM`.
    fn add_stage(&mut self, index: usize, arguments: &mut Arguments<'_>, budget: &mut Budget) -> Base {
        let stage = &self.text.stages[index];
        let mut state = State::default();
        let mut base = Base::NoImage;
        if let Some(image) = &stage.image {
            let mode = Mode::expand(char::from(self.text.escape));
            match lex::expand(&image.text, mode, arguments, budget) {
                Err(error) => self.faults.push(Fault::lex(stage.span, error)),
                Ok(value) if value.text.is_empty() && !value.is_open() => {
                    self.faults.push(Fault::syntax(
                        image.span,
                        blank_message(self.text, &image.text, &value, arguments),
                    ));
                }
                Ok(value) => {
                    let named = self.names.get(value.text.as_str()).copied();
                    state.base = named;
                    if value.is_open() {
                        state.may_be = self.guess(index, &value);
                        base = Base::Image(value);
                    } else if named.is_none() && value.text != SCRATCH {
                        base = Base::Image(value);
                    }
                }
            }
            if let Some(platform) = stage.platform.as_ref().filter(|platform| !platform.is_empty()) {
                // It chooses no image, so it needs no build of its own.
                let seen = arguments.seen;
                let expanded = lex::expand(platform, mode, arguments, budget);
                arguments.seen = seen;
                match expanded {
                    Err(error) => self.faults.push(Fault::lex(stage.span, error)),
                    Ok(value) if value.text.is_empty() && !value.is_open() => {
                        self.faults.push(Fault::syntax(stage.span, "the platform is blank"));
                    }
                    Ok(_) => {}
                }
            }
        }
        if let Some(name) = &stage.name
            && !arguments.setup().contexts(name).is_empty()
        {
            state = State::default();
            base = Base::Context;
        }
        self.states.push(state);
        if let Some(name) = &stage.name {
            self.names.insert(name, index);
        }
        base
    }

    /// The stages that a base may be that is not wholly known.
    fn guess(&mut self, index: usize, value: &Value) -> MayBe {
        let (Some((first, _)), Some((last, _))) = (value.holes.first(), value.holes.last()) else {
            return MayBe::Nothing;
        };
        let (prefix, suffix) = (&value.text[..*first], &value.text[*last..]);
        if prefix.is_empty() && suffix.is_empty() {
            return MayBe::Any;
        }
        let Some(left) = self.guesses.checked_sub(index) else { return MayBe::Any };
        self.guesses = left;
        let fits = |name: &Cow<'_, str>| name.starts_with(prefix) && name.ends_with(suffix);
        MayBe::These(
            (0..index).filter(|earlier| self.text.stages[*earlier].name.as_ref().is_some_and(fits)).collect(),
        )
    }

    /// `toCommand`, `detectRunMount` and the registration after them: what the
    /// sources of one command are.
    fn read(&mut self, stage: usize, command: usize, sources: &[Source<'_>]) -> Vec<Read> {
        let mut reads = Vec::with_capacity(sources.len());
        let mut appended = Vec::new();
        for (place, source) in sources.iter().enumerate() {
            let state = match self.find(source) {
                Ok(Some(found)) => {
                    reads.push(Read::NoImage);
                    // An image that is read by its index is registered once more, and so has another one.
                    if found >= self.text.stages.len() {
                        appended.push(State { read_by: self.states[found].read_by, ..State::default() });
                    }
                    found
                }
                Ok(None) => {
                    let is_image = source.kind != SourceKind::EmptyMount && source.name != SCRATCH;
                    reads.push(if is_image { Read::Image } else { Read::NoImage });
                    let read_by = is_image.then_some((stage, command, place));
                    appended.push(State { read_by, ..State::default() });
                    self.states.len() + appended.len() - 1
                }
                Err(message) => {
                    self.faults.push(Fault::syntax(source.span, message));
                    reads.push(Read::NoImage);
                    continue;
                }
            };
            let unnamed = source.kind == SourceKind::EmptyMount;
            self.states[stage].reads.push(StateRead { state, span: source.span, unnamed });
        }
        self.states.append(&mut appended);
        reads
    }

    /// The state that a source names; `None` for one that is not there yet.
    fn find(&self, source: &Source<'_>) -> Result<Option<usize>, String> {
        if source.kind == SourceKind::Copy
            && let Ok(index) = source.name.parse::<i64>()
        {
            return usize::try_from(index)
                .ok()
                .filter(|index| *index < self.states.len())
                .map(Some)
                .ok_or_else(|| format!("there is no stage with the index {index}"));
        }
        let name = match source.kind {
            SourceKind::EmptyMount => SCRATCH,
            _ => &source.name,
        };
        Ok(self.names.get(&*go::lower(name)).copied())
    }

    /// Marks what the target reaches, and what is shipped.
    fn mark(&mut self, target: usize, stages: &mut [ResolvedStage]) {
        let count = stages.len();
        self.tell_early_reads(count);
        if target >= count {
            return;
        }
        let mut reached = vec![false; self.states.len()];
        // Every stage below this one is reached: some base may be any of them.
        let mut any_below = 0;
        let mut triggers_ran = vec![false; count];
        let mut named: Vec<usize> = self.names.values().copied().collect();
        named.sort_unstable();
        // A trigger that cannot run fails the builds of other targets too, which are the named stages.
        for (is_target, mut pending) in [(true, vec![target]), (false, named)] {
            while let Some(index) = pending.pop() {
                if std::mem::replace(&mut reached[index], true) {
                    continue;
                }
                if index >= count {
                    if let Some((stage, command, place)) = self.states[index].read_by
                        && is_target
                    {
                        stages[stage].commands[command].reads[place] = Read::ReachedImage;
                    }
                    continue;
                }
                stages[index].reachable |= is_target;
                pending.extend(self.states[index].base);
                match &self.states[index].may_be {
                    MayBe::Nothing => {}
                    MayBe::These(candidates) => pending.extend(candidates),
                    MayBe::Any if index > any_below => {
                        pending.extend(any_below..index);
                        any_below = index;
                    }
                    MayBe::Any => {}
                }
                pending.extend(self.states[index].reads.iter().map(|read| read.state));
                // They read the same for every child.
                if let Some(base) = self.states[index].base
                    && !std::mem::replace(&mut triggers_ran[base], true)
                {
                    self.run_triggers(index, base, stages, &mut pending);
                }
            }
        }
        self.mark_shipped(target, stages);
    }

    /// Runs the triggers of a base that is a stage of this file.
    fn run_triggers(
        &mut self,
        stage: usize,
        base: usize,
        stages: &mut [ResolvedStage],
        pending: &mut Vec<usize>,
    ) {
        let count = stages.len();
        let text = self.text;
        for (index, command) in text.stages[base].commands.iter().enumerate() {
            match &command.trigger {
                None => continue,
                Some(Err(message)) => {
                    self.faults.push(Fault::syntax(command.span, message.clone()));
                    continue;
                }
                Some(Ok(())) => {}
            }
            for (place, source) in command.sources.iter().enumerate() {
                match self.find(source) {
                    Ok(Some(found)) => {
                        // A stage may even read from itself here: BuildKit looked for circles before.
                        if found < count && found > stage && source.kind != SourceKind::EmptyMount {
                            self.faults.push(Fault::syntax(
                                source.span,
                                "the stage is defined only after the one that this trigger runs in",
                            ));
                        }
                        // A child in another file would pull an image of this name, if it can be one.
                        if matches!(Target::parse(&source.name), Target::Invalid { .. }) {
                            stages[base].commands[index].reads[place] = Read::NoImage;
                        }
                        pending.push(found);
                    }
                    Ok(None) => {}
                    Err(message) => self.faults.push(Fault::syntax(source.span, message)),
                }
            }
        }
    }

    /// The target and the stages that it is built from.
    fn mark_shipped(&self, target: usize, stages: &mut [ResolvedStage]) {
        let mut pending = vec![target];
        while let Some(index) = pending.pop() {
            if std::mem::replace(&mut stages[index].shipped, true) {
                continue;
            }
            pending.extend(self.states[index].base);
            if let MayBe::These(candidates) = &self.states[index].may_be {
                pending.extend(candidates);
            }
        }
    }

    /// `dispatch` and `validateCircularDependency`: a stage may read only from
    /// the ones before it. BuildKit says so for the stages that it builds; here
    /// every stage is held to it, since each may be built.
    fn tell_early_reads(&mut self, count: usize) {
        let mut circle = None;
        for (index, state) in self.states.iter().enumerate().take(count) {
            for read in state.reads.iter().filter(|read| read.state < count && read.state >= index) {
                let message = match read.state == index {
                    true => "a stage cannot copy from itself",
                    // All of these read from the one stage that is named like the empty image.
                    false if read.unnamed => {
                        let behind = circle.get_or_insert_with(|| self.behind(read.state, count));
                        if !behind[index] {
                            continue;
                        }
                        "a mount without `from` reads the stage named scratch, which reads from this one"
                    }
                    false => "the stage is defined only after this; move it before",
                };
                self.faults.push(Fault::syntax(read.span, message));
            }
        }
    }

    /// The stages that a stage reads from, itself among them. What it is built
    /// from does not count: BuildKit finds no circle through that.
    fn behind(&self, stage: usize, count: usize) -> Vec<bool> {
        let mut behind = vec![false; count];
        let mut pending = vec![stage];
        while let Some(index) = pending.pop() {
            if index < count && !std::mem::replace(&mut behind[index], true) {
                pending.extend(self.states[index].reads.iter().map(|read| read.state));
            }
        }
        behind
    }
}

fn blank_message(text: &Text<'_>, written: &str, value: &Value, arguments: &Arguments<'_>) -> String {
    let undeclared = value.holes.iter().find_map(|(_, hole)| match hole {
        Hole::Undeclared(index) => Some(arguments.undeclared(*index)),
        _ => None,
    });
    match undeclared {
        None => format!("the image `{written}` is blank"),
        Some(name) if text.late_arguments.iter().any(|late| late == name) => format!(
            "the image `{written}` is blank: `ARG {name}` stands behind a FROM, where no FROM sees it; move it before the first FROM"
        ),
        Some(name) => {
            format!("the image `{written}` is blank: no `ARG {name}` stands before the first FROM")
        }
    }
}
