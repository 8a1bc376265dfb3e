#!/usr/bin/env bash
# A description inside `allOf` takes operations out of a generated client, and the generator succeeds.
#
# openapi-python-client 0.29.1.
# Expected: `allOf: [{$ref}, {description}]` means the same as `allOf: [{$ref}]` with the description
#   beside it: a schema without a type restricts nothing. What cannot be generated is an error.
# Behaviour: where the reference leads to an enum, the first form is refused as "allOf a non-object".
#   The schema around it is dropped, then every operation whose body uses it, and the type of every
#   response that does. The exit code is 0 (`--fail-on-warning` makes it 1).
# Seen:
#   inside: exit 0, operations: list_orders, listed: Any
#   beside: exit 0, operations: create_order list_orders, listed: Order
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openapi-python-client==0.29.1

venv/bin/python - <<'PY'
import json

size = {"$ref": "#/components/schemas/Size"}
order = {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}
forms = {
    "inside": {"allOf": [size, {"description": "How large."}]},
    "beside": {"allOf": [size], "description": "How large."},
}
for name, form in forms.items():
    listed = {"200": {"description": "The last order.", "content": order}}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "Orders", "version": "1"},
        "paths": {
            "/orders": {
                "get": {"operationId": "listOrders", "responses": listed},
                "post": {
                    "operationId": "createOrder",
                    "requestBody": {"required": True, "content": order},
                    "responses": {"201": {"description": "Created."}},
                },
            }
        },
        "components": {
            "schemas": {
                "Size": {"type": "string", "enum": ["small", "large"]},
                "Order": {"type": "object", "required": ["size"], "properties": {"size": form}},
            }
        },
    }
    with open(f"{name}.json", "w") as file:
        json.dump(document, file)
PY
echo 'post_hooks: []' >config.yml

for form in inside beside; do
    code=0
    venv/bin/openapi-python-client generate --path "$form.json" --output-path "$form" --meta none \
        --config config.yml >/dev/null 2>&1 || code=$?
    operations=$(find "$form/api/default" -name '[a-z]*.py' -exec basename {} .py \; | sort | xargs)
    listed=$(sed -nE 's/.*_build_response.* -> Response\[(.*)\]:$/\1/p' \
        "$form/api/default/list_orders.py")
    echo "$form: exit $code, operations: $operations, listed: $listed"
done | tee seen

diff - seen <<'SEEN'
inside: exit 0, operations: list_orders, listed: Any
beside: exit 0, operations: create_order list_orders, listed: Order
SEEN
