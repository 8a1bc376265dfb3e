#!/usr/bin/env bash
# The library that compares package versions for advisories refuses some of Alpine's own.
#
# univers 32.0.1.
# Expected: AlpineLinuxVersion takes what apk takes: the version suffixes _alpha, _beta, _pre, _rc,
#   _cvs, _svn, _git, _hg and _p, and `~` with a commit's hash.
# Behaviour: only Gentoo's suffixes are known (_alpha, _beta, _pre, _rc, _p). Everything with _git
#   raises InvalidVersion, so the C library of Alpine 3.19 (musl 1.2.4_git20230717-r4) cannot be
#   compared with the version that fixes it; nor can one with _cvs, _svn, _hg or `~`.
# Seen:
#   1.2.4_rc1-r0           ok
#   1.2.4_p1-r0            ok
#   1.2.4_git20230717-r4   InvalidVersion
#   1.2.4_svn100-r0        InvalidVersion
#   1.2.4_hg20230717-r0    InvalidVersion
#   1.2.4_cvs20230717-r0   InvalidVersion
#   1.2.4~8a1b2c3-r0       InvalidVersion
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check univers==32.0.1

venv/bin/python - <<'PY' | tee seen
from univers.versions import AlpineLinuxVersion, InvalidVersion

suffixes = ("_rc1-r0", "_p1-r0", "_git20230717-r4", "_svn100-r0", "_hg20230717-r0")
for suffix in (*suffixes, "_cvs20230717-r0", "~8a1b2c3-r0"):
    version = f"1.2.4{suffix}"
    try:
        AlpineLinuxVersion(version)
        said = "ok"
    except InvalidVersion as error:
        said = type(error).__name__
    print(f"{version:<22} {said}")
PY

diff - seen <<'SEEN'
1.2.4_rc1-r0           ok
1.2.4_p1-r0            ok
1.2.4_git20230717-r4   InvalidVersion
1.2.4_svn100-r0        InvalidVersion
1.2.4_hg20230717-r0    InvalidVersion
1.2.4_cvs20230717-r0   InvalidVersion
1.2.4~8a1b2c3-r0       InvalidVersion
SEEN
