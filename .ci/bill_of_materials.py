"""Writes a bill of materials (CycloneDX 1.6, JSON) of each program: what is linked into it, from `cargo metadata`."""

import json
import pathlib
import sys
import tomllib

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

lock, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
metadata = json.load(sys.stdin)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
checksums = {
    (package["name"], package["version"]): package["checksum"]
    for package in tomllib.loads(lock.read_text())["package"]
    if "checksum" in package
}


def linked(package_id):
    """What a package is linked with: neither what only builds it nor what only tests it, and no procedural macro."""

    def is_linked(dependency):
        kinds = any(kind["kind"] is None for kind in dependency["dep_kinds"])
        is_macro = any("proc-macro" in target["kind"] for target in packages[dependency["pkg"]]["targets"])
        return kinds and not is_macro

    return [dependency["pkg"] for dependency in nodes[package_id]["deps"] if is_linked(dependency)]


def component(package, kind):
    """A package as a component."""
    name, version = package["name"], package["version"]
    # Older crates write a slash for OR.
    license = package["license"] and package["license"].replace(" / ", "/").replace("/", " OR ")
    checksum = checksums.get((name, version))
    return Component(
        type=kind,
        name=name,
        version=version,
        bom_ref=f"{name}@{version}",
        purl=PackageURL("cargo", None, name, version) if package["source"] else None,
        licenses=[LicenseExpression(license)] if license else [],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=checksum)] if checksum else [],
    )


def bill(root):
    """The bill of the program that is made from a package."""
    made = {root: component(packages[root], ComponentType.APPLICATION)}
    bom = Bom()
    bom.metadata.component = made[root]
    waiting = [root]
    while waiting:
        package_id = waiting.pop()
        for dependency in linked(package_id):
            if dependency not in made:
                made[dependency] = component(packages[dependency], ComponentType.LIBRARY)
                bom.components.add(made[dependency])
                waiting.append(dependency)
        bom.register_dependency(made[package_id], [made[one] for one in linked(package_id)])
    return bom


folder.mkdir(parents=True, exist_ok=True)
for member in sorted(metadata["workspace_members"]):
    package = packages[member]
    programs = [target["name"] for target in package["targets"] if "bin" in target["kind"]]
    # The runner of development is in no image.
    for program in programs if package["name"] != "trato-devstack" else []:
        bom = bill(member)
        text = JsonV1Dot6(bom).output_as_string(indent=1)
        fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
        if fault is not None:
            sys.exit(f"the bill of {program} is not valid: {fault}")
        unlicensed = [one.name for one in bom.components if one.purl and not one.licenses]
        unhashed = [one.name for one in bom.components if one.purl and not one.hashes]
        if unlicensed or unhashed or len(bom.components) < 100:
            sys.exit(f"the bill of {program} lacks something: {len(bom.components)} parts, {unlicensed}, {unhashed}")
        (folder / f"{program}.cdx.json").write_text(text)
        print(f"{program}: a bill of {len(bom.components)} parts")
