#!/usr/bin/env bash
# A trusted root with the field names of its protobuf definition is read as an empty one by npm's
# @sigstore/protobuf-specs, and in full by PyPI's sigstore-protobuf-specs.
#
# @sigstore/protobuf-specs 0.5.2 (npm), sigstore-protobuf-specs 0.5.0 (PyPI), made of the same definitions.
# Expected: ProtoJSON lets a writer choose between lowerCamelCase (baseUrl) and the original names
#   (base_url: preserving_proto_field_name in Python, UseProtoNames in Go), and has every parser accept
#   both. So both packages read both forms, or one of them raises an error.
# Behaviour: the Python package reads both. fromJSON of the npm package knows only lowerCamelCase, and what
#   it does not know it drops without an error: the log is there, without address, hash or key, and the
#   media type is empty. A file that one tool of the family has written is a file without logs to another.
# Seen (media type, address and hash algorithm of the first log):
#   python camel application/vnd.dev.sigstore.trustedroot+json;version=0.1 https://log.example 1
#   python proto application/vnd.dev.sigstore.trustedroot+json;version=0.1 https://log.example 1
#   npm camel application/vnd.dev.sigstore.trustedroot+json;version=0.1 https://log.example 1
#   npm proto (empty) (empty) 0
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check sigstore-protobuf-specs==0.5.0
npm install --silent --no-audit --no-fund --ignore-scripts @sigstore/protobuf-specs@0.5.2 >/dev/null

cat >camel.json <<'JSON'
{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
 "tlogs": [{"baseUrl": "https://log.example", "hashAlgorithm": "SHA2_256"}]}
JSON
cat >proto.json <<'JSON'
{"media_type": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
 "tlogs": [{"base_url": "https://log.example", "hash_algorithm": "SHA2_256"}]}
JSON

venv/bin/python - <<'PY' >seen
from sigstore_protobuf_specs.dev.sigstore.trustroot.v1 import TrustedRoot

for form in ("camel", "proto"):
    with open(f"{form}.json", encoding="utf-8") as file:
        root = TrustedRoot().from_json(file.read())
    log = root.tlogs[0]
    print("python", form, root.media_type, log.base_url, int(log.hash_algorithm))
PY
node - <<'JS' >>seen
const { readFileSync } = require('node:fs');
const { TrustedRoot } = require('@sigstore/protobuf-specs');
for (const form of ['camel', 'proto']) {
  const root = TrustedRoot.fromJSON(JSON.parse(readFileSync(`${form}.json`)));
  const [log] = root.tlogs;
  console.log('npm', form, root.mediaType || '(empty)', log.baseUrl || '(empty)', log.hashAlgorithm);
}
JS
cat seen

type='application/vnd.dev.sigstore.trustedroot+json;version=0.1'
diff - seen <<END
python camel $type https://log.example 1
python proto $type https://log.example 1
npm camel $type https://log.example 1
npm proto (empty) (empty) 0
END
