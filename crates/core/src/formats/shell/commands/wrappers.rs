//! Commands that run other commands: `sudo`, `xargs`, `bash -c`, `ssh`, and `cd`,
//! which changes what they mean.

use super::Field;
use super::Input;
use super::Run;
use super::Source;
use crate::formats::shell::argv;
use crate::formats::shell::argv::Operands;
use crate::formats::shell::argv::Table;
use crate::formats::shell::run as walk;
use crate::formats::shell::word::Block;
use crate::source::Mapped;

/// Commands that run the rest of their arguments, and their options.
static PREFIXES: &[(&str, Table)] = &[
    (
        "sudo",
        Table {
            values: &[
                "u", "g", "h", "p", "C", "T", "R", "D", "r", "t", "U", "user", "group", "host", "prompt",
                "chdir", "chroot",
            ],
            flags: &["E", "preserve-env", "H", "n", "S", "k", "b", "i", "s", "A", "non-interactive"],
        },
    ),
    ("doas", Table { values: &["u", "C"], flags: &["n", "s"] }),
    (
        "env",
        Table {
            values: &["u", "unset", "C", "chdir", "S", "split-string"],
            flags: &["i", "ignore-environment", "0", "v"],
        },
    ),
    ("time", Table { values: &["f", "o", "format", "output"], flags: &["p", "v", "a"] }),
    ("exec", Table { values: &["a"], flags: &["c", "l"] }),
    ("command", Table { values: &[], flags: &["p"] }),
    ("builtin", Table { values: &[], flags: &[] }),
    ("nohup", Table { values: &[], flags: &[] }),
    ("setsid", Table { values: &[], flags: &["c", "f", "w"] }),
    ("nice", Table { values: &["n", "adjustment"], flags: &[] }),
    ("ionice", Table { values: &["c", "n", "class", "classdata"], flags: &["t"] }),
    ("stdbuf", Table { values: &["i", "o", "e", "input", "output", "error"], flags: &[] }),
    ("chronic", Table { values: &[], flags: &["v", "e"] }),
    ("unbuffer", Table { values: &[], flags: &["p"] }),
    ("caffeinate", Table { values: &["t", "w"], flags: &["d", "i", "m", "s", "u"] }),
    ("watch", Table { values: &["n", "interval"], flags: &["d", "t", "x", "c", "e", "g"] }),
    ("winpty", Table { values: &[], flags: &[] }),
    ("trap", Table { values: &[], flags: &[] }),
];
static TIMEOUT: Table = Table {
    values: &["k", "s", "kill-after", "signal"],
    flags: &["foreground", "preserve-status", "v", "verbose"],
};
static XARGS: Table = Table {
    values: &[
        "a",
        "arg-file",
        "d",
        "delimiter",
        "E",
        "I",
        "L",
        "max-lines",
        "n",
        "max-args",
        "P",
        "max-procs",
        "s",
        "max-chars",
        "process-slot-var",
        "replace",
    ],
    flags: &["0", "null", "r", "no-run-if-empty", "t", "verbose", "x", "exit", "p", "interactive", "i"],
};
static SHELL: Table = Table {
    values: &["o", "O", "rcfile", "init-file"],
    flags: &["c", "e", "x", "u", "l", "i", "s", "v", "n", "login", "norc", "noprofile", "posix", "p", "f"],
};
static SSH: Table = Table {
    values: &[
        "B", "b", "c", "D", "E", "e", "F", "I", "i", "J", "L", "l", "m", "O", "o", "p", "Q", "R", "S", "W",
        "w",
    ],
    flags: &[
        "4", "6", "A", "a", "C", "f", "G", "g", "K", "k", "M", "N", "n", "q", "s", "T", "t", "V", "v", "X",
        "x", "Y", "y",
    ],
};
const SHELLS: [&str; 8] = ["bash", "sh", "dash", "ash", "zsh", "ksh", "busybox", "su"];

/// Whether a command runs others, or changes where they run.
pub(super) fn is_one(name: &str) -> bool {
    SHELLS.contains(&name)
        || PREFIXES.iter().any(|(prefix, _)| *prefix == name)
        || matches!(name, "timeout" | "xargs" | "parallel" | "eval" | "ssh" | "cd" | "pushd")
}

/// Looks at what is run.
pub(super) fn run<'s>(
    run: &mut Run<'_, '_>,
    name: &str,
    fields: &[Field<'s>],
    input: &Input,
    source: &Source<'s>,
) {
    match name {
        "cd" | "pushd" => {
            let to = argv::read(fields, &[], Operands::First, source).operands;
            run.change_folder(to.first());
        }
        "eval" => script_of(run, fields, source, Block::Group),
        "trap" => script_of(run, &fields[..fields.len().min(1)], source, Block::Subshell),
        "watch" if fields.iter().any(|field| field.known().is_some_and(|text| text.contains(' '))) => {
            script_of(run, &fields[fields.len().saturating_sub(1)..], source, Block::Subshell);
        }
        "xargs" | "parallel" => xargs(run, fields, source),
        "timeout" => {
            let read = argv::read(fields, &[&TIMEOUT], Operands::First, source);
            super::run(run, &fields[read.rest..], input, source);
        }
        "ssh" => {
            let read = argv::read(fields, &[&SSH], Operands::First, source);
            let rest = &fields[read.rest..];
            script_of(run, rest, source, Block::Subshell);
            if rest.is_empty() {
                read_scripts(run, input);
            }
        }
        shell if SHELLS.contains(&shell) => self::shell(run, shell, fields, input, source),
        prefix => {
            let table = PREFIXES.iter().find(|(name, _)| *name == prefix).map(|(_, table)| table);
            let mut rest = &fields[command_at(fields, table, source)..];
            while let Some((first, more)) = rest.split_first() {
                // `sudo A=b command`
                if !first
                    .known()
                    .is_some_and(|text| text.split_once('=').is_some_and(|(name, _)| is_name(name)))
                {
                    break;
                }
                rest = more;
            }
            super::run(run, rest, input, source);
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Where the command begins behind the options.
fn command_at<'s>(fields: &[Field<'s>], table: Option<&Table>, source: &Source<'s>) -> usize {
    let tables: Vec<&Table> = table.into_iter().collect();
    let read = argv::read(fields, &tables, Operands::First, source);
    if read.operands.is_empty() { fields.len() } else { read.rest - 1 }
}

/// `bash -c '…'`, and a script on its input.
fn shell<'s>(run: &mut Run<'_, '_>, name: &str, fields: &[Field<'s>], input: &Input, source: &Source<'s>) {
    let fields = match (name, fields.split_first()) {
        ("busybox", Some((_, rest))) => rest,
        _ => fields,
    };
    let read =
        argv::read(fields, &[&SHELL], if name == "su" { Operands::All } else { Operands::First }, source);
    if read.has("c") {
        let command = match name {
            "su" => read.operands.iter().find(|field| field.known().is_none_or(|text| text.contains(' '))),
            _ => read.operands.first(),
        };
        if let Some(command) = command {
            script_of(run, std::slice::from_ref(command), source, Block::Subshell);
        }
    } else if read.operands.is_empty() || read.has("s") {
        read_scripts(run, input);
    }
}

fn read_scripts(run: &mut Run<'_, '_>, input: &Input) {
    for written in input {
        run.nested(&written.text, &written.foreign, Block::Subshell);
    }
}

/// Fields that are put together to a script.
fn script_of<'s>(run: &mut Run<'_, '_>, fields: &[Field<'s>], source: &Source<'s>, block: Block) {
    let mut script = Mapped::default();
    let mut all_foreign = Vec::new();
    for field in fields {
        let (text, foreign) = match field.word() {
            Some(word) => walk::inner(word, source),
            None => {
                let mut text = Mapped::default();
                text.push_made(field.known().unwrap_or(""), field.span);
                (text, Vec::new())
            }
        };
        if !script.text().is_empty() {
            script.push_made(" ", field.span);
        }
        let start = script.text().len();
        all_foreign.extend(foreign.into_iter().map(|mut one| {
            one.range = one.range.start + start..one.range.end + start;
            one
        }));
        script.append(&text);
    }
    run.nested(&script, &all_foreign, block);
}

/// `xargs command`: what it adds to the arguments is not known.
fn xargs<'s>(run: &mut Run<'_, '_>, fields: &[Field<'s>], source: &Source<'s>) {
    const REASON: &str = "what `xargs` adds is not known";
    let at = command_at(fields, Some(&XARGS), source);
    let read = argv::read(&fields[..at], &[&XARGS], Operands::All, source);
    let replaced =
        read.values(&["I", "replace"]).next().and_then(|field| field.known()).unwrap_or("{}").to_owned();
    let mut replaces = false;
    let mut command: Vec<Field<'s>> = Vec::new();
    for field in &fields[at..] {
        match field.known().and_then(|text| text.find(&replaced)) {
            Some(place) if !replaced.is_empty() => {
                replaces = true;
                command.push(field.opened(place, REASON));
            }
            _ => command.push(field.clone()),
        }
    }
    if let (false, Some(last)) = (replaces, command.last()) {
        let mut unknown = Field::unknown(last.span, REASON);
        unknown.many = true;
        command.push(unknown);
    }
    super::run(run, &command, &Input::new(), source);
}
