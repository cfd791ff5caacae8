"""Compares what checkov has found, as JSON on standard input, with what is accepted in the file that is given."""

import json
import pathlib
import re
import sys

import yaml


def main(path):
    accepted = yaml.safe_load(pathlib.Path(path).read_text(encoding="utf-8"))
    report = json.load(sys.stdin)
    assert report["summary"]["passed"] > 1000 and not report["summary"]["parsing_errors"], report["summary"]
    used, others = set(), []
    for finding in report["results"]["failed_checks"]:
        check, resource = finding["check_id"], finding["resource"]
        reasons = [
            index
            for index, line in enumerate(accepted)
            if line["check"] == check and re.fullmatch(line["resources"], resource)
        ]
        used.update(reasons)
        if not reasons:
            others.append(f"{check} ({finding['check_name']}): {resource} of {finding['file_path']}")
    unused = [f"{line['check']} for {line['resources']}" for index, line in enumerate(accepted) if index not in used]
    for other in others:
        print(f"checkov found {other}")
    for line in unused:
        print(f"{path} accepts {line}, which nothing needs")
    if others or unused:
        sys.exit(1)
    print(f"checkov: {report['summary']['passed']} checks passed, {report['summary']['failed']} findings are accepted")


if __name__ == "__main__":
    main(*sys.argv[1:])
