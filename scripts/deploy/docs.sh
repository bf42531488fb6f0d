# The documents: every link within the project leads somewhere, every file, subcommand, option and service that they name is there.
# shellcheck shell=bash disable=SC2016,SC2034

docs_checks=(links commands)
docs_faults=(
    'docs/deployment.md|s/\(kubernetes.md\)/(kubernetis.md)/|links'
    'docs/runbook.md|s/\(#higherrorrate\)/(#higherrorrates)/|links'
    'docs/backup.md|s#`scripts/drill-backup`#`scripts/drill-backups`#|links'
    'README.md|s#docker-compose.prod.yml#docker-compose.production.yml#|links'
    'README.md|s/quiz-stats scrape https/quiz-stats scrap https/|commands'
    'docs/backup.md|s/--keep 7$/--kept 7/|commands'
    'docs/deployment.md|s/^docker compose -f docker-compose.prod.yml/docker compose -f docker-compose.live.yml/|commands'
    'docs/kubernetes.md|s/†//|commands'
)

need_docs() {
    need_command python3-yaml "to read the documents" python3
    python3 -c 'import yaml' 2>/dev/null || install_packages "to read the documents" python3-yaml
}

check_docs_links() { python3 scripts/deploy/links.py; }

# The program is the one that the tests have built.
check_docs_commands() { python3 scripts/deploy/commands.py target/debug/quiz-stats README.md docs/*.md; }
