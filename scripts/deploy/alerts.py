"""What the alerts' own tools do not look at: that each is tried both ways, told in full, found in the runbook; and that
Prometheus, Alertmanager and Grafana name services, alerts and secrets that there are."""

import pathlib
import re
import sys

import yaml

SEVERITIES = {"critical", "warning", "info"}
ANNOTATIONS = {"summary", "description", "runbook_url"}
JOBS = {
    "quiz-stats", "scraper", "redis", "nginx", "node", "containers", "blackbox", "log-shipper", "prometheus", "alertmanager",
    "loki", "grafana",
}
wrong = []


def read(file):
    return yaml.safe_load(pathlib.Path(file).read_text())


def alerts():
    for file in sorted(pathlib.Path("monitoring/alerts").glob("*.rules.yml")):
        for group in read(file)["groups"]:
            yield from (rule for rule in group["rules"] if "alert" in rule)


def tried():
    """The labels under which each alert is expected to fire, and the alerts of which silence is expected."""
    fires, quiet = {}, set()
    for file in sorted(pathlib.Path("monitoring/alerts").glob("*.test.yml")):
        for test in read(file)["tests"]:
            for look in test["promql_expr_test"]:
                found = re.fullmatch(r'ALERTS\{alertname="(\w+)",alertstate="firing"\}', look["expr"])
                if not found:
                    continue
                for sample in look["exp_samples"]:
                    fires.setdefault(found[1], set()).update(re.findall(r'(\w+)="', sample["labels"]))
                if not look["exp_samples"]:
                    quiet.add(found[1])
    return fires, quiet


def check_alerts():
    fires, quiet = tried()
    text = pathlib.Path("docs/runbook.md").read_text()
    entries = {title.lower() for title in re.findall(r"^## (.+)$", text, re.MULTILINE)}
    names, linked = set(), set()
    for alert in alerts():
        name, annotations = alert["alert"], alert.get("annotations", {})
        if name in names:
            wrong.append(f"{name}: is there twice")
        names.add(name)
        if name not in fires:
            wrong.append(f"{name}: no test makes it fire")
        if name not in quiet:
            wrong.append(f"{name}: no test keeps it quiet")
        if alert.get("labels", {}).get("severity") not in SEVERITIES:
            wrong.append(f"{name}: its severity is none of {', '.join(sorted(SEVERITIES))}")
        wrong.extend(f"{name}: has no {missing}" for missing in sorted(ANNOTATIONS - annotations.keys()))
        used = set(re.findall(r"\$labels\.(\w+)", " ".join(annotations.values())))
        wrong.extend(f"{name}: tells its label {label}, which it has in no test" for label in sorted(used - fires.get(name, used)))
        file, _, anchor = annotations.get("runbook_url", "").partition("#")
        if file != "docs/runbook.md" or anchor not in entries:
            wrong.append(f"{name}: the runbook has no {anchor or 'entry'}")
        linked.add(anchor)
    wrong.extend(f"docs/runbook.md: no alert leads to {entry}" for entry in sorted(entries - linked))
    wrong.extend(f"tests of {name}, which is no alert" for name in sorted((fires.keys() | quiet) - names))
    return names


def check_receivers(names, services):
    config = read("monitoring/alertmanager.yml")
    for rule in config["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            pattern = matcher.partition("=")[2].lstrip("~").strip('"')
            for one in pattern.split("|"):
                if not any(re.fullmatch(one, name) for name in names):
                    wrong.append(f"monitoring/alertmanager.yml: no alert is called {one}")
    for secret in re.findall(r"/run/secrets/(\w+)", pathlib.Path("monitoring/alertmanager.yml").read_text()):
        if secret not in services["alertmanager"]["secrets"]:
            wrong.append(f"monitoring/alertmanager.yml: docker-compose.prod.yml does not give it the secret {secret}")


def check_hosts(services):
    config = read("monitoring/prometheus.yml")
    jobs = {job["job_name"] for job in config["scrape_configs"]}
    wrong.extend(f"monitoring/prometheus.yml: has no job {job}" for job in sorted(JOBS - jobs))
    hosts = {"monitoring/prometheus.yml": set(), "monitoring/grafana/provisioning/datasources/datasources.yml": set(), "monitoring/config.alloy": set()}
    for job in config["scrape_configs"]:
        for found in job.get("dns_sd_configs", []):
            hosts["monitoring/prometheus.yml"].update(found["names"])
    for file, here in hosts.items():
        here |= {host for host in re.findall(r'["/ ]([a-z][a-z-]+):\d+', pathlib.Path(file).read_text()) if host != "localhost"}
        here |= set(re.findall(r"https://([a-z-]+)/", pathlib.Path(file).read_text()))
        wrong.extend(f"{file}: docker-compose.prod.yml has no service {host}" for host in sorted(here - services.keys()))


services = read("docker-compose.prod.yml")["services"]
alert_names = check_alerts()
check_receivers(alert_names, services)
check_hosts(services)
print("\n".join(wrong) or f"# {len(alert_names)} alerts: each fires, stays quiet, and is in the runbook")
sys.exit(bool(wrong))
