#!/usr/bin/env bash
# Every number of a predicate becomes a floating-point number on its way through the official types.
#
# in-toto-attestation 0.9.3 (the in-toto project's Python bindings), protobuf 7.36.2.
# Expected: a Statement read by the project's own types and written again says the same; integers
#   of a predicate stay integers, as in the JSON that was signed.
# Behaviour: the predicate is a protobuf `Struct`, which knows no integers. 1 is written as 1.0, and
#   9007199254740993 as 9007199254740992.0: another number. A verifier with a typed predicate (an
#   exit code, a size, a run id) refuses the first or silently takes the second. `validate` has no
#   objection.
# Seen:
#   valid: True
#   read:  {"attempt": 1, "run_id": 9007199254740993}
#   wrote: {"attempt": 1.0, "run_id": 9007199254740992.0}
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check in-toto-attestation==0.9.3 \
    protobuf==7.36.2

venv/bin/python - <<'PY' | tee seen
import json

from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

predicate = {"attempt": 1, "run_id": 9007199254740993}
document = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "image", "digest": {"sha256": "ab" * 32}}],
    "predicateType": "https://example.com/build/v1",
    "predicate": predicate,
}
read = json_format.Parse(json.dumps(document), statement_pb2.Statement())
print("valid:", Statement.copy_from_pb(read).validate() is None)
written = json.loads(json_format.MessageToJson(read))
print("read: ", json.dumps(predicate, sort_keys=True))
print("wrote:", json.dumps(written["predicate"], sort_keys=True))
PY

diff - seen <<'SEEN'
valid: True
read:  {"attempt": 1, "run_id": 9007199254740993}
wrote: {"attempt": 1.0, "run_id": 9007199254740992.0}
SEEN
