"""Every expression of alerts and dashboards is PromQL, and names metrics and labels that we declare, or metrics that
somebody named in monitoring/foreign-metrics.txt exports."""

import json
import pathlib
import re
import sys

import promql_parser as promql
import yaml

HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")
PROCESS = ("cpu_seconds_total", "resident_memory_bytes", "open_fds", "max_fds", "threads", "start_time_seconds")
# What Prometheus adds to every series.
TARGET_LABELS = {"job", "instance"}
VARIABLES = {"$__rate_interval": "1m", "$instance": ".*"}


def expressions():
    """Yields where an expression stands, and itself with Grafana's variables filled in."""
    for file in sorted(pathlib.Path("monitoring/alerts").glob("*.rules.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield f"{file.name} {rule.get('alert') or rule['record']}", rule["expr"]
    for file in sorted(pathlib.Path("monitoring/grafana/dashboards").glob("*.json")):
        board = json.loads(file.read_text())
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                text = target["expr"]
                for variable, value in VARIABLES.items():
                    text = text.replace(variable, value)
                yield f"{file.name} {panel['title']}", text


def declared():
    """Our own metrics and their labels, as Prometheus sees them."""
    own = {f"process_{name}": set() for name in PROCESS}
    catalogue = pathlib.Path("src/metrics/catalogue.rs").read_text()
    for kind, name, labels in re.findall(r'= (Counter|FloatCounter|Gauge|Histogram)(?:\([A-Z_]+\))?, "(\w+)", \[([^\]]*)\]', catalogue):
        labels = set(re.findall(r"\w+", labels))
        own[name] = labels
        if kind == "Histogram":
            own |= {name + part: labels | {"le"} for part in HISTOGRAM_PARTS}
    return own


def foreign():
    """The metrics of others, and who exports them."""
    lines = pathlib.Path("monitoring/foreign-metrics.txt").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))


def recorded():
    """What our own rules record; its name has two colons, and that of an alert none."""
    return {rule for where, _ in expressions() if (rule := where.split()[1]).count(":") == 2}


def children(node):
    if isinstance(node, promql.BinaryExpr):
        return [node.lhs, node.rhs]
    if isinstance(node, promql.Call):
        return node.args
    if isinstance(node, promql.MatrixSelector):
        return [node.vector_selector]
    if isinstance(node, promql.AggregateExpr):
        return [node.expr] + ([node.param] if node.param else [])
    if isinstance(node, (promql.ParenExpr, promql.SubqueryExpr, promql.UnaryExpr)):
        return [node.expr]
    return []


def selectors(node):
    if isinstance(node, promql.VectorSelector):
        return [node]
    return [selector for child in children(node) for selector in selectors(child)]


def without_comparison(node):
    """The number that an alert compares, of the first where there are several: what has a value also while all is well."""
    if isinstance(node, promql.ParenExpr):
        return without_comparison(node.expr)
    if isinstance(node, promql.BinaryExpr) and str(node.op) in {"==", "!=", ">", "<", ">=", "<=", "and", "or", "unless"}:
        return without_comparison(node.lhs)
    return node


def unknown_labels(node, own):
    """The labels that a part of an expression selects or groups by, and none of its metrics has."""
    here = set()
    if isinstance(node, promql.VectorSelector):
        here = {matcher.name for matcher in node.matchers.matchers}
    elif isinstance(node, promql.AggregateExpr) and node.modifier:
        here = set(node.modifier.labels)
    names = [selector.name for selector in selectors(node)]
    wrong = set()
    if here and all(name in own for name in names):
        wrong = here - set().union(*(own[name] for name in names)) - TARGET_LABELS
    return wrong.union(*(unknown_labels(child, own) for child in children(node)))


def main():
    own, known, theirs = declared(), recorded(), foreign()
    wrong, used, count = [], set(), 0
    for where, text in expressions():
        count += 1
        try:
            tree = promql.parse(text)
        except ValueError as error:
            wrong.append(f"{where}: {error}")
            continue
        selected = {selector.name for selector in selectors(tree)}
        used |= selected
        if not selected or None in selected:
            wrong.append(f"{where}: names no metric")
            continue
        wrong += [f"{where}: nobody exports {name}" for name in sorted(selected - own.keys() - known - theirs.keys())]
        # Redis' exporter has redis_up as well, and labels of its own.
        wrong += [f"{where}: no metric in it has the label {label}" for label in sorted(unknown_labels(tree, own))]
    wrong += [f"monitoring/foreign-metrics.txt: nothing uses {name}" for name in sorted(theirs.keys() - used)]
    wrong += [f"nothing uses {name}" for name in sorted(known - used)]
    print("\n".join(wrong) or f"# {count} expressions, {len(used)} metrics: {len(used & own.keys())} our own")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
