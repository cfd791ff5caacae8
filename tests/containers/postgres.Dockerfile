# Debian's PostgreSQL behind as much of the official image's interface as `--containers` uses: POSTGRES_PASSWORD,
# POSTGRES_HOST_AUTH_METHOD, PGDATA. For machines that cannot pull an image.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql \
    && rm --recursive /var/lib/apt/lists
# To stop fast, without waiting for its clients.
STOPSIGNAL SIGINT
COPY postgres.sh /postgres.sh
ENTRYPOINT ["/bin/sh", "/postgres.sh"]
