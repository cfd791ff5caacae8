# Rotel of PyPI behind as much of the OpenTelemetry Collector's interface as compose.yaml uses: it takes OTLP and says
# which traces came. Its context holds the program `rotel-agent`. For machines that cannot pull an image.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends libpython3.11 \
    && rm --recursive /var/lib/apt/lists
COPY rotel-agent /usr/local/bin/rotel-agent
# Arguments that are meant for the other one become the shell's and are not looked at.
ENTRYPOINT ["/bin/sh", "-c", "exec rotel-agent start --otlp-grpc-endpoint 0.0.0.0:4317 --exporter blackhole --debug-log traces"]
