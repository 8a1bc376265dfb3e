#!/usr/bin/env bash
# Is null a value of `{type: string, enum: [x], nullable: true}`? Tools of OpenAPI 3.0 disagree.
#
# openapi-typescript 7.13.0, openapi-python-client 0.29.1, openapi-schema-validator 0.9.0.
# Expected: one document, one answer, whether it generates types or validates.
# Behaviour: OpenAPI 3.0.3 says that null has to be in `enum` as well, and that `nullable` counts only
#   where `type` stands beside it. The TypeScript type has null for the enum, the Python type and the
#   validator have not. Beside `allOf` both generators take null, and the validator refuses it.
# Seen:
#   enum: typescript null, python no null, validator no null
#   allOf: typescript null, python null, validator no null
#   plain: typescript null, python null, validator null
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openapi-python-client==0.29.1 \
    openapi-schema-validator==0.9.0
npm install --silent --no-audit --no-fund --no-save --prefix . \
    openapi-typescript@7.13.0 typescript@5.9.3 >/dev/null

cat >document.json <<'JSON'
{
  "openapi": "3.0.3",
  "info": {"title": "Things", "version": "1"},
  "paths": {},
  "components": {"schemas": {
    "Color": {"type": "string", "enum": ["red"]},
    "Thing": {"type": "object", "required": ["enum", "allOf", "plain"], "properties": {
      "enum": {"type": "string", "enum": ["x"], "nullable": true},
      "allOf": {"allOf": [{"$ref": "#/components/schemas/Color"}], "nullable": true},
      "plain": {"type": "string", "nullable": true}
    }}
  }}
}
JSON
echo 'post_hooks: []' >config.yml
node_modules/.bin/openapi-typescript document.json --output types.ts >/dev/null 2>&1
venv/bin/openapi-python-client generate --path document.json --output-path client --meta none \
    --config config.yml >/dev/null

venv/bin/python - <<'PY' | tee seen
import json
import re
from pathlib import Path

from openapi_schema_validator import OAS30Validator

typescript = Path("types.ts").read_text()
python = Path("client/models/thing.py").read_text().split("class Thing:")[1]
document = json.loads(Path("document.json").read_text())
schemas = document["components"]["schemas"]


def said(takes_null):
    return "null" if takes_null else "no null"


for name, schema in schemas["Thing"]["properties"].items():
    in_python = {"enum": "enum", "allOf": "all_of", "plain": "plain"}[name]
    in_typescript = re.search(rf"^\s+{name}: (.*);$", typescript, re.M)[1]
    in_python = re.search(rf"^    {in_python}: (.*)$", python, re.M)[1]
    # The validator follows no reference here: the referenced schema stands in its place.
    if "allOf" in schema:
        schema = {**schema, "allOf": [schemas["Color"]]}
    print(
        f"{name}: typescript {said('null' in in_typescript)}, python {said('None' in in_python)},",
        f"validator {said(OAS30Validator(schema).is_valid(None))}",
    )
PY

diff - seen <<'SEEN'
enum: typescript null, python no null, validator no null
allOf: typescript null, python null, validator no null
plain: typescript null, python null, validator null
SEEN
