#!/usr/bin/env bash
# Makes the secrets of docker-compose.yml in deploy/secrets/, once: new ones, that nobody else can
# read. Running it again changes nothing. To replace them, delete the directory and the volumes.
set -euo pipefail
umask 077
cd "$(dirname "${BASH_SOURCE[0]}")"

if [ -e secrets ]; then
    echo "deploy/secrets is there already: nothing to do"
    exit 0
fi

# 256 bits, in characters that need no quoting in addresses and files.
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

made=$(mktemp -d ./secrets.XXXXXX)
trap 'rm -rf "$made"' EXIT
database=$(random)
objects=$(random)
cat >"$made/postgres.env" <<END
POSTGRES_USER=wavetank
POSTGRES_DB=wavetank
POSTGRES_PASSWORD=$database
END
cat >"$made/minio.env" <<END
MINIO_ROOT_USER=wavetank
MINIO_ROOT_PASSWORD=$objects
END
cat >"$made/wavetank.env" <<END
DATABASE_URL=postgres://wavetank:$database@postgres:5432/wavetank
S3_ENDPOINT=http://minio:9000
S3_BUCKET=wavetank
S3_ACCESS_KEY=wavetank
S3_SECRET_KEY=$objects
WAVETANK_TOKEN_KEY=$(random)
END
mv "$made" secrets
trap - EXIT
echo "wrote deploy/secrets/: keep it out of backups that others can read"
