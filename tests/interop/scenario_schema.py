"""Judges scenario files (JSON, which is YAML) by a JSON Schema, with the reference implementation.

    scenario_schema.py SCHEMA FILE...

Prints an object: why each file was refused, or null.
"""

import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match


def main(schema, *files):
    schema = json.loads(Path(schema).read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    said = {}
    for file in files:
        error = best_match(validator.iter_errors(json.loads(Path(file).read_text())))
        said[Path(file).name] = error and f"{error.json_path}: {error.message}"[:300]
    print(json.dumps(said))


main(*sys.argv[1:])
