#!/usr/bin/env bash
# Keeps what the tests of later releases need of this one: a small world that it made
# (tests/upgrade/fixtures/VERSION) and the checksums of its migrations (migrations/released.txt).
# CONTRIBUTING.md, "How to release", says when. It needs pg_dump, Python 3, GNU tar.
#
#     scripts/release-fixture.sh VERSION            # once, when VERSION is complete
#     scripts/release-fixture.sh VERSION --again    # as long as VERSION is not published
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:?usage: scripts/release-fixture.sh VERSION [--again]}
out=tests/upgrade/fixtures/$version
largest=1000000
# The world is played to the first, asked for things there, kept at the second; tests go on from
# there to the third.
asked_at=1d kept_at=2d goes_on_to=3d

fail() {
    printf 'release-fixture: %s\n' "$*" >&2
    exit 1
}

if [ -e "$out" ] && [ "${2:-}" != --again ]; then
    fail "$out exists: what was published never changes (if it was not: --again)"
fi
cargo build --locked --quiet --bin wavetank
wavetank=${CARGO_TARGET_DIR:-target}/debug/wavetank
said=$("$wavetank" --version)
kernel=$(sed -n "s/^wavetank $version (kernel \(.*\))$/\1/p" <<<"$said")
[ -n "$kernel" ] || fail "this is $said, not $version: set the version in Cargo.toml first"

work=$(mktemp -d)
services= api=
end() {
    # shellcheck disable=SC2086
    [ -z "$api$services" ] || kill $api $services 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap end EXIT
# The embedded PostgreSQL runs as another user when this is root.
chmod 755 "$work"
unset DATABASE_URL S3_ENDPOINT S3_BUCKET S3_ACCESS_KEY S3_SECRET_KEY WAVETANK_DATA_DIR

play() {
    "$wavetank" run tests/upgrade/scenario.yaml --data-dir "$work/data" --until "$1" --format json
}

# Starts the services of the world; `lent COMMAND` runs a command that uses them.
lend() {
    : >"$work/settings"
    "$wavetank" services --data-dir "$work/data" >"$work/settings" 2>"$work/services.log" &
    services=$!
    until [ "$(wc -l <"$work/settings")" -ge 5 ]; do
        kill -0 "$services" || fail "the services do not start: $(cat "$work/services.log")"
        sleep 0.1
    done
}
lent() (
    # shellcheck disable=SC1091
    . "$work/settings"
    "$@"
)
give_back() {
    kill "$services"
    wait "$services" || true
    services=
}

play "$asked_at" >/dev/null
lend
lent "$wavetank" api-key create fixture --role admin >"$work/key"
(
    # shellcheck disable=SC1091
    . "$work/settings"
    exec "$wavetank" serve --listen 127.0.0.1:0
) 2>"$work/api.log" &
api=$!
until grep -qs "pages at" "$work/api.log"; do
    kill -0 "$api" || fail "the API does not start: $(cat "$work/api.log")"
    sleep 0.1
done
base=$(sed -n 's/.*pages at \(http:[^ ,]*\)\/,.*/\1/p' "$work/api.log")
python3 - "$base" "$work/key" tests/upgrade/requests.json <<'PYTHON'
"""Asks a world for what requests.json says, in that order."""
import json
import sys
import urllib.request

base, key, requests = sys.argv[1:]


def post(path, body, token=None):
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(base + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


with open(key) as file:
    token = post("/v1/auth/token", {"api_key": file.read().strip()})["access_token"]
with open(requests) as file:
    for asked in json.load(file):
        post(asked["path"], asked["body"], token)
PYTHON
kill "$api"
wait "$api" || true
api=
give_back

digest=$(play "$kept_at" | sed -n 's/.*"digest": "\([0-9a-f]*\)".*/\1/p')
[ -n "$digest" ] || fail "the world was not played to $kept_at"
lend
# Plain SQL that any client and any later server understands: without what only psql reads, and
# without settings that servers before version 17 do not know.
dump() { pg_dump --no-owner --inserts --rows-per-insert=100 "$DATABASE_URL"; }
lent dump | sed -E '/^\\(un)?restrict /d; /^SET transaction_timeout/d' >"$work/database.sql"
give_back

mkdir -p "$out"
cp tests/upgrade/scenario.yaml tests/upgrade/requests.json "$out/"
# Without the key of the S3 endpoint: each endpoint makes its own.
tar --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
    --exclude=s3/credentials.json \
    --directory="$work" database.sql --directory="$work/data" s3 | gzip -9n >"$out/world.tar.gz"
bytes=$(wc -c <"$out/world.tar.gz")
[ "$bytes" -lt "$largest" ] || fail "$out/world.tar.gz has $bytes bytes; at most $largest"
cat >"$out/fixture.json" <<JSON
{
  "release": "$version",
  "kernel_version": "$kernel",
  "asked_at": "$asked_at",
  "kept_at": "$kept_at",
  "goes_on_to": "$goes_on_to",
  "digest": "$digest"
}
JSON

list=migrations/released.txt
touch "$list"
grep -v "^$version " "$list" >"$work/released.txt" || true
for file in migrations/*.sql; do
    name=$(basename "$file")
    if ! grep -q " $name " "$work/released.txt"; then
        printf '%s %s %s\n' "$version" "$name" "$(sha384sum "$file" | cut -d' ' -f1)" \
            >>"$work/released.txt"
    fi
done
cp "$work/released.txt" "$list"
printf '%s: %s bytes, kernel %s, digest %s\n' "$out" "$bytes" "$kernel" "$digest"
