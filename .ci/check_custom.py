"""Checks the custom resources of the files that are given against custom_resources.yaml: those of kinds that Kubernetes
itself does not have, and whose definitions no client knows."""

import pathlib
import sys

import jsonschema
import yaml

SCHEMAS = yaml.safe_load(pathlib.Path(__file__).with_name("custom_resources.yaml").read_text(encoding="utf-8"))


def is_custom(resource):
    """True for groups of others; Kubernetes' own have one word, or end in k8s.io without being Gateway API's."""
    group = resource["apiVersion"].rpartition("/")[0]
    return "." in group and (group.startswith("gateway.") or not group.endswith(".k8s.io"))


def check(resource):
    kind = f"{resource['apiVersion']} {resource['kind']}"
    assert kind in SCHEMAS["kinds"], f"custom_resources.yaml does not know {kind}"
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": SCHEMAS["definitions"],
        "type": "object",
        "additionalProperties": False,
        "required": ["metadata", "spec"],
        "properties": {
            "apiVersion": {},
            "kind": {},
            "metadata": {"$ref": "#/definitions/metadata"},
            "spec": SCHEMAS["kinds"][kind],
        },
    }
    errors = [f"{error.json_path}: {error.message}" for error in jsonschema.Draft7Validator(schema).iter_errors(resource)]
    assert not errors, f"{kind} {resource['metadata']['name']}: {'; '.join(errors)}"


def main(paths):
    for path in paths:
        for resource in yaml.safe_load_all(pathlib.Path(path).read_text(encoding="utf-8")):
            if resource and is_custom(resource):
                check(resource)


if __name__ == "__main__":
    main(sys.argv[1:])
