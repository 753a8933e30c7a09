//! The walk over a script: variables are set in the order of the text, and every
//! command is looked at. A script inside a script (`bash -c '…'`, a heredoc that a shell
//! reads) is walked over in its place.

use std::collections::BTreeMap;

use memchr::memchr;
use memchr::memmem;

use super::Foreign;
use super::Script;
use super::commands;
use super::expand;
use super::expand::Environment;
use super::expand::Field;
use super::expand::Looked;
use super::expand::Source;
use super::lexer;
use super::scope::Contents;
use super::scope::Member;
use super::scope::Scope;
use super::word::Assigned;
use super::word::Block;
use super::word::Command;
use super::word::Kind;
use super::word::Link;
use super::word::Operator;
use super::word::Step;
use super::word::Word;
use crate::formats::Build;
use crate::formats::Claim;
use crate::formats::Extracted;
use crate::formats::Format;
use crate::formats::dockerfile::Dockerfile;
use crate::formats::dockerfile::Inputs;
use crate::formats::dockerfile::extract_from_script;
use crate::formats::value::Value;
use crate::image::ImageRef;
use crate::image::Role;
use crate::source::Mapped;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::Span;

/// How many scripts may stand inside one another.
const MAX_SCRIPTS: usize = 6;
/// How many bytes of text are put together in one script, beside its own: variables
/// that are used over and over.
const MAX_TEXT_BYTES: usize = 4 * 1024 * 1024;
/// How many lists of arguments one command is looked at with.
const MAX_CALLS: usize = 16;

/// A script that is being walked over.
pub(super) struct Run<'a, 'x> {
    pub(super) script: &'a Script<'a>,
    pub(super) extracted: &'x mut Extracted,
    scope: Scope,
    /// The folders that commands may run in; none when that is not known.
    folders: Vec<String>,
    found: BTreeMap<(Span, Role), Vec<Member>>,
    scripts: usize,
    pub(super) commands: usize,
    /// Bytes that may still be put together.
    left: usize,
    /// What functions set is being gathered: nothing counts yet.
    gathers: bool,
    /// The texts that the command in front of `|` writes, as far as they are heredocs.
    piped: Input,
}

/// What a command reads: heredocs and here-strings.
pub(super) type Input = Vec<Written>;

/// A text that a script hands to a command.
pub(super) struct Written {
    /// As a script, with the variables that the script around it sets.
    pub(super) text: Mapped,
    pub(super) foreign: Vec<Foreign>,
    /// With the values of those that are known; empty when no image can be named in it.
    expanded: Mapped,
    /// Something in it is put together when the script runs.
    varies: bool,
}

impl<'a, 'x> Run<'a, 'x> {
    pub(super) fn new(script: &'a Script<'a>, extracted: &'x mut Extracted) -> Run<'a, 'x> {
        Run {
            script,
            extracted,
            scope: Scope::default(),
            folders: script.folders.iter().map(|folder| (*folder).to_owned()).collect(),
            found: BTreeMap::new(),
            scripts: 0,
            commands: 0,
            left: MAX_TEXT_BYTES + script.text.text().len(),
            gathers: false,
            piped: Vec::new(),
        }
    }

    /// Walks over the script and adds what was found.
    pub(super) fn finish(mut self) {
        let script = self.script;
        let parsed = lexer::parse(script.text.text(), script.foreign);
        let source = Source { text: script.text, foreign: script.foreign, parsed: &parsed };
        if holds_function(&parsed.steps) {
            self.gathers = true;
            self.steps(&parsed.steps, &source);
            self.scope.close_to(0);
            self.gathers = false;
            self.scope = std::mem::take(&mut self.scope).again();
            self.folders = script.folders.iter().map(|folder| (*folder).to_owned()).collect();
            self.left = MAX_TEXT_BYTES + script.text.text().len();
            self.piped.clear();
        }
        self.steps(&parsed.steps, &source);
        self.note_limits(&source);
        let finder = &self.script.finder;
        for ((span, role), members) in self.found {
            let values: Vec<Value> = members.into_iter().map(|member| member.value).collect();
            self.extracted.uses.push(finder.image_use(role, span, &values));
        }
        self.extracted.uses.sort_by_key(|usage| usage.span);
    }

    /// Tells of what was not read, where it could hide something.
    fn note_limits(&mut self, source: &Source<'_>) {
        let text = source.text.text();
        let mut tell = |at: Option<usize>, message: &str| {
            if let Some(at) = at
                && commands::may_hold_one(&text.as_bytes()[at..])
            {
                let problem =
                    self.script.finder.problem(source.text.span(at..at), ProblemCode::Limit, message);
                if !self.gathers && !self.extracted.problems.contains(&problem) {
                    self.extracted.problems.push(problem);
                }
            }
        };
        tell(source.parsed.too_deep, "substitutions and quotes are nested too deep here to be read");
        tell(
            source.parsed.unclosed,
            "too many quotes and parentheses are not closed; what follows here is not read as it should be",
        );
        tell((self.left == 0).then_some(0), "the values of this script are too large to be evaluated");
    }

    fn steps(&mut self, steps: &[Step], source: &Source<'_>) {
        for step in steps {
            match step {
                Step::Command(command) => self.command(command, source),
                Step::For(name, words) => self.for_each(name, words, source),
                Step::Open(block, link) => self.scope.open(*block, *link != Link::Maybe),
                Step::Branch { of, last } => self.scope.branch(*of, *last),
                Step::Close(block) => self.scope.close(*block),
            }
        }
    }

    fn for_each(&mut self, name: &str, words: &[Word], source: &Source<'_>) {
        let mut members: Vec<Member> = Vec::new();
        for word in words {
            self.visit(word, source);
            for field in self.shapes(word, source).into_iter().flatten() {
                if field.many {
                    members.push(Member::unknown(
                        format!("${name}"),
                        format!("what the loop over `{name}` runs through is not known"),
                    ));
                } else {
                    let at = self.script.finder.location(field.span);
                    members.extend(field.members.into_iter().map(|member| Member {
                        value: member.value.from_place(at.clone(), format!("value of `{name}`")),
                        symbol: member.symbol,
                    }));
                }
            }
        }
        if words.is_empty() {
            members.push(Member::unknown(format!("${name}"), "the arguments of the script are not known"));
        }
        members = super::scope::product(&[Member::known(Value::default())], &members);
        self.scope.runs();
        self.scope.set(name, Contents::text(members), false, false);
    }

    /// Walks over the commands in a word.
    fn visit(&mut self, word: &Word, source: &Source<'_>) {
        for piece in &word.pieces {
            match &piece.kind {
                Kind::Commands(steps) | Kind::Arithmetic(steps) if !steps.is_empty() => {
                    let (folders, depth) = (self.folders.clone(), self.scope.depth());
                    let piped = std::mem::take(&mut self.piped);
                    self.scope.open(Block::Subshell, true);
                    self.steps(steps, source);
                    self.scope.close_to(depth);
                    self.piped = piped;
                    self.folders = folders;
                }
                Kind::Variable(variable) => {
                    self.visit(&variable.operand, source);
                    if let Operator::Assign { .. } = variable.operator {
                        self.assign_default(variable, source);
                    }
                }
                _ => {}
            }
        }
    }

    /// `${name:=default}`
    fn assign_default(&mut self, variable: &super::word::Variable, source: &Source<'_>) {
        let default = self.assigned(&variable.name, &variable.operand, source);
        let members = match self.is_set(&variable.name) {
            false => default,
            true => {
                let mut members = self.look(&variable.name).members;
                if members.iter().any(|member| !member.value.is_known() || member.value.is_empty()) {
                    members.retain(|member| !member.value.is_empty());
                    members.extend(default);
                }
                members
            }
        };
        self.scope.set(&variable.name, Contents::text(members), false, false);
    }

    /// The value of an assignment, which remembers where it stands.
    fn assigned(&mut self, name: &str, word: &Word, source: &Source<'_>) -> Vec<Member> {
        let members = expand::text(word, source, self);
        if word.pieces.is_empty() {
            return members;
        }
        let at = self.script.finder.location(source.text.span(word.range()));
        let what = format!("value of `{name}`");
        members
            .into_iter()
            .map(|member| Member {
                value: member.value.from_place(at.clone(), what.clone()),
                symbol: member.symbol,
            })
            .collect()
    }

    fn assign(&mut self, command: &Command, local: bool, source: &Source<'_>) {
        for assignment in &command.assignments {
            let name = assignment.name.as_str();
            let contents = match &assignment.value {
                Assigned::Word(word) => {
                    self.visit(word, source);
                    let mut members = self.assigned(name, word, source);
                    if assignment.appends {
                        members = super::scope::product(&self.look(name).members, &members);
                    }
                    Contents::text(members)
                }
                Assigned::Array(words) => {
                    let mut elements = match self.scope.current(name) {
                        Some(before) if assignment.appends => before.elements.clone().unwrap_or_default(),
                        _ => Vec::new(),
                    };
                    for word in words {
                        self.visit(word, source);
                        let at = self.script.finder.location(source.text.span(word.range()));
                        for field in self.shapes(word, source).into_iter().next().unwrap_or_default() {
                            if elements.len() >= 4096 {
                                break;
                            }
                            let placed = field.members.into_iter().map(|member| Member {
                                value: member.value.from_place(at.clone(), format!("element of `{name}`")),
                                symbol: member.symbol,
                            });
                            elements.push(placed.collect());
                        }
                    }
                    Contents {
                        members: elements.first().cloned().unwrap_or_default(),
                        elements: Some(elements),
                        open: false,
                    }
                }
                Assigned::Element(word) => {
                    self.visit(word, source);
                    let member = Member::unknown(
                        format!("${name}"),
                        format!("the elements of `{name}` are not told apart"),
                    );
                    Contents::text(vec![member])
                }
            };
            self.scope.set(name, contents, command.link == Link::Maybe, local);
        }
    }

    fn command(&mut self, command: &Command, source: &Source<'_>) {
        let piped = match command.link {
            Link::Pipe => std::mem::take(&mut self.piped),
            _ => {
                self.piped.clear();
                Vec::new()
            }
        };
        for word in command
            .words
            .iter()
            .chain(&command.here_string)
            .chain(command.redirects.iter().map(|redirect| &redirect.target))
        {
            self.visit(word, source);
        }
        for index in &command.heredocs {
            if let Some(heredoc) = source.parsed.heredocs.get(*index) {
                self.visit(&heredoc.body, source);
            }
        }
        let Some(first) = command.words.first() else {
            self.assign(command, false, source);
            return;
        };
        let text = source.text.text();
        let name = first.literal(text);
        match name.as_deref() {
            Some("export" | "local" | "declare" | "typeset" | "readonly") => {
                self.declare(command, name.as_deref() != Some("export"), source);
                return;
            }
            Some("exit" | "return" | "break" | "continue") => {
                if command.link == Link::Next {
                    self.scope.leave();
                }
                return;
            }
            Some("unset") => return,
            Some("read" | "mapfile" | "readarray" | "getopts") => {
                self.read_names(command, source);
                return;
            }
            _ => {}
        }
        self.assign_for_command(command, source);
        let input = self.input(command, piped, source);
        if commands::is_of_interest(name.as_deref(), command, text) {
            for fields in self.calls(&command.words, source) {
                commands::run(self, &fields, &input, source);
            }
        }
        self.dockerfile(command, &input, source);
        self.piped = input;
    }

    /// `cat > Dockerfile <<EOF`
    fn dockerfile(&mut self, command: &Command, input: &Input, source: &Source<'_>) {
        let names_one = |word: &Word| {
            let name = word.literal(source.text.text());
            name.is_some_and(|name| Dockerfile.claims(&RepoPath::new(&name)) != Claim::No)
        };
        let writes = command.redirects.iter().any(|redirect| redirect.writes && names_one(&redirect.target))
            || (command.words.iter().any(|word| word.literal(source.text.text()).as_deref() == Some("tee"))
                && command.words.iter().any(names_one));
        if writes {
            self.build_inline(input, &[]);
        }
    }

    /// Reads what a command is handed as a Dockerfile.
    pub(super) fn build_inline(&mut self, input: &Input, inputs: &[Inputs]) {
        for written in input {
            let mut found = extract_from_script(self.script.finder.file, &written.expanded, inputs);
            if written.varies {
                // What is put in may be what makes it right.
                found.problems.retain(|problem| problem.code != ProblemCode::Syntax);
            }
            self.inline(found);
        }
    }

    /// What stands in front of a command is set for that command alone; the words of
    /// the same line do not see it.
    fn assign_for_command(&mut self, command: &Command, source: &Source<'_>) {
        for assignment in &command.assignments {
            match &assignment.value {
                Assigned::Word(word) | Assigned::Element(word) => self.visit(word, source),
                Assigned::Array(words) => words.iter().for_each(|word| self.visit(word, source)),
            }
        }
    }

    /// `export name=value`, `local name=value`.
    fn declare(&mut self, command: &Command, declares: bool, source: &Source<'_>) {
        let local = declares && self.scope.in_function();
        self.assign(command, local, source);
        for word in command.words.iter().skip(1) {
            let Some(piece) = word.pieces.first().filter(|piece| matches!(piece.kind, Kind::Text)) else {
                continue;
            };
            let written = source.text.text().get(piece.range.clone()).unwrap_or("");
            let length = lexer::name_length(written.as_bytes());
            let appends = written[length..].starts_with("+=");
            if length == 0 || !(appends || written[length..].starts_with('=')) {
                continue;
            }
            let name = &written[..length];
            let field = expand::quoted(word, source, self);
            let value = field.without(length + 1 + usize::from(appends), source);
            let at = self.script.finder.location(value.span);
            let mut members: Vec<Member> = value
                .members
                .into_iter()
                .map(|member| Member {
                    value: member.value.from_place(at.clone(), format!("value of `{name}`")),
                    symbol: member.symbol,
                })
                .collect();
            if appends {
                members = super::scope::product(&self.look(name).members, &members);
            }
            self.scope.set(name, Contents::text(members), command.link == Link::Maybe, local);
        }
    }

    /// `read name`: what it reads is not known.
    fn read_names(&mut self, command: &Command, source: &Source<'_>) {
        let text = source.text.text();
        for word in command.words.iter().skip(1) {
            let Some(name) = word.literal(text) else { continue };
            if !name.is_empty() && lexer::name_length(name.as_bytes()) == name.len() {
                let member =
                    Member::unknown(format!("${name}"), format!("what is read into `{name}` is not known"));
                self.scope.set(&name, Contents::text(vec![member]), false, false);
            }
        }
    }

    fn shapes<'s>(&mut self, word: &'s Word, source: &Source<'s>) -> Vec<Vec<Field<'s>>> {
        expand::fields(word, source, self)
    }

    /// The lists of fields that the words of a command may be.
    fn calls<'s>(&mut self, words: &'s [Word], source: &Source<'s>) -> Vec<Vec<Field<'s>>> {
        let shapes: Vec<Vec<Vec<Field<'s>>>> = words.iter().map(|word| self.shapes(word, source)).collect();
        let mut calls: Vec<Vec<Field<'s>>> = vec![Vec::new()];
        for word in shapes {
            let [only] = word.as_slice() else {
                let mut next = Vec::new();
                // Beyond the limit each way of the first few is gone on with.
                for call in &calls {
                    for shape in &word {
                        if next.len() < MAX_CALLS {
                            let mut call = call.clone();
                            call.extend(shape.iter().cloned());
                            next.push(call);
                        }
                    }
                }
                calls = next;
                continue;
            };
            for call in &mut calls {
                call.extend(only.iter().cloned());
            }
        }
        calls
    }

    /// What a command reads from its standard input.
    fn input(&mut self, command: &Command, piped: Input, source: &Source<'_>) -> Input {
        let mut input = piped;
        for index in &command.heredocs {
            if let Some(heredoc) = source.parsed.heredocs.get(*index) {
                input = vec![self.written(&heredoc.body, heredoc.strips_tabs, source)];
            }
        }
        if let Some(word) = &command.here_string {
            input = vec![self.written(word, false, source)];
        }
        input
    }

    fn written(&mut self, word: &Word, strips_tabs: bool, source: &Source<'_>) -> Written {
        let (mut text, mut foreign) = inner(word, source);
        let mut expanded = Mapped::default();
        if memmem::find(text.text().as_bytes(), b"FROM").is_some() {
            for piece in &word.pieces {
                let span = source.text.span(piece.range.clone());
                let values = match &piece.kind {
                    Kind::Text => Vec::new(),
                    _ => expand::one(piece, source, self),
                };
                match values.as_slice() {
                    [only] if only.value.is_known() => expanded.push_made(only.value.text(), span),
                    _ => expanded.append(&source.text.slice(piece.range.clone())),
                }
            }
        }
        if strips_tabs {
            (text, foreign) = without_tabs(&text, foreign);
            expanded = without_tabs(&expanded, Vec::new()).0;
        }
        let varies = word.pieces.iter().any(|piece| !matches!(piece.kind, Kind::Text));
        Written { text, foreign, expanded, varies }
    }

    /// Walks over a script that stands inside this one.
    pub(super) fn nested(&mut self, text: &Mapped, foreign: &[Foreign]) {
        let bytes = text.text().as_bytes();
        // A variable may hold all of a command.
        let may_hold_one = memchr(b'$', bytes).is_some() || commands::may_hold_one(bytes);
        if self.scripts >= MAX_SCRIPTS || !may_hold_one {
            return;
        }
        self.scripts += 1;
        let parsed = lexer::parse(text.text(), foreign);
        let source = Source { text, foreign, parsed: &parsed };
        let (folders, depth) = (self.folders.clone(), self.scope.depth());
        let piped = std::mem::take(&mut self.piped);
        self.scope.open(Block::Subshell, true);
        self.steps(&parsed.steps, &source);
        self.scope.close_to(depth);
        self.piped = piped;
        self.folders = folders;
        self.note_limits(&source);
        self.scripts -= 1;
    }

    /// Notes an image that a command uses.
    pub(super) fn image(&mut self, role: Role, field: &Field<'_>) {
        if self.gathers || field.members.iter().all(|member| member.value.is_empty()) {
            return;
        }
        let local = self.script.local.borrow();
        let members = self.found.entry((field.span, role)).or_default();
        for member in &field.members {
            let is_told_apart = !member.symbol().contains('…');
            let is_local =
                is_told_apart && (member.symbol() == expand::BUILT || local.contains(&local_key(member)));
            if !is_local && !member.value.is_empty() && !members.contains(member) {
                members.push(member.clone());
            }
        }
        if members.is_empty() {
            self.found.remove(&(field.span, role));
        }
    }

    /// Notes an image that is asked for again even where it was built.
    pub(super) fn pulled(&mut self, role: Role, field: &Field<'_>) {
        if self.gathers {
            return;
        }
        let members = self.found.entry((field.span, role)).or_default();
        for member in field.members.iter().filter(|member| !member.value.is_empty()) {
            if !members.contains(member) {
                members.push(member.clone());
            }
        }
        if members.is_empty() {
            self.found.remove(&(field.span, role));
        }
    }

    /// Notes an image that a command makes.
    pub(super) fn made(&mut self, field: &Field<'_>) {
        if self.gathers {
            return;
        }
        let mut local = self.script.local.borrow_mut();
        for member in &field.members {
            local.insert(local_key(member));
        }
    }

    /// Adds a build.
    pub(super) fn build(&mut self, build: Build) {
        if !self.gathers && !self.extracted.builds.contains(&build) {
            self.extracted.builds.push(build);
        }
    }

    /// Adds what was found in a Dockerfile that stands in the script.
    fn inline(&mut self, found: Extracted) {
        if self.gathers {
            return;
        }
        for usage in found.uses {
            if !self.extracted.uses.contains(&usage) {
                self.extracted.uses.push(usage);
            }
        }
        for problem in found.problems {
            if !self.extracted.problems.contains(&problem) {
                self.extracted.problems.push(problem);
            }
        }
    }

    /// A build of something that is not in the repository.
    pub(super) fn remote(&mut self, context: &Field<'_>) {
        if !self.gathers {
            let members =
                vec![Member::unknown(context.hint(), "remote: what is built stands in another repository")];
            self.found.insert((context.span, Role::Command), members);
        }
    }

    /// Commands run in another folder from here on.
    pub(super) fn change_folder(&mut self, to: Option<&Field<'_>>) {
        let folders = match to {
            Some(field) if field.members.len() == 1 => self.folders_of(&field.members[0]),
            _ => Vec::new(),
        };
        self.folders = folders;
    }

    fn folders_of(&self, member: &Member) -> Vec<String> {
        self.paths(member, ".").into_iter().map(|path| path.as_str().to_owned()).collect()
    }

    /// The paths in the repository that a text names: `name` in that folder, when a
    /// name is given.
    pub(super) fn paths(&self, member: &Member, name: &str) -> Vec<RepoPath> {
        let here = self.script.finder.file.path().folder();
        let symbol = member.symbol();
        let known = [
            (expand::HERE, vec![here]),
            (expand::ROOT, vec![""]),
            ("${GITHUB_WORKSPACE}", vec![""]),
            ("${CI_PROJECT_DIR}", vec![""]),
        ];
        let working: Vec<&str> = self.folders.iter().map(String::as_str).collect();
        let working =
            [(expand::WORKING, working.clone()), ("${PWD}", working.clone()), ("${CURDIR}", working)];
        let (folders, rest) = match known
            .iter()
            .chain(&working)
            .find_map(|(begin, folders)| Some((folders.clone(), symbol.strip_prefix(begin)?)))
        {
            Some((folders, rest)) => (folders, rest.trim_start_matches('/')),
            None if member.symbol.is_none() => (self.folders.iter().map(String::as_str).collect(), symbol),
            None => return Vec::new(),
        };
        if rest.contains(['$', '\0', '*']) || rest.starts_with('/') {
            return Vec::new();
        }
        let path = |folder: &str| RepoPath::new(&format!("{folder}/x")).beside(&format!("{rest}/{name}"));
        let mut paths: Vec<RepoPath> = folders.into_iter().filter_map(path).collect();
        paths.dedup();
        paths
    }
}

/// What a reference is compared by: two that name the same image have the same.
fn local_key(member: &Member) -> String {
    if member.symbol.is_some() {
        return member.symbol().to_owned();
    }
    match ImageRef::parse(member.value.text()) {
        Ok(mut image) => {
            if image.tag.is_none() && image.digest.is_none() {
                image.tag = Some("latest".to_owned());
            }
            image.to_string()
        }
        Err(_) => member.value.text().to_owned(),
    }
}

impl Environment for Run<'_, '_> {
    fn look(&mut self, name: &str) -> Looked {
        let set = self.scope.get(name);
        let mut looked = match &set {
            Some(contents) => {
                Looked { members: contents.members.clone(), elements: contents.elements.clone() }
            }
            None => Looked { members: Vec::new(), elements: None },
        };
        if set.is_none_or(|contents| contents.open) {
            match (self.script.environment)(name) {
                Some(values) => looked.members.extend(values.into_iter().map(|value| Member {
                    symbol: (!value.is_known()).then(|| format!("${{{name}}}")),
                    value,
                })),
                None => looked.members.push(unset(name)),
            }
        }
        if looked.members.is_empty() {
            looked.members.push(Member::known(Value::default()));
        }
        looked
    }

    fn is_set(&mut self, name: &str) -> bool {
        self.scope.get(name).is_some_and(|contents| !contents.open || !contents.members.is_empty())
            || (self.script.environment)(name).is_some()
    }

    fn spend(&mut self, bytes: usize) -> bool {
        self.left = self.left.saturating_sub(bytes);
        self.left > 0
    }
}

/// A variable that nothing sets.
fn unset(name: &str) -> Member {
    let is_argument = name.bytes().all(|byte| byte.is_ascii_digit()) || matches!(name, "@" | "*");
    let reason = match is_argument {
        true => format!("`${name}` is an argument of the script"),
        false => format!("`${name}` is not set in this script"),
    };
    Member::unknown(format!("${{{name}}}"), reason)
}

fn holds_function(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::Open(Block::Function, _)))
}

/// The text of a word as a script of its own. Its variables are left in it: the
/// script around it sets them.
pub(super) fn inner(word: &Word, source: &Source<'_>) -> (Mapped, Vec<Foreign>) {
    let mut text = Mapped::default();
    let mut foreign = Vec::new();
    for piece in &word.pieces {
        let start = text.text().len();
        match &piece.kind {
            Kind::Made(made) => text.push_made(made, source.text.span(piece.range.clone())),
            _ => text.append(&source.text.slice(piece.range.clone())),
        }
        if let Kind::Foreign(index) = piece.kind
            && let Some(known) = source.foreign.get(index)
        {
            foreign.push(Foreign { range: start..text.text().len(), values: known.values.clone() });
        }
    }
    (text, foreign)
}

/// The body of `<<-`: without the tabs at the beginning of its lines.
fn without_tabs(text: &Mapped, foreign: Vec<Foreign>) -> (Mapped, Vec<Foreign>) {
    let mut stripped = Mapped::default();
    let mut moved = foreign;
    let mut at = 0;
    let mut cut = 0;
    let mut next = 0;
    for line in text.text().split_inclusive('\n') {
        let tabs = line.len() - line.trim_start_matches('\t').len();
        cut += tabs;
        while let Some(foreign) = moved.get_mut(next).filter(|foreign| foreign.range.start < at + line.len())
        {
            foreign.range = foreign.range.start.saturating_sub(cut)..foreign.range.end.saturating_sub(cut);
            next += 1;
        }
        stripped.append(&text.slice(at + tabs..at + line.len()));
        at += line.len();
    }
    (stripped, moved)
}
