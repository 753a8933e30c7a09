//! From a word to the fields that a command gets: variables are put in, and split
//! where they are not quoted (2.6 of the Shell Command Language). Where that makes
//! different numbers of fields, each is a shape of its own.

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

use super::array::Element;
use super::array::Lists;
use super::field::Field;
use super::field::Source;
use super::scope::Member;
use super::scope::TOO_LARGE;
use super::scope::product;
use super::scope::weight;
use super::word::Index;
use super::word::Kind;
use super::word::Link;
use super::word::Operator;
use super::word::Piece;
use super::word::Step;
use super::word::Variable;
use super::word::Word;
use crate::formats::value::MAX_MEMBERS;
use crate::formats::value::Value;

/// How many shapes of one word are told apart.
const MAX_SHAPES: usize = 32;

/// What a variable stands for.
pub(super) struct Looked {
    pub(super) members: Vec<Member>,
    pub(super) lists: Option<Rc<Lists>>,
    /// It may be what it was before the script, too.
    pub(super) open: bool,
}

/// What knows variables.
pub(super) trait Environment {
    /// What a variable is. A name that nobody knows is a member that is not known.
    fn look(&mut self, name: &str) -> Looked;
    /// Whether a variable is set by anything that is known.
    fn is_set(&mut self, name: &str) -> bool;
    /// Takes what something costs, as bytes, from what is left; whether anything is.
    fn spend(&mut self, work: usize) -> bool;
    /// Notes that more shapes of a command are possible than are told apart.
    fn drop_shape(&mut self);
}

/// The members of a text that is not split: an assigned value, a quoted word.
pub(super) fn text(word: &Word, source: &Source<'_>, environment: &mut dyn Environment) -> Vec<Member> {
    let mut pieces = word.pieces.iter();
    let Some(first) = pieces.next() else { return vec![Member::known(Value::default())] };
    let mut members = self::piece(first, source, environment);
    for piece in pieces {
        let more = self::piece(piece, source, environment);
        members = joined(members, &more, environment);
    }
    members
}

/// Every member of one followed by every one of the other, as far as that is affordable.
fn joined(left: Vec<Member>, right: &[Member], environment: &mut dyn Environment) -> Vec<Member> {
    match left.len() * right.len() {
        1 => product(left, right),
        many if environment.spend(16 * many) => product(left, right),
        _ => vec![too_large()],
    }
}

fn too_large() -> Member {
    Member::unknown("…", TOO_LARGE)
}

/// The field of a word that is text and nothing else.
pub(super) fn plain<'s>(word: &'s Word, source: &Source<'s>) -> Option<Field<'s>> {
    let [piece @ Piece { kind: Kind::Text, .. }] = word.pieces.as_slice() else { return None };
    let members = vec![Member::known(Value::known(source.written(piece)))];
    let span = source.text.span(word.range());
    Some(Field { members, word: Some(word), behind: None, span, many: false, name: None })
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
        && let Some((lists, open)) = lists(variable, environment)
    {
        let field =
            |members: Vec<Member>, many: bool| Field { members, word: None, behind: None, span, many, name };
        if !environment.spend(lists.weight_of_fields()) {
            return vec![vec![field(vec![too_large()], true)]];
        }
        let list = |list: &Rc<Vec<Element>>| {
            list.iter().map(|element| field(element.members.clone(), element.many)).collect()
        };
        let mut shapes: Vec<Vec<Field<'s>>> = lists.iter().map(list).collect();
        if lists.has_others() {
            let reason = "more ways to fill this array are possible than are told apart";
            shapes.push(vec![field(vec![Member::unknown("…", reason)], true)]);
        }
        if open && !shapes.iter().any(Vec::is_empty) {
            shapes.push(Vec::new());
        }
        return shapes;
    }
    let mut whole: Vec<Member> = Vec::new();
    let mut parts = Vec::with_capacity(word.pieces.len());
    let mut splits = false;
    let mut many = false;
    for piece in &word.pieces {
        let members = self::piece(piece, source, environment);
        let expands = expands(piece);
        many |= is_list(piece) || (expands && members.iter().any(|member| member.value.hole_at() == Some(0)));
        splits |= expands && members.iter().any(splits_into_many);
        whole = if parts.is_empty() { members.clone() } else { joined(whole, &members, environment) };
        parts.push(members);
    }
    if parts.is_empty() {
        whole.push(Member::known(Value::default()));
    }
    many &= word.pieces.len() == 1;
    if !splits {
        return vec![vec![Field { many, ..Field::of_word(word, whole, &parts, source) }]];
    }
    let pieces: Vec<(bool, Vec<Member>)> = word.pieces.iter().map(expands).zip(parts).collect();
    let mut shapes: Vec<Vec<Field<'s>>> = Vec::new();
    let mut single: Option<usize> = None;
    for parts in split(&pieces, environment) {
        let mut made: Vec<Field<'s>> = parts
            .into_iter()
            .map(|member| Field {
                many: member.value.hole_at() == Some(0) && member.value.text().is_empty(),
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

/// The elements of an array that is known, and whether it may be unset.
fn lists(variable: &Variable, environment: &mut dyn Environment) -> Option<(Rc<Lists>, bool)> {
    if variable.index != Index::All {
        return None;
    }
    // `${name[@]+"${name[@]}"}` and `${name[@]:-}` are written for arrays that may be empty.
    if matches!(variable.operator, Operator::Trim { .. } | Operator::Other) {
        return None;
    }
    let looked = environment.look(&variable.name);
    looked.lists.map(|lists| (lists, looked.open))
}

/// The lists of fields that pieces make, a few of them.
fn split(pieces: &[(bool, Vec<Member>)], environment: &mut dyn Environment) -> Vec<Vec<Member>> {
    let mut shapes = vec![Shape::default()];
    for (expands, members) in pieces {
        let room = MAX_SHAPES.max(shapes.len());
        let mut next: Vec<Shape> = Vec::new();
        for shape in shapes {
            let Some((last, others)) = members.split_last() else { continue };
            for member in others {
                if next.len() + 1 >= room || !environment.spend(32 * (1 + shape.done.len())) {
                    environment.drop_shape();
                    break;
                }
                next.push(shape.clone().with(member, *expands, environment));
            }
            if next.len() >= room {
                environment.drop_shape();
                break;
            }
            next.push(shape.with(last, *expands, environment));
        }
        shapes = next;
    }
    shapes.into_iter().map(Shape::finished).collect()
}

/// Fields that are being put together.
#[derive(Clone, Default)]
struct Shape {
    done: Vec<Member>,
    /// The field that the next piece may go on with.
    open: Option<Member>,
}

impl Shape {
    /// The fields with another piece behind them.
    fn with(mut self, member: &Member, expands: bool, environment: &mut dyn Environment) -> Shape {
        if expands && splits_into_many(member) {
            let before = self.done.len();
            split_value(member, &mut self.done, &mut self.open);
            environment.spend((self.done.len() - before) * (64 + 32 * member.value.via().len()));
        } else {
            match &mut self.open {
                Some(open) => open.append(member),
                None => self.open = Some(member.clone()),
            }
        }
        self
    }

    fn finished(mut self) -> Vec<Member> {
        self.done.extend(self.open);
        self.done
    }
}

/// Splits a value at its white space.
fn split_value(member: &Member, done: &mut Vec<Member>, open: &mut Option<Member>) {
    let text = member.value.text();
    if text.starts_with(|char: char| char.is_ascii_whitespace()) {
        done.extend(open.take());
    }
    let mut at = 0;
    let mut first = true;
    let mut hole = member.value.hole_at();
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
    let none = vec![Member::known(Value::default())];
    let whole = parts.iter().fold(none, |whole, part| joined(whole, part, environment));
    Field::of_word(word, whole, &parts, source)
}

/// The members of one piece.
pub(super) fn one(piece: &Piece, source: &Source<'_>, environment: &mut dyn Environment) -> Vec<Member> {
    self::piece(piece, source, environment)
}

fn piece(piece: &Piece, source: &Source<'_>, environment: &mut dyn Environment) -> Vec<Member> {
    let written = source.text.text().get(piece.range.clone()).unwrap_or("");
    // What stands in the script is known, whatever was spent.
    if !matches!(piece.kind, Kind::Text | Kind::Made(_)) && !environment.spend(16) {
        return vec![too_large()];
    }
    match &piece.kind {
        Kind::Text => vec![Member::known(Value::known(written))],
        Kind::Made(made) => vec![Member::known(Value::known(made.as_str()))],
        Kind::Foreign(index) => {
            let values = source.foreign.get(*index).map_or(&[][..], |foreign| foreign.values.as_slice());
            let member = |value: &Value| Member {
                symbol: (!value.is_known()).then(|| written.into()),
                value: value.clone(),
            };
            match values {
                [] => vec![Member::unknown(written, "an expression that has no value")],
                values => {
                    // The one behind the last that is told apart stands for the rest.
                    let members: Vec<Member> = values.iter().take(MAX_MEMBERS + 1).map(member).collect();
                    if environment.spend(weight(&members)) { members } else { vec![too_large()] }
                }
            }
        }
        Kind::Commands(steps) => vec![output(steps, written, source, environment)],
        Kind::Arithmetic(_) => vec![Member::unknown(written, "what `$((…))` comes to is not known")],
        Kind::Variable(variable) => {
            let members = self::variable(variable, written, source, environment);
            if environment.spend(weight(&members)) { members } else { vec![too_large()] }
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
fn output(steps: &[Step], written: &str, source: &Source<'_>, environment: &mut dyn Environment) -> Member {
    const REASON: &str = "what `$(…)` prints is not known";
    const TOLD_APART: usize = 256;
    let mut commands = steps.iter().filter_map(|step| match step {
        Step::Command(command) => Some(command),
        _ => None,
    });
    let Some(first) = commands.next() else { return Member::unknown("$(…)", REASON) };
    // Others may print more.
    let is_one = commands.clone().all(|command| command.link == Link::Pipe);
    let words: Vec<Cow<'_, str>> = first.words.iter().take(3).map(|word| literal(word, source)).collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let mut symbol = |word: Option<&Word>| -> String {
        let members = word.map(|word| text(word, source, environment)).unwrap_or_default();
        members.first().map_or_else(String::new, |member| member.symbol().to_owned())
    };
    let printed = match words.as_slice() {
        ["docker" | "podman" | "nerdctl", "image" | "buildx" | "builder", "build" | "ls" | "import", ..]
        | ["docker" | "podman" | "nerdctl", "build" | "images" | "commit" | "import" | "load", ..] => {
            if is_one {
                BUILT.to_owned()
            } else {
                "…".to_owned()
            }
        }
        ["git", "rev-parse", "--show-toplevel"] => ROOT.to_owned(),
        ["pwd", ..] => WORKING.to_owned(),
        ["cd", ..]
            if commands
                .any(|command| command.words.first().is_some_and(|word| literal(word, source) == "pwd")) =>
        {
            symbol(first.words.iter().skip(1).find(|word| !literal(word, source).starts_with('-')))
        }
        ["readlink" | "realpath", ..] => symbol(first.words.last()),
        ["dirname", ..] => match symbol(first.words.last()).as_str() {
            "${0}" | "${BASH_SOURCE}" | "${BASH_SOURCE[0]}" | "$BASH_SOURCE" => HERE.to_owned(),
            other => format!("{other}/.."),
        },
        // What is longer is not told apart from others.
        _ if written.len() > TOLD_APART => "…".to_owned(),
        _ => written.to_owned(),
    };
    Member::unknown(printed, REASON)
}

/// The text of a word; empty when there is more than text in it.
fn literal<'w>(word: &'w Word, source: &'w Source<'_>) -> Cow<'w, str> {
    word.literal(source.text.text()).unwrap_or_default()
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
    let unknown = || {
        // The beginning of a long one says enough.
        let end = (0..=written.len().min(64)).rev().find(|at| written.is_char_boundary(*at)).unwrap_or(0);
        let more = if end < written.len() { "…" } else { "" };
        vec![Member::unknown(written, format!("`{}{more}` is not evaluated", &written[..end]))]
    };
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
