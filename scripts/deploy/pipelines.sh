# The workflows, by three readers with different eyes; secrets in the tree and its history.
# shellcheck shell=bash disable=SC2016,SC2034

pipelines_checks=(actionlint zizmor schemas pins deployment secrets)
pipelines_faults=(
    '.github/workflows/cd.yml|s/needs: images/needs: image/|actionlint'
    '.github/workflows/security-scan.yml|s/17 4 \* \* \*/77 4 * * */|actionlint'
    '.github/workflows/cd.yml|s/steps.backend.outputs.digest/steps.backends.outputs.digest/|actionlint'
    '.github/workflows/ci.yml|s/^permissions: \{\}/permissions: write-all/|zizmor'
    '.github/workflows/cd.yml|s/\$\{REF_NAME#v\}/${{ github.head_ref }}/|zizmor'
    '.github/workflows/ci.yml|s/timeout-minutes: 60/timeout-minute: 60/|schemas'
    '.github/dependabot.yml|s/interval: weekly/interval: sometimes/|schemas'
    '.github/workflows/ci.yml|s/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8/checkout@v5/|pins'
    'scripts/deploy-kubernetes|s/digest: \$BACKEND/digest: $BACKENDS/|deployment'
    'scripts/deploy-kubernetes|s#"\$ADDRESS/readyz"#"$ADDRESS/readyx"#|deployment'
    'README.md|s/^# quiz-stats.*/hooks: https:\/\/hooks.slack.com\/services\/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/|secrets'
)

need_pipelines() {
    need_wheels pipelines
    need_sid gitleaks gitleaks
    need_sid kubectl kubectl
    need_command shellcheck "to read the workflows' scripts" shellcheck
}

check_pipelines_actionlint() { actionlint .github/workflows/*.yml; }

check_pipelines_zizmor() { zizmor --config .github/zizmor.yml --offline --no-progress --pedantic --min-severity medium .github; }

check_pipelines_schemas() {
    check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
    check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
}

# An action is what was looked at, and not what its tag means tomorrow.
check_pipelines_pins() {
    local loose
    loose=$(grep -rhn 'uses:' .github/workflows | grep -vE '@[0-9a-f]{40} # v?[0-9]+' || true)
    [[ -z $loose ]] || { printf 'not pinned by a commit:\n%s\n' "$loose" && return 1; }
    echo "# $(grep -rh 'uses:' .github/workflows | wc -l) uses, all by commit"
}

# scripts/deploy-kubernetes on a cluster and an address that only note what is asked of them.
check_pipelines_deployment() { scripts/deploy/try-deployment; }

check_pipelines_secrets() {
    local copy
    copy=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$copy'" EXIT
    # What would be committed, and not what was built.
    find . -mindepth 1 -maxdepth 1 ! -name target ! -name .git ! -name fuzz ! -name data ! -name secrets -exec cp -r -t "$copy" {} +
    gitleaks dir --config .gitleaks.toml --no-banner --redact --log-level warn "$copy"
    if [[ -e .git ]]; then
        gitleaks git --config .gitleaks.toml --no-banner --redact --log-level warn .
        echo "# none in the tree, none in $(git rev-list --count HEAD) commits"
    fi
}
