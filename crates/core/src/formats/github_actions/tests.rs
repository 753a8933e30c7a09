//! What is found in workflows and actions: carets under each reference.

use crate::formats::tests::check;

/// zizmor#1942, renovate#16351.
#[test]
fn containers_and_services_are_text_or_a_map() {
    check(
        "
=== .github/workflows/ci.yml
on: push
jobs:
  a:
    container: node:18
#              ^^^^^^^ ci-job docker.io/library/node:18
    services:
      db:
        image: 'postgres:16'
#               ^^^^^^^^^^^ service docker.io/library/postgres:16
      cache: redis
#            ^^^^^ service docker.io/library/redis
    steps:
      - uses: actions/checkout@v4
      - uses: docker://ghcr.io/acme/tool:1
#                      ^^^^^^^^^^^^^^^^^^^ action ghcr.io/acme/tool:1
        with: {args: 'image: no'}
  b:
    container:
      image: ghcr.io/acme/b@sha256:0000000000000000000000000000000000000000000000000000000000000000
#            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job ghcr.io/acme/b@sha256:0000000000000000000000000000000000000000000000000000000000000000
      credentials: {username: x, password: y}
  c:
    container: ''
  d:
    container:
",
    );
}

/// zizmor's matrix-in-image, and `exclude`.
#[test]
fn a_matrix_is_a_set_of_values() {
    check(
        "
=== .github/workflows/ci.yml
on: push
jobs:
  a:
    strategy:
      matrix:
        image: [ubuntu, alpine]
        version: [3.10, '3.10']
        include:
          - {image: debian, version: bookworm}
          - {image: alpine, extra: 1}
        exclude:
          - {image: ubuntu, version: '3.10'}
    container: ${{ matrix.image }}:${{ matrix.version }}
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job docker.io/library/alpine:3.1 | docker.io/library/alpine:3.10 | docker.io/library/debian:bookworm | docker.io/library/ubuntu:3.1 <- ubuntu* <- 3.10 <- alpine <- 3.10 <- debian <- bookworm
",
    );
}

/// zizmor's indirect-matrices.
#[test]
fn an_indirect_matrix_is_not_known() {
    check(
        "
=== .github/workflows/ci.yml
on: workflow_call
jobs:
  full:
    strategy:
      matrix: ${{ fromJSON(vars.TARGETS) }}
    container: ${{ matrix.image }}
#              ^^^^^^^^^^^^^^^^^^^ ci-job unresolved (`vars.TARGETS` is a setting of the repository or its organisation)
  include:
    strategy:
      matrix:
        image: [ubuntu:latest]
        include: ${{ fromJSON(vars.EXTRA) }}
    container:
      image: ${{ matrix.image }}
#            ^^^^^^^^^^^^^^^^^^^ ci-job docker.io/library/ubuntu:latest | unresolved (`vars.EXTRA` is a setting of the repository or its organisation) <- ubuntu:latest*
  exclude:
    strategy:
      matrix:
        arch: [x86_64, s390x]
        image: [ubuntu:latest]
        exclude: ${{ fromJSON(vars.BROKEN) }}
    container:
      image: ${{ matrix.image }}
#            ^^^^^^^^^^^^^^^^^^^ ci-job docker.io/library/ubuntu:latest <- ubuntu:latest*
",
    );
}

/// zizmor#2097 and zizmor's urllib3-empty-matrix-container.
#[test]
fn an_empty_image_is_no_container() {
    check(
        "
=== .github/workflows/ci.yml
on: [push, workflow_dispatch]
jobs:
  a:
    services:
      db:
        image: \"${{ matrix.mysql || '' }}\"
#               ^^^^^^^^^^^^^^^^^^^^^^^^^ service docker.io/library/mysql:8.4.9 <- mysql:8.4.9*
    strategy:
      matrix:
        include:
          - {php: 8.5, mysql: 'mysql:8.4.9'}
          - {php: 8.5}
  b:
    container: ${{ matrix.nothing }}
    strategy:
      matrix:
        container: ['']
        python: ['3.13']
        include:
          - {python: '3.13', container: 'python:3.13-bullseye'}
          - {python: '3.13', session: missing}
  c:
    container: ${{ matrix.container }}
#              ^^^^^^^^^^^^^^^^^^^^^^^ ci-job docker.io/library/python:3.13-bullseye <- python:3.13-bullseye*
    strategy:
      matrix:
        container: ['']
        python: ['3.13']
        include:
          - {python: '3.13', container: 'python:3.13-bullseye'}
          - {python: '3.13', session: missing}
",
    );
}

#[test]
fn a_container_may_be_an_object() {
    check(
        "
=== .github/workflows/ci.yml
on: push
env: {TAG: '3'}
jobs:
  a:
    strategy:
      matrix:
        target:
          - {container: {image: 'alpine:3', options: --init}}
          - {container: null}
          - {container: 'busybox:${{ env.TAG }}'}
    container: ${{ matrix.target.container }}
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job docker.io/library/alpine:3 | docker.io/library/busybox:3 <- alpine:3* <- 3 <- busybox:${{ env.TAG }}
  b:
    services: ${{ fromJSON('{\"db\":{\"image\":\"postgres:16\"}}') }}
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ service docker.io/library/postgres:16
",
    );
}

/// grafana/mimir#12364.
#[test]
fn outputs_of_jobs_are_followed_as_far_as_they_are_written() {
    check(
        "
=== .github/workflows/ci.yml
on: push
env:
  IMAGE: ghcr.io/acme/build:1
jobs:
  prepare:
    outputs:
      image: ${{ env.IMAGE }}
      made: ${{ steps.make.outputs.image }}
      list: ${{ steps.make.outputs.list }}
    steps: []
  a:
    needs: prepare
    container: ${{ needs.prepare.outputs.image }}
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job ghcr.io/acme/build:1 <- ghcr.io/acme/build:1* <- ${{ env.IMAGE }}
  b:
    needs: prepare
    container: ${{ needs.prepare.outputs.made }}
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job unresolved (`steps.make.outputs.image` is what a step gives, known only when the workflow runs) <- ${{ steps.make.outputs.image }}
  c:
    needs: prepare
    strategy:
      matrix: {image: '${{ fromJSON(needs.prepare.outputs.list) }}'}
    container: ${{ matrix.image }}
#              ^^^^^^^^^^^^^^^^^^^ ci-job unresolved (`steps.make.outputs.list` is what a step gives, known only when the workflow runs) <- ${{ steps.make.outputs.list }} <- ${{ fromJSON(needs.prepare.outputs.list) }}
  d:
    container: ghcr.io/acme/d:${{ github.sha }}
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job partial ghcr.io/acme/d (`github.sha` is known only when the workflow runs)
",
    );
}

#[test]
fn a_called_workflow_gets_what_its_callers_give() {
    check(
        "
=== .github/workflows/build.yml
on:
  workflow_call:
    inputs:
      image: {type: string, default: 'alpine:3'}
      tag: {type: string, required: true}
jobs:
  a:
    container: ${{ inputs.image }}
#              ^^^^^^^^^^^^^^^^^^^ ci-job docker.io/library/alpine:3 | docker.io/library/node:18 | docker.io/library/node:20 <- alpine:3* <- .github/workflows/ci.yml: node:18 <- .github/workflows/ci.yml: ${{ matrix.image }} <- .github/workflows/ci.yml: node:20
  b:
    container: ghcr.io/acme/b:${{ inputs.tag }}
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job ghcr.io/acme/b:1 | ghcr.io/acme/b:2 <- .github/workflows/ci.yml: 1 <- .github/workflows/ci.yml: 2
=== .github/workflows/ci.yml
on: push
jobs:
  a:
    uses: ./.github/workflows/build.yml
    with:
      image: ${{ matrix.image }}
      tag: 1
    strategy:
      matrix:
        image: ['node:18', 'node:20']
  b:
    uses: ./.github/workflows/build.yml
    with: {tag: 2}
",
    );
}

#[test]
fn an_input_that_nobody_gives_is_not_known() {
    check(
        "
=== .github/workflows/build.yml
on:
  workflow_call:
    inputs:
      image: {type: string}
jobs:
  a:
    container: ${{ inputs.image || 'alpine:3' }}
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job docker.io/library/alpine:3 | unresolved (the input `image` has no default, and nothing in this repository gives it)
=== .github/workflows/run.yml
on:
  workflow_dispatch:
    inputs:
      image: {type: choice, options: ['alpine:3', 'alpine:edge']}
      debug: {type: boolean}
jobs:
  a:
    container: ${{ github.event.inputs.image }}
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job docker.io/library/alpine:3 | docker.io/library/alpine:edge <- alpine:3* <- alpine:edge
  b:
    container: ${{ inputs.debug && 'busybox:debug' || 'busybox:1' }}
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job docker.io/library/busybox:1 | docker.io/library/busybox:debug
",
    );
}

/// zizmor#1964.
#[test]
fn the_image_of_an_action() {
    check(
        "
=== lint/action.yml
runs:
  using: docker
  image: docker://ghcr.io/acme/lint:2
#                 ^^^^^^^^^^^^^^^^^^^ action ghcr.io/acme/lint:2
=== build/action.yaml
runs:
  using: docker
  image: image.txt
=== build/image.txt
FROM alpine:3
#    ^^^^^^^^ final-stage docker.io/library/alpine:3
=== other/action.yml
name: not an action
image: alpine
=== setup/action.yml
inputs:
  image: {default: 'node:18'}
runs:
  using: composite
  steps:
    - uses: addnab/docker-run-action@v3
      with:
        image: ${{ inputs.image }}
#              ^^^^^^^^^^^^^^^^^^^ ci-job docker.io/library/node:18 | docker.io/library/node:20 <- node:18* <- .github/workflows/ci.yml: node:20
=== .github/workflows/ci.yml
on: push
jobs:
  a:
    steps:
      - uses: ./setup/
        with: {image: 'node:20'}
      - uses: ./setup
",
    );
}

#[test]
fn build_push_action_builds_a_dockerfile() {
    check(
        "
=== .github/workflows/ci.yml
on: push
jobs:
  a:
    strategy:
      matrix:
        base: ['alpine:3', 'debian:12']
    steps:
      - uses: docker/setup-buildx-action@v3
        with:
          driver-opts: |
            network=host
            image=moby/buildkit:v0.12
#                 ^^^^^^^^^^^^^^^^^^^ action docker.io/moby/buildkit:v0.12
      - uses: docker/metadata-action@v5
        with:
          images: ghcr.io/acme/output
      - uses: docker/build-push-action@v6
        with:
          context: app
          build-args: |
            BASE=${{ matrix.base }}
            OTHER=${{ github.sha }}
          tags: ghcr.io/acme/output:1
          cache-from: |
            type=registry,ref=ghcr.io/acme/cache:1
#                             ^^^^^^^^^^^^^^^^^^^^ cache ghcr.io/acme/cache:1
            type=gha
          cache-to: type=registry,ref=ghcr.io/acme/output:cache
          build-contexts: |
            tools=docker-image://busybox:1
#                                ^^^^^^^^^ named-context docker.io/library/busybox:1
=== app/Dockerfile
ARG BASE
FROM $BASE
#    ^^^^^ final-stage docker.io/library/alpine:3 <- .github/workflows/ci.yml: alpine:3* <- .github/workflows/ci.yml: ${{ matrix.base }}
#    ^^^^^ final-stage docker.io/library/debian:12 <- .github/workflows/ci.yml: debian:12* <- .github/workflows/ci.yml: ${{ matrix.base }}
#    ^^^^^ final-stage unresolved (`ARG BASE` has no default) <- BASE
COPY --from=tools /bin/sh /bin/
#           ^^^^^ copy-from docker.io/library/busybox:1 <- .github/workflows/ci.yml: docker-image://busybox:1*
#           ^^^^^ copy-from docker.io/library/tools
",
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    check(
        "
=== .github/workflows/a.yml
on: push
jobs:
  a:
    container: ${{ matrix. }}
#              ^^^^^^^^^^^^^^ ci-job unresolved (an expression that cannot be read)
=== .github/workflows/broken.yml
jobs: {a: [}
# syntax: mismatched bracket '[' closed by '}'
=== .github/workflows/b.yml
env:
  A: ${{ env.B }}
jobs:
  a:
    env:
      B: ${{ env.A }}
      C: ${{ env.C }}
    steps:
      - uses: addnab/docker-run-action@v3
        env: {A: '${{ env.B }}'}
        with:
          image: ${{ env.C }}
#                ^^^^^^^^^^^^ ci-job unresolved (`env.C` is not set in this file) <- ${{ env.C }}
",
    );
}

/// zizmor's run-docker, and what stands around a script.
#[test]
fn scripts_are_read_with_their_expressions() {
    check(
        "
=== .github/workflows/ci.yml
on: push
env: {REGISTRY: ghcr.io/acme}
jobs:
  a:
    strategy:
      matrix:
        include:
          - {image: alpine, tag: '3'}
          - {image: debian, tag: '12'}
    env: {TAG: '${{ matrix.tag }}'}
    steps:
      - run: docker pull ubuntu:22.04
#                        ^^^^^^^^^^^^ command docker.io/library/ubuntu:22.04
      - run: |
          docker run -d --rm -v /tmp:/tmp ${{ matrix.image }}:${{ matrix.tag }} sh
#                                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ command docker.io/library/alpine:3 | docker.io/library/debian:12 <- alpine* <- 3 <- debian <- 12
          docker run $REGISTRY/x:1
#                    ^^^^^^^^^^^^^ command ghcr.io/acme/x:1 <- ghcr.io/acme*
          echo docker pull no
      - run: docker pull busybox:$TAG
#                        ^^^^^^^^^^^^ command docker.io/library/busybox:12 | docker.io/library/busybox:3 <- 3 <- ${{ matrix.tag }} <- 12
      - run: docker build -t local:1 -f app/Dockerfile . && docker run local:1
      - run: docker run local:1
      - shell: python
        run: docker pull python:no
  b:
    steps:
      - run: docker run local:1
#                       ^^^^^^^ command docker.io/library/local:1
=== app/Dockerfile
FROM alpine:3
#    ^^^^^^^^ final-stage docker.io/library/alpine:3
",
    );
}

/// The workflow names no image itself, and is shown all the same.
#[test]
fn a_file_that_only_builds_is_a_source() {
    check(
        "
=== .github/workflows/ci.yml
jobs:
  a:
    steps:
      - uses: docker/build-push-action@v6
        with: {build-args: BASE=alpine:3}
=== Dockerfile
ARG BASE=busybox:1
FROM $BASE
#    ^^^^^ final-stage docker.io/library/alpine:3 <- .github/workflows/ci.yml: alpine:3*
#    ^^^^^ final-stage docker.io/library/busybox:1 <- busybox:1*
",
    );
}

/// PowerShell goes on with "`" at the end of a line, and has `\` in its paths.
#[test]
fn powershell_is_read_where_a_job_runs_in_it() {
    check(
        r#"
=== .github/workflows/windows.yml
on: push
jobs:
  a:
    runs-on: ${{ matrix.os }}
    strategy: {matrix: {os: [windows-2022, windows-2025]}}
    steps:
      - run: |
          & docker run --rm `
            -v ".\src:C:\src" -v C:\tmp:C:\tmp `
            acme/tool:1 C:\run.ps1 -Fast
#           ^^^^^^^^^^^ command docker.io/acme/tool:1
      - run: |
          & docker build `
            -t ${{ env.NAME }} .
          & docker run `
            ${{ env.NAME }} make.ps1
        env: {NAME: 'acme/local:1'}
  b:
    runs-on: ubuntu-latest
    steps:
      - run: docker pull `echo a`
#                        ^^^^^^^^ command unresolved (what `$(…)` prints is not known)
      - shell: pwsh
        run: docker pull acme/tool:2
#                        ^^^^^^^^^^^ command docker.io/acme/tool:2
"#,
    );
}
