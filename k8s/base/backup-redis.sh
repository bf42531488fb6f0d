#!/bin/sh
# Copies Redis into /backups while it runs, checks the copy, and keeps those of so many days.
#   backup-redis.sh        every day at BACKUP_HOUR_UTC (2), for ever
#   backup-redis.sh now    once
set -eu

host=${REDIS_HOST:-redis}
port=${REDIS_PORT:-6379}
password_file=${REDIS_PASSWORD_FILE:-/run/secrets/redis_password}
folder=${BACKUP_FOLDER:-/backups}
keep_days=${BACKUP_KEEP_DAYS:-7}
hour=${BACKUP_HOUR_UTC:-2}

backup() {
    name=redis-$(date -u +%Y%m%dT%H%M%SZ).rdb
    # By the environment: an argument would stand in the list of processes.
    if [ -e "$password_file" ]; then
        REDISCLI_AUTH=$(cat "$password_file")
        export REDISCLI_AUTH
    fi
    redis-cli -h "$host" -p "$port" --rdb "$folder/.$name" >/dev/null
    redis-check-rdb "$folder/.$name" >/dev/null
    mv "$folder/.$name" "$folder/$name"
    find "$folder" -name 'redis-*.rdb' -mtime "+$keep_days" -delete
    # For Prometheus, through node-exporter's text files.
    printf 'quiz_stats_backup_last_success_timestamp_seconds %s\n' "$(date +%s)" >"$folder/.quiz_stats_backup.prom"
    mv "$folder/.quiz_stats_backup.prom" "$folder/quiz_stats_backup.prom"
    echo "wrote $folder/$name, $(wc -c <"$folder/$name") bytes"
}

if [ "${1:-}" = now ]; then
    backup
    exit
fi
while :; do
    now=$(date -u +%s)
    next=$((now / 86400 * 86400 + hour * 3600))
    [ "$next" -gt "$now" ] || next=$((next + 86400))
    sleep "$((next - now))"
    # A night that fails is told by the alert on the backup's age.
    backup || echo "the backup failed" >&2
done
