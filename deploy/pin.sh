#!/usr/bin/env bash
# Pulls the images of docker-compose.yml and writes them to .env by their digests, so that what was
# looked at is what runs until this is called again. Needs Docker and its registries.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pinned=$(mktemp)
trap 'rm -f "$pinned"' EXIT
# What somebody else put into .env stays.
if [ -e .env ]; then
    grep -vE '^(POSTGRES|MINIO|NGINX)_IMAGE=' .env >"$pinned" || true
fi

pin() {
    docker pull --quiet "$2" >/dev/null
    local digest
    digest=$(docker image inspect --format '{{index .RepoDigests 0}}' "$2")
    printf '%s_IMAGE=%s\n' "$1" "$digest" | tee -a "$pinned"
}

pin POSTGRES docker.io/library/postgres:17.6-bookworm
pin MINIO cgr.dev/chainguard/minio:latest
pin NGINX docker.io/nginxinc/nginx-unprivileged:1.28.0-alpine
mv "$pinned" .env
trap - EXIT
