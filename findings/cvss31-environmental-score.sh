#!/usr/bin/env bash
# A CVSS 3.1 vector that says nothing of the environment has an environmental score other than its
# base score, sometimes of another severity, in either direction.
#
# cvss 3.6 (PyPI).
# Expected: metrics that are not given are "Not Defined", which is to change nothing: the
#   environmental score is the base score, and a tool may read either.
# Behaviour: for a changed scope, version 3.1 gave the modified impact a formula of its own
#   (0.9731 and a power of 13, where the base score has 1 and 15), and it applies without any
#   modification too. Of the 2,592 base vectors 80 get another score, 5 of them another severity.
#   The same vectors of version 3.0 all keep theirs.
# Seen:
#   3.0: 0 of 2592 differ, 0 in severity
#   3.1: 80 of 2592 differ, 5 in severity
#   CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H: 9.9 Critical, 10.0 Critical
#   CVSS:3.1/AV:P/AC:H/PR:L/UI:R/S:C/C:H/I:H/A:H: 6.9 Medium, 7.0 High
#   CVSS:3.1/AV:P/AC:H/PR:L/UI:N/S:C/C:H/I:H/A:L: 7.0 High, 6.9 Medium
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check cvss==3.6

venv/bin/python - <<'PY' | tee seen
import itertools

from cvss import CVSS3

METRICS = {
    "AV": "NALP",
    "AC": "LH",
    "PR": "NLH",
    "UI": "NR",
    "S": "UC",
    "C": "NLH",
    "I": "NLH",
    "A": "NLH",
}
for version in ("3.0", "3.1"):
    scores = severities = 0
    vectors = list(itertools.product(*METRICS.values()))
    for values in vectors:
        parts = (f"{metric}:{value}" for metric, value in zip(METRICS, values))
        vector = CVSS3(f"CVSS:{version}/" + "/".join(parts))
        base, _, environmental = vector.severities()
        scores += vector.base_score != vector.environmental_score
        severities += base != environmental
    print(f"{version}: {scores} of {len(vectors)} differ, {severities} in severity")
for text in (
    "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H",
    "CVSS:3.1/AV:P/AC:H/PR:L/UI:R/S:C/C:H/I:H/A:H",
    "CVSS:3.1/AV:P/AC:H/PR:L/UI:N/S:C/C:H/I:H/A:L",
):
    vector = CVSS3(text)
    base, _, environmental = zip(vector.scores(), vector.severities())
    print(f"{text}: {base[0]} {base[1]}, {environmental[0]} {environmental[1]}")
PY

diff - seen <<'SEEN'
3.0: 0 of 2592 differ, 0 in severity
3.1: 80 of 2592 differ, 5 in severity
CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H: 9.9 Critical, 10.0 Critical
CVSS:3.1/AV:P/AC:H/PR:L/UI:R/S:C/C:H/I:H/A:H: 6.9 Medium, 7.0 High
CVSS:3.1/AV:P/AC:H/PR:L/UI:N/S:C/C:H/I:H/A:L: 7.0 High, 6.9 Medium
SEEN
