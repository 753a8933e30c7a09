//! What is found in compose files.

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
        "
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
",
    );
}
