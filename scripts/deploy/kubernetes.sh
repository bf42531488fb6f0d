# Every overlay: built, held against the schemas of its objects, and read for what its objects say of each other.
# shellcheck shell=bash disable=SC2016,SC2034

kubernetes_checks=(production staging local autoscaling folder)
kubernetes_faults=(
    'k8s/base/backend.yaml|s/revisionHistoryLimit: 5/revisionHistoryLimits: 5/|production'
    'k8s/base/backend.yaml|s/replicas: 3/replicas: three/|production'
    'k8s/base/backend.yaml|s/httpGet: \{path: \/livez, port: http\}/httpGet: {path: \/livez, port: htp}/|production'
    'k8s/base/backend.yaml|s/maxReplicas: 10/maxReplicas: 2/|production'
    'k8s/base/backend.yaml|s/kind: Deployment, name: backend\}/kind: Deployment, name: backends}/|production'
    'k8s/base/backend.yaml|s/runAsNonRoot: true/runAsNonRoot: false/|production'
    'k8s/base/backend.yaml|s/terminationGracePeriodSeconds: 30/terminationGracePeriodSeconds: 10/|production'
    'k8s/base/backend.yaml|s/- \{key: redis_url, path: redis_url\}/- {key: redis_uri, path: redis_url}/|production'
    'k8s/base/scraper.yaml|s/readOnlyRootFilesystem: true/readOnlyRootFilesystem: false/|production'
    'k8s/base/scraper.yaml|s/limits: \{cpu: 2000m, memory: 2Gi\}/limits: {cpu: 2000m}/|production'
    'k8s/base/redis.yaml|s/serviceName: redis/serviceName: reddis/|production'
    'k8s/base/backup.yaml|s/claimName: backups/claimName: backup/|production'
    'k8s/base/backup.yaml|s/schedule: "0 2 /schedule: "0 25 /|production'
    'k8s/base/configmap.yaml|s/QUIZ_STATS__METRICS__BIND/QUIZ_STATS__METRICS__BINDS/|production'
    'k8s/base/networkpolicies.yaml|s/10.0.0.0\/8, 100/100/|production'
    'k8s/base/networkpolicies.yaml|s/, port: 6379\}/, port: 6378}/|production'
    'k8s/base/networkpolicies.yaml|s/reason: backends alone have pages read/why: backends/|production'
    'k8s/overlays/production/ingress.yaml|s/port: \{name: http\}/port: {name: https}/|production'
    'k8s/overlays/production/monitoring.yaml|s/port: metrics/prot: metrics/|production'
    'k8s/overlays/staging/kustomization.yaml|s/minReplicas, value: 2/minReplicas, value: 5/|staging'
    'k8s/overlays/local/kustomization.yaml|s/resources:/resource:/|local'
    'k8s/components/pipeline-autoscaling/kustomization.yaml|s/averageValue: "32"/averageValues: "32"/|autoscaling'
    'k8s/use-an-overlay.yaml|s/kind: ConfigMap/kind: ConfigMaps/|folder'
)

need_kubernetes() {
    need_wheels kubernetes
    need_sid kubectl kubectl
}

# kubernetes_overlay FOLDER
kubernetes_overlay() {
    local built
    built=$(mktemp)
    kubectl kustomize "$1" >"$built"
    python3 scripts/deploy/manifests.py "$built" "$(realpath target/debug/quiz-stats)"
    rm -f "$built"
}

check_kubernetes_production() { kubernetes_overlay k8s/overlays/production; }

check_kubernetes_staging() { kubernetes_overlay k8s/overlays/staging; }

check_kubernetes_local() { kubernetes_overlay k8s/overlays/local; }

# The optional component, on production.
check_kubernetes_autoscaling() {
    # kustomize wants its bases by relative paths.
    folder=$(mktemp -d k8s/overlays/tried.XXXXXX)
    # shellcheck disable=SC2064
    trap "rm -rf '$folder'" EXIT
    printf 'resources: [../production]\ncomponents: [../../components/pipeline-autoscaling]\n' >"$folder/kustomization.yaml"
    kubernetes_overlay "$folder"
    python3 -c 'import yaml; yaml.safe_load(open("k8s/components/pipeline-autoscaling/adapter-rules.yaml"))["rules"]["custom"][0]["metricsQuery"]'
}

# `kubectl apply -f k8s/` reads one file, and it says what to do.
check_kubernetes_folder() {
    [[ $(find k8s -maxdepth 1 -name '*.y*ml') == k8s/use-an-overlay.yaml ]]
    python3 scripts/deploy/manifests.py k8s/use-an-overlay.yaml "$(realpath target/debug/quiz-stats)"
}
