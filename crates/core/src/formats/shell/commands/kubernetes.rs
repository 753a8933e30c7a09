//! Kubernetes and what runs it: `kubectl`, `oc`, the makers of local clusters, and the
//! clients of container runtimes.

use super::Field;
use super::Input;
use super::Run;
use super::Source;
use super::containers;
use crate::formats::shell::argv;
use crate::formats::shell::argv::Operands;
use crate::formats::shell::argv::Table;
use crate::image::Role;

/// <https://kubernetes.io/docs/reference/kubectl/generated/>, the options that are the
/// same for every command and those of the commands that name images.
static CLIENT: Table = Table {
    values: &[
        "n",
        "namespace",
        "context",
        "kubeconfig",
        "cluster",
        "user",
        "s",
        "server",
        "token",
        "as",
        "as-group",
        "cache-dir",
        "certificate-authority",
        "client-certificate",
        "client-key",
        "request-timeout",
        "tls-server-name",
        "v",
        "l",
        "selector",
        "o",
        "output",
        "f",
        "filename",
        "k",
        "kustomize",
        "image",
        "image-pull-policy",
        "restart",
        "env",
        "e",
        "labels",
        "overrides",
        "port",
        "replicas",
        "r",
        "schedule",
        "from",
        "c",
        "container",
        "target",
        "copy-to",
        "set-image",
        "profile",
        "custom",
        "template",
        "annotations",
        "serviceaccount",
        "pod-running-timeout",
        "grace-period",
        "timeout",
        "field-manager",
        "override-type",
        "docker-image",
        "name",
        "source",
        "image-stream",
        "as-user",
        "node-name",
        "to",
        "strategy",
        "build-arg",
    ],
    flags: &[
        "i",
        "stdin",
        "t",
        "tty",
        "q",
        "quiet",
        "rm",
        "attach",
        "command",
        "wait",
        "force",
        "dry-run",
        "expose",
        "privileged",
        "leave-stdin-open",
        "all",
        "local",
        "A",
        "all-namespaces",
        "share-processes",
        "same-node",
        "replace",
        "arguments-only",
        "confirm",
        "insecure",
        "scheduled",
        "keep-annotations",
        "record",
        "h",
        "help",
        "insecure-skip-tls-verify",
    ],
};

/// `kubectl …`, `oc …`
pub(super) fn client<'s>(run: &mut Run<'_, '_>, fields: &[Field<'s>], input: &Input, source: &Source<'s>) {
    // What follows `--` is a command.
    let end = fields.iter().position(|field| field.known() == Some("--")).unwrap_or(fields.len());
    let read = argv::read(&fields[..end], &[&CLIENT], Operands::All, source);
    let words: Vec<&str> = read.operands.iter().map_while(|field| field.known()).take(2).collect();
    let images = |run: &mut Run<'_, '_>, names: &[&str]| {
        for image in read.values(names) {
            run.image(Role::Command, &containers::without_transport(image.clone(), source));
        }
    };
    match words.as_slice() {
        ["run" | "debug", ..]
        | ["create", "deployment" | "deploy" | "job" | "cronjob" | "cj" | "deploymentconfig" | "dc"] => {
            images(run, &["image"]);
            for pair in read.values(&["set-image"]) {
                pair_image(run, pair, source);
            }
        }
        ["set", "image"] => {
            for pair in read.operands.iter().skip(2) {
                pair_image(run, pair, source);
            }
        }
        ["new-app" | "new-build", ..] => images(run, &["image", "docker-image"]),
        ["import-image", ..] => images(run, &["from"]),
        _ => {}
    }
    if words.first().is_some_and(|verb| matches!(*verb, "exec" | "run" | "debug" | "rsh")) {
        super::run(run, fields.get(end + 1..).unwrap_or_default(), input, source);
    }
}

/// `container=image`
fn pair_image<'s>(run: &mut Run<'_, '_>, pair: &Field<'s>, source: &Source<'s>) {
    let begin = pair.beginning();
    if let Some(equals) = begin.find('=') {
        run.image(Role::Command, &pair.without(equals + 1, source));
    } else if let Some(image) = pair.behind_equals(source) {
        // `$container=image`
        run.image(Role::Command, &image);
    }
}

/// `kind create cluster --image`, `k3d cluster create --image`, `minikube start --base-image`;
/// what is loaded into a cluster was there before.
pub(super) fn cluster<'s>(run: &mut Run<'_, '_>, name: &str, fields: &[Field<'s>], source: &Source<'s>) {
    // `--wait` takes a time in kind, and nothing in k3d.
    static KIND: Table = Table {
        values: &[
            "image",
            "base-image",
            "name",
            "n",
            "config",
            "kubeconfig",
            "wait",
            "v",
            "verbosity",
            "nodes",
        ],
        flags: &["retain", "q", "quiet", "internal", "h", "help"],
    };
    static K3D: Table = Table {
        values: &[
            "image",
            "i",
            "a",
            "agents",
            "agents-memory",
            "api-port",
            "c",
            "cluster",
            "config",
            "e",
            "env",
            "gpus",
            "host-alias",
            "host-pid-mode",
            "k3s-arg",
            "k3s-node-label",
            "kubeconfig-output",
            "lb-config-override",
            "memory",
            "m",
            "mode",
            "network",
            "p",
            "port",
            "registry-config",
            "registry-create",
            "registry-use",
            "replicas",
            "role",
            "runtime-label",
            "runtime-ulimit",
            "s",
            "servers",
            "servers-memory",
            "subnet",
            "t",
            "timeout",
            "token",
            "v",
            "volume",
        ],
        flags: &[
            "kubeconfig-switch-context",
            "kubeconfig-update-default",
            "no-image-volume",
            "no-lb",
            "no-rollback",
            "timestamps",
            "trace",
            "verbose",
            "wait",
            "h",
            "help",
        ],
    };
    static MINIKUBE: Table = Table {
        values: &["base-image", "p", "profile", "n", "nodes", "driver", "wait", "v", "b", "bootstrapper"],
        flags: &["alsologtostderr", "dry-run", "force", "ha", "logtostderr", "h", "help"],
    };
    let table = match name {
        "kind" => &KIND,
        "k3d" => &K3D,
        _ => &MINIKUBE,
    };
    let read = argv::read(fields, &[table], Operands::All, source);
    let words: Vec<&str> = read.operands.iter().map_while(|field| field.known()).take(2).collect();
    match words.as_slice() {
        ["create", "cluster"] | ["cluster" | "node", "create"] => {
            read.values(&["image", "i"]).for_each(|image| run.image(Role::Command, image));
        }
        ["start"] | ["build", "node-image"] => {
            read.values(&["base-image"]).for_each(|image| run.image(Role::Command, image));
        }
        ["load", "docker-image"] | ["image", "import" | "load"] => {
            read.operands.iter().skip(2).for_each(|image| run.made(image));
        }
        _ => {}
    }
}

/// `ctr image pull`, `ctr run`, `crictl pull`.
pub(super) fn runtime<'s>(run: &mut Run<'_, '_>, name: &str, fields: &[Field<'s>], source: &Source<'s>) {
    static RUNTIME: Table = Table {
        values: &[
            "n",
            "namespace",
            "a",
            "address",
            "r",
            "runtime-endpoint",
            "i",
            "image-endpoint",
            "c",
            "config",
            "creds",
            "auth",
            "pod-config",
            "annotation",
            "t",
            "timeout",
            "platform",
            "snapshotter",
            "label",
            "u",
            "user",
            "env",
            "mount",
            "hosts-dir",
            "tlscacert",
            "tlscert",
            "tlskey",
            "connect-timeout",
        ],
        flags: &[
            "d",
            "detach",
            "rm",
            "tty",
            "net-host",
            "privileged",
            "plain-http",
            "all-platforms",
            "k",
            "D",
            "debug",
            "skip-verify",
        ],
    };
    let read = argv::read(fields, &[&RUNTIME], Operands::All, source);
    let words: Vec<&str> = read.operands.iter().map_while(|field| field.known()).take(2).collect();
    let at = match (name, words.as_slice()) {
        ("ctr", ["image" | "images" | "i" | "content", "pull" | "fetch"]) => 2,
        ("ctr", ["run" | "c", ..]) | ("crictl", ["pull", ..]) => 1,
        _ => return,
    };
    if let Some(image) = read.operands.get(at) {
        run.pulled(Role::Command, image);
    }
}
