"""Holds the rules, dashboards and runbook of deploy/telemetry against docs/reference/metrics.md and one another.

Usage: check_telemetry.py EXPRESSIONS. Writes the expressions of dashboards and runbook to the file, as rules for promtool to parse.
"""

import collections
import json
import pathlib
import re
import sys

import yaml

FOLDER = pathlib.Path("deploy/telemetry")
FUNCTIONS_AND_WORDS = set(
    "sum count min max topk by on without group_left group_right rate increase histogram_quantile max_over_time time and or"
    " unless offset bool".split()
)
# Made by the translation from OTLP, or labels of Prometheus itself.
TRANSLATED = {"target_info"}
LABELS = {"job", "instance", "le"}
# Of kube-state-metrics, for what happens where no program of Trato runs.
CRON_JOB_LABELS = {"namespace", "cronjob"}
FOREIGN = {
    "kube_cronjob_created": CRON_JOB_LABELS,
    "kube_cronjob_status_last_successful_time": CRON_JOB_LABELS,
}
SPAN_LABELS = {"span_name", "span_kind", "status_code"}
BEHIND_A_HISTOGRAM = ["_bucket", "_sum", "_count"]

faults = []


def fault(text):
    faults.append(text)


def known_metrics():
    """Names in Prometheus, each with its labels, by the tables of the reference."""
    known = {name: set() for name in TRANSLATED}
    for line in pathlib.Path("docs/reference/metrics.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) != 6 or not cells[0].startswith(("`", "| `")):
            continue
        name, kind = cells[1].strip("`"), cells[2]
        labels = {attribute.replace(".", "_") for attribute in re.findall(r"`([^`]+)`", cells[4])}
        for suffix in BEHIND_A_HISTOGRAM if kind == "histogram" else [""]:
            known[name + suffix] = labels
    return known


def check_expression(where, expression, known, recorded):
    """Every name in it is a metric, and every label one of a metric in it."""
    labels = set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', expression))
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", expression)
    bare = re.sub(r"\{[^}]*\}", "", bare)
    for group in re.findall(r"\b(?:by|on|without|group_left|group_right)\s*\(([^)]*)\)", bare):
        labels.update(label.strip() for label in group.split(",") if label.strip())
    bare = re.sub(r"\b(?:by|on|without|group_left|group_right)\s*\([^)]*\)", "", bare)
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    names = set(re.findall(r"(?<![\w.$])[a-zA-Z_:][\w:]*", bare)) - FUNCTIONS_AND_WORDS
    possible = set(LABELS)
    for name in names:
        if name in known:
            possible |= known[name]
        elif name not in recorded:
            fault(f"{where}: there is no metric {name}")
    for label in labels - possible:
        fault(f"{where}: no metric in it has a label {label}")


known = known_metrics()
if len(known) < 30:
    sys.exit(f"the reference of metrics was not understood: {sorted(known)}")
collector = yaml.safe_load((FOLDER / "collector.yaml").read_text())
known.update(FOREIGN)
# What the collector makes of spans.
kept = collector["connectors"]["spanmetrics"]["namespace"].replace(".", "_")
known.update({f"{kept}_duration_seconds{suffix}": SPAN_LABELS for suffix in BEHIND_A_HISTOGRAM})
rules = [rule for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
recorded = {rule["record"] for rule in rules if "record" in rule}
alerts = {rule["alert"]: rule for rule in rules if "alert" in rule}
for rule in rules:
    check_expression(rule.get("alert") or rule["record"], rule["expr"], known, recorded)

outcomes = collections.defaultdict(set)
tests = [test for path in sorted(FOLDER.glob("*.test.yaml")) for test in yaml.safe_load(path.read_text())["tests"]]
for test in tests:
    for series in test["input_series"]:
        check_expression(f"a test of {test['name']}", series["series"], known, recorded)
    for case in test["alert_rule_test"]:
        outcomes[case["alertname"]].add(bool(case["exp_alerts"]))
runbook = pathlib.Path("docs/OPERATIONS.md").read_text()
for name, rule in alerts.items():
    if outcomes.pop(name, set()) != {True, False}:
        fault(f"{name} has no test that fires, or none that does not")
    section = runbook.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
    if not section:
        fault(f"{name} has no section in the runbook")
    elif f"*{rule['labels']['severity'].capitalize()}.*" not in section:
        fault(f"the runbook does not say the severity of {name}")
    if rule["annotations"]["runbook"] != f"docs/OPERATIONS.md#{name.lower()}":
        fault(f"{name} leads elsewhere than to its section")
for name in outcomes:
    fault(f"{name} is tested and is no alert")
for name in re.findall(r"\n### (Trato\w+)\n", runbook):
    if name not in alerts:
        fault(f"the runbook has a section {name}, which is no alert")

# What the runbook asks Prometheus for, and what dashboards do.
expressions = re.findall(r"promtool query instant \S+ '([^']+)'", runbook)
for expression in expressions:
    check_expression("the runbook", expression, known, recorded)
for path in sorted((FOLDER / "dashboards").glob("*.json")):
    board = json.loads(path.read_text())
    panels = board["panels"]
    if len({panel["id"] for panel in panels}) != len(panels):
        fault(f"{path.name}: two panels have one id")
    for panel in panels:
        for target in panel["targets"]:
            expression = re.sub(r"\$__(?:rate_interval|range)", "5m", target["expr"]).replace("$job", ".+")
            where = f"{path.stem}, {panel['title']}"
            check_expression(where, expression, known, recorded)
            expressions.append(expression)
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                if " by " in expression and not re.search(rf"\b{label}\b", expression):
                    fault(f"{where}: the legend names {label}, which the expression does not")

for name, pipeline in collector["service"]["pipelines"].items():
    for kind in ["receivers", "processors", "exporters"]:
        for part in set(pipeline[kind]) - set(collector[kind]) - set(collector["connectors"]):
            fault(f"the collector's pipeline {name} names {part}, which is not configured")

if faults:
    sys.exit("\n".join(faults))
parsed = [{"record": f"dashboard:expression:{number}", "expr": text} for number, text in enumerate(expressions)]
pathlib.Path(sys.argv[1]).write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": parsed}]}))
print(f"{len(alerts)} alerts have tests and runbook; {len(expressions)} expressions of dashboards and runbook name known metrics")
