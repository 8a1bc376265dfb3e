#!/usr/bin/env bash
# The same instant in another time zone gets another signature, which verifies nowhere.
#
# standardwebhooks 1.1.0 (PyPI).
# Expected: `sign` of an aware datetime signs its Unix time; equal datetimes, equal signatures. An
#   aware local time (`datetime.now().astimezone()`) is as good as one in UTC.
# Behaviour: `sign` replaces the time zone by UTC instead of converting to it. 14:00+02:00 is signed
#   as 14:00 UTC, two hours off; the receiver, who takes the Unix time of the header, finds no
#   matching signature. It works in development wherever the clock runs on UTC.
# Seen:
#   equal instants: True
#   verified when signed in UTC: True
#   verified when signed in +02:00: False (No matching signature found)
#   signed in +02:00 as: two hours later in UTC
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check standardwebhooks==1.1.0

venv/bin/python - <<'PY' | tee seen
from base64 import b64encode
from datetime import datetime, timedelta, timezone

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(b64encode(b"0123456789abcdef01234567").decode())
utc = datetime.now(timezone.utc).replace(microsecond=0)
local = utc.astimezone(timezone(timedelta(hours=2)))
body = '{"type": "test"}'


def verified(instant):
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(instant.timestamp())),
        "webhook-signature": webhook.sign("msg_1", instant, body),
    }
    try:
        webhook.verify(body, headers)
        return "True"
    except WebhookVerificationError as error:
        return f"False ({error})"


print("equal instants:", utc == local)
print("verified when signed in UTC:", verified(utc))
print("verified when signed in +02:00:", verified(local))
if webhook.sign("msg_1", local, body) == webhook.sign("msg_1", utc + timedelta(hours=2), body):
    print("signed in +02:00 as: two hours later in UTC")
PY

diff - seen <<'SEEN'
equal instants: True
verified when signed in UTC: True
verified when signed in +02:00: False (No matching signature found)
signed in +02:00 as: two hours later in UTC
SEEN
