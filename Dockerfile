# syntax=docker/dockerfile:1
# Lawbook alone, for a user without rights:
#
#   docker build -t lawbook .
#   docker run --rm --read-only --tmpfs /tmp --network none -v "$PWD:/work:ro" lawbook scan logs inventory

FROM rust:1.89.0-slim-bookworm AS build
WORKDIR /src
# .dockerignore lets in what the build reads, and nothing else.
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/lawbook /lawbook

# Debian's C library, of the release that it was linked with, and no shell.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="Lawbook" \
    org.opencontainers.image.description="Policy as code for AWS: judges CloudTrail records and EC2 inventory, offline" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY LICENSE-APACHE LICENSE-MIT NOTICE /usr/share/doc/lawbook/
COPY --from=build /lawbook /usr/local/bin/lawbook
USER 65532:65532
WORKDIR /work
# It is a program, not a service.
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/lawbook"]
CMD ["--help"]
