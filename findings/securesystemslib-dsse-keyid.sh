#!/usr/bin/env bash
# DSSE calls `keyid` an optional hint; here it decides whether a right signature is looked at.
#
# securesystemslib 1.6.0 (the library below python-tuf and in-toto).
# Expected: verifying an envelope with one key tries that key. The key id may be absent, and says
#   nothing that is trusted, as the protocol of DSSE has it.
# Behaviour: a signature is only tried where its keyid equals the one that securesystemslib itself
#   derives (a SHA-256 over its own JSON of the key). With "", or with the id that another tool
#   gave the same key, the right signature is not found; without a keyid, parsing ends in a bare
#   KeyError.
# Seen:
#   own keyid: verified
#   empty keyid: VerificationError
#   another tool's keyid: VerificationError
#   no keyid: KeyError
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'securesystemslib[crypto]==1.6.0'

venv/bin/python - <<'PY' | tee seen
import copy

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner

signer = CryptoSigner.generate_ecdsa()
envelope = Envelope(b"{}", "application/vnd.in-toto+json", {})
envelope.sign(signer)
own = envelope.to_dict()


def said(keyid):
    document = copy.deepcopy(own)
    if keyid is None:
        del document["signatures"][0]["keyid"]
    else:
        document["signatures"][0]["keyid"] = keyid
    try:
        Envelope.from_dict(document).verify([signer.public_key], 1)
        return "verified"
    except (KeyError, VerificationError) as error:
        return type(error).__name__


print("own keyid:", said(signer.public_key.keyid))
print("empty keyid:", said(""))
print("another tool's keyid:", said("SHA256:6a8c9qXk0m3b"))
print("no keyid:", said(None))
PY

diff - seen <<'SEEN'
own keyid: verified
empty keyid: VerificationError
another tool's keyid: VerificationError
no keyid: KeyError
SEEN
