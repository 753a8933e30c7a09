//! Tools that talk to registries without running anything: they copy, inspect and scan
//! images. What they copy from is a source, what they copy to is not.

use super::Field;
use super::Run;
use super::Source;
use crate::formats::shell::argv;
use crate::formats::shell::argv::Operands;
use crate::formats::shell::argv::Table;
use crate::image::Role;

/// `skopeo copy|inspect|sync`, by skopeo(1).
pub(super) fn skopeo<'s>(run: &mut Run<'_, '_>, fields: &[Field<'s>], source: &Source<'s>) {
    static SKOPEO: Table = Table {
        values: &[
            "command-timeout",
            "override-arch",
            "override-os",
            "override-variant",
            "policy",
            "registries.d",
            "tmpdir",
            "user-agent-prefix",
            "additional-tag",
            "authfile",
            "src-authfile",
            "dest-authfile",
            "src-cert-dir",
            "dest-cert-dir",
            "cert-dir",
            "creds",
            "src-creds",
            "screds",
            "dest-creds",
            "dcreds",
            "format",
            "f",
            "src",
            "s",
            "dest",
            "d",
            "sign-by",
            "sign-by-sigstore",
            "sign-by-sigstore-private-key",
            "sign-passphrase-file",
            "sign-identity",
            "src-shared-blob-dir",
            "dest-shared-blob-dir",
            "dest-compress-format",
            "dest-compress-level",
            "digestfile",
            "encryption-key",
            "encrypt-layer",
            "decryption-key",
            "image-parallel-copies",
            "multi-arch",
            "retry-times",
            "retry-delay",
            "src-username",
            "src-password",
            "dest-username",
            "dest-password",
            "src-registry-token",
            "dest-registry-token",
            "username",
            "password",
            "registry-token",
            "daemon-host",
            "src-daemon-host",
            "dest-daemon-host",
        ],
        flags: &[
            "a",
            "all",
            "q",
            "quiet",
            "raw",
            "config",
            "no-tags",
            "n",
            "tls-verify",
            "src-tls-verify",
            "dest-tls-verify",
            "insecure-policy",
            "debug",
            "preserve-digests",
            "remove-signatures",
            "no-creds",
            "src-no-creds",
            "dest-no-creds",
            "dest-compress",
            "dest-decompress",
            "dest-oci-accept-uncompressed-layers",
            "dest-precompute-digests",
            "keep-going",
            "scoped",
            "dry-run",
            "append-suffix",
        ],
    };
    let read = argv::read(fields, &[&SKOPEO], Operands::All, source);
    let verb = read.operands.first().and_then(|field| field.known()).unwrap_or("");
    let Some(from) = read.operands.get(1) else { return };
    match verb {
        "copy" | "inspect" => with_transport(run, from, source),
        "sync" if read.values(&["src", "s"]).any(|kind| kind.known() == Some("docker")) => {
            run.image(Role::Command, from);
        }
        _ => {}
    }
    if let ("copy", Some(to)) = (verb, read.operands.get(2)) {
        for transport in ["docker-daemon:", "containers-storage:", "docker://"] {
            if to.beginning().starts_with(transport) {
                run.made(&to.without(transport.len(), source));
            }
        }
    }
}

/// `docker://image`; the other transports are no registries.
fn with_transport<'s>(run: &mut Run<'_, '_>, field: &Field<'s>, source: &Source<'s>) {
    if field.beginning().starts_with("docker://") {
        run.image(Role::Command, &field.without("docker://".len(), source));
    } else if field.beginning().is_empty() && field.known().is_none() {
        run.image(Role::Command, field);
    }
}

/// `crane`, `oras`, `regctl`, `cosign copy`.
pub(super) fn copier<'s>(run: &mut Run<'_, '_>, name: &str, fields: &[Field<'s>], source: &Source<'s>) {
    static COPIER: Table = Table {
        values: &[
            "platform",
            "p",
            "format",
            "t",
            "tag",
            "b",
            "base",
            "old_base",
            "new_base",
            "rebased",
            "new_tag",
            "f",
            "new_layer",
            "o",
            "output",
            "c",
            "cache_path",
            "l",
            "label",
            "a",
            "annotation",
            "e",
            "env",
            "entrypoint",
            "cmd",
            "u",
            "user",
            "w",
            "workdir",
            "set-platform",
            "repo",
            "remote",
            "tarball",
            "j",
            "jobs",
            "username",
            "password",
            "config",
            "host",
            "verbosity",
            "logopt",
            "registry-config",
            "from-registry-config",
            "to-registry-config",
            "concurrency",
            "only",
            "sig-only",
            "exposed-ports",
            "media-type",
            "digest-tags",
        ],
        flags: &[
            "insecure",
            "v",
            "verbose",
            "allow-nondistributable-artifacts",
            "n",
            "no-clobber",
            "all-tags",
            "full-ref",
            "r",
            "recursive",
            "plain-http",
            "force-recursive",
            "referrers",
            "fast",
            "include-external",
        ],
    };
    let read = argv::read(fields, &[&COPIER], Operands::All, source);
    let words: Vec<&str> = read.operands.iter().map_while(|field| field.known()).take(2).collect();
    let from: Vec<&Field<'s>> = match (name, words.as_slice()) {
        // The last argument is the file.
        ("crane" | "gcrane" | "krane", ["pull", ..]) => {
            read.operands.iter().skip(1).take(read.operands.len().saturating_sub(2)).collect()
        }
        ("crane" | "gcrane" | "krane", ["append", ..]) => read.values(&["b", "base"]).collect(),
        ("crane" | "gcrane" | "krane", ["rebase", ..]) => {
            read.operands.get(1).into_iter().chain(read.values(&["old_base", "new_base"])).collect()
        }
        ("crane" | "gcrane" | "krane", ["validate", ..]) => read.values(&["remote"]).collect(),
        (
            "crane" | "gcrane" | "krane",
            ["copy" | "cp" | "export" | "flatten" | "mutate" | "digest" | "manifest" | "config", ..],
        )
        | ("oras", ["pull" | "copy" | "cp", ..])
        | ("cosign", ["copy", ..]) => read.operands.get(1).into_iter().collect(),
        (
            "regctl",
            [
                "image",
                "copy" | "cp" | "export" | "get-file" | "mod" | "digest" | "manifest" | "inspect" | "config",
            ],
        ) => read.operands.get(2).into_iter().collect(),
        _ => return,
    };
    from.into_iter().for_each(|image| run.image(Role::Command, image));
    if let ("crane" | "gcrane" | "krane" | "oras" | "cosign", ["copy" | "cp", ..]) = (name, words.as_slice())
        && let Some(to) = read.operands.get(2)
    {
        run.made(to);
    }
}

/// `trivy image`, `grype`, `syft`, `dive`: they pull what they look at.
pub(super) fn scanner<'s>(run: &mut Run<'_, '_>, name: &str, fields: &[Field<'s>], source: &Source<'s>) {
    static SCANNER: Table = Table {
        values: &[
            "c",
            "config",
            "f",
            "format",
            "o",
            "output",
            "s",
            "severity",
            "t",
            "template",
            "cache-dir",
            "cache-backend",
            "db-repository",
            "java-db-repository",
            "exit-code",
            "exit-on-eol",
            "ignorefile",
            "ignore-policy",
            "input",
            "pkg-types",
            "vuln-type",
            "scanners",
            "security-checks",
            "server",
            "token",
            "timeout",
            "platform",
            "skip-dirs",
            "skip-files",
            "username",
            "password",
            "registry-token",
            "fail-on",
            "scope",
            "name",
            "only-fixed",
            "by-cve",
            "exclude",
            "file",
            "vex",
            "distro",
            "source",
            "ci-config",
            "ignore-status",
            "image-src",
            "compliance",
            "report",
            "removed-pkgs",
            "key",
        ],
        flags: &[
            "ignore-unfixed",
            "no-progress",
            "quiet",
            "q",
            "d",
            "debug",
            "light",
            "reset",
            "list-all-pkgs",
            "insecure",
            "v",
            "verbose",
            "add-cpes-if-none",
            "skip-db-update",
            "skip-java-db-update",
            "skip-update",
            "download-db-only",
            "ci",
            "offline-scan",
        ],
    };
    let read = argv::read(fields, &[&SCANNER], Operands::All, source);
    if read.has("input") {
        return;
    }
    let first = read.operands.first().and_then(|field| field.known()).unwrap_or("");
    let at = match (name, first) {
        ("trivy", "image" | "i") | ("syft", "scan" | "packages" | "attest") => 1,
        ("trivy", _)
        | (
            "grype" | "syft",
            "db" | "version" | "completion" | "explain" | "cataloger" | "convert" | "login" | "config",
        ) => return,
        _ => 0,
    };
    let Some(image) = read.operands.get(at) else { return };
    let image = match image.beginning().split_once(':') {
        Some((scheme @ ("docker" | "registry" | "podman"), _)) => image.without(scheme.len() + 1, source),
        Some((
            "dir" | "file" | "sbom" | "purl" | "oci-dir" | "oci-archive" | "docker-archive" | "singularity"
            | "cpe" | "pkg",
            _,
        )) => return,
        _ => image.clone(),
    };
    // A folder or a file.
    if image.beginning().starts_with(['.', '/', '~'])
        || (name != "trivy" && !image.beginning().contains([':', '/']) && image.known().is_some())
    {
        return;
    }
    run.image(Role::Command, &image);
}

/// `singularity pull [file] docker://image`
pub(super) fn singularity<'s>(run: &mut Run<'_, '_>, fields: &[Field<'s>], source: &Source<'s>) {
    let images: Vec<&Field<'s>> =
        fields.iter().filter(|field| field.beginning().starts_with("docker://")).take(1).collect();
    images.into_iter().for_each(|image| with_transport(run, image, source));
}
