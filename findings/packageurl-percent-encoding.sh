#!/usr/bin/env bash
# One purl, two canonical texts: the case of percent-encoding depends on the library, and in one of
# them on the part of the purl.
#
# packageurl-python 0.17.6, packageurl-js 2.0.1 (npm).
# Expected: a purl has one canonical form, so that two tools that name the same package write the
#   same text and SBOMs can be compared and joined by it.
# Behaviour: packageurl-python encodes the name first and then, for the types whose names are lower
#   case (apk among them), lowers what it encoded: `libstdc++` becomes `libstdc%2b%2b`, while the
#   version beside it keeps `%2B`. packageurl-js writes `%2B` in the name, `+` in the version, and
#   `%2F` in qualifiers where the other leaves `/`. Each reads the other's text to the same parts.
# Seen:
#   python      pkg:apk/wolfi/libstdc%2b%2b@14%2Bgit?repository_url=example.com/apk
#   javascript  pkg:apk/wolfi/libstdc%2B%2B@14+git?repository_url=example.com%2Fapk
#   parts       equal
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check packageurl-python==0.17.6
npm install --silent --no-audit --no-fund --no-save --prefix . packageurl-js@2.0.1 >/dev/null

purl='pkg:apk/wolfi/libstdc++@14+git?repository_url=example.com/apk'
python=$(venv/bin/python -c '
import sys
from packageurl import PackageURL
print(PackageURL.from_string(sys.argv[1]))' "$purl")
javascript=$(node -e '
const { PackageURL } = require("packageurl-js");
console.log(PackageURL.fromString(process.argv[1]).toString());' "$purl")
{
    echo "python      $python"
    echo "javascript  $javascript"
    venv/bin/python -c '
import sys
from packageurl import PackageURL
one, other = map(PackageURL.from_string, sys.argv[1:])
print("parts      ", "equal" if one == other else "different")' "$python" "$javascript"
} | tee seen

diff - seen <<'SEEN'
python      pkg:apk/wolfi/libstdc%2b%2b@14%2Bgit?repository_url=example.com/apk
javascript  pkg:apk/wolfi/libstdc%2B%2B@14+git?repository_url=example.com%2Fapk
parts       equal
SEEN
