"""Every expression of alerts and dashboards is PromQL, and names metrics that we declare or that somebody named exports.

Printed with --list: those of our own metrics alone, one a line, for scrape_live.py.
"""

import json
import pathlib
import re
import sys

import promql_parser
import yaml

HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")


def expressions():
    """Yields where an expression stands, and itself with Grafana's variables filled in."""
    for file in sorted(pathlib.Path("monitoring/alerts").glob("*.rules.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield f"{file.name} {rule.get('alert') or rule['record']}", rule["expr"]
    for file in sorted(pathlib.Path("monitoring/grafana/dashboards").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                text = target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
                yield f"{file.name} {panel['title']}", text


def names(expression):
    """The metrics that an expression selects. What stands in braces, in quotes or before a parenthesis is none."""
    text = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)', " ", expression)
    words = re.findall(r"(?<![\w:.])[a-zA-Z_][\w:]*(?!\s*\()(?![\w:])", text)
    keywords = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "le"}
    return {word for word in words if word not in keywords and ("_" in word or ":" in word or word == "up")}


def declared():
    own = set()
    for name, kind in re.findall(r'= (Counter|Gauge|Histogram)(?:\([A-Z_]+\))?, "(\w+)"', pathlib.Path("src/metrics/catalogue.rs").read_text()):
        own.add(kind)
        own |= {kind + part for part in HISTOGRAM_PARTS} if name == "Histogram" else set()
    return own | {f"process_{name}" for name in ("cpu_seconds_total", "resident_memory_bytes", "open_fds", "max_fds", "threads", "start_time_seconds")}


def main():
    own = declared()
    recorded = {where.split()[1] for where, _ in expressions() if ":" in where.split()[1]}
    foreign = {line.split()[0] for line in pathlib.Path("monitoring/foreign-metrics.txt").read_text().splitlines() if not line.startswith("#")}
    wrong, used, count = [], set(), 0
    for where, expression in expressions():
        count += 1
        try:
            promql_parser.parse(expression)
        except ValueError as error:
            wrong.append(f"{where}: {error}")
            continue
        selected = names(expression)
        used |= selected
        if not selected:
            wrong.append(f"{where}: names no metric")
        wrong += [f"{where}: nobody exports {name}" for name in sorted(selected - own - recorded - foreign)]
        if "--list" in sys.argv and selected <= own | {"up"}:
            print(expression)
    wrong += [f"monitoring/foreign-metrics.txt: nothing uses {name}" for name in sorted(foreign - used - {"ALERTS"})]
    if "--list" not in sys.argv:
        print("\n".join(wrong) or f"# {count} expressions, {len(used)} metrics")
    sys.exit(bool(wrong))


main()
