# The image, built and run; the compose files, read by their tool, held to rules of ours and brought up; a drill of losing Redis. Official
# images are out of reach of a machine that has package registries alone: the base is made of Debian's packages.
# shellcheck shell=bash disable=SC2016,SC2034

containers_checks=(dockerfiles compose variables secrets backup image stack)
# By hand before a release: a quarter of an hour.
containers_full=(stages scraper)
containers_faults=(
    'Dockerfile|s/^USER 10001:10001/USER root/|dockerfiles'
    'Dockerfile|s/^FROM debian:bookworm-slim/FROM debian/|dockerfiles'
    'Dockerfile|s/COPY --from=build/COPY --from=biuld/|dockerfiles'
    'Dockerfile|s#benches/load/main.rs#benches/load.rs#|dockerfiles'
    'scraper.Dockerfile|s/^ENTRYPOINT .*/ENTRYPOINT tini/|dockerfiles'
    'docker-compose.yml|s/condition: service_healthy/condition: service_health/|compose'
    'docker-compose.prod.yml|s/secrets: \[tls.crt, tls.key\]/secrets: [tls.crt, tls.kee]/|compose'
    'docker-compose.prod.yml|s/networks: \[scraping, egress\]/networks: [scrapping, egress]/|compose'
    'docker-compose.prod.yml|s/read_only: true/read_only: false/|compose'
    'docker-compose.prod.yml|s#127.0.0.1:\$\{GRAFANA#0.0.0.0:${GRAFANA#|compose'
    '.env.example|s/^BACKEND_REPLICAS/BACKEND_REPLICA/|variables'
    'docker-compose.prod.yml|s/REDIS_URL_FILE:/REDIS_URI_FILE:/|variables'
    'scripts/make-secrets|s/put redis_url/put redis_uri/|secrets'
    'docker-compose.prod.yml|s#backups:/data#backups:/backups#; s#BACKUP_FOLDER: /data#BACKUP_FOLDER: /backups#|stack'
    'docker-compose.prod.yml|s/exec redis-server/redis-server/|stack'
    'docker-compose.prod.yml|s/networks: \[frontend, monitoring\]/networks: [monitoring]/|stack'
    'k8s/base/backup-redis.sh|s/-mtime "\+\$keep_days" -delete/-mtime "+$keep_days"/|backup'
    'k8s/base/backup-redis.sh|s#redis-cli -h "\$host" -p "\$port" --rdb "\$folder/.\$name"#touch "$folder/.$name"#|backup'
)

need_containers() {
    need_wheels containers
    need_sid docker-compose docker-compose
    need_command python3-yaml "to read the compose files" python3
    python3 -c 'import yaml' 2>/dev/null || install_packages "to read the compose files" python3-yaml
    need_command openssl "for certificates to try them with" openssl
    need_command redis-server "to lose it and get it back" redis-server
    need_command redis-tools "to back it up" redis-cli
    need_command curl "to ask the servers" curl
    ((EUID == 0)) || return 0
    need_command buildah "to build the images" buildah
    need_command podman "to run the images" podman
    need_command runc "to run the images" runc
    [[ -e /usr/lib/podman/netavark ]] || install_packages "to give containers a network" netavark aardvark-dns
    need_command debootstrap "to make the base image" debootstrap
    need_sid docker.io dockerd
    need_sid containerd containerd containerd-shim-runc-v2
    need_command iptables "for the networks of the compose files" iptables
    need_command iproute2 "for a network of their own" ip
    need_command tini "for the containers' first process" tini
}

check_containers_dockerfiles() {
    hadolint --failure-threshold warning --ignore DL3008 Dockerfile scraper.Dockerfile
    # The last user is not root.
    local file
    for file in Dockerfile scraper.Dockerfile; do
        [[ $(grep '^USER ' "$file" | tail -n 1) == 'USER 10001:10001' ]] || { echo "$file: runs as root" && return 1; }
    done
    # What stands in for the program while its dependencies are built are the files that the real ones will overwrite.
    for file in $(grep -o 'for file in [^;]*' Dockerfile | cut -d' ' -f4-) src/lib.rs; do
        [[ -e $file ]] || { echo "Dockerfile: makes $file, which the project has not" && return 1; }
    done
    echo "# hadolint finds nothing"
}

check_containers_compose() {
    local profile
    for profile in '' local-ai monitoring; do
        COMPOSE_PROFILES=$profile docker-compose -f docker-compose.yml config --quiet
    done
    docker-compose -f docker-compose.prod.yml config --quiet
    docker-compose -f docker-compose.prod.yml config --format json | python3 scripts/deploy/compose_rules.py
}

check_containers_variables() { python3 scripts/deploy/compose_variables.py "$PWD/target/debug/quiz-stats"; }

check_containers_secrets() {
    local folder file
    folder=$(mktemp -d)
    scripts/make-secrets "$folder/secrets"
    # Each that the compose file names is made.
    while read -r file; do
        [[ -e $folder/secrets/$file ]] || { echo "make-secrets makes no $file" && return 1; }
    done < <(grep -o 'file: \./secrets/[a-z_.]*' docker-compose.prod.yml | cut -d/ -f3)
    cp -r "$folder/secrets" "$folder/before"
    scripts/make-secrets "$folder/secrets"
    diff -r "$folder/before" "$folder/secrets"
    [[ $(cat "$folder/secrets/redis_url") == *"$(cat "$folder/secrets/redis_password")"* ]]
    openssl x509 -in "$folder/secrets/tls.crt" -noout -checkend 86400
    rm -rf "$folder"
    echo "# all are made, once"
}

check_containers_backup() { scripts/drill-backup "$(realpath target/debug/quiz-stats)"; }

check_containers_image() { scripts/deploy/try-image; }

check_containers_stack() { scripts/deploy/try-compose; }

check_containers_stages() { scripts/deploy/try-stages; }

check_containers_scraper() { scripts/deploy/try-compose --scraper; }
