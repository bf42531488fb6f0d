"""The real Prometheus, with our configuration and rules, asks the real program in both roles, Redis, nginx and their
exporters, on ports of this machine. Everything is up, no rule fails, and every expression has a value.

Its argument is the program. What this machine does not have is left out, and named.
"""

import http.server
import json
import math
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import expressions
import promql_parser as promql
import yaml

DEADLINE_SECONDS = 45
# Whose programs cannot be had here; what they export is taken from their documents.
ABSENT_JOBS = {"containers", "log-shipper", "alertmanager", "grafana", "loki"}
ABSENT_EXPORTERS = ("cadvisor", "log-shipper", "alertmanager")
# Nothing dies here.
WITHOUT_SERIES = {"actor_restarts_total", "browser_restarts_total"}
PAGE = "<form><p>1. What is 2 + 2?</p>" + "".join(f'<label><input type="radio" name="q">{n}</label>' for n in (3, 4, 5)) + "</form>"


class Model(http.server.BaseHTTPRequestHandler):
    """Answers B, at once; a question may ask for it late, or not at all."""

    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if "too late" in asked:
            time.sleep(2)
        status = 401 if "refused" in asked else 200
        message = {"index": 0, "message": {"role": "assistant", "content": "B"}, "finish_reason": "stop"}
        if json.loads(asked).get("logprobs"):
            top = [{"token": letter, "logprob": math.log(p)} for letter, p in zip("ABC", (0.2, 0.7, 0.1))]
            message["logprobs"] = {"content": [{"token": "B", "top_logprobs": top}]}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        body = json.dumps({"choices": [message], "usage": usage} if status == 200 else {"error": {"message": "no", "code": "no"}}).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # The program has given up on it, as it was meant to.

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def open_url(url, body=None, headers=()):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json", **dict(headers)})
    return urllib.request.urlopen(request, timeout=10)


def get(url, body=None):
    """The status and the text."""
    try:
        with open_url(url, body) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def until(what, look):
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end:
        try:
            if found := look():
                return found
        except OSError:
            pass
        time.sleep(0.2)
    sys.exit(f"waited in vain until {what}")


def come_and_go(port):
    """A viewer by WebSocket that says goodbye."""
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    with socket.create_connection(("127.0.0.1", port), timeout=10) as viewer:
        viewer.sendall(
            f"GET /ws?channel=hall HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        if b" 101 " not in viewer.recv(4096):
            sys.exit("no WebSocket is to be had")
        # Close, 1000, under a mask of zeros.
        viewer.sendall(b"\x88\x82\0\0\0\0\x03\xe8")
        while viewer.recv(4096):
            pass


class Stack:
    """Programs on ports of their own; all of them end with it."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def start(self, name, command, **environment):
        log = (self.folder / f"{name}.log").open("w")
        environment = {"PATH": f"{os.environ['PATH']}:/usr/sbin", "HOME": str(self.folder), **environment}
        self.running.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def end(self):
        for process in self.running:
            process.terminate()
        end = time.monotonic() + 15
        for process in self.running:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def logs(self):
        return "\n".join(f"--- {file.name}\n" + "".join(file.open().readlines()[-3:]) for file in sorted(self.folder.glob("*.log")))


def nginx(folder, port, tls_port, backend):
    subprocess.run(["scripts/make-secrets", folder], check=True, capture_output=True)
    (folder / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; location = /nginx-status {{ stub_status; }} }}
    server {{
        listen 127.0.0.1:{tls_port} ssl; ssl_certificate {folder}/tls.crt; ssl_certificate_key {folder}/tls.key;
        location / {{ proxy_pass http://127.0.0.1:{backend}; }}
    }}
}}
""")
    return ["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]


def configuration(folder, ports):
    """Ours, at these ports and in a hurry."""
    config = yaml.safe_load(pathlib.Path("monitoring/prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(pathlib.Path("monitoring").resolve() / pattern) for pattern in config["rule_files"]]
    del config["alerting"]
    config["scrape_configs"] = [job for job in config["scrape_configs"] if job["job_name"] not in ABSENT_JOBS]
    for job in config["scrape_configs"]:
        name = job["job_name"]
        target = f"127.0.0.1:{ports[name]}"
        if name == "blackbox":
            job["static_configs"] = [{"targets": [f"https://127.0.0.1:{ports['tls']}/readyz"]}]
            for rule in job["relabel_configs"]:
                if rule.get("replacement") == "blackbox-exporter:9115":
                    rule["replacement"] = target
        else:
            job.pop("dns_sd_configs", None)
            job["static_configs"] = [{"targets": [target]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    return [job["job_name"] for job in config["scrape_configs"]]


def use(base):
    """A little of everything that is counted."""
    def analyze(*questions):
        return get(f"{base}/api/analyze", {"questions": [{"question": one, "answers": ["yes", "no"]} for one in questions]})

    viewer = open_url(f"{base}/events?channel=hall")
    get(f"{base}/api/channels/hall/display", {"answers": [1]})
    position = next(line for line in viewer if line.startswith(b"id:"))[3:].strip().decode()
    viewer.close()
    viewer = open_url(f"{base}/events?channel=hall", headers={"Last-Event-ID": position})
    come_and_go(urllib.parse.urlsplit(base).port)
    for turn in range(3):
        analyze(f"Is it {turn}?")
        analyze("Is it 0?")  # Known already.
        analyze(f"Is it too late {turn}?")
        analyze(f"Is it refused {turn}?")
        get(f"{base}/api/scrape", {"html": PAGE})
        get(f"{base}/nowhere")
        get(f"{base}/api/channels/hall/display", {"answers": [2], "whenBusy": "replace"})
        time.sleep(1.1)  # So that Prometheus sees each turn by itself.
    analyze(*(f"Is it too much {n}?" for n in range(40)))  # More than the budget holds.
    if all(get(f"{base}/api/analyses")[0] != 429 for _ in range(200)):
        sys.exit("no limit has refused anything")
    return viewer


def main():
    program = sys.argv[1]
    names = ("quiz-stats", "server", "scraper", "redis", "redis-server", "nginx", "nginx-status", "tls", "node", "blackbox", "prometheus")
    ports = {name: free_port() for name in names}
    model = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=model.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        stack = Stack(folder)
        failed = True
        try:
            found = measure(program, folder, stack, ports, model.server_port)
            failed = False
        finally:
            stack.end()
            model.shutdown()
            if failed:
                print(stack.logs())
    print(found)


def measure(program, folder, stack, ports, model_port):
    here = "127.0.0.1"
    stack.start("redis", ["redis-server", "--port", str(ports["redis-server"]), "--bind", here, "--save", "", "--maxmemory", "64mb", "--dir", folder])
    stack.start("scraper", [program, "serve", "--role", "scraper"], BACKEND_PORT=str(ports["scraper"]), QUIZ_STATS__SERVER__DATA_DIR=f"{folder}/scraper")
    stack.start(
        "server", [program, "serve"],
        BACKEND_PORT=str(ports["server"]), QUIZ_STATS__METRICS__BIND=f"{here}:{ports['quiz-stats']}",
        QUIZ_STATS__SERVER__DATA_DIR=f"{folder}/data", REDIS_URL=f"redis://{here}:{ports['redis-server']}/0",
        OPENAI_BASE_URL=f"http://{here}:{model_port}/v1", OPENAI_MODEL="scripted", QUIZ_STATS__AI__MAX_RETRIES="0",
        QUIZ_STATS__AI__PRICES="scripted=1/2", QUIZ_STATS__BUDGET__USD_PER_DAY="5", QUIZ_STATS__BUDGET__KEY_USD_PER_DAY="5",
        QUIZ_STATS__BUDGET__REQUESTS_PER_MINUTE="40", QUIZ_STATS__AI__PRIOR_SAMPLE_PERCENT="100",
        QUIZ_STATS__AI__CALL_TIMEOUT_MS="300", QUIZ_STATS__AI__CIRCUIT_FAILURES="100",
        QUIZ_STATS__SCRAPER__REMOTE_URL=f"http://{here}:{ports['scraper']}",
        QUIZ_STATS__RATE_LIMITER__GENERAL_PER_SECOND="10", QUIZ_STATS__RATE_LIMITER__GENERAL_BURST="30",
        QUIZ_STATS__RATE_LIMITER__ANALYZE_PER_SECOND="30", QUIZ_STATS__RATE_LIMITER__ANALYZE_BURST="50",
    )
    stack.start("nginx", nginx(folder, ports["nginx-status"], ports["tls"], ports["server"]))
    texts = folder / "texts"
    texts.mkdir()
    stack.start("redis-exporter", ["prometheus-redis-exporter", f"-web.listen-address={here}:{ports['redis']}", f"-redis.addr=redis://{here}:{ports['redis-server']}"])
    stack.start("nginx-exporter", ["prometheus-nginx-exporter", f"--web.listen-address={here}:{ports['nginx']}", f"--nginx.scrape-uri=http://{here}:{ports['nginx-status']}/nginx-status"])
    stack.start("node-exporter", ["prometheus-node-exporter", f"--web.listen-address={here}:{ports['node']}", f"--collector.textfile.directory={texts}"])
    blackbox = pathlib.Path("monitoring/blackbox.yml").resolve()
    stack.start("blackbox-exporter", ["prometheus-blackbox-exporter", f"--web.listen-address={here}:{ports['blackbox']}", f"--config.file={blackbox}"])
    jobs = configuration(folder, ports)
    stack.start("prometheus", ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address={here}:{ports['prometheus']}"])

    def ask(path):
        answer = json.loads(get(f"http://{here}:{ports['prometheus']}/api/v1/{path}")[1])
        if answer["status"] != "success":
            sys.exit(f"{answer.get('error')}: {urllib.parse.unquote(path)}")
        return answer["data"]

    def query(expression):
        return ask(f"query?query={urllib.parse.quote(expression)}")["result"]

    base = f"http://{here}:{ports['server']}"
    until("the server is ready", lambda: get(f"{base}/readyz")[0] == 200)
    subprocess.run(
        ["sh", "k8s/base/backup-redis.sh", "now"], check=True, capture_output=True,
        env={"PATH": os.environ["PATH"], "REDIS_HOST": here, "REDIS_PORT": str(ports["redis-server"]), "BACKUP_FOLDER": str(texts)},
    )
    until("Prometheus has asked everything", lambda: len(query("up == 1")) == len(jobs))
    viewer = use(base)
    own, theirs, recorded = expressions.declared(), expressions.foreign(), expressions.recorded()
    wanted = [name for name, by in theirs.items() if not by.startswith(ABSENT_EXPORTERS)]
    listed, plain = list(expressions.expressions()), {}
    for where, text in listed:
        tree = promql.parse(text)
        names = {selector.name for selector in expressions.selectors(tree)}
        if names <= own.keys() | recorded | {"up"} and not names & WITHOUT_SERIES:
            plain[where] = expressions.without_comparison(tree).prettify()

    def missing():
        return [f"{where}: no series for {text}" for where, text in plain.items() if not query(text)] + \
            [f"nobody exports {name} after all" for name in wanted if not query(name)]

    # A rate needs two looks at each.
    until_end = time.monotonic() + 20
    while (lacking := missing()) and time.monotonic() < until_end:
        time.sleep(0.5)
    if lacking:
        sys.exit("\n".join(lacking))
    for _, text in listed:
        query(text)
    sick = [target["scrapeUrl"] + ": " + target["lastError"] for target in ask("targets")["activeTargets"] if target["health"] != "up"]
    rules = [rule for group in ask("rules")["groups"] for rule in group["rules"]]
    sick += [f"{rule['name']}: {rule.get('lastError')}" for rule in rules if rule["health"] != "ok"]
    if sick:
        sys.exit("\n".join(sick))
    for job in ("quiz-stats", "scraper"):
        text = get(f"http://{here}:{ports[job]}/metrics")[1]
        lint = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        if lint.returncode or lint.stdout or lint.stderr:
            sys.exit(f"the metrics of {job}:\n" + lint.stdout + lint.stderr)
    viewer.close()
    print("not here:", ", ".join(sorted(ABSENT_JOBS)))
    return f"# {len(jobs)} jobs up, {len(rules)} rules, {len(listed)} expressions, {len(plain)} of our own and {len(wanted)} metrics of others have series"


main()
