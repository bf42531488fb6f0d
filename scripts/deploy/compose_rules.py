"""What every service of docker-compose.prod.yml keeps; reads `docker compose config --format json` from standard input."""

import json
import sys

services = json.load(sys.stdin)["services"]
wrong = []
for name, service in services.items():
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    for rule, kept in {
        "its root is read-only": service.get("read_only") is True,
        "it has no capability but named ones": service.get("cap_drop") == ["ALL"],
        "it gains no privileges": "no-new-privileges:true" in service.get("security_opt", []),
        "it comes back": service.get("restart") == "unless-stopped",
        "it is limited": bool(limits.get("memory")) and bool(limits.get("cpus")),
        "its log is rotated": bool(service.get("logging", {}).get("options", {}).get("max-size")),
        "its image has a version": ":" in service["image"] and (":latest" not in service["image"] or "build" in service),
        "it has networks of its own": "default" not in service.get("networks", {}),
        "it is not privileged": not service.get("privileged"),
    }.items():
        if not kept:
            wrong.append(f"{name}: it is not so that {rule}")
    for port in service.get("ports", []):
        if name != "nginx" and port.get("host_ip") != "127.0.0.1":
            wrong.append(f"{name}: port {port.get('published')} is open to others than this machine")
backend = services["backend"]["deploy"]["resources"]
floor = {"limits": (1, 512 << 20), "reservations": (0.25, 256 << 20)}
for kind, (cpus, memory) in floor.items():
    if (float(backend[kind]["cpus"]), int(backend[kind]["memory"])) != (cpus, memory):
        wrong.append(f"backend: {kind} are not {cpus} CPU and {memory} bytes")
# Who may reach whom.
for one, other, may in [
    ("nginx", "backend", True),
    ("nginx", "redis", False),
    ("nginx", "scraper", False),
    ("backend", "redis", True),
    ("backend", "scraper", True),
    ("scraper", "redis", False),
    ("prometheus", "scraper", True),
    ("backup", "redis", True),
    ("prometheus", "backend", True),
    ("grafana", "prometheus", True),
]:
    meet = bool(set(services[one]["networks"]) & set(services[other]["networks"]) - {"monitoring"} or
                ("monitoring" in services[one]["networks"] and "monitoring" in services[other]["networks"] and may))
    if meet != may:
        wrong.append(f"{one} {'cannot' if may else 'can'} reach {other}")
print("\n".join(wrong) or f"# {len(services)} services keep the rules")
sys.exit(bool(wrong))
