#!/usr/bin/env bash
# A declared and a concluded licence cannot both be expressions, even where the schema takes them.
#
# cyclonedx-python-lib 11.12.0 (the OWASP CycloneDX project's own).
# Expected: `acknowledgement` tells a declared licence from a concluded one, and expressions have it
#   too. So a component can carry one of each, as it can with two licence ids; and the library can
#   write what its validator accepts and its model reads.
# Behaviour: 1.6 takes any number of licence ids or names, or else exactly one expression; an
#   expression beside an id is refused too. 1.7 lifted that. The library validates and reads such a
#   document of 1.7, and raises LicenseExpressionAlongWithOthersException when it is to write it,
#   as 1.7 as well.
# Seen:
#   two ids: 1.6 valid, written; 1.7 valid, written
#   one expression: 1.6 valid, written; 1.7 valid, written
#   expression and id: 1.6 invalid; 1.7 valid, LicenseExpressionAlongWithOthersException
#   two expressions: 1.6 invalid; 1.7 valid, LicenseExpressionAlongWithOthersException
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    'cyclonedx-python-lib[json-validation]==11.12.0'

venv/bin/python - <<'PY' | tee seen
import json

from cyclonedx.exception.model import LicenseExpressionAlongWithOthersException
from cyclonedx.model.bom import Bom
from cyclonedx.output.json import JsonV1Dot6, JsonV1Dot7
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

VERSIONS = {"1.6": (SchemaVersion.V1_6, JsonV1Dot6), "1.7": (SchemaVersion.V1_7, JsonV1Dot7)}
DECLARED = {"acknowledgement": "declared"}
CONCLUDED = {"acknowledgement": "concluded"}
declared_id = {"license": {"id": "Apache-2.0", **DECLARED}}
concluded_id = {"license": {"id": "MIT", **CONCLUDED}}
declared_expression = {"expression": "Apache-2.0 OR MIT", **DECLARED}
concluded_expression = {"expression": "MIT", **CONCLUDED}
CASES = {
    "two ids": [declared_id, concluded_id],
    "one expression": [declared_expression],
    "expression and id": [declared_expression, concluded_id],
    "two expressions": [declared_expression, concluded_expression],
}


def said(version, licenses):
    schema, output = VERSIONS[version]
    component = {"type": "library", "bom-ref": "a", "name": "a", "licenses": licenses}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "version": 1,
        "components": [component],
        "dependencies": [{"ref": "a", "dependsOn": []}],
    }
    if JsonStrictValidator(schema).validate_str(json.dumps(document)):
        return "invalid"
    bom = Bom.from_json(document)
    try:
        written = json.loads(output(bom).output_as_string())
    except LicenseExpressionAlongWithOthersException as error:
        return f"valid, {type(error).__name__}"
    (component,) = written["components"]
    assert len(component["licenses"]) == len(licenses), component
    assert all(one in component["licenses"] for one in licenses), component
    return "valid, written"


for case, licenses in CASES.items():
    print(f"{case}:", "; ".join(f"{version} {said(version, licenses)}" for version in VERSIONS))
PY

diff - seen <<'SEEN'
two ids: 1.6 valid, written; 1.7 valid, written
one expression: 1.6 valid, written; 1.7 valid, written
expression and id: 1.6 invalid; 1.7 valid, LicenseExpressionAlongWithOthersException
two expressions: 1.6 invalid; 1.7 valid, LicenseExpressionAlongWithOthersException
SEEN
