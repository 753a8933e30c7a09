//! The arguments of a command: options, what they take, and operands. After the
//! conventions of getopt and of Go's pflag, which the tools of containers use: short
//! options stand together, `--name=value` and `--name value` are the same, `--` ends them.

use super::expand::Field;
use super::expand::Source;
use crate::image::ImageRef;

/// The options of a command: those that take a value, and those that do not. Of any
/// other one it is guessed.
pub(super) struct Table {
    pub(super) values: &'static [&'static str],
    pub(super) flags: &'static [&'static str],
}

/// Arguments, taken apart.
pub(super) struct Arguments<'s> {
    /// Names without dashes, and values.
    pub(super) options: Vec<(String, Option<Field<'s>>)>,
    pub(super) operands: Vec<Field<'s>>,
    /// Where what follows the first operand begins.
    pub(super) rest: usize,
}

impl<'s> Arguments<'s> {
    /// The values of an option, in any of its spellings.
    pub(super) fn values<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Field<'s>> {
        self.options
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .filter_map(|(_, value)| value.as_ref())
    }

    /// Whether an option is given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(given, _)| given == name)
    }
}

/// Which fields may be operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operands {
    /// All that are no options.
    All,
    /// The first one: what follows belongs to another command.
    First,
    /// The first one, and it is an image: a variable in front of it may hold options.
    Image,
}

/// Takes arguments apart.
pub(super) fn read<'s>(
    fields: &[Field<'s>],
    tables: &[&Table],
    operands: Operands,
    source: &Source<'s>,
) -> Arguments<'s> {
    let mut read = Reader {
        arguments: Arguments { options: Vec::new(), operands: Vec::new(), rest: fields.len() },
        tables,
        guessed: false,
    };
    let mut at = 0;
    // Where the value of an unknown option stands, which may be an operand.
    let mut guessed = None;
    let mut only_operands = false;
    // What may be the image, or options in front of it.
    let mut doubtful: Option<(usize, bool)> = None;
    let mut option_since = false;
    while let Some(field) = fields.get(at) {
        at += 1;
        let begin = field.beginning();
        if !only_operands && begin.len() > 1 && begin.starts_with('-') {
            option_since = true;
            read.guessed = false;
            if begin == "--" && field.known() == Some("--") {
                only_operands = true;
            } else if let Some(name) = begin.strip_prefix("--") {
                at += read.long(field, name, &fields[at..], source);
            } else {
                at += read.short(field, &fields[at..], source);
            }
            if read.guessed {
                guessed = Some(at);
            }
            continue;
        }
        match operands {
            Operands::All => read.arguments.operands.push(field.clone()),
            Operands::First => {
                read.arguments.operands.push(field.clone());
                read.arguments.rest = at;
                break;
            }
            Operands::Image => {
                let is_open = field.many && !only_operands && !sounds_like_image(field);
                if is_open && doubtful.is_none_or(|(_, options)| options) {
                    doubtful = Some((at, sounds_like_options(field)));
                    option_since = false;
                    continue;
                }
                if is_open {
                    continue;
                }
                let end = match doubtful {
                    Some((before, false)) if !option_since && !looks_like_image(field) => before,
                    _ => at,
                };
                read.arguments.operands.push(fields[end - 1].clone());
                read.arguments.rest = end;
                doubtful = None;
                break;
            }
        }
    }
    let guessed = guessed.filter(|_| read.arguments.operands.is_empty() && operands != Operands::All);
    if let Some(end) = doubtful.map(|(end, _)| end).or(guessed) {
        read.arguments.operands.push(fields[end - 1].clone());
        read.arguments.rest = end;
    }
    read.arguments
}

struct Reader<'t, 's> {
    arguments: Arguments<'s>,
    tables: &'t [&'t Table],
    /// Whether the last option is none that is known, and was given a value.
    guessed: bool,
}

impl<'s> Reader<'_, 's> {
    /// `--name`, `--name=value`: how many of the next fields belong to it.
    fn long(&mut self, field: &Field<'s>, name: &str, next: &[Field<'s>], source: &Source<'s>) -> usize {
        if let Some(equals) = name.find('=') {
            let value = field.without(2 + equals + 1, source);
            self.arguments.options.push((name[..equals].to_owned(), Some(value)));
            return 0;
        }
        let value = next.first().filter(|next| match self.takes_value(name) {
            Some(takes) => takes,
            None => !next.beginning().starts_with('-'),
        });
        self.guessed = value.is_some() && self.takes_value(name).is_none();
        self.arguments.options.push((name.to_owned(), value.cloned()));
        usize::from(value.is_some())
    }

    /// `-abc`, `-avalue`, `-a value`: the same.
    fn short(&mut self, field: &Field<'s>, next: &[Field<'s>], source: &Source<'s>) -> usize {
        let begin = field.beginning();
        for (at, char) in begin.char_indices().skip(1) {
            let end = at + char.len_utf8();
            let name = &begin[at..end];
            if self.takes_value(name) != Some(true) {
                self.arguments.options.push((name.to_owned(), None));
                continue;
            }
            let is_rest = end < begin.len() || field.known().is_none();
            if is_rest {
                let skip = end + usize::from(begin[end..].starts_with('='));
                self.arguments.options.push((name.to_owned(), Some(field.without(skip, source))));
                return 0;
            }
            self.arguments.options.push((name.to_owned(), next.first().cloned()));
            return usize::from(!next.is_empty());
        }
        0
    }

    fn takes_value(&self, name: &str) -> Option<bool> {
        if self.tables.iter().any(|table| table.values.contains(&name)) {
            return Some(true);
        }
        self.tables.iter().any(|table| table.flags.contains(&name)).then_some(false)
    }
}

/// Whether a variable is named like an image.
fn sounds_like_image(field: &Field<'_>) -> bool {
    let hint = field.hint().to_ascii_lowercase();
    ["image", "img"].iter().any(|word| hint.contains(word)) && !sounds_like_options(field)
}

/// Whether a variable is named like options.
fn sounds_like_options(field: &Field<'_>) -> bool {
    const WORDS: [&str; 22] = [
        "opt",
        "arg",
        "flag",
        "param",
        "vol",
        "mount",
        "env",
        "tty",
        "port",
        "net",
        "user",
        "interactive",
        "extra",
        "gpu",
        "label",
        "cap",
        "device",
        "platform",
        "entrypoint",
        "limit",
        "mem",
        "secur",
    ];
    let hint = field.hint().to_ascii_lowercase();
    WORDS.iter().any(|word| hint.contains(word))
}

/// Whether a text is more likely an image than a command: it has a tag or a path.
fn looks_like_image(field: &Field<'_>) -> bool {
    if sounds_like_image(field) {
        return true;
    }
    match field.known() {
        Some(text) => {
            text.contains(['/', ':']) && !text.starts_with(['/', '.', '~']) && ImageRef::parse(text).is_ok()
        }
        None => {
            let begin = field.beginning();
            begin.contains(['/', ':']) && !begin.starts_with(['/', '.', '~'])
        }
    }
}
