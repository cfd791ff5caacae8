"""Checks what the Kubernetes schemas cannot know of a rendered chart, given as a file: every program accepts the
settings its pods would get, and nothing runs with more rights than it needs. The first argument is the folder of the
compiled programs."""

import os
import subprocess
import sys

import yaml

SECRETS = {
    "url": "postgres://user:password@host/database",
    "system-url": "postgres://user:password@host/database",
    "owner-url": "postgres://user:password@host/database",
}


def value(variable):
    """The variable's value; for one from a Secret an address of its kind."""
    if "value" in variable:
        return variable["value"]
    return "amqp://host" if "BROKER" in variable["name"] else SECRETS[variable["valueFrom"]["secretKeyRef"]["key"]]


def check_settings(programs, container, name):
    program = os.path.join(programs, "trato-" + container["image"].split("/")[-1].split(":")[0].split("@")[0])
    settings = {variable["name"]: value(variable) for variable in container["env"]}
    if "migrate" in container.get("args", []):
        # What serving needs besides is not given to a migration.
        assert "TRATO_DATABASE__URL" not in settings, f"{name} is given the serving role"
        settings |= {"TRATO_DATABASE__URL": SECRETS["url"], "TRATO_DATABASE__SYSTEM_URL": SECRETS["url"]}
    else:
        assert "TRATO_DATABASE__OWNER_URL" not in settings, f"{name} is given the owner's role"
    subprocess.run([program, "check-config"], env=settings, check=True, stdout=subprocess.DEVNULL)


def check_rights(pod, name):
    """The Pod Security Standard `restricted`, and no token of the cluster."""
    assert pod["automountServiceAccountToken"] is False, name
    security = pod["securityContext"]
    assert security["runAsNonRoot"] and security["seccompProfile"]["type"] == "RuntimeDefault", name
    for container in pod["containers"]:
        rights = container["securityContext"]
        assert rights["allowPrivilegeEscalation"] is False and rights["capabilities"]["drop"] == ["ALL"], name
        assert rights["readOnlyRootFilesystem"] and container["resources"]["requests"], name


def main(programs, rendered):
    checked = 0
    with open(rendered, encoding="utf-8") as file:
        documents = [document for document in yaml.safe_load_all(file) if document]
    for document in documents:
        pod = document.get("spec", {}).get("template", {}).get("spec")
        if pod is None:
            continue
        name = document["kind"] + " " + document["metadata"]["name"]
        check_rights(pod, name)
        if document["kind"] in ("Deployment", "Job"):
            check_settings(programs, pod["containers"][0], name)
            checked += 1
    assert checked >= 5, f"only {checked} programs were found in {rendered}"


if __name__ == "__main__":
    main(*sys.argv[1:])
