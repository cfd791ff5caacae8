"""Checks that the servers keep their data, and take the connections that programs open."""

import math
import pathlib
import re

# What a server of PostgreSQL takes, and the example of one.
LIMIT = re.compile(r'\bmax_connections(?:=|: ")(\d+)')
EXAMPLE = pathlib.Path("helm/examples/postgresql.yaml")
# Folders that images of the trial's servers declare as volumes, older and newer ones, and where the servers keep their data.
VOLUMES = {
    "postgresql": ["/var/lib/postgresql", "/var/lib/postgresql/data"],
    "rabbitmq": ["/var/lib/rabbitmq"],
}
DATA = {"postgresql": ("PGDATA", "/var/lib/postgresql/data"), "rabbitmq": ("RABBITMQ_MNESIA_BASE", "/var/lib/rabbitmq/mnesia")}


def check_data(rendering):
    """The trial's servers keep their data on the volume. A path that an image declares as a volume and that is not mounted
    itself is a folder of one container's life, whatever is mounted above it."""
    for title, kind, labels, pod in rendering.pods():
        if kind != "StatefulSet":
            continue
        server, container = labels["app.kubernetes.io/name"], pod["containers"][0]
        variable, data = DATA[server]
        given = {setting["name"]: setting.get("value") for setting in container["env"]}
        data = pathlib.PurePath(given.get(variable, data))
        mounted = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        covering = [path for path in [*mounted, *VOLUMES[server]] if data.is_relative_to(path)]
        nearest = max(covering, key=len, default="/")
        assert mounted.get(nearest) == "data", f"{title} keeps {data} in {nearest}, which goes with its container"


def check_connections(rendering):
    """The trial's PostgreSQL, or that of the examples, takes all connections that the pods of services open to one server during
    a rollout, and a dozen of migrations and the operator."""
    opened = 0
    scaled = {scaler["metadata"]["name"]: scaler["spec"]["maxReplicas"] for scaler in rendering.of("HorizontalPodAutoscaler")}
    for resource in rendering.of("Deployment"):
        spec, name = resource["spec"], resource["metadata"]["name"]
        container = spec["template"]["spec"]["containers"][0]
        settings = {variable["name"]: variable.get("value") for variable in container.get("env") or []}
        if "TRATO_DATABASE__URL" not in settings:
            continue
        pods = scaled.get(name) or spec["replicas"]
        surge = str(spec["strategy"]["rollingUpdate"]["maxSurge"])
        pods += math.ceil(pods * int(surge[:-1]) / 100) if surge.endswith("%") else int(surge)
        calls = int(settings.get("TRATO_DATABASE__MAX_CONNECTIONS", 16))
        jobs = int(settings.get("TRATO_DATABASE__SYSTEM_MAX_CONNECTIONS", 4))
        opened += pods * (calls + jobs + 1)
    taken = int(LIMIT.search(EXAMPLE.read_text(encoding="utf-8"))[1])
    for stateful in rendering.of("StatefulSet"):
        arguments = " ".join(stateful["spec"]["template"]["spec"]["containers"][0].get("args", []))
        taken = int(limit[1]) if (limit := LIMIT.search(arguments)) else taken
    assert opened + 12 <= taken, f"pods open {opened} connections, the server takes {taken}"
