# syntax=docker/dockerfile:1.19
# What `fromguard serve` runs in: one binary on a distroless base, not root.
# The tags are exact; digests are left to the registry you vet them in, since a
# digest that nobody looked up would only look safe.

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked && cp target/release/fromguard /fromguard && mkdir /state

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /fromguard /usr/local/bin/fromguard
COPY --from=build --chown=nonroot:nonroot /state /var/lib/fromguard
ENV FROMGUARD_LISTEN=0.0.0.0:3000 \
    FROMGUARD_STATE_DIR=/var/lib/fromguard
USER nonroot
EXPOSE 3000
VOLUME ["/var/lib/fromguard"]
ENTRYPOINT ["/usr/local/bin/fromguard"]
CMD ["serve"]
