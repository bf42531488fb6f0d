"""A real Prometheus asks a real quiz-stats, and every expression of our own metrics is evaluated on what it has."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

DEADLINE_SECONDS = 60


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(url, body=None):
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"} if body else {})
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


def until(what, look):
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end:
        try:
            if found := look():
                return found
        except OSError:
            pass
        time.sleep(0.3)
    sys.exit(f"waited in vain until {what}")


def main():
    binary = sys.argv[1]
    listing = subprocess.run([sys.executable, "scripts/deploy/expressions.py", "--list"], capture_output=True, text=True, check=True)
    main_port, metrics_port, prometheus_port = free_port(), free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PATH": os.environ["PATH"],
            "BACKEND_PORT": str(main_port),
            "QUIZ_STATS__METRICS__BIND": f"127.0.0.1:{metrics_port}",
            "QUIZ_STATS__SERVER__DATA_DIR": f"{folder}/data",
            # Nobody listens there: its calls fail, and are counted.
            "OPENAI_BASE_URL": f"http://127.0.0.1:{free_port()}/v1",
            "QUIZ_STATS__AI__MAX_RETRIES": "0",
        }
        config = pathlib.Path(folder, "prometheus.yml")
        config.write_text(
            f"global: {{scrape_interval: 1s}}\nscrape_configs:\n"
            f"  - {{job_name: quiz-stats, static_configs: [{{targets: ['127.0.0.1:{metrics_port}']}}]}}\n"
        )
        log = pathlib.Path(folder, "log").open("w")
        server = subprocess.Popen([binary, "serve"], env=environment, stdout=log, stderr=log)
        prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{prometheus_port}"],
            stdout=log, stderr=log,
        )
        try:
            base = f"http://127.0.0.1:{main_port}"
            until("the server is ready", lambda: get(f"{base}/readyz"))
            viewer = urllib.request.urlopen(f"{base}/events?channel=hall", timeout=30)
            for _ in range(3):
                get(f"{base}/api/channels/hall/display", json.dumps({"answers": [1], "whenBusy": "replace"}).encode())
                get(f"{base}/api/analyze", json.dumps({"questions": [{"question": "Is it?", "answers": ["yes", "no"]}]}).encode())
                get(f"{base}/nowhere")
                time.sleep(1.5)
            viewer.readline()

            def query(expression):
                url = f"http://127.0.0.1:{prometheus_port}/api/v1/query?query={urllib.parse.quote(expression)}"
                answer = json.loads(get(url))
                if answer["status"] != "success":
                    sys.exit(f"{answer.get('error')} in {expression}")
                return answer["data"]["result"]

            until("Prometheus has asked the server", lambda: query('up{job="quiz-stats"} == 1'))
            until("it has asked more than once", lambda: query("sum(rate(http_requests_total[1m])) > 0"))
            with_series = [expression for expression in listing.stdout.splitlines() if query(expression)]
            empty = [expression for expression in listing.stdout.splitlines() if expression not in with_series]
            # What is always there on a server that has answered, failed and been watched.
            for needed in ("actor_up", "http_requests_total", "websocket_connections == 1", "openai_request_failures_total", "journal_append_seconds_count > 0"):
                if not query(needed):
                    sys.exit(f"no series for {needed}")
            metrics = get(f"http://127.0.0.1:{metrics_port}/metrics")
            lint = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True, text=True)
            if lint.returncode or lint.stdout or lint.stderr:
                sys.exit(lint.stdout + lint.stderr)
            print("without a series now:", *empty, sep="\n  ")
            print(f"# {len(with_series) + len(empty)} expressions evaluated, {len(with_series)} with series; metrics are clean")
        finally:
            for process in (server, prometheus):
                process.terminate()
            for process in (server, prometheus):
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()


main()
