//! What is found in compose files, with what stands beside them.

use crate::formats::tests::check;

#[test]
fn images_of_services_are_sources() {
    check(
        r#"
=== compose.yml
services:
  web:
    image: nginx:1.27
#          ^^^^^^^^^^ container docker.io/library/nginx:1.27
  db: {image: "postgres:16"}
#              ^^^^^^^^^^^ container docker.io/library/postgres:16
  none:
    environment: {IMAGE: not/an:image}
"#,
    );
}

#[test]
fn a_build_is_judged_with_what_compose_and_dotenv_give() {
    check(
        r#"
=== compose.yml
services:
  web:
    build:
      context: web
      args:
        BASE: ${REGISTRY}/base:$TAG
=== .env
REGISTRY=ghcr.io/acme
TAG=7
=== web/Dockerfile
ARG BASE=alpine:3
FROM $BASE
#    ^^^^^ final-stage ghcr.io/acme/base:7 <- .env: ghcr.io/acme* <- .env: 7 <- compose.yml: ${REGISTRY}/base:$TAG
#    ^^^^^ final-stage docker.io/library/alpine:3 <- alpine:3*
"#,
    );
}

/// `template.go`: `${X}` and its operators
#[test]
fn interpolation_takes_every_form() {
    check(
        r#"
=== compose.yml
services:
  plain: {image: "r.io/a:$TAG"}
#                 ^^^^^^^^^^^ container r.io/a:7 <- .env: 7
  braces: {image: "r.io/${NAME}:1"}
#                  ^^^^^^^^^^^^^^ container r.io/app:1 <- .env: app
  default: {image: "r.io/a:${UNSET:-2}"}
#                   ^^^^^^^^^^^^^^^^^^ container r.io/a:2
  kept: {image: "r.io/a:${TAG:-2}"}
#                ^^^^^^^^^^^^^^^^ container r.io/a:7 <- .env: 7
  empty: {image: "r.io/a:${EMPTY:-2}"}
#                 ^^^^^^^^^^^^^^^^^^ container r.io/a:2 <- .env: 
  stays_empty: {image: "r.io/a${EMPTY-2}"}
#                       ^^^^^^^^^^^^^^^^ container r.io/a <- .env: 
  instead: {image: "r.io/${TAG:+b}:1"}
#                   ^^^^^^^^^^^^^^^^ container r.io/b:1 <- .env: 7
  not_instead: {image: "r.io/a${EMPTY:+/b}:1"}
#                       ^^^^^^^^^^^^^^^^^^^^ container r.io/a:1 <- .env: 
  set: {image: "r.io/a${EMPTY+/b}:1"}
#               ^^^^^^^^^^^^^^^^^^^ container r.io/a/b:1 <- .env: 
  required: {image: "r.io/a:${TAG:?why}"}
#                    ^^^^^^^^^^^^^^^^^^ container r.io/a:7 <- .env: 7
  nested: {image: "${UNSET:-${ALSO:-r.io/${NAME}}}:3"}
#                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container r.io/app:3 <- .env: app
  cased: {image: "r.io/a:${tag-1}"}
#                 ^^^^^^^^^^^^^^^ container r.io/a:1
  dollar: {image: "r.io/a:$$TAG"}
#                  ^^^^^^^^^^^^ container invalid "r.io/a:$TAG"
=== .env
# variables
export TAG=7
NAME='app'
EMPTY=
"#,
    );
}

/// extraction.md, "Decisions", 7
#[test]
fn what_is_not_set_is_not_empty() {
    check(
        r#"
=== compose.yml
services:
  tag: {image: "ghcr.io/acme/app:$TAG"}
#               ^^^^^^^^^^^^^^^^^^^^^ container partial ghcr.io/acme/app (`TAG` has no value in the repository and no default)
  short: {image: "app:${TAG}"}
#                 ^^^^^^^^^^ container unresolved docker.io/library/app (`TAG` has no value in the repository and no default)
  whole: {image: "${IMAGE}"}
#                 ^^^^^^^^ container unresolved (`IMAGE` has no value in the repository and no default)
  required: {image: "${IMAGE:?set it}"}
#                    ^^^^^^^^^^^^^^^^ container unresolved (`IMAGE` has to be set outside of the repository)
  maybe: {image: "${REGISTRY:+$REGISTRY/}acme/app"}
#                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container docker.io/acme/app | unresolved (`REGISTRY` has no value in the repository and no default)
  suffix: {image: "acme/app:1${DEBUG:+-debug}"}
#                  ^^^^^^^^^^^^^^^^^^^^^^^^^^ container docker.io/acme/app:1 | docker.io/acme/app:1-debug
  nested: {image: "r.io/a:${A:-${B}}"}
#                  ^^^^^^^^^^^^^^^^^ container partial r.io/a (`B` has no value in the repository and no default)
  invalid: {image: "r.io/${a b}"}
#                   ^^^^^^^^^^^ container unresolved (`${a b}` is no variable that Compose can read)
"#,
    );
}

/// dotenv/parser.go
#[test]
fn dotenv_is_read_as_compose_reads_it() {
    check(
        r#"
=== compose.yml
services:
  quoted: {image: "$QUOTED"}
#                  ^^^^^^^ container r.io/q:1 <- .env: r.io/q:1*
  comment: {image: "$COMMENT"}
#                   ^^^^^^^^ container r.io/c:1 <- .env: r.io/c:1*
  chain: {image: "$CHAIN"}
#                 ^^^^^^ container r.io/q:1-slim <- .env: r.io/q:1* <- .env: ${QUOTED}-slim
  single: {image: "$SINGLE"}
#                  ^^^^^^^ container invalid "$QUOTED" <- .env: $QUOTED*
  yaml: {image: "$YAML"}
#                ^^^^^ container r.io/y:1 <- .env: r.io/y:1*
  lines: {image: "a:${LINES}"}
#                 ^^^^^^^^^^ container invalid "a:one\ntwo" <- .env: one
  inherited: {image: "a:${INHERITED}"}
#                     ^^^^^^^^^^^^^^ container unresolved docker.io/library/a (`INHERITED` has no value in the repository and no default)
  last: {image: "$TWICE"}
#                ^^^^^^ container docker.io/library/b <- .env: b*
=== .env
QUOTED="r.io/q:1"
COMMENT=r.io/c:1 # the stable one
CHAIN=${QUOTED}-slim
SINGLE='$QUOTED'
YAML: r.io/y:1
LINES="one
two"
INHERITED
TWICE=a
TWICE=b
"#,
    );
}

/// loader.go, projectName
#[test]
fn the_project_has_a_name() {
    check(
        r#"
=== compose.yml
name: shop
services:
  worker:
    image: ${COMPOSE_PROJECT_NAME}_web
#          ^^^^^^^^^^^^^^^^^^^^^^^^^^^ container docker.io/library/shop_web <- shop*
"#,
    );
}

/// extraction.md, "Decisions", 3
#[test]
fn image_beside_build_is_what_is_built() {
    check(
        r#"
=== compose.yml
services:
  web:
    build: .
    image: acme/web
#          ^^^^^^^^ pullable-output docker.io/acme/web
  policy_build:
    build: .
    image: acme/policy
    pull_policy: build
  policy_always:
    build: .
# unreadable: `Dockerfile` is not in the repository; what this is built from is not known
    image: acme/always
#          ^^^^^^^^^^^ container docker.io/acme/always
    pull_policy: always
  policy_default:
    build: .
    image: acme/default
    pull_policy: ${POLICY:-build}
  worker:
    image: acme/web
#          ^^^^^^^^ pullable-output docker.io/acme/web
  other:
    image: acme/web:1
#          ^^^^^^^^^^ container docker.io/acme/web:1
"#,
    );
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    check(
        r#"
=== compose.yml
x-base: &base
  image: ghcr.io/acme/base:1
#        ^^^^^^^^^^^^^^^^^^^ container ghcr.io/acme/base:1
x-unused:
  image: evil/unused
services:
  a:
    <<: *base
  b:
    <<: [*base]
    image: ghcr.io/acme/b:1
#          ^^^^^^^^^^^^^^^^ container ghcr.io/acme/b:1
  c: *base
  d:
    image: &tagged redis:7
#                  ^^^^^^^ container docker.io/library/redis:7
  e:
    image: *tagged
"#,
    );
}

/// extends.go
#[test]
fn extends_the_same_file() {
    check(
        r#"
=== compose.yml
services:
  base:
    image: acme/base
#          ^^^^^^^^^ pullable-output docker.io/acme/base
    build:
      context: .
      args: {BASE: "alpine:3"}
  web:
    extends: base
    build:
      args: {BASE: "alpine:4"}
  short:
    extends: {service: web}
    image: acme/short
#          ^^^^^^^^^^ pullable-output docker.io/acme/short
=== Dockerfile
ARG BASE
FROM $BASE
#    ^^^^^ final-stage unresolved (`ARG BASE` has no default) <- BASE
#    ^^^^^ final-stage docker.io/library/alpine:3 <- compose.yml: alpine:3*
#    ^^^^^ final-stage docker.io/library/alpine:4 <- compose.yml: alpine:4*
"#,
    );
}

/// extends.go; paths of a base are relative to its own file
#[test]
fn extends_another_file() {
    check(
        r#"
=== app/compose.yml
services:
  web:
    extends:
      file: ../common/services.yml
      service: web
    build:
      args: {BASE: "alpine:4"}
=== app/.env
TAG=9
=== common/services.yml
services:
  web:
    image: ghcr.io/acme/web:${TAG}
#          ^^^^^^^^^^^^^^^^^^^^^^^ pullable-output ghcr.io/acme/web:9 | partial ghcr.io/acme/web (`TAG` has no value in the repository and no default) <- app/.env: 9
    build: ctx
=== common/ctx/Dockerfile
ARG BASE=alpine:3
FROM $BASE
#    ^^^^^ final-stage docker.io/library/alpine:4 <- app/compose.yml: alpine:4*
#    ^^^^^ final-stage docker.io/library/alpine:3 <- alpine:3*
"#,
    );
}

/// include.go
#[test]
fn includes_have_their_own_folder_and_variables() {
    check(
        r#"
=== compose.yml
include:
  - db/compose.yml
  - path: [cache/compose.yml, cache/more.yml]
    env_file: cache/prod.env
  - path: other/compose.yml
    project_directory: elsewhere
services:
  web: {image: "web:${V}"}
#               ^^^^^^^^ container docker.io/library/web:outer <- .env: outer
=== .env
V=outer
=== db/compose.yml
services:
  db:
    image: db:${V}-${W}
#          ^^^^^^^^^^^^ pullable-output docker.io/library/db:inner-2 | docker.io/library/db:outer-2 <- db/.env: inner <- db/.env: 2 <- .env: outer
    build: .
=== db/.env
V=inner
W=2
=== db/Dockerfile
FROM alpine:3
#    ^^^^^^^^ final-stage docker.io/library/alpine:3
=== cache/compose.yml
services:
  cache:
    build: {context: ., args: {BASE: "redis:1"}}
=== cache/more.yml
services:
  cache:
    build: {args: {BASE: "redis:${R}"}}
=== cache/prod.env
R=5
=== cache/Dockerfile
ARG BASE
FROM $BASE
#    ^^^^^ final-stage unresolved (`ARG BASE` has no default) <- BASE
#    ^^^^^ final-stage docker.io/library/redis:1 <- cache/compose.yml: redis:1*
#    ^^^^^ final-stage docker.io/library/redis:5 | unresolved docker.io/library/redis (the build argument `BASE` is not known: `R` has no value in the repository and no default) <- cache/more.yml: redis:${R}* <- cache/prod.env: 5
=== other/compose.yml
services:
  x:
    build: {context: ctx, args: {BASE: "x"}}
# unreadable: `other/ctx/Dockerfile` is not in the repository; what this is built from is not known
=== elsewhere/ctx/Dockerfile
ARG BASE
FROM $BASE
#    ^^^^^ final-stage unresolved (`ARG BASE` has no default) <- BASE
#    ^^^^^ final-stage docker.io/library/x <- other/compose.yml: x*
"#,
    );
}

/// extraction.md, "Decisions", 4
#[test]
fn what_cannot_be_followed_is_told() {
    check(
        r#"
=== compose.yml
include:
  - oci://docker.io/acme/stack:1
#   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container unresolved (remote: `oci://docker.io/acme/stack:1` is not fetched)
  - https://github.com/acme/stack.git
#   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container unresolved (remote: `https://github.com/acme/stack.git` is not fetched)
  - ../elsewhere.yml
#   ^^^^^^^^^^^^^^^^ container unresolved (`../elsewhere.yml` leads out of the repository)
  - missing.yml
#   ^^^^^^^^^^^ container unresolved (`missing.yml` is not in the repository)
  - ${WHERE}/compose.yml
#   ^^^^^^^^^^^^^^^^^^^^ container unresolved (`WHERE` has no value in the repository and no default)
services:
  a: {build: "https://github.com/acme/app.git#main"}
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ container unresolved (remote: `https://github.com/acme/app.git#main` is not fetched)
  b: {build: {context: "git@github.com:acme/app.git"}}
#                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^ container unresolved (remote: `git@github.com:acme/app.git` is not fetched)
  c: {build: /srv/app}
#            ^^^^^^^^ container unresolved (`/srv/app` leads out of the repository)
  d: {build: "${DIR}"}
#             ^^^^^^ container unresolved (`DIR` has no value in the repository and no default)
  e: {build: {context: ., dockerfile: "Dockerfile.${KIND}"}}
#                                      ^^^^^^^^^^^^^^^^^^ container unresolved (`KIND` has no value in the repository and no default)
  f: {build: "${PWD}/f"}
  g: {extends: {file: gone.yml, service: g}}
#                     ^^^^^^^^ container unresolved (`gone.yml` is not in the repository)
=== f/Dockerfile
FROM f
#    ^ final-stage docker.io/library/f
"#,
    );
}

/// merge.go
#[test]
fn an_override_is_laid_onto_its_base() {
    check(
        r#"
=== compose.yml
services:
  web:
    build: {context: web, args: {BASE: "alpine:3", OTHER: "x"}}
  plain:
    image: a
#          ^ container docker.io/library/a
=== compose.override.yml
services:
  web:
    image: acme/web
#          ^^^^^^^^ pullable-output docker.io/acme/web
    build: {args: [BASE=alpine:4]}
  plain:
    image: b
#          ^ container docker.io/library/b
=== web/Dockerfile
ARG BASE
FROM $BASE
#    ^^^^^ final-stage docker.io/library/alpine:4 <- compose.override.yml: alpine:4*
#    ^^^^^ final-stage docker.io/library/alpine:3 <- compose.yml: alpine:3*
#    ^^^^^ final-stage unresolved (`ARG BASE` has no default) <- BASE
"#,
    );
}

#[test]
fn a_variant_is_read_alone_and_on_its_base() {
    check(
        r#"
=== docker-compose.yml
services:
  web:
    build: {context: web, args: {BASE: "alpine:3"}}
=== docker-compose.prod.yml
services:
  web:
    image: acme/web:1
#          ^^^^^^^^^^ pullable-output docker.io/acme/web:1
    build: {args: {BASE: "alpine:4"}}
=== web/Dockerfile
ARG BASE
FROM $BASE
#    ^^^^^ final-stage docker.io/library/alpine:4 <- docker-compose.prod.yml: alpine:4*
#    ^^^^^ final-stage docker.io/library/alpine:3 <- docker-compose.yml: alpine:3*
#    ^^^^^ final-stage unresolved (`ARG BASE` has no default) <- BASE
=== Dockerfile
ARG BASE=untouched
FROM $BASE
#    ^^^^^ final-stage docker.io/library/untouched <- untouched*
"#,
    );
}

/// reset.go
#[test]
fn tags_put_away_what_stands_below() {
    check(
        r#"
=== compose.yml
services:
  a: {image: a, build: .}
#            ^ pullable-output docker.io/library/a
  b: {build: {context: ., args: {BASE: x, OTHER: y}}}
=== compose.override.yml
services:
  a:
    image: a2
#          ^^ container docker.io/library/a2
    build: !reset null
  b:
    build: !override
      context: b
      args: {BASE: z}
=== Dockerfile
FROM d
#    ^ final-stage docker.io/library/d
=== b/Dockerfile
ARG BASE
FROM $BASE
#    ^^^^^ final-stage unresolved (`ARG BASE` has no default) <- BASE
#    ^^^^^ final-stage docker.io/library/z <- compose.override.yml: z*
"#,
    );
}

#[test]
fn a_build_has_many_inputs() {
    check(
        r#"
=== compose.yml
services:
  web:
    platform: linux/arm/v7
    build:
      context: .
      dockerfile: docker/web.df
      target: dev
      args:
        - BASE=golang:1.22
        - FROM_OUTSIDE
        - FROM_ENV
      additional_contexts:
        tools: docker-image://ghcr.io/acme/tools:1
#                             ^^^^^^^^^^^^^^^^^^^^ named-context ghcr.io/acme/tools:1
        lib: service:lib
        src: ./src
      cache_from:
        - acme/web:cache
#         ^^^^^^^^^^^^^^ cache docker.io/acme/web:cache
        - type=registry,ref=acme/web:buildcache
#                           ^^^^^^^^^^^^^^^^^^^ cache docker.io/acme/web:buildcache
        - type=local,src=path
        - type=gha
      cache_to:
        - type=registry,ref=acme/web:out
      tags:
        - acme/web:tag
  lib:
    image: acme/lib:2
#          ^^^^^^^^^^ container docker.io/acme/lib:2
=== .env
FROM_ENV=busybox:7
=== docker/web.df
ARG BASE
ARG FROM_OUTSIDE
ARG FROM_ENV
FROM $BASE AS dev
#    ^^^^^ build-stage unresolved (`ARG BASE` has no default), unreachable <- BASE
#    ^^^^^ final-stage docker.io/library/golang:1.22 <- compose.yml: golang:1.22*
COPY --from=tools /a /a
#           ^^^^^ copy-from ghcr.io/acme/tools:1 <- compose.yml: docker-image://ghcr.io/acme/tools:1*
#           ^^^^^ copy-from docker.io/library/tools, unreachable
FROM $FROM_OUTSIDE
#    ^^^^^^^^^^^^^ build-stage unresolved (`ARG FROM_OUTSIDE` has no default) | unresolved (the build argument `FROM_OUTSIDE` is not known: `FROM_OUTSIDE` has no value in the repository and no default), unreachable <- FROM_OUTSIDE <- compose.yml: FROM_OUTSIDE
FROM ${FROM_ENV}
#    ^^^^^^^^^^^ build-stage docker.io/library/busybox:7, unreachable <- .env: busybox:7* <- compose.yml: FROM_ENV
#    ^^^^^^^^^^^ build-stage unresolved (`ARG FROM_ENV` has no default), unreachable <- FROM_ENV
COPY --from=lib /b /b
#           ^^^ copy-from docker.io/acme/lib:2, unreachable <- compose.yml: acme/lib:2*
#           ^^^ copy-from docker.io/library/lib, unreachable
FROM r.io/x:${TARGETARCH}${TARGETVARIANT}
#    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ final-stage r.io/x:amd64 | r.io/x:arm64 | r.io/x:armv7
"#,
    );
}

#[test]
fn an_argument_is_printed_as_go_prints_it() {
    check(
        r#"
=== compose.yml
services:
  web:
    build:
      context: .
      args:
        GO: 1.20
        QUOTED: "1.20"
=== Dockerfile
ARG GO
ARG QUOTED
FROM r.io/golang:$GO
#    ^^^^^^^^^^^^^^^ build-stage r.io/golang:1.2 | partial r.io/golang (`ARG GO` has no default), unreachable <- GO <- compose.yml: 1.20
FROM r.io/golang:$QUOTED
#    ^^^^^^^^^^^^^^^^^^^ final-stage r.io/golang:1.20 | partial r.io/golang (`ARG QUOTED` has no default) <- QUOTED <- compose.yml: 1.20
"#,
    );
}

#[test]
fn an_inline_dockerfile_is_read_in_place() {
    check(
        r#"
=== compose.yml
services:
  web:
    build:
      args: {V: "3"}
      dockerfile_inline: |
        ARG V=2
        FROM alpine:$$V
#            ^^^^^^^^^^ build-stage docker.io/library/alpine:2 | docker.io/library/alpine:3, unreachable <- 2 <- 3
        FROM ${BASE}:1
#            ^^^^^^^^^ build-stage r.io/base:1, unreachable <- .env: r.io/base*
        FROM ${UNSET}
#            ^^^^^^^^ build-stage unresolved (`UNSET` has no value in the repository and no default), unreachable
        FROM r.io/a:${UNSET:-4}
#            ^^^^^^^^^^^^^^^^^^ final-stage r.io/a:4
=== .env
BASE=r.io/base
"#,
    );
}

#[test]
fn volumes_and_hooks_have_images() {
    check(
        r#"
=== compose.yml
services:
  web:
    image: web
#          ^^^ container docker.io/library/web
    volumes:
      - data:/data
      - {type: image, source: "acme/data:$V", target: /x}
#                              ^^^^^^^^^^^^ image-volume partial docker.io/acme/data (`V` has no value in the repository and no default)
      - {type: volume, source: not/an:image, target: /y}
    pre_start:
      - image: busybox:1
#              ^^^^^^^^^ init-container docker.io/library/busybox:1
        command: ["true"]
      - command: ["x"]
    post_start:
      - command: ["x"]
models:
  m: {model: ai/smollm2}
"#,
    );
}

#[test]
fn profiles_jobs_and_stacks_are_read() {
    check(
        r#"
=== stack.yml
services:
  web:
    image: web:1
#          ^^^^^ container docker.io/library/web:1
    profiles: [debug]
    deploy: {replicas: 2}
jobs:
  nightly:
    image: job:1
#          ^^^^^ container docker.io/library/job:1
"#,
    );
}

#[test]
fn the_first_version_of_the_format_is_read() {
    check(
        r#"
=== docker-compose.yml
web:
  build: .
# unreadable: `Dockerfile` is not in the repository; what this is built from is not known
  links: [db]
db:
  image: postgres:9
#        ^^^^^^^^^^ container docker.io/library/postgres:9
"#,
    );
}

#[test]
fn other_yaml_is_compose_when_it_looks_like_it() {
    check(
        r#"
=== production.yml
services:
  web: {image: "web:1"}
#               ^^^^^ container docker.io/library/web:1
=== settings.yml
services:
  web: {port: 80}
image: not
=== ci.yml
services:
  - image: postgres
=== .github/workflows/compose.yml
on: push
jobs:
  a: {runs-on: ubuntu-latest, services: {db: {image: "postgres:1"}}}
#                                                     ^^^^^^^^^^ service docker.io/library/postgres:1
"#,
    );
}

#[test]
fn what_is_broken_is_told_and_the_rest_is_read() {
    check(
        r#"
=== compose.yml
services:
  a: {image: "a:1"}
#             ^^^ container docker.io/library/a:1
---
services: [
# syntax: this cannot be read as YAML: unclosed bracket '['
---
services:
  b: {image: "b:1"}
#             ^^^ container docker.io/library/b:1
=== other.yml
services:
  a: {image: "a:1"
"#,
    );
}

#[test]
fn templates_are_not_taken_for_references() {
    check(
        r#"
=== compose.yml
services:
  a: {image: "r.io/a:{{ tag }}"}
#             ^^^^^^^^^^^^^^^^ container unresolved (`r.io/a:{{ tag }}` holds a template's marker, which is filled in before the build)
  b:
    image: {{ image }}
#          ^^^^^^^^^^^ container unresolved (`{{ image }}` holds a template's marker, which is filled in before the build)
  c:
    image: r.io/@NAME@
#          ^^^^^^^^^^^ container unresolved (`r.io/@NAME@` holds a template's marker, which is filled in before the build)
  d:
    image: [a, b]
#          ^^^^^^ container invalid "[a, b]"
"#,
    );
}

#[test]
fn odd_texts_have_places() {
    check(
        r#"
=== compose.yml
services:
  folded:
    image: >-
      r.io/a:1
#     ^^^^^^^^ container r.io/a:1
  quoted:
    image: "r.io/\x62:${V:-2}"
#           ^^^^^^^^^^^^^^^^^ container r.io/b:2
  single: {image: 'r.io/c:1'}
#                  ^^^^^^^^ container r.io/c:1
  "é": {image: r.io/d}
#              ^^^^^^ container r.io/d
  list:
    build:
      args: ["BASE=r.io/${E:-e}"]
=== Dockerfile
ARG BASE
FROM $BASE
#    ^^^^^ final-stage unresolved (`ARG BASE` has no default) <- BASE
#    ^^^^^ final-stage r.io/e <- compose.yml: r.io/${E:-e}*
"#,
    );
}

#[test]
fn cycles_end() {
    check(
        r#"
=== compose.yml
include: [compose.yml]
services:
  a: {extends: b, image: a}
#                        ^ pullable-output docker.io/library/a
  b: {extends: a, build: .}
# unreadable: `Dockerfile` is not in the repository; what this is built from is not known
"#,
    );
}

#[test]
fn an_inline_dockerfile_of_an_included_file_is_its_own() {
    check(
        r#"
=== compose.yml
include: [sub/compose.yml]
services:
  web: {image: web}
#              ^^^ container docker.io/library/web
=== sub/compose.yml
services:
  a:
    build:
      dockerfile_inline: |
        FROM ${BASE}
#            ^^^^^^^ final-stage r.io/base <- sub/.env: r.io/base*
=== sub/.env
BASE=r.io/base
"#,
    );
}

/// What a build takes away of one argument is the Dockerfile's own again.
#[test]
fn one_argument_is_put_away() {
    check(
        r#"
=== compose.yml
services:
  a: {build: {context: ., args: {BASE: "redis:5", OTHER: x}}}
=== compose.override.yml
services:
  a: {build: {args: {BASE: !reset null}}}
=== Dockerfile
ARG BASE=alpine:3
FROM $BASE
#    ^^^^^ final-stage docker.io/library/alpine:3 <- alpine:3*
#    ^^^^^ final-stage docker.io/library/redis:5 <- compose.yml: redis:5*
"#,
    );
}

#[test]
fn a_dockerfile_that_is_not_there_is_said() {
    check(
        r#"
=== compose.yml
services:
  a: {build: web}
# unreadable: `web/Dockerfile` is not in the repository; what this is built from is not known
  b:
    build:
      context: .
      dockerfile: b.Dockerfile
# unreadable: `b.Dockerfile` is not in the repository; what this is built from is not known
  c: {build: {context: c, dockerfile_inline: FROM scratch}}
  d: {build: ./d}
=== d/Dockerfile
FROM scratch
"#,
    );
}
