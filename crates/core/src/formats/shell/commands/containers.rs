//! Docker, Podman, nerdctl and what builds like them: `pull`, `run`, `create`, `build`.

use super::Field;
use super::Input;
use super::Run;
use super::Source;
use super::options;
use crate::formats::Build;
use crate::formats::dockerfile::Argument;
use crate::formats::dockerfile::Context;
use crate::formats::dockerfile::Inputs;
use crate::formats::shell::argv;
use crate::formats::shell::argv::Arguments;
use crate::formats::shell::argv::Operands;
use crate::formats::shell::argv::Table;
use crate::formats::shell::expand::Environment;
use crate::formats::shell::scope::Member;
use crate::formats::value::MAX_MEMBERS;
use crate::image::Role;

/// How many ways to build are made of the values of one command's arguments: each of the
/// values of one is in one of them, and every pair of the values of two, where they are few.
const MAX_WAYS: usize = MAX_MEMBERS + 1;
/// What it costs to make one of them, for each argument, as bytes.
const WAY_COST: usize = 512;

/// `docker …`
pub(super) fn engine<'s>(run: &mut Run<'_, '_>, fields: &[Field<'s>], input: &Input, source: &Source<'s>) {
    let Some((verb, fields)) = verb(fields, &options::GLOBAL, source) else { return };
    let (verb, fields) = match verb.as_str() {
        "image" | "container" | "builder" | "service" | "buildx" | "manifest" => {
            let Some((inner, fields)) = self::verb(fields, &options::GLOBAL, source) else { return };
            (format!("{verb} {inner}"), fields)
        }
        _ => (verb, fields),
    };
    let read = |table: &Table, operands| argv::read(fields, &[table], operands, source);
    match verb.as_str() {
        "pull" | "image pull" => {
            for image in read(&options::PULL, Operands::All).operands {
                run.pulled(Role::Command, &without_transport(image, source));
            }
        }
        "run" | "create" | "container run" | "container create" => {
            let read = read(&options::RUN, Operands::Image);
            // Podman: the operand is a folder.
            if let (Some(image), false) = (read.operands.first(), read.has("rootfs")) {
                let always = read.values(&["pull"]).any(|value| value.known() == Some("always"));
                let image = without_transport(image.clone(), source);
                match always {
                    true => run.pulled(Role::Command, &image),
                    false => run.image(Role::Command, &image),
                }
            }
            super::run(run, &fields[read.rest..], input, source);
        }
        "exec" | "container exec" => {
            let read = read(&options::RUN, Operands::First);
            super::run(run, &fields[read.rest..], input, source);
        }
        "service create" => {
            if let Some(image) = read(&options::SERVICE, Operands::Image).operands.first() {
                run.image(Role::Command, image);
            }
        }
        "service update" => {
            for image in read(&options::SERVICE, Operands::All).values(&["image"]) {
                run.image(Role::Command, image);
            }
        }
        "build" | "image build" | "buildx build" | "buildx b" | "builder build" => {
            build(run, fields, input, source)
        }
        "tag" | "image tag" => {
            made(run, read(&options::MAKE, Operands::All).operands.get(1..).unwrap_or_default())
        }
        "commit" | "container commit" | "import" | "image import" => {
            made(run, read(&options::MAKE, Operands::All).operands.get(1..).unwrap_or_default());
        }
        "buildx imagetools" => {
            let Some((inner, fields)) = self::verb(fields, &options::GLOBAL, source) else { return };
            manifests(run, &inner, &argv::read(fields, &[&options::MANIFEST], Operands::All, source));
        }
        _ => {}
    }
}

/// The command behind global options.
fn verb<'f, 's>(
    fields: &'f [Field<'s>],
    table: &Table,
    source: &Source<'s>,
) -> Option<(String, &'f [Field<'s>])> {
    let read = argv::read(fields, &[table], Operands::First, source);
    let verb = read.operands.first()?.known()?.to_owned();
    Some((verb, &fields[read.rest..]))
}

fn made(run: &mut Run<'_, '_>, fields: &[Field<'_>]) {
    for field in fields {
        run.made(field);
    }
}

fn manifests(run: &mut Run<'_, '_>, verb: &str, read: &Arguments<'_>) {
    if verb != "create" {
        return;
    }
    for image in &read.operands {
        run.image(Role::Command, image);
    }
    read.values(&["t", "tag"]).for_each(|tag| run.made(tag));
}

/// Podman takes `docker://image` too.
pub(super) fn without_transport<'s>(image: Field<'s>, source: &Source<'s>) -> Field<'s> {
    match image.beginning().strip_prefix("docker://") {
        Some(_) => image.without("docker://".len(), source),
        None => image,
    }
}

/// `buildah …`
pub(super) fn buildah<'s>(run: &mut Run<'_, '_>, fields: &[Field<'s>], input: &Input, source: &Source<'s>) {
    let Some((verb, fields)) = verb(fields, &options::GLOBAL, source) else { return };
    let read = |table: &Table| argv::read(fields, &[table, &options::BUILD], Operands::All, source);
    match verb.as_str() {
        "from" => {
            static FROM: Table =
                Table { values: &["name", "cidfile", "cni-config-dir", "cni-plugin-path"], flags: &[] };
            let read = read(&FROM);
            if let Some(image) = read.operands.first().filter(|image| image.known() != Some("scratch")) {
                run.image(Role::Command, &without_transport(image.clone(), source));
            }
        }
        "pull" => {
            for image in read(&options::PULL).operands {
                run.pulled(Role::Command, &without_transport(image, source));
            }
        }
        "bud" | "build" | "build-using-dockerfile" => build(run, fields, input, source),
        "commit" | "tag" => made(run, read(&options::MAKE).operands.get(1..).unwrap_or_default()),
        _ => {}
    }
}

/// `img …`
pub(super) fn img<'s>(run: &mut Run<'_, '_>, fields: &[Field<'s>], input: &Input, source: &Source<'s>) {
    match verb(fields, &options::GLOBAL, source) {
        Some((verb, _)) if matches!(verb.as_str(), "pull" | "build" | "tag") => {
            engine(run, fields, input, source)
        }
        _ => {}
    }
}

/// `/kaniko/executor --dockerfile F --context C --destination D`
pub(super) fn kaniko<'s>(run: &mut Run<'_, '_>, fields: &[Field<'s>], source: &Source<'s>) {
    static KANIKO: Table = Table {
        values: &[
            "build-arg",
            "f",
            "dockerfile",
            "c",
            "context",
            "d",
            "destination",
            "target",
            "custom-platform",
            "customPlatform",
            "context-sub-path",
        ],
        flags: &[
            "cache",
            "cleanup",
            "no-push",
            "reproducible",
            "single-snapshot",
            "insecure",
            "skip-tls-verify",
            "force",
            "use-new-run",
        ],
    };
    let read = argv::read(fields, &[&KANIKO], Operands::All, source);
    if !read.has("destination") && !read.has("d") && !read.has("no-push") && !read.has("dockerfile") {
        return;
    }
    read.values(&["d", "destination"]).for_each(|tag| run.made(tag));
    let file = read.values(&["f", "dockerfile"]).last();
    let context = read.values(&["c", "context"]).last().map(|context| {
        match context.beginning().strip_prefix("dir://") {
            Some(_) => context.without("dir://".len(), source),
            None => context.clone(),
        }
    });
    add_builds(run, &read, file, context.as_ref(), source);
}

/// `docker build …`
fn build<'s>(run: &mut Run<'_, '_>, fields: &[Field<'s>], input: &Input, source: &Source<'s>) {
    let read = argv::read(fields, &[&options::BUILD], Operands::All, source);
    for cache in read.values(&["cache-from"]) {
        cache_from(run, cache, source);
    }
    // Podman and Buildah put it in the place of the first base.
    for base in read.values(&["from"]) {
        run.image(Role::Command, base);
    }
    let file = read.values(&["f", "file"]).last();
    let context = read.operands.last();
    let from_input = match (file, context) {
        (Some(file), _) => file.known() == Some("-"),
        (None, context) => context.is_some_and(|context| context.known() == Some("-")),
    };
    if from_input {
        let inputs = inputs_of(run, &read, source);
        run.build_inline(input, &inputs);
    } else if let Some(context) = context.filter(|context| is_remote(context.beginning())) {
        run.remote(context);
    } else {
        add_builds(run, &read, file, context, source);
    }
    read.values(&["t", "tag", "manifest"]).for_each(|tag| run.made(tag));
    // `--output type=image,name=…`
    for output in read.values(&["o", "output"]) {
        if let Some(at) = output.beginning().find("name=") {
            run.made(&output.without(at + "name=".len(), source));
        }
    }
}

fn is_remote(context: &str) -> bool {
    ["http://", "https://", "git://", "git@", "github.com/", "ssh://"]
        .iter()
        .any(|begin| context.starts_with(begin))
}

/// `--cache-from image`, `--cache-from type=registry,ref=image`.
fn cache_from<'s>(run: &mut Run<'_, '_>, field: &Field<'s>, source: &Source<'s>) {
    let begin = field.beginning();
    if !begin.contains("type=") {
        run.image(Role::Cache, field);
        return;
    }
    if let (true, Some(at)) = (begin.contains("type=registry"), begin.find("ref=")) {
        let mut reference = field.without(at + "ref=".len(), source);
        if let Some(end) = reference.beginning().find(',') {
            reference = reference.up_to(end);
        }
        run.image(Role::Cache, &reference);
    }
}

/// Adds the builds of the Dockerfile that arguments name.
fn add_builds<'s>(
    run: &mut Run<'_, '_>,
    read: &Arguments<'s>,
    file: Option<&Field<'s>>,
    context: Option<&Field<'s>>,
    source: &Source<'s>,
) {
    let mut dockerfiles = Vec::new();
    match (file, context) {
        (Some(file), _) => file.members.iter().for_each(|member| dockerfiles.extend(run.paths(member, ""))),
        (None, Some(context)) => {
            for member in &context.members {
                dockerfiles.extend(run.paths(member, "Dockerfile"));
            }
        }
        (None, None) => {}
    }
    if dockerfiles.is_empty() {
        return;
    }
    for inputs in inputs_of(run, read, source) {
        for dockerfile in &dockerfiles {
            run.build(Build { dockerfile: dockerfile.clone(), inputs: inputs.clone() });
        }
    }
}

/// What a build is given: one for each of the values that something may have.
fn inputs_of<'s>(run: &mut Run<'_, '_>, read: &Arguments<'s>, source: &Source<'s>) -> Vec<Inputs> {
    let mut arguments: Vec<(String, Vec<Member>, Field<'s>)> = Vec::new();
    for field in read.values(&["build-arg"]) {
        let begin = field.beginning();
        match begin.find('=') {
            Some(equals) => {
                let value = field.without(equals + 1, source);
                arguments.push((begin[..equals].to_owned(), value.members.clone(), value));
            }
            None => {
                let Some(name) = field.known().map(str::to_owned) else { continue };
                // One that is not set is not given.
                if run.is_set(&name) {
                    let members = run.look(&name).members;
                    arguments.push((name, members, field.clone()));
                }
            }
        }
    }
    let mut contexts = Vec::new();
    for field in read.values(&["build-context"]) {
        let begin = field.beginning();
        if let Some(equals) = begin.find('=') {
            let value = field.without(equals + 1, source);
            contexts.push((begin[..equals].to_owned(), value.members.clone(), value));
        }
    }
    let texts = |names: &[&str]| -> Vec<String> {
        read.values(names).filter_map(|field| field.known()).map(str::to_owned).collect()
    };
    let platforms: Vec<String> =
        texts(&["platform"]).iter().flat_map(|text| text.split(',')).map(str::to_owned).collect();
    let target = texts(&["target"]).pop();
    let counts: Vec<usize> =
        arguments.iter().chain(&contexts).map(|(_, members, _)| members.len().max(1)).collect();
    let all = counts.iter().try_fold(1, |all: usize, count| all.checked_mul(*count));
    let ways = all.filter(|all| *all <= MAX_WAYS);
    if ways.is_none()
        && let Some((_, _, first)) =
            arguments.iter().chain(&contexts).find(|(_, members, _)| members.len() > 1)
    {
        run.limit(first.span, "the values of this build's arguments make more builds than are looked at");
    }
    let is_all = ways.is_some();
    // Of more, each value is in one.
    let ways = ways.unwrap_or_else(|| counts.iter().copied().max().unwrap_or(1).min(MAX_WAYS));
    if !run.spend(WAY_COST * ways * (1 + counts.len())) {
        return Vec::new();
    }
    // The values of the way of that number: a digit for each argument.
    let places: Vec<usize> = counts
        .iter()
        .scan(1, |place, count| {
            let own = *place;
            *place = if is_all { *place * count } else { 1 };
            Some(own)
        })
        .collect();
    let of = |way: usize, argument: usize| way / places[argument] % counts[argument];
    let finder = &run.script.finder;
    let place = |member: &Member, field: &Field<'_>| {
        Some(member.value.origin().cloned().unwrap_or_else(|| finder.location(field.span)))
    };
    (0..ways)
        .map(|way| Inputs {
            arguments: arguments
                .iter()
                .enumerate()
                .filter_map(|(index, (name, members, field))| {
                    let member = members.get(of(way, index))?;
                    Some(Argument::of(name, &finder.location(field.span), &member.value))
                })
                .collect(),
            contexts: contexts
                .iter()
                .enumerate()
                .filter_map(|(index, (name, members, field))| {
                    let member = members.get(of(way, arguments.len() + index))?;
                    Some(Context {
                        name: name.clone(),
                        source: member.value.text().to_owned(),
                        at: place(member, field),
                    })
                })
                .collect(),
            platforms: platforms.clone(),
            target: target.clone(),
        })
        .collect()
}
