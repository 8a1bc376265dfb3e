#!/usr/bin/env bash
# Reading a valid SBOM and writing it again loses a third of it, without a word.
#
# cyclonedx-python-lib 11.12.0 (the OWASP CycloneDX project's own).
# Expected: `Bom.from_json` of a document that the library's strict validator accepts holds all of
#   it, or warns, and `JsonV1Dot6` writes it back.
# Behaviour: what has no class in the model is dropped: compositions, annotations, formulation,
#   declarations, a component's model card, a vulnerability's rejection. `dependsOn: []`, which says
#   "known to need nothing", is written as no statement at all. No exception, no warning.
# Seen:
#   valid before: True
#   lost: /annotations /components/0/modelCard /compositions /declarations
#     /dependencies/0/dependsOn /formulation /vulnerabilities/0/rejected
#   valid after: True
#   warnings: 0
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'cyclonedx-python-lib[json-validation]==11.12.0'

venv/bin/python - <<'PY' | tee seen
import json
import warnings

from cyclonedx.model.bom import Bom
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

TIME = "2026-01-01T00:00:00+00:00"
document = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "version": 1,
    "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
    "metadata": {"timestamp": TIME},
    "components": [
        {
            "type": "machine-learning-model",
            "bom-ref": "model",
            "name": "model",
            "modelCard": {"modelParameters": {"task": "ranking"}},
        }
    ],
    "dependencies": [{"ref": "model", "dependsOn": []}],
    "compositions": [{"aggregate": "complete", "assemblies": ["model"]}],
    "annotations": [
        {
            "subjects": ["model"],
            "annotator": {"organization": {"name": "Example"}},
            "timestamp": TIME,
            "text": "Checked by hand.",
        }
    ],
    "formulation": [{"workflows": [{"bom-ref": "build", "uid": "1", "taskTypes": ["build"]}]}],
    "declarations": {"assessors": [{"bom-ref": "assessor", "thirdParty": True}]},
    "vulnerabilities": [{"bom-ref": "v", "id": "CVE-2026-1000001", "rejected": TIME}],
}


def lost(before, after, at=""):
    if isinstance(before, dict):
        for key, value in before.items():
            if key not in after:
                yield f"{at}/{key}"
            else:
                yield from lost(value, after[key], f"{at}/{key}")
    elif isinstance(before, list):
        for index, value in enumerate(before):
            yield from lost(value, after[index], f"{at}/{index}")
    else:
        assert before == after, (at, before, after)


validator = JsonStrictValidator(SchemaVersion.V1_6)
print("valid before:", validator.validate_str(json.dumps(document)) is None)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    written = JsonV1Dot6(Bom.from_json(document)).output_as_string()
print("lost:", *sorted(lost(document, json.loads(written))))
print("valid after:", validator.validate_str(written) is None)
print("warnings:", len(caught))
PY

diff - seen <<'SEEN'
valid before: True
lost: /annotations /components/0/modelCard /compositions /declarations /dependencies/0/dependsOn /formulation /vulnerabilities/0/rejected
valid after: True
warnings: 0
SEEN
