# syntax=docker/dockerfile:1
# The program, and nothing that it does not need: no browser (scraper.Dockerfile adds one), no shell tools, no root.
#
#   docker build -t quiz-stats .
#   docker run --rm -p 127.0.0.1:3000:3000 -e API_KEY=… -e OPENAI_API_KEY=… quiz-stats
#
# Where the program is built already, its folder takes the place of the first stage:
#   docker build -t quiz-stats --build-context build=target/image .      (with target/image/out/quiz-stats)

FROM rust:1.95-bookworm AS build
WORKDIR /src
# The dependencies, which change seldom, are a layer of their own: built for a program that does nothing yet.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src benches/load benches/micro examples/score_pages \
    && for file in src/main.rs benches/micro/main.rs benches/load/main.rs examples/score_local_model.rs examples/score_pages/main.rs; do \
    echo 'fn main() {}' >"$file"; done \
    && touch src/lib.rs \
    && cargo build --release --locked --bin quiz-stats
COPY . .
# Newer than what was built for nothing.
RUN touch src/lib.rs src/main.rs \
    && cargo build --release --locked --bin quiz-stats \
    && install -D target/release/quiz-stats /out/quiz-stats

FROM debian:bookworm-slim AS runtime
# Certificates of the authorities, for the model's server and the pages.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin quiz-stats \
    && install -d -o quiz-stats -g quiz-stats -m 0750 /data
COPY --from=build /out/quiz-stats /usr/local/bin/quiz-stats
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="quiz-stats" \
    org.opencontainers.image.description="Questions in, trusted answers out, played live on every screen" \
    org.opencontainers.image.licenses="Apache-2.0 OR MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
ENV QUIZ_STATS__SERVER__DATA_DIR=/data \
    QUIZ_STATS__LOG__FORMAT=json
# Its number, so that Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /data
EXPOSE 3000 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["quiz-stats", "healthcheck"]
ENTRYPOINT ["quiz-stats"]
CMD ["serve"]
