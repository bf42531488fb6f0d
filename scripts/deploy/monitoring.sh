# Prometheus, its alerts, Alertmanager, Loki, the dashboards: read by their own tools and by Grafana's own types, and tried
# together: a real Prometheus with our files asks the real program, Redis, nginx and their exporters.
# shellcheck shell=bash disable=SC2016,SC2034,SC2154

monitoring_checks=(yaml prometheus rules tests alerts receivers probes dashboards types expressions live)
monitoring_faults=(
    'monitoring/loki-config.yml|s/  retention_period: 720h/ retention_period: 720h/|yaml'
    'monitoring/prometheus.yml|s/scrape_interval: 15s/scrape_interval: 15 s/|prometheus'
    'monitoring/prometheus.dev.yml|s/names: \[scraper\]/name: [scraper]/|prometheus'
    'monitoring/prometheus.yml|s/replacement: "blackbox/replacment: "blackbox/|prometheus'
    'monitoring/alerts/service.rules.yml|s/humanizePercentage/humanisePercentage/|rules'
    'monitoring/alerts/service.rules.yml|s/sum by \(le\) \(/sum by (le (/|rules'
    'monitoring/alerts/service.rules.yml|s/ratio_rate5m > 0.05/ratio_rate5m > 0.5/|tests'
    'monitoring/alerts/service.rules.yml|s/livez.readyz/livez.ready/|tests'
    'monitoring/alerts/service.rules.yml|s/ratio_rate3d > 0.001/ratio_rate3d > 0.01/|tests'
    'monitoring/alerts/pipeline.rules.yml|s/reason="timeout"/reason="time-out"/|tests'
    'monitoring/alerts/machine.rules.yml|s/26 \* 3600/46 * 3600/|tests'
    'monitoring/alerts/machine.test.yml|s/alertname="RedisSlowLog",alertstate="firing"\}$/alertname="RedisSlow",alertstate="firing"}/|alerts'
    'monitoring/alerts/pipeline.rules.yml|s/\$labels.actor /$labels.actr /|alerts'
    'monitoring/alerts/pipeline.rules.yml|s/description: "More than 80/text: "More than 80/|alerts'
    'docs/runbook.md|s/^## CircuitOpen/## CircuitOpened/|alerts'
    'monitoring/alertmanager.yml|s/RedisMemoryHigh/RedisMemoryFull/|alerts'
    'monitoring/prometheus.yml|s/redis-exporter:9121/redis-exporters:9121/|alerts'
    'monitoring/alertmanager.yml|s/severity="critical"\]$/severity="citical"]/|receivers'
    'monitoring/alertmanager.yml|s/receiver: slack-and-mail/receiver: slack-or-mail/|receivers'
    'monitoring/blackbox.yml|s/preferred_ip_protocol/prefered_ip_protocol/|probes'
    'monitoring/grafana/dashboards/show.json|s/"title": "Viewers"/"title": "Viewer"/|dashboards'
    'docs/runbook.md|s/half a second late or more/half a second late/|dashboards'
    'monitoring/grafana/dashboards/show.json|s/"fillOpacity"/"fillOpactiy"/|types'
    'monitoring/grafana/dashboards/redis.json|s/"mode": "absolute"/"mode": "absolut"/|types'
    'monitoring/loki-config.yml|s/retention_enabled/retention_enable/|types'
    'monitoring/alerts/pipeline.rules.yml|s/actor_up == 0/actors_up == 0/|expressions'
    'monitoring/grafana/dashboards/cost.json|s/coalesced_requests_total/coalesced_request_total/|expressions'
    'monitoring/grafana/dashboards/pipeline.json|s/sum by \(outcome\) \(rate\(scrape/sum by (outcomes) (rate(scrape/|expressions'
    'monitoring/grafana/dashboards/cost.json|s/layer=\\"memory\\"/layer=\\"memry\\"/|live'
    'monitoring/prometheus.yml|s#metrics_path: /probe#metrics_path: /probes#|live'
    'monitoring/foreign-metrics.txt|s/^redis_slowlog_last_id/redis_slowlog_last/|live'
)

need_monitoring() {
    PATH=$PATH:/usr/sbin
    need_wheels monitoring
    need_sid promtool promtool
    need_sid prometheus prometheus
    need_sid prometheus-alertmanager amtool
    need_sid prometheus-blackbox-exporter prometheus-blackbox-exporter
    need_sid prometheus-node-exporter prometheus-node-exporter
    need_sid prometheus-redis-exporter prometheus-redis-exporter
    need_sid prometheus-nginx-exporter prometheus-nginx-exporter
    need_command redis-server "to be asked by its exporter" redis-server
    need_command nginx "to be asked by its exporter" nginx
    need_command openssl "for the certificate that is watched" openssl
    need_command nodejs "to hold dashboards against Grafana's types" node
    need_command npm "to install Grafana's types" npm
    need_types
}

# need_types: what scripts/deploy/monitoring-npm pins, from npm, by checksum.
need_types() {
    local from=$PWD/scripts/deploy/monitoring-npm into=$tools/monitoring-npm
    cmp -s "$from/package-lock.json" "$into/installed.json" && return
    say "Installing Grafana's types below target/"
    rm -rf "$into"
    mkdir -p "$into"
    cp "$from"/package*.json "$into"
    npm ci --prefix "$into" --ignore-scripts --no-audit --no-fund --loglevel=error ||
        fail "the types of scripts/deploy/monitoring-npm cannot be installed" "See above; then run $0 again."
    cp "$into/package-lock.json" "$into/installed.json"
}

check_monitoring_yaml() {
    yamllint --strict -d '{extends: default, rules: {line-length: disable, document-start: disable, braces: disable, comments: {min-spaces-from-content: 1}}}' \
        monitoring docker-compose.yml docker-compose.prod.yml
}

check_monitoring_prometheus() { promtool check config --lint=all --lint-fatal monitoring/prometheus.yml monitoring/prometheus.dev.yml; }

check_monitoring_rules() {
    promtool check rules --lint=all --lint-fatal monitoring/alerts/*.rules.yml
    echo "# $(cat monitoring/alerts/*.rules.yml | grep -c 'alert:') alerts"
}

check_monitoring_tests() {
    promtool test rules monitoring/alerts/*.test.yml
    echo "# $(cat monitoring/alerts/*.test.yml | grep -c -- '- name:') tests"
}

check_monitoring_alerts() { python3 scripts/deploy/alerts.py; }

check_monitoring_receivers() {
    amtool check-config monitoring/alertmanager.yml
    local severity receiver
    while read -r severity receiver; do
        [[ $(amtool config routes test --config.file monitoring/alertmanager.yml "severity=$severity" alertname=X) == "$receiver" ]] ||
            { echo "$severity does not reach $receiver" && return 1; }
    done <<'TEXT'
critical slack-and-mail
warning slack
info slack
unknown slack
TEXT
    echo "# 4 routes"
}

check_monitoring_probes() { prometheus-blackbox-exporter --config.check --config.file=monitoring/blackbox.yml; }

check_monitoring_dashboards() {
    python3 monitoring/grafana/make_dashboards.py --check
    echo "# $(find monitoring/grafana/dashboards -name '*.json' | wc -l) dashboards are what their script and the runbook make"
}

check_monitoring_types() { python3 scripts/deploy/typed.py "$tools/monitoring-npm"; }

check_monitoring_expressions() { python3 scripts/deploy/expressions.py; }

check_monitoring_live() { python3 scripts/deploy/scrape_live.py "$(realpath target/debug/quiz-stats)"; }
