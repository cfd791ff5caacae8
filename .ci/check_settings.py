"""Compares the settings that the chart's schema knows with those that the programs know: sections, keys and kinds of values.

Arguments: the schema, then the files of settings with their defaults, the platform's first."""

import json
import pathlib
import sys
import tomllib

KINDS = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
# What is said by other values, or comes from Secrets.
GIVEN = {
    "server": {"listen", "admin_listen", "drain_seconds"},
    "database": {"url", "system_url", "owner_url"},
    "broker": {"url"},
}


def shape(table):
    """The kinds of a table's values, by key."""
    return {key: shape(value) if isinstance(value, dict) else KINDS[type(value)] for key, value in table.items()}


def known(schema):
    """The same of a schema; of one that is open nothing."""
    if schema["type"] != "object":
        return schema["type"]
    properties = schema.get("properties", {})
    assert not properties or schema["additionalProperties"] is False, f"it takes others than {sorted(properties)}, too"
    return {key: known(inner) for key, inner in properties.items()}


def main(path, platform, *others):
    definitions = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["definitions"]
    of_platform = tomllib.loads(pathlib.Path(platform).read_text(encoding="utf-8"))
    sections = shape(of_platform)
    for other in others:
        for section, keys in shape(tomllib.loads(pathlib.Path(other).read_text(encoding="utf-8"))).items():
            sections.setdefault(section, {}).update(keys)
    for section, keys in GIVEN.items():
        for key in keys:
            del sections[section][key]
    found = known(definitions["settings"])
    for section in sections.keys() | found.keys():
        told, is_so = found.get(section), sections.get(section)
        assert told == is_so, f"{path} has {section}: {told}; the programs have {is_so}"
    own = sorted(sections.keys() - of_platform.keys())
    refused = {section: False for section in own}
    assert definitions["shared"]["properties"] == refused, f"settings of all programs must leave out {own}"


if __name__ == "__main__":
    main(*sys.argv[1:])
