//! The sample that `rehearse` shows without `--repo`: a shop, its policy, a pull
//! request that brings in three sources it should not, and the push that mends it.

use std::path::Path;

use crate::ids::Sha;
use crate::standin::repository::BuildError;
use crate::standin::repository::Builder;
use crate::standin::repository::Change;

/// The branch that the pull request wants to go to.
pub(super) const BASE_BRANCH: &str = "main";
/// The branch that the pull request comes from.
pub(super) const HEAD_BRANCH: &str = "order-images";

const POLICY: &str = r#"version: 1
mode: enforce
unknown: fail
when-unsure: fail

trust:
  internal:
    images: ["registry.example.com/approved-base/**"]
  official:
    images: ["hub:official"]
  frontend:
    images: ["docker.io/docker/dockerfile"]

block:
  - images: ["docker.io/bitnamilegacy/**"]
    because: frozen in 2025, gets no security updates

replace:
  quay.io/strangers/nginx: registry.example.com/approved-base/nginx
  docker.io/bitnamilegacy/redis: docker.io/library/redis
"#;

const API_AT_BASE: &str = "\
FROM registry.example.com/approved-base/node:24
WORKDIR /app
COPY . .
CMD [\"node\", \"server.js\"]
";

/// A frozen image behind an `ARG`, and a host that only looks like Docker Hub.
const API_AT_HEAD: &str = "\
# syntax=docker/dockerfile:1
ARG CACHE_VERSION=8.2
ARG CACHE=docker.io/bitnamilegacy/redis:${CACHE_VERSION}

FROM node:24-alpine AS build
WORKDIR /app
COPY . .
RUN npm ci && npm run build

FROM ${CACHE} AS cache

FROM registry.example.com/approved-base/node:24
COPY --from=build /app/dist /app
COPY --from=cache /opt/redis/bin/redis-cli /usr/local/bin/
COPY --from=evil.io/docker.io/library/busybox:1.37 /bin/wget /usr/local/bin/
CMD [\"node\", \"/app/server.js\"]
";

const API_MENDED: &str = "\
# syntax=docker/dockerfile:1
ARG CACHE_VERSION=8.2
ARG CACHE=docker.io/library/redis:${CACHE_VERSION}

FROM node:24-alpine AS build
WORKDIR /app
COPY . .
RUN npm ci && npm run build

FROM ${CACHE} AS cache

FROM registry.example.com/approved-base/node:24
COPY --from=build /app/dist /app
COPY --from=cache /usr/local/bin/redis-cli /usr/local/bin/
COPY --from=docker.io/library/busybox:1.37 /bin/wget /usr/local/bin/
CMD [\"node\", \"/app/server.js\"]
";

const WEB_AT_HEAD: &str = "\
FROM quay.io/strangers/nginx:1.29
COPY public /usr/share/nginx/html
";

const WEB_MENDED: &str = "\
FROM registry.example.com/approved-base/nginx:1.29
COPY public /usr/share/nginx/html
";

/// The sample's commits.
pub(super) struct Sample {
    /// The head of the pull request as it is opened.
    pub(super) opened: Sha,
    /// The head after the push that mends it.
    pub(super) mended: Sha,
}

/// Builds the sample in an empty folder as a bare repository. The branch of the
/// pull request stands at [`Sample::mended`] afterwards.
pub(super) fn build(folder: &Path) -> Result<Sample, BuildError> {
    let mut repository = Builder::init(folder)?;
    let base = repository.commit(
        BASE_BRANCH,
        "Serve the shop",
        &[
            (".github/fromguard.yml", Change::File(POLICY.as_bytes())),
            ("services/api/Dockerfile", Change::File(API_AT_BASE.as_bytes())),
            ("README.md", Change::File(b"# The shop\n")),
        ],
    )?;
    repository.branch(HEAD_BRANCH, &base)?;
    let opened = repository.commit(
        HEAD_BRANCH,
        "Cache orders and serve the pages",
        &[
            ("services/api/Dockerfile", Change::File(API_AT_HEAD.as_bytes())),
            ("services/web/Dockerfile", Change::File(WEB_AT_HEAD.as_bytes())),
        ],
    )?;
    let mended = repository.commit(
        HEAD_BRANCH,
        "Use images that are trusted",
        &[
            ("services/api/Dockerfile", Change::File(API_MENDED.as_bytes())),
            ("services/web/Dockerfile", Change::File(WEB_MENDED.as_bytes())),
        ],
    )?;
    Ok(Sample { opened, mended })
}
