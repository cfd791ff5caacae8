"""Checks that what was rendered is what the values say, for all resources and for single services."""

import re

from rendering import matches, secret_keys


def check_marks(rendering, values):
    """Labels and annotations of all are on every resource and pod, and those of all pods on every pod."""
    labels, annotations = values.get("commonLabels", {}).items(), values.get("commonAnnotations", {}).items()
    defaults = values.get("defaults", {})
    for resource in rendering.resources:
        title, metadata = f"{resource['kind']} {resource['metadata']['name']}", resource["metadata"]
        pod = metadata if resource["kind"] == "Pod" else (rendering.template(resource) or {}).get("metadata")
        for marked in [metadata, pod] if pod else [metadata]:
            assert labels <= marked["labels"].items(), f"{title} lacks labels of all"
            assert annotations <= marked.get("annotations", {}).items(), f"{title} lacks annotations of all"
        if pod:
            assert defaults.get("podLabels", {}).items() <= pod["labels"].items(), f"{title} lacks labels of pods"
            given = pod.get("annotations", {}).items()
            assert defaults.get("podAnnotations", {}).items() <= given, f"{title} lacks annotations of pods"


def check_images(rendering, values):
    """No image comes from elsewhere than the registry that has the programs', or that which has copies of others'."""
    image = values.get("image", {})
    for title, _, _, pod in rendering.pods():
        for container in pod["containers"]:
            ours = f"{image.get('prefix', 'trato')}/" in container["image"]
            if place := image.get("registry" if ours else "mirror"):
                assert re.fullmatch(rf"{re.escape(place)}/[^.:]+[:@]\S+", container["image"]), f"{title}: {container['image']}"


def check_edge(rendering, values):
    """The Service of the public program is of the type that the values say, and so is how the outside comes to it."""
    for service, given in values.get("services", {}).items():
        said = {key: given[key] for key in ("externalTrafficPolicy", "loadBalancerClass") if key in given}
        if "serviceType" in given:
            said["type"] = given["serviceType"]
        ways = [resource for resource in rendering.of("Service") if resource["spec"].get("clusterIP") != "None"]
        for resource in ways if said else []:
            if resource["metadata"]["labels"]["app.kubernetes.io/name"] == service:
                assert said.items() <= resource["spec"].items(), f"{service}: {resource['spec']} is not {said}"


def check_own(rendering, values):
    """A service with a broker's login or ways of its own, and its migration, have these and not those of all; nobody else but
    the operator's pod has them."""
    services, shared = values.get("services", {}), values.get("networkPolicy", {})
    for title, _, labels, pod in rendering.pods():
        name = labels["app.kubernetes.io/name"]
        for service, given in services.items():
            own = name in (service, f"{service}-migrate")
            secrets = {secret for secret, _ in secret_keys(pod)}
            if login := given.get("brokerSecret"):
                assert (login in secrets) == (own or name == "operator"), f"{title} and the broker's login of {service}"
                assert not own or values.get("brokerSecret") not in secrets, f"{title} is given the broker's login of all"
            for place, rules in given.get("networkPolicy", {}).items():
                policies = [policy for policy in rendering.of("NetworkPolicy") if matches(policy["spec"]["podSelector"], labels)]
                egress = [rule for policy in policies for rule in policy["spec"]["egress"]]
                all_of = name in ("operator", "backup")
                for rule in rules:
                    assert (rule in egress) == (own or all_of), f"{title} and {place} of {service}"
                for rule in shared.get(place, []) if own else []:
                    assert rule not in egress, f"{title} reaches {place} of others"
