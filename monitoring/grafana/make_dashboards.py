"""Writes the dashboards below dashboards/, all in one manner: `python3 monitoring/grafana/make_dashboards.py`.

A panel that an alert belongs to carries that alert's entry of docs/runbook.md as its description, so that whoever looks
at it at night need not search. With --check it writes nothing and fails when a file is not what it would write.
"""

import json
import pathlib
import re
import sys

# Where the repository has an address of its own, that goes in front.
RUNBOOK = "docs/runbook.md"
BY_INSTANCE = 'instance=~"$instance"'


def quantiles(metric, by="", where=""):
    """Median, 95th and 99th percentile of a histogram, `by` a label."""
    group = f"le, {by}" if by else "le"
    name = "{{" + by + "}} " if by else ""
    return [
        (f"histogram_quantile({q}, sum by ({group}) (rate({metric}_bucket{{{where}}}[$__rate_interval])))", f"{name}p{round(100 * q)}")
        for q in (0.5, 0.95, 0.99)
    ]


# Nobody's requests, see docs/slo.md.
NO_PROBES = 'job="quiz-stats",route!~"/(health|livez|readyz|metrics)"'

# Title, unit, thresholds (warning, bad; falling where less is worse) or None, [(expression, legend)], runbook anchor or None.
DASHBOARDS = {
    "service": ("Service", [
        ("Requests by route", "reqps", None, [(f"sum by (route) (rate(http_requests_total{{{BY_INSTANCE}}}[$__rate_interval]))", "{{route}}")], None),
        ("Errors of the server", "percentunit", (0.01, 0.05), [(f'sum by (route) (rate(http_requests_total{{{BY_INSTANCE},status=~"5.."}}[$__rate_interval])) / on () group_left sum(rate(http_requests_total{{{BY_INSTANCE}}}[$__rate_interval]))', "{{route}}")], "higherrorrate"),
        ("Time of an answer, the model's aside", "s", (0.5, 1), quantiles("http_request_duration_seconds", where=f'{BY_INSTANCE},route!~"/api/(analyze|scrape)"'), "slowrequests"),
        ("Being answered now", "short", None, [(f"sum by (instance) (http_requests_in_flight{{{BY_INSTANCE}}})", "{{instance}}")], None),
        ("Refused by a limit", "reqps", (1, 10), [(f"sum by (scope) (rate(rate_limit_exceeded_total{{{BY_INSTANCE}}}[$__rate_interval]))", "{{scope}}")], "ratelimithitoften"),
        ("Time of a call to the model", "s", (10, 30), quantiles("gen_ai_client_operation_duration_seconds", where=BY_INSTANCE), "aitimeouts"),
        ("Failed calls to the model", "ops", (0.1, 1), [(f"sum by (reason) (rate(openai_request_failures_total{{{BY_INSTANCE}}}[$__rate_interval]))", "{{reason}}")], "aifailures"),
        ("Time of an analysis", "s", None, quantiles("analysis_duration_seconds", where=BY_INSTANCE), None),
        ("Error budget of 30 days", "percentunit", (0.25, 0), [(f'1 - (sum(increase(http_requests_total{{{NO_PROBES},status=~"5.."}}[30d])) or vector(0)) / sum(increase(http_requests_total{{{NO_PROBES}}}[30d])) / 0.001', "left")], "errorbudgetburn"),
        ("Errors, by the windows of the alerts", "percentunit", (0.001, 0.0144), [(f"quiz_stats:errors:ratio_rate{window}", window) for window in ("5m", "30m", "1h", "6h", "3d")], "errorbudgetburn"),
        ("Questions by outcome", "ops", None, [(f"sum by (outcome) (rate(questions_analyzed_total{{{BY_INSTANCE}}}[$__rate_interval]))", "{{outcome}}")], None),
    ]),
    "pipeline": ("Pipeline", [
        ("Mailboxes, how full", "percentunit", (0.5, 0.8), [(f"max by (actor) (actor_mailbox_depth{{{BY_INSTANCE}}} / actor_mailbox_capacity{{{BY_INSTANCE}}})", "{{actor}}")], "mailboxsaturated"),
        ("Wait of a message, p99", "s", (0.1, 1), [(f"histogram_quantile(0.99, sum by (le, actor) (rate(actor_message_wait_seconds_bucket{{{BY_INSTANCE}}}[$__rate_interval])))", "{{actor}}")], "mailboxsaturated"),
        ("Refused because a mailbox was full", "ops", (0.1, 1), [(f"sum by (actor) (rate(actor_mailbox_rejected_total{{{BY_INSTANCE}}}[$__rate_interval]))", "{{actor}}")], "mailboxsaturated"),
        ("Restarts in ten minutes", "short", (1, 3), [(f"sum by (actor, reason) (increase(actor_restarts_total{{{BY_INSTANCE}}}[10m]))", "{{actor}} {{reason}}")], "actorrestarting"),
        ("Actors that run", "short", (1, 0.5), [(f"min by (actor) (actor_up{{{BY_INSTANCE}}})", "{{actor}}")], "actordown"),
        ("Circuit breaker: 0 closed, 1 half open, 2 open", "short", (1, 2), [(f"max by (provider) (ai_circuit_state{{{BY_INSTANCE}}})", "{{provider}}")], "circuitopen"),
        ("Our own share in a question", "s", (0.05, 0.5), quantiles("ai_overhead_seconds", where=BY_INSTANCE), None),
        ("Pages read, by outcome", "ops", None, [(f"sum by (outcome) (rate(scrape_pages_total{{{BY_INSTANCE}}}[$__rate_interval]))", "{{outcome}}")], None),
        ("Time of a page", "s", (10, 30), quantiles("scrape_duration_seconds", where=BY_INSTANCE), None),
        ("Chromium: pages open, replacements", "short", None, [(f"sum(browser_pages_open{{{BY_INSTANCE}}})", "open"), (f"sum by (reason) (increase(browser_restarts_total{{{BY_INSTANCE}}}[1h]))", "replaced in an hour: {{reason}}")], None),
    ]),
    "show": ("Show", [
        ("Viewers", "short", (1000, 8000), [(f"sum by (channel_class) (websocket_connections{{{BY_INSTANCE}}})", "{{channel_class}}")], "manyviewers"),
        ("Frames sent", "ops", None, [(f"sum by (instance) (rate(websocket_messages_sent_total{{{BY_INSTANCE}}}[$__rate_interval]))", "{{instance}}")], None),
        ("From an event to a viewer's socket", "s", (0.1, 0.5), quantiles("websocket_delivery_delay_seconds", where=BY_INSTANCE), "slowdelivery"),
        ("Viewers that came back", "ops", None, [(f"sum by (outcome) (rate(websocket_recoveries_total{{{BY_INSTANCE}}}[$__rate_interval]))", "{{outcome}}")], None),
        ("Closed, by reason", "ops", None, [(f"sum by (reason) (rate(websocket_closed_total{{{BY_INSTANCE}}}[$__rate_interval]))", "{{reason}}")], None),
        ("Time of a commit to the journal", "s", (0.05, 0.5), quantiles("journal_append_seconds", where=BY_INSTANCE), None),
    ]),
    "resources": ("Resources", [
        ("CPU of the program", "short", None, [(f"rate(process_cpu_seconds_total{{job=\"quiz-stats\",{BY_INSTANCE}}}[$__rate_interval])", "{{instance}}")], "containercpuhigh"),
        ("Memory of the program", "bytes", None, [(f"process_resident_memory_bytes{{job=\"quiz-stats\",{BY_INSTANCE}}}", "{{instance}}")], "containermemoryhigh"),
        ("File descriptors, used of allowed", "percentunit", (0.5, 0.8), [(f"process_open_fds{{job=\"quiz-stats\",{BY_INSTANCE}}} / process_max_fds{{job=\"quiz-stats\",{BY_INSTANCE}}}", "{{instance}}")], None),
        ("Memory of containers, used of allowed", "percentunit", (0.8, 0.9), [('container_memory_working_set_bytes{name!=""} / (container_spec_memory_limit_bytes{name!=""} > 0)', "{{name}}")], "containermemoryhigh"),
        ("CPU of containers", "short", None, [('sum by (name) (rate(container_cpu_usage_seconds_total{name!=""}[$__rate_interval]))', "{{name}}")], "containercpuhigh"),
        ("Free disk", "percentunit", (0.2, 0.1), [('node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"} / node_filesystem_size_bytes', "{{mountpoint}}")], "diskfilling"),
        ("Connections at nginx", "short", (3000, 5000), [("nginx_connections_active", "{{instance}}")], "nginxconnections"),
        ("Answers of nginx, by status", "reqps", None, [("sum by (status) (rate(loki_process_custom_nginx_responses_total[$__rate_interval]))", "{{status}}")], "nginxerrors"),
        ("Age of the last backup", "s", (90000, 93600), [("time() - quiz_stats_backup_last_success_timestamp_seconds", "age")], "backuptooold"),
        ("Certificate: time left", "s", (21 * 86400, 14 * 86400), [("probe_ssl_earliest_cert_expiry - time()", "{{instance}}")], "certificateexpires"),
    ]),
    "redis": ("Redis", [
        ("Answers", "short", (1, 0.5), [("min by (job) (redis_up)", "{{job}}")], "redisdown"),
        ("Memory, used of allowed", "percentunit", (0.8, 0.9), [("redis_memory_used_bytes / (redis_memory_max_bytes > 0)", "{{instance}}")], "redismemoryhigh"),
        ("Commands", "ops", None, [("sum by (cmd) (rate(redis_commands_total[$__rate_interval]))", "{{cmd}}")], None),
        ("Clients", "short", None, [("redis_connected_clients", "{{instance}}")], None),
        ("Slow commands in ten minutes", "short", (10, 100), [("increase(redis_slowlog_last_id[10m])", "{{instance}}")], "redisslowlog"),
        ("Last save to disk", "s", None, [("time() - redis_rdb_last_save_timestamp_seconds", "age")], None),
    ]),
    "cost": ("Cost", [
        ("Tokens in an hour", "short", (50_000, 100_000), [("sum by (model, kind) (increase(openai_tokens_used_total[1h]))", "{{model}} {{kind}}")], "tokensperhour"),
        ("US dollars in an hour", "currencyUSD", None, [("sum by (model) (increase(openai_cost_usd_total[1h]))", "{{model}}")], None),
        ("Budget, used of allowed", "percentunit", (0.8, 1), [("max by (budget) (ai_budget_used / ai_budget_limit)", "{{budget}}")], "budgetnearend"),
        ("Calls that did not fit the budget", "ops", None, [("sum by (budget, scope) (rate(ai_budget_refused_total[$__rate_interval]))", "{{budget}} {{scope}}")], None),
        ("Tokens of a call", "short", None, quantiles("gen_ai_client_token_usage", by="gen_ai_token_type"), None),
        ("Calls to models", "ops", None, [("sum by (model, outcome) (rate(openai_requests_total[$__rate_interval]))", "{{model}} {{outcome}}")], None),
        # Every look-up begins in memory; what is not there is looked up in the store as well.
        ("Questions answered from the cache", "percentunit", None, [('sum by (layer) (rate(cache_requests_total{outcome="hit"}[$__rate_interval])) / on () group_left sum(rate(cache_requests_total{layer="memory"}[$__rate_interval]))', "{{layer}}")], None),
        ("Tokens saved in an hour, by the mean of a call", "short", None, [('(sum(increase(cache_requests_total{outcome="hit"}[1h])) + sum(increase(coalesced_requests_total[1h]))) * sum(increase(openai_tokens_used_total[1h])) / sum(increase(openai_requests_total{outcome="ok"}[1h]))', "saved")], None),
        ("Questions that shared a call", "ops", None, [("sum(rate(coalesced_requests_total[$__rate_interval]))", "shared")], None),
        ("Answers in memory", "short", None, [("sum by (instance) (cache_entries)", "{{instance}}")], None),
        ("Confidence of answers", "percentunit", None, quantiles("answer_confidence"), None),
        ("Calls for a question", "short", None, [("sum(rate(ai_calls_per_question_sum[$__rate_interval])) / sum(rate(ai_calls_per_question_count[$__rate_interval]))", "mean")], None),
        ("Share of each letter, whatever stands there", "percentunit", None, [("max by (model, options, letter) (option_prior)", "{{model}} {{options}} {{letter}}")], None),
        ("Calls at once that a provider gets", "short", None, [("min by (provider) (ai_concurrency_limit)", "{{provider}}")], None),
    ]),
}


def runbook():
    """The entries of the runbook, by their anchor."""
    text = (pathlib.Path(__file__).parents[2] / "docs/runbook.md").read_text()
    entries = re.findall(r"^## (\w+)\n\n(.*?)(?=\n## |\Z)", text, re.MULTILINE | re.DOTALL)
    # Links within the runbook lead nowhere here.
    return {title.lower(): re.sub(r"\[(\w+)\]\([^)]*\)", r"\1", " ".join(entry.split())) for title, entry in entries}


ENTRIES = runbook()


def link(title, kind, **rest):
    """A link with all that its type asks for."""
    return {
        "title": title, "type": kind, "url": "", "tags": [], "icon": "doc", "tooltip": "",
        "asDropdown": False, "includeVars": True, "keepTime": True, "targetBlank": False, **rest,
    }


def steps(thresholds):
    if not thresholds:
        return [{"color": "green", "value": None}]
    warning, bad = thresholds
    if bad < warning:
        return [{"color": "red", "value": None}, {"color": "orange", "value": bad}, {"color": "green", "value": warning}]
    return [{"color": "green", "value": None}, {"color": "orange", "value": warning}, {"color": "red", "value": bad}]


def panel(index, title, unit, thresholds, queries, anchor):
    links = [link("Runbook", "link", url=f"{RUNBOOK}#{anchor}", targetBlank=True)] if anchor else []
    return {
        "id": index + 1,
        "type": "timeseries",
        "title": title,
        "description": ENTRIES[anchor] if anchor else "",
        "datasource": {"type": "prometheus", "uid": "prometheus"},
        "gridPos": {"x": 12 * (index % 2), "y": 8 * (index // 2), "w": 12, "h": 8},
        "links": links,
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                # The budget can be overdrawn.
                **({} if anchor == "errorbudgetburn" else {"min": 0}),
                "thresholds": {"mode": "absolute", "steps": steps(thresholds)},
                "custom": {"lineWidth": 2, "fillOpacity": 10, "thresholdsStyle": {"mode": "line" if thresholds else "off"}},
            },
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": [
            {"refId": chr(65 + at), "expr": expression, "legendFormat": legend, "datasource": {"type": "prometheus", "uid": "prometheus"}}
            for at, (expression, legend) in enumerate(queries)
        ],
    }


def dashboard(name, title, panels):
    of_instances = any("$instance" in expression for _, _, _, queries, _ in panels for expression, _ in queries)
    variable = {
        "name": "instance", "label": "Backend", "type": "query", "datasource": {"type": "prometheus", "uid": "prometheus"},
        "query": 'label_values(build_info, instance)', "refresh": 2, "includeAll": True, "multi": True, "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }
    return {
        "uid": f"quiz-stats-{name}", "title": f"quiz-stats: {title}", "tags": ["quiz-stats"], "schemaVersion": 41, "version": 1,
        "editable": False, "timezone": "browser", "refresh": "30s", "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [variable] if of_instances else []},
        "annotations": {"list": []},
        "links": [link("quiz-stats", "dashboards", tags=["quiz-stats"], asDropdown=True)],
        "panels": [panel(index, *one) for index, one in enumerate(panels)],
    }


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "dashboards"
    stale = []
    for name, (title, panels) in DASHBOARDS.items():
        text = json.dumps(dashboard(name, title, panels), indent=1) + "\n"
        file = folder / f"{name}.json"
        if "--check" not in sys.argv:
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            stale.append(file.name)
    if stale:
        sys.exit(f"not up to date: {', '.join(stale)}: run monitoring/grafana/make_dashboards.py")
