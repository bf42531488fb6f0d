# Both nginx configurations: read by nginx itself, and by a linter for what is valid and dangerous. That they do what they
# say is tried with real servers behind them in tests/it/proxy.rs.
# shellcheck shell=bash disable=SC2016,SC2034

nginx_checks=(development production lint)
nginx_faults=(
    'nginx/nginx.conf|s/least_conn;/least_con;/|development'
    'nginx/nginx.conf|s/\$rid \{/$rid/|development'
    'nginx/proxy.conf|s/proxy_connect_timeout 2s/proxy_connect_timeout 2x/|development'
    'nginx/nginx.prod.conf|s/zone=viewers:10m/zone=viewer:10m/|production'
    'nginx/nginx.prod.conf|s/limit_conn viewers 200/limit_conn viewer 200/|production'
    'nginx/nginx.prod.conf|s/TLSv1.2 TLSv1.3/TLSv1.2 TLSv1.4/|production'
    'nginx/addresses.conf|s#127.0.0.1/32 exempt;#127.0.0.1/33 exempt;#|production'
    'nginx/refusal.conf|s/nosniff always;/nosniff always/|production'
    'nginx/nginx.prod.conf|s#https://\$host\$request_uri#https://$host$uri#|lint'
    'nginx/nginx.prod.conf|s/server_tokens off/server_tokens on/|lint'
)

need_nginx() {
    PATH=$PATH:/usr/sbin
    need_command nginx "to read its configurations" nginx
    need_command openssl "for certificates to try them with" openssl
    need_wheels nginx
}

# nginx_reads FILE: with addresses of this machine, and a folder of its own.
nginx_reads() {
    local folder
    folder=$(mktemp -d)
    cp nginx/*.conf "$folder"
    scripts/make-secrets "$folder" >/dev/null
    sed -e 's#server backend:3000#server 127.0.0.1:3000#' -e "s#/run/secrets/#$folder/#" -e "s#/run/nginx.pid#$folder/nginx.pid#" \
        -e 's#include mime.types#include /etc/nginx/mime.types#' "nginx/$1" >"$folder/tried.conf"
    nginx -t -p "$folder" -c "$folder/tried.conf" -e stderr
    rm -rf "$folder"
    echo "# $(nginx -v 2>&1)"
}

check_nginx_development() { nginx_reads nginx.conf; }

check_nginx_production() { nginx_reads nginx.prod.conf; }

check_nginx_lint() {
    gixy nginx/nginx.conf nginx/nginx.prod.conf
    echo "# gixy finds nothing"
}
