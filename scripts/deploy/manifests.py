"""Holds manifests against their schemas, and reads what they say of each other: `manifests.py BUILT QUIZ-STATS`."""

import ipaddress
import sys

import kubernetes_validate
import yaml

from settings import variables

VERSION = "1.31"
CUSTOM = {"ServiceMonitor", "PrometheusRule"}
# Who must be able to reach whom, and at which port.
NEEDED = [("backend", "redis", "redis"), ("backup", "redis", "redis"), ("backend", "scraper", "http")]
# What Chromium must never reach, by an address of each.
PRIVATE = ["10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.20.0.1", "192.168.1.1", "0.0.0.1", "198.18.0.1", "224.0.0.1"]

objects = [one for one in yaml.safe_load_all(open(sys.argv[1])) if one]
wrong = []


def complain(one, what):
    wrong.append(f"{one['kind']} {one['metadata']['name']}: {what}")


def of(*kinds):
    return [one for one in objects if one["kind"] in kinds]


def named(kind):
    return {one["metadata"]["name"]: one for one in of(kind)}


def pod_of(one):
    if one["kind"] == "CronJob":
        return one["spec"]["jobTemplate"]["spec"]["template"]
    return one["spec"]["template"]


def fits(selector, labels):
    return all(labels.get(key) == value for key, value in (selector or {}).get("matchLabels", {}).items())


def ports_of(pod):
    return {port["name"]: port["containerPort"] for container in pod["spec"]["containers"] for port in container.get("ports", [])}


# --- Schemas ---
for one in objects:
    if one["kind"] in CUSTOM:
        from cloudcoil.models.prometheus_operator import v1

        import jsonschema

        def strict(node):
            if isinstance(node, dict):
                if "properties" in node:
                    node["additionalProperties"] = False
                for value in node.values():
                    strict(value)
            elif isinstance(node, list):
                for value in node:
                    strict(value)
            return node

        schema = strict(getattr(v1, one["kind"]).model_json_schema(by_alias=True))
        bare = {key: value for key, value in one.items() if key != "metadata"}
        for error in jsonschema.Draft202012Validator(schema).iter_errors(bare):
            complain(one, f"{'/'.join(map(str, error.path))}: {error.message[:200]}")
        continue
    try:
        kubernetes_validate.validate(one, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        complain(one, error.message[:300])
    except (kubernetes_validate.SchemaNotFoundError, kubernetes_validate.InvalidSchemaError) as error:
        complain(one, f"has no schema: {error}")

workloads = of("Deployment", "StatefulSet", "CronJob")
pods = {one["metadata"]["name"]: pod_of(one) for one in workloads}
config_maps, services = named("ConfigMap"), named("Service")
secret_keys = set(yaml.safe_load(open("k8s/base/secret.example.yaml"))["stringData"])
claims = set(named("PersistentVolumeClaim"))
for one in of("StatefulSet"):
    claims |= {template["metadata"]["name"] for template in one["spec"].get("volumeClaimTemplates", [])}

# --- Names that must meet ---
for one in of("Deployment", "StatefulSet"):
    if not fits(one["spec"]["selector"], pod_of(one)["metadata"]["labels"]):
        complain(one, "its selector does not select its pods")
for one in of("StatefulSet"):
    if one["spec"]["serviceName"] not in services:
        complain(one, f"there is no Service {one['spec']['serviceName']}")
for one in services.values():
    selected = [pod for pod in pods.values() if fits({"matchLabels": one["spec"]["selector"]}, pod["metadata"]["labels"])]
    if len(selected) != 1:
        complain(one, f"selects {len(selected)} kinds of pods")
    for pod in selected:
        for port in one["spec"]["ports"]:
            if port["targetPort"] not in ports_of(pod):
                complain(one, f"no container has a port {port['targetPort']}")
for one in of("PodDisruptionBudget"):
    if not any(fits(one["spec"]["selector"], pod["metadata"]["labels"]) for pod in pods.values()):
        complain(one, "selects no pods")
for one in of("HorizontalPodAutoscaler"):
    target, low, high = one["spec"]["scaleTargetRef"], one["spec"]["minReplicas"], one["spec"]["maxReplicas"]
    if target["name"] not in named(target["kind"]):
        complain(one, f"there is no {target['kind']} {target['name']}")
    if low > high:
        complain(one, f"at least {low} and at most {high}")
for one in of("Ingress"):
    hosts = {rule["host"] for rule in one["spec"]["rules"]}
    if {host for tls in one["spec"]["tls"] for host in tls["hosts"]} != hosts:
        complain(one, "its certificate has other names than its rules")
    for rule in one["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            service = path["backend"]["service"]
            if service["port"]["name"] not in {port["name"] for port in services.get(service["name"], {"spec": {"ports": []}})["spec"]["ports"]}:
                complain(one, f"no Service {service['name']} with a port {service['port']['name']}")
for one in of("ServiceMonitor"):
    found = [service for service in services.values() if fits(one["spec"]["selector"], service["metadata"].get("labels", {}))]
    ports = {port["name"] for service in found for port in service["spec"]["ports"]}
    if not all(endpoint.get("port") in ports for endpoint in one["spec"]["endpoints"]):
        complain(one, "no Service has its port")
for one in of("CronJob"):
    fields = one["spec"]["schedule"].split()
    if len(fields) != 5 or not all(field == "*" or int(field) <= most for field, most in zip(fields, (59, 23, 31, 12, 7))):
        complain(one, f"no schedule: {one['spec']['schedule']}")

# --- Pods ---
settings = variables(sys.argv[2])
for one in workloads:
    pod = pod_of(one)["spec"]
    security = pod.get("securityContext", {})
    for what, kept in {
        "it may run as root": security.get("runAsNonRoot") is True and security.get("runAsUser", 0) > 0,
        "it has no seccomp profile": security.get("seccompProfile", {}).get("type") in ("RuntimeDefault", "Localhost"),
        "it has a token of Kubernetes": pod.get("automountServiceAccountToken") is False,
        "its ServiceAccount does not exist": pod.get("serviceAccountName") in named("ServiceAccount"),
    }.items():
        if not kept:
            complain(one, what)
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])} | {name: {} for name in claims}
    for volume in pod.get("volumes", []):
        if "configMap" in volume and volume["configMap"]["name"] not in config_maps:
            complain(one, f"there is no ConfigMap {volume['configMap']['name']}")
        if "secret" in volume:
            for item in volume["secret"]["items"]:
                if item["key"] not in secret_keys:
                    complain(one, f"the secret has no {item['key']}")
        if "persistentVolumeClaim" in volume and volume["persistentVolumeClaim"]["claimName"] not in claims:
            complain(one, f"there is no claim {volume['persistentVolumeClaim']['claimName']}")
    for container in pod["containers"]:
        own = container.get("securityContext", {})
        for what, kept in {
            "it may gain privileges": own.get("allowPrivilegeEscalation") is False,
            "its root can be written to": own.get("readOnlyRootFilesystem") is True,
            "it keeps capabilities": own.get("capabilities", {}).get("drop") == ["ALL"],
            "it has no requests": {"cpu", "memory"} <= set(container.get("resources", {}).get("requests", {})),
            "it has no limits": {"cpu", "memory"} <= set(container.get("resources", {}).get("limits", {})),
            "it mounts what is not there": all(mount["name"] in volumes for mount in container.get("volumeMounts", [])),
            "its image has no version": ":" in container["image"],
        }.items():
            if not kept:
                complain(one, what)
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            port = container.get(probe, {}).get("httpGet", container.get(probe, {}).get("tcpSocket", {})).get("port")
            if port is not None and port not in ports_of(pod_of(one)):
                complain(one, f"{probe}: there is no port {port}")
        if container["name"] != "quiz-stats":
            continue
        given = {entry["name"]: entry.get("value") for entry in container.get("env", [])}
        for source in container.get("envFrom", []):
            name = source["configMapRef"]["name"]
            if name not in config_maps:
                complain(one, f"there is no ConfigMap {name}")
            given |= config_maps.get(name, {}).get("data", {})
        for variable in given:
            if variable.removesuffix("_FILE") not in settings:
                complain(one, f"there is no setting for {variable}")
        # Ten seconds where nothing else is set.
        drain = int(given.get("QUIZ_STATS__SERVER__DRAIN_TIMEOUT_MS", 10_000)) / 1000 + container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if pod["terminationGracePeriodSeconds"] <= drain:
            complain(one, f"is killed before it has drained for {drain} s")

# --- Who may talk to whom ---
policies = of("NetworkPolicy")
for one in policies:
    if not one["metadata"].get("annotations", {}).get("quiz-stats/reason"):
        complain(one, "gives no reason")
    peers = [peer for direction in ("ingress", "egress") for rule in one["spec"].get(direction, []) for peer in rule.get("from", rule.get("to", []))]
    for selector in [one["spec"]["podSelector"]] + [peer["podSelector"] for peer in peers if "podSelector" in peer]:
        if not any(fits(selector, pod["metadata"]["labels"]) for pod in pods.values()):
            complain(one, "selects no pods")


def lets(direction, subject, other, port):
    """Whether a policy of `subject` lets it take from, or give to, `other` at the port."""
    number = ports_of(pods[other if direction == "egress" else subject]).get(port)
    for one in policies:
        if not fits(one["spec"]["podSelector"], pods[subject]["metadata"]["labels"]):
            continue
        for rule in one["spec"].get(direction, []):
            if {entry["port"] for entry in rule.get("ports", [])} & {number, port if direction == "ingress" else number}:
                if any("podSelector" in peer and fits(peer["podSelector"], pods[other]["metadata"]["labels"]) for peer in rule.get("from", rule.get("to", []))):
                    return True
    return False


if pods:
    if not any(one["spec"]["podSelector"] == {} and set(one["spec"]["policyTypes"]) == {"Ingress", "Egress"} and not one["spec"].get("ingress") and not one["spec"].get("egress") for one in policies):
        wrong.append("there is no policy that denies by default")
    for source, target, port in NEEDED:
        if not lets("egress", source, target, port):
            wrong.append(f"{source} may not go to {target}")
        if not lets("ingress", target, source, port):
            wrong.append(f"{target} does not let {source} in")
    for source in pods:
        for target in pods:
            if any(lets("egress", source, target, port) for port in ports_of(pods[target])) and not any((source, target) == needed[:2] for needed in NEEDED):
                wrong.append(f"{source} may go to {target}, and needs not")
    blocks = [peer["ipBlock"] for one in policies for rule in one["spec"].get("egress", []) for peer in rule.get("to", []) if "ipBlock" in peer]
    for address in map(ipaddress.ip_address, PRIVATE):
        if any(address in ipaddress.ip_network(block["cidr"]) and not any(address in ipaddress.ip_network(less) for less in block.get("except", [])) for block in blocks):
            wrong.append(f"the way out leads to {address} as well")

print("\n".join(wrong) or f"# {len(objects)} objects, {len(policies)} policies")
sys.exit(bool(wrong))
