"""Checks that the operator's program of deploy/compose.yaml is told of each program what that program is told itself.

Arguments: the folder of the compiled programs, the compose file."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

# Which only the operator's program is given.
BACKUP_URL = "TRATO_DATABASE__BACKUP_URL"


def environment(service):
    """The variables of a service with the defaults of those that it takes from outside; without those that have none."""
    given = {name: value for name, value in service.get("environment", {}).items() if value is not None}
    return {name: re.sub(r"\$\{\w+:-(\w+)\}", r"\1", value) for name, value in given.items()}


def main(programs, path):
    services = yaml.safe_load(pathlib.Path(path).read_text(encoding="utf-8"))["services"]
    writer = services["installation"]
    script = writer["command"][0].replace("$$", "$")
    with tempfile.TemporaryDirectory() as folder:
        given = {"PATH": os.environ["PATH"], **environment(writer)}
        subprocess.run([*writer["entrypoint"], script], cwd=folder, env=given, check=True)
        serving = [name for name in services if not name.startswith("migrate-") and "TRATO_CONFIG" in environment(services[name])]
        for name in serving:
            # Migrations alone are given the owner's address.
            told = environment(services.get(f"migrate-{name}", {})) | environment(services[name])
            files = list(pathlib.Path(folder, name).iterdir())
            found = {file.name: file.read_text(encoding="utf-8").rstrip("\n") for file in files}
            backed_up = found.pop(BACKUP_URL, None) is not None
            assert found == told, f"of {name} the operator's program is told {found}, the program {told}"
            assert backed_up == ("TRATO_DATABASE__URL" in told), f"{name} and the login of backups"
            for file in files:
                mounted = file.read_text(encoding="utf-8")
                file.write_text(mounted.replace("/etc/trato", str(pathlib.Path(path).parent.resolve())), encoding="utf-8")
        command = [os.path.join(programs, "trato"), "--installation", folder, "check-config"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"trato does not take it: {done.stdout}{done.stderr}"
    assert len(serving) >= 4, f"only {serving} were found"
    print(f"{path}: the operator's program is told what the programs are")


if __name__ == "__main__":
    main(*sys.argv[1:])
