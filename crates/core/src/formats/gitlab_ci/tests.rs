//! What is found in pipelines: carets under each reference.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use crate::formats::tests::check;
use crate::scan::Scan;
use crate::source::Content;
use crate::source::RepoPath;

#[test]
fn images_and_services_are_text_or_a_map() {
    check(
        "
=== .gitlab-ci.yml
image: alpine:3
#      ^^^^^^^^ ci-job docker.io/library/alpine:3
default:
  services: [docker:dind, {name: 'redis:7', alias: cache}]
#            ^^^^^^^^^^^ service docker.io/library/docker:dind
#                                 ^^^^^^^ service docker.io/library/redis:7
stages: [build]
cache: {key: image}
build:
  image:
    name: ghcr.io/acme/build:1
#         ^^^^^^^^^^^^^^^^^^^^ ci-job ghcr.io/acme/build:1
    entrypoint: ['']
  services:
    - postgres:16
#     ^^^^^^^^^^^ service docker.io/library/postgres:16
  script: ['echo image: no']
deploy:
  image: !reference [build, image]
  trigger: {project: acme/other}
",
    );
}

/// renovate#17537.
#[test]
fn variables_are_followed() {
    check(
        "
=== .gitlab-ci.yml
variables:
  REGISTRY: ghcr.io/acme
  IMAGE: ${REGISTRY}/build
  VERSION:
    value: '1'
    options: ['1', '2']
    description: which
  PYTHON: 3.10
a:
  image: $IMAGE:$VERSION
#        ^^^^^^^^^^^^^^^ ci-job ghcr.io/acme/build:1 | ghcr.io/acme/build:2 <- ghcr.io/acme* <- ${REGISTRY}/build <- 1 <- 2
b:
  variables: {IMAGE: 'node:18'}
  image: $IMAGE
#        ^^^^^^ ci-job docker.io/library/node:18 <- node:18*
c:
  image: python:$PYTHON
#        ^^^^^^^^^^^^^^ ci-job docker.io/library/python:3.1 <- 3.10
d:
  image: $CI_REGISTRY_IMAGE/build:latest
#        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job unresolved (GitLab sets `CI_REGISTRY_IMAGE` when the job runs)
e:
  image: ghcr.io/acme/e:$TAG
#        ^^^^^^^^^^^^^^^^^^^ ci-job partial ghcr.io/acme/e (`TAG` is not set in these files; it may be a setting of the project)
f:
  image: ${CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX}/node:18
#        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job unresolved (`CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX` is GitLab's dependency proxy, which passes on images of Docker Hub; its address is known only when the job runs)
",
    );
}

#[test]
fn a_matrix_and_rules_are_sets_of_values() {
    check(
        "
=== .gitlab-ci.yml
a:
  parallel:
    matrix:
      - IMAGE: [alpine, debian]
        TAG: '3'
      - {IMAGE: busybox, TAG: ['1']}
  image: $IMAGE:$TAG
#        ^^^^^^^^^^^ ci-job docker.io/library/alpine:3 | docker.io/library/busybox:1 | docker.io/library/debian:3 <- alpine* <- 3 <- debian <- busybox <- 1
b:
  variables: {TAG: '3.19'}
  rules:
    - if: $CI_COMMIT_BRANCH
      variables: {TAG: edge}
    - when: always
  image: alpine:$TAG
#        ^^^^^^^^^^^ ci-job docker.io/library/alpine:3.19 | docker.io/library/alpine:edge <- 3.19 <- edge
",
    );
}

#[test]
fn a_template_is_told_once_with_what_each_job_makes_of_it() {
    check(
        "
=== .gitlab-ci.yml
.images: {node: 'node:18'}
#                ^^^^^^^ ci-job docker.io/library/node:18
.base: &base
  variables: {TAG: '0'}
  image: ghcr.io/acme/base:$TAG
#        ^^^^^^^^^^^^^^^^^^^^^^ ci-job ghcr.io/acme/base:1 | ghcr.io/acme/base:2 <- 1 <- 2
.unused:
  image: ghcr.io/acme/unused:$TAG
#        ^^^^^^^^^^^^^^^^^^^^^^^^ ci-job partial ghcr.io/acme/unused (`TAG` is not set in these files; it may be a setting of the project)
.more: {extends: .base, services: [!reference [.lists, services], mysql:8]}
#                                                                 ^^^^^^^ service docker.io/library/mysql:8
.lists:
  services: [redis:7]
#            ^^^^^^^ service docker.io/library/redis:7
one:
  extends: .base
  variables: {TAG: '1'}
two:
  extends: [.other, .more]
  variables: {TAG: '2'}
three:
  <<: *base
  image: !reference [.images, node]
four:
  extends: five
five:
  extends: four
  image: busybox
#        ^^^^^^^ ci-job docker.io/library/busybox
",
    );
}

#[test]
fn local_includes_are_parts_of_the_pipeline() {
    check(
        "
=== .gitlab-ci.yml
include:
  - /ci/base.yml
  - local: ci/jobs/*.gitlab-ci.yml
  - local: ci/input.yml
    inputs: {image: 'node:20'}
variables: {TAG: '2'}
build:
  extends: .base
=== ci/base.yml
variables: {TAG: '1'}
.base:
  image: ghcr.io/acme/base:$TAG
#        ^^^^^^^^^^^^^^^^^^^^^^ ci-job ghcr.io/acme/base:2 <- .gitlab-ci.yml: 2
=== ci/jobs/a.gitlab-ci.yml
a:
  image: ghcr.io/acme/a:$TAG
#        ^^^^^^^^^^^^^^^^^^^ ci-job ghcr.io/acme/a:2 <- .gitlab-ci.yml: 2
=== ci/input.yml
spec:
  inputs:
    image: {default: 'node:18'}
---
b:
  image: $[[ inputs.image ]]
#        ^^^^^^^^^^^^^^^^^^^ ci-job docker.io/library/node:18 | docker.io/library/node:20 <- node:18* <- .gitlab-ci.yml: node:20
=== ci/other.yml
image: never
",
    );
}

#[test]
fn what_is_somewhere_else_is_said_once() {
    check(
        "
=== .gitlab-ci.yml
include:
  - https://example.com/ci.yml
#   ^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job unresolved (remote: the included file is not in this repository, and is not fetched)
  - project: acme/templates
#            ^^^^^^^^^^^^^^ ci-job unresolved (remote: the included project is not in this repository, and is not fetched)
    file: [/a.yml, /b.yml]
  - template: Jobs/SAST.gitlab-ci.yml
#             ^^^^^^^^^^^^^^^^^^^^^^^ ci-job unresolved (remote: a template that comes with GitLab is not in this repository, and is not fetched)
  - component: $CI_SERVER_FQDN/acme/c/x@1
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job unresolved (remote: the included component is not in this repository, and is not fetched)
child:
  trigger:
    include: child.yml
  variables: {BASE: alpine}
=== child.yml
a:
  image: $BASE:3
#        ^^^^^^^ ci-job docker.io/library/alpine:3 <- .gitlab-ci.yml: alpine*
=== templates/tool.yml
spec:
  inputs:
    tag: {options: ['1', '2'], default: '1'}
---
tool:
  image: ghcr.io/acme/tool:$[[ inputs.tag ]]
#        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ci-job ghcr.io/acme/tool:1 | ghcr.io/acme/tool:2 <- 1 <- 2
=== templates/deployment.yml
image: of something else
",
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    check(
        "
=== .gitlab-ci.yml
include: [ci/a.yml, ci/gone.yml]
variables: {A: $B, B: $A}
a:
  image: $A
#        ^^ ci-job unresolved (`A` refers to itself) <- $A <- $B
=== ci/a.yml
b: [}
# syntax: mismatched bracket '[' closed by '}'
",
    );
}

#[test]
fn scripts_are_read_with_the_variables_of_the_job() {
    check(
        "
=== .gitlab-ci.yml
variables: {REGISTRY: ghcr.io/acme}
default:
  before_script:
    - docker pull $REGISTRY/tool:$TAG
#                 ^^^^^^^^^^^^^^^^^^^ command ghcr.io/acme/tool:1 | ghcr.io/acme/tool:2 <- ghcr.io/acme* <- 1 <- 2
.setup:
  script: [docker run alpine:3]
#                     ^^^^^^^^ command docker.io/library/alpine:3
a:
  variables: {TAG: '1'}
  script:
    - IMAGE=busybox
    - !reference [.setup, script]
    - |
      docker run $IMAGE:1
#                ^^^^^^^^ command docker.io/library/busybox:1 <- busybox*
      docker build -t $CI_REGISTRY_IMAGE:$CI_COMMIT_SHA .
    - docker run $CI_REGISTRY_IMAGE:$CI_COMMIT_SHA test
    - docker push $CI_REGISTRY_IMAGE:$CI_COMMIT_SHA
b:
  variables: {TAG: '2'}
  script: docker pull $[[ inputs.image ]]
#                     ^^^^^^^^^^^^^^^^^^^ command unresolved (the input `image` has no default, and nothing in this repository gives it)
  after_script:
    - docker run $OTHER
#                ^^^^^^ command unresolved (`$OTHER` is not set in this script)
",
    );
}

/// What stands in an included file of another project is not lost.
#[test]
fn a_reference_that_leads_out_is_said() {
    check(
        "
=== .gitlab-ci.yml
variables:
  IMAGE: !reference [.shared, variables, IMAGE]
a:
  image: $IMAGE
#        ^^^^^^ ci-job unresolved (what `IMAGE` refers to is not in these files) <- [.shared, variables, IMAGE]
b:
  image: !reference [.shared, image]
#                   ^^^^^^^^^^^^^^^^ ci-job unresolved (what is referred to is not in these files)
  services: [!reference [.shared, services], redis]
#                       ^^^^^^^^^^^^^^^^^^^ service unresolved (what is referred to is not in these files)
#                                            ^^^^^ service docker.io/library/redis
=== .gitlab/bench.yml
c: {image: 'alpine:3', script: make}
#           ^^^^^^^^ ci-job docker.io/library/alpine:3
=== .gitlab/deploy.yml
.ssh: {image: 'alpine:4', before_script: [apk add openssh]}
#              ^^^^^^^^ ci-job docker.io/library/alpine:4
=== ci/.gitlab-ci-child.yml
d: {image: 'alpine:5', script: make}
#           ^^^^^^^^ ci-job docker.io/library/alpine:5
=== .gitlab/labels.yml
image: {name: no}
",
    );
}

/// A change of an included file is found though its name says nothing.
#[test]
fn a_changed_include_is_judged_in_its_pipeline() {
    let files = [(".gitlab-ci.yml", "include: ci/a.yml\n"), ("ci/a.yml", "a: {image: 'alpine:3'}\n")];
    let mut scan = Scan::new([RepoPath::new("ci/a.yml")]);
    scan.affected_by([RepoPath::new("ci/a.yml")]);
    assert!(scan.wants_tree());
    scan.feed_tree(Arc::new(files.iter().map(|(path, _)| RepoPath::new(path)).collect()));
    loop {
        let wanted = scan.wanted();
        if wanted.is_empty() {
            break;
        }
        for path in wanted {
            let (_, text) = files.iter().find(|(name, _)| *name == path.as_str()).unwrap();
            scan.feed(&path, Content::Text((*text).into()));
        }
    }
    let scanned = scan.finish();
    assert_eq!(scanned.uses.len(), 1);
    assert_eq!(scanned.uses[0].file.as_str(), "ci/a.yml");
}
