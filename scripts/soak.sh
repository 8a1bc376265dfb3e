#!/usr/bin/env bash
# Plays simulated months of a scenario as fast as the machine can, with retention, and says for each
# how large the world is on disk and the program in memory. It fails when the disk grows beyond a
# limit, or the memory by more than a tenth over the last half.
#
#   scripts/soak.sh [MONTHS] [SCENARIO]      24 months of scenarios/four-weeks.yaml when absent
#
# WAVETANK   the program, target/release/wavetank when absent
# KEEP       how long history is kept, 28d when absent
# LIMIT_MB   the most that the data directory may have, 5000 when absent
# DATA       the data directory; a new one in /tmp, removed at the end, when absent
set -euo pipefail

months=${1:-24}
scenario=${2:-scenarios/four-weeks.yaml}
wavetank=${WAVETANK:-target/release/wavetank}
limit_mb=${LIMIT_MB:-5000}
data=${DATA:-$(mktemp -d /tmp/wavetank-soak-XXXXXX)}
chmod 755 "$data" # the private PostgreSQL drops its rights
log=$data.log

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
metrics=127.0.0.1:$(free_port)

"$wavetank" demo "$scenario" --until "$((months * 30))d" --pace 0 --keep "${KEEP:-28d}" \
    --listen "127.0.0.1:$(free_port)" --metrics-address "$metrics" --data-dir "$data" 2>"$log" &
pid=$!
finish() {
    kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
    if [ -z "${DATA:-}" ]; then rm -rf "$data"; fi
}
trap finish EXIT

# Whole simulated days that are done, or nothing while nobody answers.
days_done() {
    curl -fs "http://$metrics/metrics" | awk '
        /^wavetank_world_starts_simulated_seconds / { from = $2 }
        /^wavetank_world_materialized_through_simulated_seconds / { to = $2 }
        END { if (from > 0) printf "%d\n", (to - from) / 86400 }' || true
}

printf '%5s %9s %9s %9s %9s\n' month wall_s disk_mb rss_mb pg_mb
began=$SECONDS
month=1
most_mb=0
least_kb=0
most_kb=0
while [ "$month" -le "$months" ]; do
    sleep 1
    if ! kill -0 "$pid" 2>/dev/null; then
        echo "the program ended in month $month:" >&2
        tail -n 20 "$log" >&2
        exit 1
    fi
    days=$(days_done)
    if [ "${days:-0}" -lt $((month * 30)) ]; then continue; fi
    disk_mb=$( (du -sm "$data" 2>/dev/null || true) | cut -f1) # files come and go
    rss_kb=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
    # What the server's processes have for themselves; what they share is counted once.
    pg_kb=$(for status in /proc/[0-9]*/smaps_rollup; do
        case "$(tr '\0' ' ' 2>/dev/null <"${status%smaps_rollup}cmdline")" in
            *postgres*) awk '/^Pss:/ { print $2 }' "$status" 2>/dev/null || true ;;
        esac
    done | awk '{ sum += $1 } END { print sum + 0 }')
    printf '%5d %9d %9d %9d %9d\n' "$month" "$((SECONDS - began))" "$disk_mb" \
        "$((rss_kb / 1024))" "$((pg_kb / 1024))"
    if [ "$disk_mb" -gt "$most_mb" ]; then most_mb=$disk_mb; fi
    if [ $((month * 2)) -gt "$months" ]; then
        if [ "$least_kb" -eq 0 ] || [ "$rss_kb" -lt "$least_kb" ]; then least_kb=$rss_kb; fi
        if [ "$rss_kb" -gt "$most_kb" ]; then most_kb=$rss_kb; fi
    fi
    month=$((month + 1))
done

echo "at most $most_mb MB on disk; in the last half $((least_kb / 1024)) to $((most_kb / 1024)) MB in memory"
if [ "$most_mb" -gt "$limit_mb" ]; then
    echo "FAILED: more than $limit_mb MB on disk" >&2
    exit 1
fi
if [ $((most_kb * 10)) -gt $((least_kb * 11)) ]; then
    echo "FAILED: memory grew by more than a tenth in the last half" >&2
    exit 1
fi
