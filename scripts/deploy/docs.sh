# The documents: every link within the project leads somewhere, every file and command of ours that they name is there.
# shellcheck shell=bash disable=SC2016,SC2034

docs_checks=(links)
docs_faults=(
    'docs/deployment.md|s/\(kubernetes.md\)/(kubernetis.md)/|links'
    'docs/runbook.md|s/\(#higherrorrate\)/(#higherrorrates)/|links'
    'docs/backup.md|s#`scripts/drill-backup`#`scripts/drill-backups`#|links'
    'README.md|s#docker-compose.prod.yml#docker-compose.production.yml#|links'
)

need_docs() { need_command python3 "to follow the links" python3; }

check_docs_links() { python3 scripts/deploy/links.py; }
