#!/usr/bin/env bash
# An upload that was stored counts as failed, and is sent again, because its ETag is no MD5.
#
# s3cmd 2.4.0.
# Expected: an answer of 200 to a put says that the object is stored. Its ETag is opaque: in S3 it
#   is no MD5 of the body where KMS or a customer's key encrypts.
# Behaviour: an ETag without a dash is taken for the MD5 of what was sent. If it differs, the body is
#   sent again, as often as `--max-retries` says, and the exit code is not 0. The one exception is an
#   answer that says `aws:kms`: with `aws:kms:dsse` or a customer's key, the ETag is held to be an MD5
#   as well. A dash anywhere in it, and all is well.
# Seen:
#   MD5: exit 0, sent 1 times
#   no MD5: exit 2, sent 3 times
#   no MD5, with a dash: exit 0, sent 1 times
#   no MD5, aws:kms: exit 0, sent 1 times
#   no MD5, aws:kms:dsse: exit 2, sent 3 times
#   no MD5, customer's key: exit 2, sent 3 times
#   said: ERROR: Upload of 'body' failed too many times (Last reason: MD5 sums of sent and received
#     files don't match!)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check s3cmd==2.4.0

venv/bin/python - <<'PY' | tee seen
import hashlib
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BODY = b"some bytes"
MD5 = hashlib.md5(BODY).hexdigest()
OPAQUE = hashlib.sha256(BODY).hexdigest()[:32]
ENCRYPTION = "x-amz-server-side-encryption"
LOCATION = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'
)
CASES = {
    "MD5": (MD5, {}),
    "no MD5": (OPAQUE, {}),
    "no MD5, with a dash": (f"{OPAQUE}-1", {}),
    "no MD5, aws:kms": (OPAQUE, {ENCRYPTION: "aws:kms"}),
    "no MD5, aws:kms:dsse": (OPAQUE, {ENCRYPTION: "aws:kms:dsse"}),
    "no MD5, customer's key": (OPAQUE, {f"{ENCRYPTION}-customer-algorithm": "AES256"}),
}


class Store(BaseHTTPRequestHandler):
    """As much of S3 as a put needs: where the bucket is, and 200 for the object."""

    protocol_version = "HTTP/1.1"
    headers_of_put = {}
    stored = []

    def do_GET(self):
        self.answer({"Content-Type": "application/xml"}, LOCATION)

    def do_PUT(self):
        self.stored.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(self.headers_of_put, b"")

    def answer(self, headers, body):
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


store = ThreadingHTTPServer(("127.0.0.1", 0), Store)
threading.Thread(target=store.serve_forever, daemon=True).start()
host = f"127.0.0.1:{store.server_port}"
Path("body").write_bytes(BODY)
command = [
    *("venv/bin/s3cmd", "--config=/dev/null", "--no-ssl", "--no-progress", "--max-retries=2"),
    *("--access_key=a", "--secret_key=b", f"--host={host}", f"--host-bucket={host}"),
    *("put", "body", "s3://bucket/key"),
]
for case, (etag, headers) in CASES.items():
    Store.headers_of_put = {"ETag": f'"{etag}"', **headers}
    Store.stored.clear()
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert set(Store.stored) == {BODY}, Store.stored
    print(f"{case}: exit {ran.returncode}, sent {len(Store.stored)} times")
print("said:", ran.stderr.strip().splitlines()[-1])
PY

diff - seen <<'SEEN'
MD5: exit 0, sent 1 times
no MD5: exit 2, sent 3 times
no MD5, with a dash: exit 0, sent 1 times
no MD5, aws:kms: exit 0, sent 1 times
no MD5, aws:kms:dsse: exit 2, sent 3 times
no MD5, customer's key: exit 2, sent 3 times
said: ERROR: Upload of 'body' failed too many times (Last reason: MD5 sums of sent and received files don't match!)
SEEN
