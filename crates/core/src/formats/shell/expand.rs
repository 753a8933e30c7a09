//! From a word to the fields that a command gets: variables are put in, and split
//! where they are not quoted (2.6 of the Shell Command Language). Where that makes
//! different numbers of fields, each is a shape of its own.

use std::ops::Range;

use super::Foreign;
use super::scope::Member;
use super::scope::product;
use super::word::Index;
use super::word::Kind;
use super::word::Operator;
use super::word::Parsed;
use super::word::Piece;
use super::word::Step;
use super::word::Variable;
use super::word::Word;
use crate::formats::value::MAX_MEMBERS;
use crate::formats::value::Value;
use crate::source::Mapped;
use crate::source::Span;

/// How many shapes of one word are told apart.
const MAX_SHAPES: usize = 8;

/// A script that was read, and its places.
pub(super) struct Source<'s> {
    pub(super) text: &'s Mapped,
    pub(super) foreign: &'s [Foreign],
    pub(super) parsed: &'s Parsed,
}

impl Source<'_> {
    /// A piece as it stands in the script.
    fn written(&self, piece: &Piece) -> &str {
        self.text.text().get(piece.range.clone()).unwrap_or("")
    }
}

/// One field.
#[derive(Debug, Clone)]
pub(super) struct Field<'s> {
    pub(super) members: Vec<Member>,
    /// The word that it is made of, when it is all of the word.
    word: Option<&'s Word>,
    /// What stands behind the text at its beginning: from where on, and the members.
    behind: Option<(usize, Vec<Member>)>,
    pub(super) span: Span,
    /// It may be any number of fields.
    pub(super) many: bool,
    /// The variable that it is.
    pub(super) name: Option<&'s str>,
}

impl<'s> Field<'s> {
    /// Something that is not known.
    pub(super) fn unknown(span: Span, reason: &str) -> Field<'s> {
        let members = vec![Member::unknown(reason, reason)];
        Field { members, word: None, behind: None, span, many: false, name: None }
    }

    /// A word that is one field; `parts` are the members of its pieces.
    fn of_word(
        word: &'s Word,
        members: Vec<Member>,
        parts: &[Vec<Member>],
        source: &Source<'s>,
    ) -> Field<'s> {
        let name = match word.pieces.as_slice() {
            [Piece { kind: Kind::Variable(variable), .. }] => Some(variable.name.as_str()),
            _ => None,
        };
        let span = source.text.span(word.range());
        Field { members, word: Some(word), behind: behind(word, parts, source), span, many: false, name }
    }

    /// What the field is called where it is not known: a variable, an expression.
    pub(super) fn hint(&self) -> &str {
        self.name.or_else(|| self.members.iter().find_map(|member| member.symbol.as_deref())).unwrap_or("")
    }

    /// The word, when the field is all of it.
    pub(super) fn word(&self) -> Option<&'s Word> {
        self.word
    }

    /// The text, when there is one and it is wholly known.
    pub(super) fn known(&self) -> Option<&str> {
        match self.members.as_slice() {
            [member] if member.value.is_known() => Some(member.value.text()),
            _ => None,
        }
    }

    /// What is known of its beginning.
    pub(super) fn beginning(&self) -> &str {
        self.members.first().map_or("", |member| member.value.beginning())
    }

    /// The first `length` bytes of a field whose beginning is known that far.
    pub(super) fn up_to(&self, length: usize) -> Field<'s> {
        let cut = |member: &Member| Member::known(member.value.slice(0..length));
        let written = self
            .members
            .first()
            .is_some_and(|member| member.value.text().len() == self.span.end - self.span.start);
        let span = if written { Span::new(self.span.start, self.span.start + length) } else { self.span };
        Field {
            members: self.members.iter().map(cut).collect(),
            word: None,
            behind: None,
            span,
            ..self.clone()
        }
    }

    /// What stands behind the first `=` of a word that begins with a variable.
    pub(super) fn behind_equals(&self, source: &Source<'s>) -> Option<Field<'s>> {
        let word = self.word?;
        let at = word
            .pieces
            .iter()
            .position(|piece| matches!(piece.kind, Kind::Text) && source.written(piece).starts_with('='))?;
        let mut members = vec![Member::known(Value::default())];
        for (index, piece) in word.pieces.iter().enumerate().skip(at) {
            let skip = usize::from(index == at);
            let more = match &piece.kind {
                Kind::Text => vec![Member::known(Value::known(&source.written(piece)[skip..]))],
                _ => vec![Member::unknown(source.written(piece), "it stands behind a variable")],
            };
            members = product(&members, &more);
        }
        let span = source.text.span(word.pieces[at].range.start + 1..word.range().end);
        Some(Field { members, word: None, behind: None, span, many: false, name: None })
    }

    /// The field where something not known stands from `at` on.
    pub(super) fn opened(&self, at: usize, reason: &str) -> Field<'s> {
        let open = |member: &Member| {
            let mut opened = Member::known(member.value.slice(0..at));
            opened.append(&Member::unknown("…", reason));
            opened
        };
        Field { members: self.members.iter().map(open).collect(), word: None, behind: None, ..self.clone() }
    }

    /// The field without the first `length` bytes of its text.
    pub(super) fn without(&self, length: usize, source: &Source<'s>) -> Field<'s> {
        let prefix = self.members.first().and_then(|first| first.value.text().get(..length)).unwrap_or("");
        let cut = |member: &Member| {
            if !member.value.text().starts_with(prefix) || member.value.beginning().len() < length {
                return Member::unknown("…", "it begins with a variable");
            }
            let value = member.value.slice(length..member.value.text().len());
            let symbol = member.symbol.as_ref().and_then(|symbol| symbol.get(length..)).map(str::to_owned);
            Member { value, symbol }
        };
        let span = self.word.and_then(|word| tail(word, length, source)).unwrap_or(self.span);
        let members = match &self.behind {
            Some((at, members)) if *at == length => members.clone(),
            _ => self.members.iter().map(cut).collect(),
        };
        Field { members, word: None, behind: None, span, many: self.many, name: self.name }
    }
}

/// What stands behind the last `=` or `/` of the text that a word begins with, when
/// something else follows that text. So it is known where that comes from.
fn behind(word: &Word, parts: &[Vec<Member>], source: &Source<'_>) -> Option<(usize, Vec<Member>)> {
    let first = word.pieces.first().filter(|piece| matches!(piece.kind, Kind::Text))?;
    let written = source.written(first);
    let at = written.rfind(['=', '/'])? + 1;
    if word.pieces.len() < 2 {
        return None;
    }
    let rest = vec![Member::known(Value::known(&written[at..]))];
    Some((at, parts.iter().skip(1).fold(rest, |members, part| product(&members, part))))
}

/// The place of a word behind the first `length` bytes of its text.
fn tail(word: &Word, mut length: usize, source: &Source<'_>) -> Option<Span> {
    let end = word.pieces.last()?.range.end;
    for piece in &word.pieces {
        if length == 0 {
            return Some(source.text.span(piece.range.start..end));
        }
        if !matches!(piece.kind, Kind::Text) {
            return None;
        }
        if length < piece.range.len() {
            return Some(source.text.span(piece.range.start + length..end));
        }
        length -= piece.range.len();
    }
    Some(source.text.span(end..end))
}

/// What a variable stands for.
pub(super) struct Looked {
    pub(super) members: Vec<Member>,
    pub(super) elements: Option<Vec<Vec<Member>>>,
}

/// What knows variables.
pub(super) trait Environment {
    /// What a variable is. A name that nobody knows is a member that is not known.
    fn look(&mut self, name: &str) -> Looked;
    /// Whether a variable is set by anything that is known.
    fn is_set(&mut self, name: &str) -> bool;
    /// Counts the bytes of a text that is put together.
    fn spend(&mut self, bytes: usize) -> bool;
}

/// The members of a text that is not split: an assigned value, a quoted word.
pub(super) fn text(word: &Word, source: &Source<'_>, environment: &mut dyn Environment) -> Vec<Member> {
    let mut members = vec![Member::known(Value::default())];
    for piece in &word.pieces {
        let more = self::piece(piece, source, environment);
        members = product(&members, &more);
    }
    members
}

/// The shapes of a word: the fields that it may be.
pub(super) fn fields<'s>(
    word: &'s Word,
    source: &Source<'s>,
    environment: &mut dyn Environment,
) -> Vec<Vec<Field<'s>>> {
    let span = source.text.span(word.range());
    let name = match word.pieces.as_slice() {
        [Piece { kind: Kind::Variable(variable), .. }] => Some(variable.name.as_str()),
        _ => None,
    };
    if let [Piece { kind: Kind::Variable(variable), .. }] = word.pieces.as_slice()
        && let Some(elements) = elements(variable, environment)
    {
        let field =
            |members: Vec<Member>| Field { members, word: None, behind: None, span, many: false, name };
        return vec![elements.into_iter().map(field).collect()];
    }
    let mut whole = vec![Member::known(Value::default())];
    let mut parts = Vec::with_capacity(word.pieces.len());
    let mut splits = false;
    let mut many = false;
    for piece in &word.pieces {
        let members = self::piece(piece, source, environment);
        let expands = expands(piece);
        many |= is_list(piece) || (expands && members.iter().any(|member| member.value.hole() == Some(0)));
        splits |= expands && members.iter().any(splits_into_many);
        whole = product(&whole, &members);
        parts.push(members);
    }
    many &= word.pieces.len() == 1;
    if !splits {
        return vec![vec![Field { many, ..Field::of_word(word, whole, &parts, source) }]];
    }
    let pieces: Vec<(bool, Vec<Member>)> = word.pieces.iter().map(expands).zip(parts).collect();
    let mut shapes: Vec<Vec<Field<'s>>> = Vec::new();
    let mut single: Option<usize> = None;
    for parts in split(&pieces) {
        let mut made: Vec<Field<'s>> = parts
            .into_iter()
            .map(|member| Field {
                many: member.value.hole() == Some(0) && member.value.text().is_empty(),
                members: vec![member],
                word: None,
                behind: None,
                span,
                name,
            })
            .collect();
        match (made.len(), single) {
            (1, Some(at)) => {
                let one = &mut shapes[at][0];
                one.many |= made[0].many;
                one.members.append(&mut made[0].members);
            }
            (length, _) => {
                if length == 1 {
                    single = Some(shapes.len());
                }
                shapes.push(made);
            }
        }
    }
    shapes
}

/// Whether what a piece stands for is split.
fn expands(piece: &Piece) -> bool {
    !piece.quoted && !matches!(piece.kind, Kind::Text | Kind::Made(_))
}

fn splits_into_many(member: &Member) -> bool {
    member.value.is_empty() || member.value.text().bytes().any(|byte| byte.is_ascii_whitespace())
}

/// `"$@"`: any number of fields, quoted or not.
fn is_list(piece: &Piece) -> bool {
    match &piece.kind {
        Kind::Variable(variable) => {
            variable.index == Index::All || matches!(variable.name.as_str(), "@" | "*")
        }
        _ => false,
    }
}

/// The elements of an array that is known.
fn elements(variable: &Variable, environment: &mut dyn Environment) -> Option<Vec<Vec<Member>>> {
    if variable.index != Index::All {
        return None;
    }
    // `${name[@]+"${name[@]}"}` and `${name[@]:-}` are written for arrays that may be empty.
    if matches!(variable.operator, Operator::Trim { .. } | Operator::Other) {
        return None;
    }
    environment.look(&variable.name).elements
}

/// The lists of fields that pieces make, a few of them.
fn split(pieces: &[(bool, Vec<Member>)]) -> Vec<Vec<Member>> {
    let mut shapes: Vec<(Vec<Member>, Option<Member>)> = vec![(Vec::new(), None)];
    for (expands, members) in pieces {
        let mut next: Vec<(Vec<Member>, Option<Member>)> = Vec::new();
        for (done, open) in &shapes {
            for member in members {
                if next.len() >= MAX_SHAPES.max(shapes.len()) {
                    break;
                }
                let (mut done, mut open) = (done.clone(), open.clone());
                if *expands && splits_into_many(member) {
                    split_value(member, &mut done, &mut open);
                } else {
                    match &mut open {
                        Some(open) => open.append(member),
                        None => open = Some(member.clone()),
                    }
                }
                next.push((done, open));
            }
        }
        shapes = next;
    }
    shapes
        .into_iter()
        .map(|(mut done, open)| {
            done.extend(open);
            done
        })
        .collect()
}

/// Splits a value at its white space.
fn split_value(member: &Member, done: &mut Vec<Member>, open: &mut Option<Member>) {
    let text = member.value.text();
    if text.starts_with(|char: char| char.is_ascii_whitespace()) {
        done.extend(open.take());
    }
    let mut at = 0;
    let mut first = true;
    let mut hole = member.value.hole();
    let mut parts: Vec<Range<usize>> = Vec::new();
    for part in text.split_ascii_whitespace() {
        let start = at + text[at..].find(part).unwrap_or(0);
        // Something not known that stands between two words.
        if let Some(place) = hole.take_if(|place| *place < start) {
            parts.push(place..place);
        }
        at = start + part.len();
        hole = hole.filter(|place| *place > at);
        parts.push(start..at);
    }
    parts.extend(hole.map(|place| place..place));
    for part in parts {
        if !std::mem::take(&mut first) {
            done.extend(open.take());
        }
        let value = member.value.slice(part);
        let symbol = (!value.is_known()).then(|| member.symbol.clone()).flatten();
        let part = Member { value, symbol };
        match open {
            Some(open) => open.append(&part),
            None => *open = Some(part),
        }
    }
    if at < text.len() {
        done.extend(open.take());
    }
}

/// A word as one field, whatever stands in it.
pub(super) fn quoted<'s>(
    word: &'s Word,
    source: &Source<'s>,
    environment: &mut dyn Environment,
) -> Field<'s> {
    let parts: Vec<Vec<Member>> =
        word.pieces.iter().map(|piece| self::piece(piece, source, environment)).collect();
    let whole = parts.iter().fold(vec![Member::known(Value::default())], |whole, part| product(&whole, part));
    Field::of_word(word, whole, &parts, source)
}

/// The members of one piece.
pub(super) fn one(piece: &Piece, source: &Source<'_>, environment: &mut dyn Environment) -> Vec<Member> {
    self::piece(piece, source, environment)
}

fn piece(piece: &Piece, source: &Source<'_>, environment: &mut dyn Environment) -> Vec<Member> {
    let written = source.text.text().get(piece.range.clone()).unwrap_or("");
    let spent = match &piece.kind {
        Kind::Text => written.len(),
        _ => 16,
    };
    if !environment.spend(spent) {
        return vec![Member::unknown("…", "the script is too large to be evaluated to its end")];
    }
    match &piece.kind {
        Kind::Text => vec![Member::known(Value::known(written))],
        Kind::Made(made) => vec![Member::known(Value::known(made.as_str()))],
        Kind::Foreign(index) => {
            let values = source.foreign.get(*index).map_or(&[][..], |foreign| foreign.values.as_slice());
            let member = |value: &Value| Member {
                symbol: (!value.is_known()).then(|| written.to_owned()),
                value: value.clone(),
            };
            match values {
                [] => vec![Member::unknown(written, "an expression that has no value")],
                values => values.iter().take(MAX_MEMBERS).map(member).collect(),
            }
        }
        Kind::Commands(steps) => vec![output(steps, source, environment)],
        Kind::Arithmetic(_) => vec![Member::unknown(written, "what `$((…))` comes to is not known")],
        Kind::Variable(variable) => {
            let members = self::variable(variable, written, source, environment);
            for member in &members {
                if !environment.spend(member.value.text().len()) {
                    return vec![Member::unknown("…", "the script is too large to be evaluated to its end")];
                }
            }
            members
        }
    }
}

/// The symbol of an image that a command has just made.
pub(super) const BUILT: &str = "\0built";
/// Folders that commands print, as the beginnings of symbols: that of the script, the
/// root of the repository, the one that commands run in.
pub(super) const HERE: &str = "\0here";
pub(super) const ROOT: &str = "\0root";
pub(super) const WORKING: &str = "\0working";

/// What a command prints, as far as it matters: an image that it built, a folder.
fn output(steps: &[Step], source: &Source<'_>, environment: &mut dyn Environment) -> Member {
    const REASON: &str = "what `$(…)` prints is not known";
    let mut commands = steps.iter().filter_map(|step| match step {
        Step::Command(command) => Some(command),
        _ => None,
    });
    let Some(first) = commands.next() else { return Member::unknown("$(…)", REASON) };
    let literal = |word: &Word| word.literal(source.text.text()).unwrap_or_default();
    let words: Vec<String> = first.words.iter().take(3).map(literal).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut symbol = |word: Option<&Word>| -> String {
        let members = word.map(|word| text(word, source, environment)).unwrap_or_default();
        members.first().map_or_else(String::new, |member| member.symbol().to_owned())
    };
    let printed = match words.as_slice() {
        ["docker" | "podman" | "nerdctl", "image" | "buildx" | "builder", "build" | "ls" | "import", ..]
        | ["docker" | "podman" | "nerdctl", "build" | "images" | "commit" | "import" | "load", ..] => {
            BUILT.to_owned()
        }
        ["git", "rev-parse", "--show-toplevel"] => ROOT.to_owned(),
        ["pwd", ..] => WORKING.to_owned(),
        ["cd", ..]
            if commands.any(|command| command.words.first().is_some_and(|word| literal(word) == "pwd")) =>
        {
            symbol(first.words.iter().skip(1).find(|word| !literal(word).starts_with('-')))
        }
        ["readlink" | "realpath", ..] => symbol(first.words.last()),
        ["dirname", ..] => match symbol(first.words.last()).as_str() {
            "${0}" | "${BASH_SOURCE}" | "${BASH_SOURCE[0]}" | "$BASH_SOURCE" => HERE.to_owned(),
            other => format!("{other}/.."),
        },
        words => format!("$({})", words.join(" ")),
    };
    Member::unknown(printed, REASON)
}

fn variable(
    variable: &Variable,
    written: &str,
    source: &Source<'_>,
    environment: &mut dyn Environment,
) -> Vec<Member> {
    let name = variable.name.as_str();
    let looked = match variable.operator {
        Operator::Default { .. } | Operator::Assign { .. } if !environment.is_set(name) => {
            return text(&variable.operand, source, environment);
        }
        _ => environment.look(name).members,
    };
    let unknown = || vec![Member::unknown(written, format!("`{written}` is not evaluated"))];
    match variable.operator {
        _ if variable.index == Index::One => unknown(),
        Operator::None | Operator::Required => looked,
        Operator::Default { empty } | Operator::Assign { empty } => {
            let may_be_unset =
                |member: &Member| !member.value.is_known() || (empty && member.value.is_empty());
            let mut members: Vec<Member> =
                looked.iter().filter(|member| !(empty && member.value.is_empty())).cloned().collect();
            if looked.iter().any(may_be_unset) {
                for member in text(&variable.operand, source, environment) {
                    if !members.contains(&member) {
                        members.push(member);
                    }
                }
            }
            members
        }
        Operator::Alternative => {
            let alternative = text(&variable.operand, source, environment);
            if looked.iter().all(|member| member.value.is_known() && !member.value.is_empty()) {
                return alternative;
            }
            let mut members = vec![Member::known(Value::default())];
            members.extend(alternative);
            members
        }
        Operator::Trim { from_end, longest } => {
            let pattern = variable.operand.literal(source.text.text());
            let trim = |member: &Member| {
                let range = trimmed(member.value.text(), pattern.as_deref()?, from_end, longest)?;
                member.value.is_known().then(|| Member::known(member.value.slice(range)))
            };
            looked.iter().map(trim).collect::<Option<Vec<Member>>>().unwrap_or_else(unknown)
        }
        Operator::Other => unknown(),
    }
}

/// What is left of a text when a simple pattern is taken away: text, with `*` at one end.
fn trimmed(text: &str, pattern: &str, from_end: bool, longest: bool) -> Option<Range<usize>> {
    let (open, literal) = match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (None, None) => (false, pattern),
        (Some(literal), None) if !from_end => (true, literal),
        (None, Some(literal)) if from_end => (true, literal),
        _ => return None,
    };
    if literal.is_empty() || literal.contains(['*', '?', '[', '\\']) {
        return None;
    }
    let whole = 0..text.len();
    let found = match (from_end, open, longest) {
        (true, false, _) => text.ends_with(literal).then(|| text.len() - literal.len()),
        (false, false, _) => text.starts_with(literal).then_some(0),
        (true, true, false) | (false, true, true) => text.rfind(literal),
        (true, true, true) | (false, true, false) => text.find(literal),
    };
    Some(match found {
        None => whole,
        Some(at) if from_end => 0..at,
        Some(at) => at + literal.len()..text.len(),
    })
}
