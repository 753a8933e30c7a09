//! How fast Dockerfiles are read: ordinary ones in bytes a second, and files of
//! 1 MiB of every shape that could be slow, each of which has to stay linear.
//!
//! `cargo bench -p fromguard_core --bench dockerfile`

use divan::Bencher;
use divan::counter::BytesCount;

use fromguard_core::formats;
use fromguard_core::formats::Extracted;
use fromguard_core::formats::Files;
use fromguard_core::source::MAX_FILE_BYTES;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;

fn main() {
    divan::main();
}

/// What people write: arguments, two stages, long `RUN`s, a heredoc.
const ORDINARY: &str = r#"# syntax=docker/dockerfile:1
ARG GO_VERSION=1.26
ARG ALPINE_VERSION=3.22
ARG REGISTRY=docker.io/library

# The build stage: compiles everything into /out.
FROM --platform=$BUILDPLATFORM ${REGISTRY}/golang:${GO_VERSION}-alpine${ALPINE_VERSION} AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
RUN apk add --no-cache \
      git \
      make \
      # needed by the linker
      musl-dev \
      ca-certificates
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/root/.cache/go-build \
    --mount=type=bind,from=tonistiigi/xx:1.6.1,source=/usr/bin,target=/xx \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$(git describe --tags)" -o /out/app ./cmd/app && \
    echo "built for ${TARGETOS}/${TARGETARCH}" && \
    test -x /out/app

FROM alpine:${ALPINE_VERSION}
LABEL org.opencontainers.image.source="https://example.com/app" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8
RUN <<EOF
set -e
adduser -D -u 10001 app
mkdir -p /var/lib/app && chown app /var/lib/app
EOF
COPY --from=build --chown=app:app /out/app /usr/local/bin/app
COPY --from=ghcr.io/acme/certificates:2026 /certs /etc/ssl/certs
USER app
EXPOSE 8080
HEALTHCHECK --interval=30s CMD ["/usr/local/bin/app", "health"]
ENTRYPOINT ["/usr/local/bin/app"]
CMD ["serve", "--listen", "0.0.0.0:8080"]
"#;

fn extract(file: &SourceFile) -> Extracted {
    let format = formats::format_for(file.path()).expect("a Dockerfile");
    format.extract(file, &mut Files::new(&|_| None))
}

fn measure(bencher: Bencher<'_, '_>, text: &str) {
    let text: std::sync::Arc<str> = text.into();
    bencher
        .counter(BytesCount::of_str(&*text))
        .bench_local(|| extract(&SourceFile::new(RepoPath::new("Dockerfile"), std::sync::Arc::clone(&text))));
}

/// `line` over and over, to the largest file that is read.
fn filled(start: &str, line: impl Fn(usize) -> String, end: &str) -> String {
    let limit = usize::try_from(MAX_FILE_BYTES).expect("1 MiB");
    let mut text = start.to_owned();
    for index in 0.. {
        let line = line(index);
        if text.len() + line.len() + end.len() > limit {
            break;
        }
        text.push_str(&line);
    }
    text + end
}

#[divan::bench]
fn ordinary(bencher: Bencher<'_, '_>) {
    measure(bencher, ORDINARY);
}

#[divan::bench]
fn scripts(bencher: Bencher<'_, '_>) {
    let run = "RUN apt-get update && apt-get install -y --no-install-recommends curl git \\\n";
    let more = "    && curl -fsSL https://example.com/install.sh | sh -s -- --prefix /usr/local \\\n";
    let line = format!("{run}{}    && rm -rf /var/lib/apt/lists/*\n# next\n", more.repeat(10));
    measure(bencher, &filled("FROM debian:13\n", |_| line.clone(), ""));
}

#[divan::bench(args = [
    "continuations", "blank continuations", "arguments", "chained arguments", "one value many times", "stages", "chained stages",
    "unknown bases", "copies", "mounts", "heredocs", "open heredocs", "quotes", "nested", "patterns", "words", "json", "errors", "triggers",
])]
fn worst(bencher: Bencher<'_, '_>, shape: &str) {
    let text = match shape {
        "continuations" => filled("FROM a\nRUN x \\\n", |_| " \\\n".into(), ""),
        "blank continuations" => filled("FROM a\nRUN x \\\n", |_| "\n".into(), ""),
        "arguments" => filled("", |i| format!("ARG A{i}\n"), "FROM a\n"),
        "chained arguments" => filled("ARG A0=a\n", |i| format!("ARG A{}=${{A{i}}}\n", i + 1), "FROM $A9\n"),
        "one value many times" => {
            filled(&format!("ARG A={}\n", "a".repeat(60_000)), |_| "ARG B=$A\n".into(), "FROM a\n")
        }
        "stages" => filled("", |i| format!("FROM a{i}\n"), ""),
        "chained stages" => filled("FROM a AS s0\n", |i| format!("FROM s{i} AS s{}\n", i + 1), ""),
        "unknown bases" => filled("ARG X\n", |i| format!("FROM a$X AS a{i}\n"), ""),
        "copies" => filled("FROM a\n", |i| format!("COPY --from=a{i} / /\n"), ""),
        "mounts" => filled("FROM a\nRUN", |_| " --mount=from=a".into(), " x\n"),
        "heredocs" => filled("FROM a\n", |_| "RUN <<E\nE\n".into(), ""),
        "open heredocs" => filled("# syntax=docker/dockerfile:1.0\nFROM a\n", |_| "RUN <<E\n".into(), ""),
        "quotes" => filled("FROM a\nRUN <<", |_| "\"'\"'".into(), "\n"),
        "nested" => filled("FROM ", |_| "${A:-".into(), "\n"),
        "patterns" => filled(
            &format!("ARG A={}\n", "a".repeat(60_000)),
            |_| "ARG B=${A//*a*a*a*b/}\n".into(),
            "FROM a\n",
        ),
        "words" => filled("FROM a\nENV", |_| " a=b".into(), "\n"),
        "json" => filled("FROM a\nRUN [", |_| "\"a\",".into(), "\"a\"]\n"),
        "errors" => filled("", |_| "F\n".into(), ""),
        "triggers" => filled("FROM a AS b\n", |_| "ONBUILD RUN --mount=from=x y\n".into(), "FROM b\n"),
        other => unreachable!("{other}"),
    };
    measure(bencher, &text);
}
