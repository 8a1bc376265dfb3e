# Wavetank in a container: one program, as a user without rights, on a small base.
#
#   docker build -t wavetank .
#
# The bases are pinned by version. `deploy/pin.sh` prints them with their digests.

FROM docker.io/library/rust:1.95.0-slim-bookworm AS build
WORKDIR /src
COPY . .
# The registry and the objects stay in caches between builds; the program is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package wavetank \
    && install -D target/release/wavetank /out/wavetank

FROM docker.io/library/debian:12.12-slim
# Certificates, for webhooks and traces over https; nothing else is needed beside libc.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin wavetank
COPY --from=build /out/wavetank /usr/local/bin/wavetank
COPY scenarios /usr/share/wavetank/scenarios
COPY studies /usr/share/wavetank/studies
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080 9090
ENTRYPOINT ["/usr/local/bin/wavetank"]
CMD ["--help"]
