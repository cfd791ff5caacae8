"""Checks what the Kubernetes schemas cannot know of a rendered chart: every program accepts the settings its pods would
get, nothing runs with more rights than it needs, names lead to what they name, and the network is closed.

Arguments: the folder of the compiled programs, the rendered file, the file of values it was rendered with."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

from certificate import self_signed
from check_servers import check_connections, check_data
from check_values import check_edge, check_images, check_marks, check_own
from rendering import CALLS, Rendering, lets, matches, program_of, secret_keys

DATABASE = "postgres://user:password@host/database"
# Keys of Secrets that values.yaml documents, each with a value of its kind.
SECRETS = {"url": DATABASE, "system-url": DATABASE, "owner-url": DATABASE, "backup-url": DATABASE, "token": "token"}
# What `migrate` does not need and a service does.
SERVING = {"TRATO_DATABASE__URL": DATABASE, "TRATO_DATABASE__SYSTEM_URL": DATABASE}
# The login that reads whole databases. `trato` keeps it from the programs that it runs.
BACKUP_URL = "TRATO_DATABASE__BACKUP_URL"
# What says where a process runs, and the fields of its pod that say it.
RESOURCE = "OTEL_RESOURCE_ATTRIBUTES"
FIELDS = {
    "k8s.namespace.name": "metadata.namespace",
    "k8s.node.name": "spec.nodeName",
    "k8s.pod.name": "metadata.name",
    "k8s.pod.uid": "metadata.uid",
}
PROBES = 8081


def with_files(settings, container, folder):
    """The settings with files in this folder in place of those that would be mounted; a path that is not below a mount
    stays, and the program does not find it."""
    certificate, key = self_signed()
    for index, mount in enumerate(container.get("volumeMounts") or []):
        below = re.compile(re.escape(mount["mountPath"]) + r"/([\w.-]+)")
        place = pathlib.Path(folder, str(index))
        place.mkdir()
        for name in {name for setting in settings.values() for name in below.findall(setting)}:
            (place / name).write_bytes(key if name.endswith(".key") else certificate)
        settings = {variable: below.sub(rf"{place}/\1", setting) for variable, setting in settings.items()}
    return settings


def ask_program(programs, service, settings, container, title):
    """Gives a program its settings as a pod would; it names every fault."""
    program = os.path.join(programs, f"trato-{service}")
    with tempfile.TemporaryDirectory() as folder:
        settings = with_files(settings, container, folder)
        done = subprocess.run([program, "check-config"], env=settings, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{title} would not start: {done.stdout}{done.stderr}"


def value(variable):
    """The variable's value; for one from a Secret an address of its kind, for a field of the pod its path."""
    if "value" in variable:
        return variable["value"]
    if "fieldRef" in variable["valueFrom"]:
        return variable["valueFrom"]["fieldRef"]["fieldPath"]
    key = variable["valueFrom"]["secretKeyRef"]["key"]
    return "amqp://host" if "BROKER" in variable["name"] else SECRETS[key]


def check_settings(rendering, programs):
    asked = 0
    for title, kind, labels, pod in rendering.pods():
        container = pod["containers"][0]
        service = program_of(container)
        if kind not in ("Deployment", "Job") or service == "operator":
            continue
        settings = {variable["name"]: value(variable) for variable in container["env"]}
        assert len(settings) == len(container["env"]), f"{title} is given a variable twice"
        check_resource(title, settings)
        check_database(title, settings)
        if container.get("args") == ["migrate"]:
            assert not SERVING.keys() & settings.keys(), f"{title} is given the serving role"
            tls = {name for name in settings if name.startswith("TRATO_TLS__")}
            assert "TRATO_UPSTREAMS" not in settings and not tls, f"{title} calls others, or is called"
            settings |= SERVING
        else:
            assert "TRATO_DATABASE__OWNER_URL" not in settings, f"{title} is given the owner's role"
            check_probes(title, container)
            check_upstreams(rendering, title, labels, settings.get("TRATO_UPSTREAMS", ""))
            check_gateways(rendering, title, labels, settings.get("TRATO_RATE__GATEWAYS", "[]"))
            check_certificate(rendering, title, pod, settings)
        ask_program(programs, service, settings, container, title)
        asked += 1
    assert asked >= 5, f"only {asked} programs were found"


def check_database(title, settings):
    """Settings of a database are given with its address, or not at all: by them `trato` knows who keeps data."""
    given = {name for name in settings if name.startswith("TRATO_DATABASE__")}
    addresses = {"TRATO_DATABASE__URL", "TRATO_DATABASE__OWNER_URL"}
    assert not given or given & addresses, f"{title} has no database, but {given}"


def check_resource(title, settings):
    """What sends telemetry says which pod it is by the fields of its pod; a variable is known to those after it."""
    sends = "TRATO_TELEMETRY__OTLP_ENDPOINT" in settings
    assert (RESOURCE in settings) == sends, f"{title} sends {'telemetry' if sends else 'none'}, {RESOURCE} says otherwise"
    if not sends:
        return
    known = list(settings)[: list(settings).index(RESOURCE)]
    attributes = dict(attribute.split("=") for attribute in settings[RESOURCE].split(","))
    for attribute, given in attributes.items():
        if variable := re.fullmatch(r"\$\((\w+)\)", given):
            assert variable[1] in known, f"{title}: {RESOURCE} names {given}, which is not there"
            attributes[attribute] = settings[variable[1]]
    assert attributes.items() >= FIELDS.items(), f"{title}: {attributes}"
    assert "service.instance.id" not in attributes, title


def check_operator(rendering, programs):
    """The folders of the operator's pod hold what the programs themselves get, the addresses of the owner and of backups
    besides; these last it can do without."""
    for title, kind, _, pod in rendering.pods():
        if program_of(pod["containers"][0]) != "operator" or kind != "Deployment":
            continue
        container = pod["containers"][0]
        mounted = {mount["name"]: mount for mount in container["volumeMounts"]}
        folders = 0
        for volume in pod["volumes"]:
            if "projected" not in volume:
                continue
            service, mount = volume["name"], mounted[volume["name"]]
            assert mount["mountPath"] == f"/etc/trato/installation/{service}" and mount["readOnly"], title
            settings = {}
            for source in volume["projected"]["sources"]:
                if "configMap" in source:
                    settings |= rendering.named("ConfigMap", source["configMap"]["name"])["data"]
                for item in source.get("secret", {}).get("items", []):
                    settings[item["path"]] = "amqp://host" if "BROKER" in item["path"] else SECRETS[item["key"]]
                    optional = source["secret"].get("optional", False)
                    assert optional == (item["path"] == BACKUP_URL), f"{title}: {item['key']}, optional: {optional}"
            backed_up = settings.pop(BACKUP_URL, None) is not None
            assert backed_up == ("TRATO_DATABASE__URL" in settings), f"{title} and the login of backups of {service}"
            check_database(f"{title}, {service}", settings)
            ask_program(programs, service, settings, container, f"{title}, {service}")
            folders += 1
        assert folders >= 3, f"{title} knows of {folders} programs"


def addresses(pod):
    """The addresses in each folder of the installation that a pod is given."""
    projected = {volume["name"]: volume["projected"]["sources"] for volume in pod["volumes"] if "projected" in volume}
    items = {name: [source.get("secret", {}).get("items", []) for source in sources] for name, sources in projected.items()}
    return {name: {item["path"] for some in lists for item in some} for name, lists in items.items()}


def check_backup(rendering, programs):
    """A scheduled backup is one of every database that the operator's pod knows, by the addresses it takes and no others, onto
    the volume of that pod, which is on one node; `trato` understands how it is called."""
    pods = list(rendering.pods())
    for title, _, labels, pod in [found for found in pods if found[1] == "CronJob"]:
        _, _, others, operator = next(found for found in pods if found[2]["app.kubernetes.io/name"] == "operator")
        container = pod["containers"][0]
        taken = {"TRATO_DATABASE__URL", "TRATO_DATABASE__OWNER_URL", BACKUP_URL}
        assert addresses(pod) == {name: taken for name, given in addresses(operator).items() if BACKUP_URL in given}, title
        mounted = {mount["name"]: mount for mount in container["volumeMounts"]}
        for name in addresses(pod):
            assert mounted[name]["mountPath"] == f"/etc/trato/installation/{name}" and mounted[name]["readOnly"], title
        place = [volume for volume in pod["volumes"] if volume["name"] == "backups"]
        assert place and all(volume in operator["volumes"] for volume in place), f"{title} writes to another volume"
        assert mounted["backups"]["mountPath"] == "/backups", title
        for claim in rendering.of("PersistentVolumeClaim"):
            rules = pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
            assert claim["spec"]["accessModes"] == ["ReadWriteOnce"] and matches(rules[0]["labelSelector"], others), title
        for name, _, server, _ in pods:
            if name.startswith("StatefulSet"):
                port = {"postgresql": 5432, "rabbitmq": 5672}[server["app.kubernetes.io/name"]]
                for one, direction, peers, other in ((labels, "egress", "to", server), (server, "ingress", "from", labels)):
                    assert lets(rendering, one, direction, peers, other, port) == (port == 5432), f"{title} and {name}"
        program = [os.path.join(programs, "trato"), *container["args"], "--installation", "/nowhere"]
        said = subprocess.run(program, check=False, capture_output=True, text=True).stderr
        assert "the installation folder /nowhere cannot be read" in said, f"{title}: {said}"


def check_probes(title, container):
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"calls": CALLS, "probes": PROBES}, title
    for probe in ("startup", "liveness", "readiness"):
        get = container[f"{probe}Probe"]["httpGet"]
        path = {"startup": "/startupz", "liveness": "/livez", "readiness": "/readyz"}[probe]
        assert get == {"path": path, "port": "probes"}, f"{title}: {probe}"


def check_upstreams(rendering, title, caller, upstreams):
    """Every address leads to a headless Service, by the port of its pods, and policies let these calls through and no
    others to a program."""
    called = []
    for address in set(re.findall(r'= "([^"]+)"', upstreams)):
        host, port = re.fullmatch(r"https?://([a-z0-9-]+):(\d+)", address).groups()
        service = rendering.named("Service", host)["spec"]
        assert service["clusterIP"] == "None", f"{title} calls {host}, which is one address"
        assert service["publishNotReadyAddresses"] is False, host
        assert int(port) == service["ports"][0]["port"] == CALLS, f"{title} calls {address}"
        callees = [labels for _, _, labels, _ in rendering.pods() if matches({"matchLabels": service["selector"]}, labels)]
        assert len(callees) == 1, f"{host} selects {len(callees)} kinds of pods"
        called.append(callees[0])
    if not rendering.of("NetworkPolicy"):
        return
    for name, _, labels, pod in rendering.pods():
        edge = labels in called
        assert lets(rendering, caller, "egress", "to", labels) == edge, f"{title} {'may not' if edge else 'may'} call {name}"
        if program_of(pod["containers"][0]) != "operator":
            assert lets(rendering, labels, "ingress", "from", caller) == edge, f"{name} and the calls of {title}"


def check_gateways(rendering, title, labels, gateways):
    """Rates are divided among as many pods as a name resolves to: those of the program itself."""
    for host in re.findall(r'"([^"]+)"', gateways):
        service = rendering.named("Service", host)["spec"]
        assert service["clusterIP"] == "None", f"{title} counts {host}, which is one address"
        assert matches({"matchLabels": service["selector"]}, labels), f"{title} counts the pods of another by {host}"


def check_certificate(rendering, title, pod, settings):
    """A program with a certificate calls by TLS alone, and the certificate, where the chart has it made, holds the name that
    it is called by. Without one nobody is called by TLS. Values may name another authority."""
    files = {"TRATO_TLS__CERTIFICATE": "/tls/tls.crt", "TRATO_TLS__KEY": "/tls/tls.key"}
    given = {variable: path for variable, path in settings.items() if variable.startswith("TRATO_TLS__")}
    schemes = set(re.findall(r'= "(https?)://', settings.get("TRATO_UPSTREAMS", "")))
    if not given:
        assert "https" not in schemes, f"{title} calls by TLS without a certificate"
        return
    assert given.pop("TRATO_TLS__AUTHORITY", "") and given == files, f"{title}: {given}"
    assert "http" not in schemes, f"{title} calls by {schemes}"
    secrets = [volume["secret"] for volume in pod["volumes"] if volume["name"] == "tls"]
    for certificate in rendering.of("Certificate"):
        spec = certificate["spec"]
        if spec["secretName"] == secrets[0]["secretName"]:
            assert title.split()[1] in spec["dnsNames"] and {"server auth", "client auth"} <= set(spec["usages"]), title


def check_policies(rendering):
    policies = rendering.of("NetworkPolicy")
    for title, _, labels, _ in rendering.pods():
        held = [policy for policy in policies if matches(policy["spec"]["podSelector"], labels)]
        assert not policies or len(held) == 1, f"{title} is held by {len(held)} policies"
    for policy in policies:
        name, spec = policy["metadata"]["name"], policy["spec"]
        assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"] and spec["podSelector"], name
        rules = [(rule, "from") for rule in spec.get("ingress") or []] + [(rule, "to") for rule in spec.get("egress") or []]
        for rule, peers in rules:
            assert rule.get("ports") and rule.get(peers), f"policy {name} has an open rule: {rule}"
            assert all(peer and {} not in peer.values() for peer in rule[peers]), f"policy {name} has an open peer: {rule}"


def check_rights(title, kind, pod):
    """The Pod Security Standard `restricted`, and no token of the cluster."""
    assert pod["automountServiceAccountToken"] is False and not pod.get("hostNetwork"), title
    security = pod["securityContext"]
    assert security["runAsNonRoot"] and security["seccompProfile"]["type"] == "RuntimeDefault", title
    assert security.get("runAsUser", 1) > 0, title
    assert security["fsGroupChangePolicy"] == "OnRootMismatch", f"{title}: each mount opens its files to the group"
    for container in pod["containers"]:
        rights = container["securityContext"]
        assert rights["allowPrivilegeEscalation"] is False and rights["capabilities"] == {"drop": ["ALL"]}, title
        assert rights["readOnlyRootFilesystem"], title
        resources = container["resources"]
        assert {"cpu", "memory"} <= resources["requests"].keys() and "memory" in resources["limits"], title
    allowed = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}
    for volume in pod.get("volumes") or []:
        assert volume.keys() - {"name"} <= allowed, f"{title}: {volume}"


def check_cluster(rendering):
    """Nothing that reaches beyond the namespace, and nothing that goes away before its successor is there."""
    kinds = {resource["kind"] for resource in rendering.resources}
    assert not kinds & {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Namespace"}, kinds
    for resource in rendering.of("Deployment"):
        rolling = resource["spec"]["strategy"].get("rollingUpdate", {})
        operator = program_of(resource["spec"]["template"]["spec"]["containers"][0]) == "operator"
        assert operator or rolling["maxUnavailable"] == 0, resource["metadata"]["name"]
    for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget"):
        for resource in rendering.of(kind):
            rendering.named("Deployment", resource["metadata"]["name"])
    for secret in rendering.of("Secret"):
        assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep", secret["metadata"]["name"]


def check_jobs(rendering):
    """The log of a job that failed stays until the next one takes its place, and helm hears of a failed hook before it has
    waited for its five minutes."""
    for job in rendering.of("Job"):
        name, spec, annotations = job["metadata"]["name"], job["spec"], job["metadata"].get("annotations", {})
        assert spec["template"]["spec"]["restartPolicy"] == "Never" and "ttlSecondsAfterFinished" not in spec, name
        if "helm.sh/hook" in annotations:
            # Each pause is twice as long as the one before.
            assert 10 * (2 ** spec["backoffLimit"] - 1) <= 200, f"{name} tries for too long"
            assert annotations["helm.sh/hook-delete-policy"].startswith("before-hook-creation"), name


def check_secrets(rendering, values):
    """A Secret is made by the chart with the keys that are asked for, or its name was given and the keys are documented."""
    made = {secret["metadata"]["name"]: secret["stringData"] for secret in rendering.of("Secret")}
    made |= {certificate["spec"]["secretName"]: {} for certificate in rendering.of("Certificate")}
    for title, kind, _, pod in rendering.pods():
        operator = program_of(pod["containers"][0]) == "operator"
        for name, keys in secret_keys(pod):
            assert operator or "backup-url" not in keys, f"{title} is given the login that reads everything"
            # The trial's PostgreSQL makes all logins.
            assert keys or kind == "StatefulSet" or "url" not in made.get(name, {}), f"{title} is given all of {name}"
            if name in made:
                assert set(keys) <= made[name].keys(), f"{title}: {name} has no {keys}"
            else:
                assert re.search(rf"\b{re.escape(name)}\b", values), f"{title}: nobody makes the Secret {name}"
                assert set(keys) <= SECRETS.keys() | {"ca.crt"}, f"{title}: {name} need not have {keys}"


def check_claims(rendering, values):
    """A claim is made by the chart and stays with what it holds, or its name was given as that of one that is there."""
    made = {claim["metadata"]["name"]: claim["metadata"] for claim in rendering.of("PersistentVolumeClaim")}
    for name, metadata in made.items():
        assert metadata["annotations"]["helm.sh/resource-policy"] == "keep", name
    for title, _, _, pod in rendering.pods():
        for volume in pod.get("volumes") or []:
            if name := volume.get("persistentVolumeClaim", {}).get("claimName"):
                given = re.search(rf"\bclaim: {re.escape(name)}\b", values)
                assert name in made or given, f"{title}: nobody makes the claim {name}"


def main(programs, rendered, values):
    rendering = Rendering(rendered)
    for title, kind, _, pod in rendering.pods():
        check_rights(title, kind, pod)
    check_settings(rendering, programs)
    check_operator(rendering, programs)
    check_backup(rendering, programs)
    check_policies(rendering)
    check_cluster(rendering)
    check_data(rendering)
    check_connections(rendering)
    check_jobs(rendering)
    text = pathlib.Path(values).read_text(encoding="utf-8")
    given = yaml.safe_load(text)
    check_marks(rendering, given)
    check_images(rendering, given)
    check_edge(rendering, given)
    check_own(rendering, given)
    check_secrets(rendering, text)
    check_claims(rendering, text)


if __name__ == "__main__":
    main(*sys.argv[1:])
