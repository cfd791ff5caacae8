"""A rendered chart, and what can be asked of it."""

import pathlib

import yaml

# Port of the programs' calls.
CALLS = 8080


class Rendering:
    """The resources of one rendering."""

    def __init__(self, path):
        documents = yaml.safe_load_all(pathlib.Path(path).read_text(encoding="utf-8"))
        self.resources = [document for document in documents if document]

    def of(self, kind):
        return [resource for resource in self.resources if resource["kind"] == kind]

    def named(self, kind, name):
        found = [resource for resource in self.of(kind) if resource["metadata"]["name"] == name]
        assert len(found) == 1, f"there are {len(found)} of {kind} {name}"
        return found[0]

    @staticmethod
    def template(resource):
        spec = resource.get("spec", {})
        return (spec["jobTemplate"]["spec"] if resource["kind"] == "CronJob" else spec).get("template")

    def pods(self):
        """Every pod or template of one: title, kind, labels, spec."""
        for resource in self.resources:
            title = f"{resource['kind']} {resource['metadata']['name']}"
            if resource["kind"] == "Pod":
                yield title, "Pod", resource["metadata"]["labels"], resource["spec"]
            elif template := self.template(resource):
                yield title, resource["kind"], template["metadata"]["labels"], template["spec"]


def matches(selector, labels):
    """As Kubernetes decides it, for the operators that the chart uses."""
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In", expression
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def lets(rendering, labels, direction, peers, other, port=CALLS):
    """True when the policies of pods with these labels let calls of a port through to or from pods with the others."""
    for policy in rendering.of("NetworkPolicy"):
        if not matches(policy["spec"]["podSelector"], labels):
            continue
        for rule in policy["spec"].get(direction) or []:
            selectors = [peer.get("podSelector", {}) for peer in rule[peers] if "namespaceSelector" not in peer and "ipBlock" not in peer]
            if port in [named["port"] for named in rule["ports"]] and any(matches(selector, other) for selector in selectors):
                return True
    return False


def program_of(container):
    return container["image"].split("/")[-1].split(":")[0].split("@")[0]


def secret_keys(pod):
    """The name and keys of every Secret that a pod uses; no key where all of them are mounted."""
    for container in pod["containers"]:
        for variable in container.get("env") or []:
            if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
                yield reference["name"], [reference["key"]]
    for volume in pod.get("volumes") or []:
        sources = [{"secret": volume["secret"]}] if "secret" in volume else volume.get("projected", {}).get("sources", [])
        for secret in [source["secret"] for source in sources if "secret" in source]:
            yield secret.get("name") or secret["secretName"], [item["key"] for item in secret.get("items", [])]
