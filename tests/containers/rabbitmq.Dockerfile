# Debian's RabbitMQ behind as much of the official image's interface as `--containers` uses: RABBITMQ_DEFAULT_USER,
# RABBITMQ_DEFAULT_PASS, RABBITMQ_NODENAME. For machines that cannot pull an image.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
# Its package wants to start it, which a build cannot.
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d \
    && chmod +x /usr/sbin/policy-rc.d \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends rabbitmq-server \
    && rm --recursive /var/lib/apt/lists
COPY rabbitmq.sh /rabbitmq.sh
ENTRYPOINT ["/bin/sh", "/rabbitmq.sh"]
