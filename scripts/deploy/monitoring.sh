# Prometheus, its alerts, Alertmanager, Loki, the dashboards: read by their own tools, tried on a real server and Prometheus.
# shellcheck shell=bash disable=SC2016,SC2034

monitoring_checks=(yaml prometheus rules alerts routes dashboards expressions live)
monitoring_faults=(
    'monitoring/loki-config.yml|s/  retention_period: 720h/ retention_period: 720h/|yaml'
    'monitoring/prometheus.yml|s/scrape_interval: 15s/scrape_interval: 15 s/|prometheus'
    'monitoring/prometheus.yml|s/replacement: "blackbox/replacment: "blackbox/|prometheus'
    'monitoring/alerts/service.rules.yml|s/humanizePercentage/humanisePercentage/|rules'
    'monitoring/alerts/service.rules.yml|s/sum by \(le\) \(/sum by (le (/|rules'
    'monitoring/alerts/service.rules.yml|s/ratio_rate5m > 0.05/ratio_rate5m > 0.5/|alerts'
    'monitoring/alerts/pipeline.rules.yml|s/reason="timeout"/reason="time-out"/|alerts'
    'monitoring/alerts/machine.rules.yml|s/26 \* 3600/46 * 3600/|alerts'
    'monitoring/alerts/machine.test.yml|s/RedisSlowLog fires/RedisSlow fires/|alerts'
    'docs/runbook.md|s/^## CircuitOpen/## CircuitOpened/|alerts'
    'monitoring/alertmanager.yml|s/severity="critical"\]$/severity="citical"]/|routes'
    'monitoring/alertmanager.yml|s/receiver: slack-and-mail/receiver: slack-or-mail/|routes'
    'monitoring/grafana/dashboards/show.json|s/"title": "Viewers"/"title": "Viewer"/|dashboards'
    'monitoring/alerts/pipeline.rules.yml|s/actor_up == 0/actors_up == 0/|expressions'
    'monitoring/grafana/dashboards/cost.json|s/coalesced_requests_total/coalesced_request_total/|expressions'
)

need_monitoring() {
    need_wheels monitoring
    need_sid promtool promtool
    need_sid prometheus-alertmanager amtool
    need_sid prometheus prometheus
}

check_monitoring_yaml() {
    yamllint --strict -d '{extends: default, rules: {line-length: disable, document-start: disable, braces: disable, comments: {min-spaces-from-content: 1}}}' \
        monitoring docker-compose.yml docker-compose.prod.yml
}

check_monitoring_prometheus() { promtool check config --lint=all --lint-fatal monitoring/prometheus.yml; }

check_monitoring_rules() {
    promtool check rules --lint=all --lint-fatal monitoring/alerts/*.rules.yml
    echo "# $(cat monitoring/alerts/*.rules.yml | grep -c 'alert:') alerts"
}

# Each alert fires and stays quiet in a test, and the runbook has its entry.
check_monitoring_alerts() {
    local alert anchor name
    for name in service pipeline machine; do
        promtool test rules "monitoring/alerts/$name.test.yml"
        while read -r alert; do
            grep -q "name: $alert fires" "monitoring/alerts/$name.test.yml" || { echo "$alert: no test makes it fire" && return 1; }
            grep -q "name: $alert stays quiet" "monitoring/alerts/$name.test.yml" ||
                { echo "$alert: no test keeps it quiet" && return 1; }
            anchor=$(grep -A20 "alert: $alert\$" "monitoring/alerts/$name.rules.yml" | grep -m 1 -o 'docs/runbook.md#[a-z]*') ||
                { echo "$alert: names no entry of the runbook" && return 1; }
            grep -qix "## ${anchor#*#}" docs/runbook.md || { echo "docs/runbook.md has no ${anchor#*#}" && return 1; }
        done < <(sed -n 's/.*- alert: //p' "monitoring/alerts/$name.rules.yml")
    done
    echo "# each fires, stays quiet, and is in the runbook"
}

check_monitoring_routes() {
    amtool check-config monitoring/alertmanager.yml
    local severity receiver
    while read -r severity receiver; do
        [[ $(amtool config routes test --config.file monitoring/alertmanager.yml "severity=$severity" alertname=X) == "$receiver" ]] ||
            { echo "$severity does not reach $receiver" && return 1; }
    done <<'TEXT'
critical slack-and-mail
warning slack
info slack
TEXT
}

check_monitoring_dashboards() {
    python3 monitoring/grafana/make_dashboards.py --check
    echo "# $(find monitoring/grafana/dashboards -name '*.json' | wc -l) dashboards"
}

check_monitoring_expressions() { python3 scripts/deploy/expressions.py; }

check_monitoring_live() { python3 scripts/deploy/scrape_live.py "$(realpath target/debug/quiz-stats)"; }
