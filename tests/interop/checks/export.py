"""An exported world on disk: where each document is, and how to read it."""

import base64
import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

FORMAT = "wavetank-export/1"
# The bundles of a version, and what each must say.
PREDICATE_TYPES = {
    "image-signature": "https://sigstore.dev/cosign/sign/v1",
    "provenance": "https://slsa.dev/provenance/v1",
    "spdx": "https://spdx.dev/Document",
    "cyclonedx": "https://cyclonedx.org/bom",
    "vuln": "https://cosign.sigstore.dev/attestation/vuln/v1",
    "openvex": "https://openvex.dev/ns",
}


def require(condition, reason):
    """The checks' assertion: `reason` is what the summary tells."""
    if not condition:
        raise ValueError(reason)


@dataclass(frozen=True)
class Bundle:
    """One Sigstore bundle. `version` is the directory of the image's version."""

    path: Path
    version: Path
    kind: str

    def json(self):
        return json.loads(self.path.read_bytes())

    def payload(self):
        return base64.b64decode(self.json()["dsseEnvelope"]["payload"], validate=True)

    def statement(self):
        return json.loads(self.payload())


@dataclass(frozen=True)
class Export:
    """The directory that `wavetank export` wrote."""

    path: Path

    def world(self):
        world = json.loads((self.path / "world.json").read_bytes())
        require(world["format"] == FORMAT, f"world.json: format is not {FORMAT}")
        return world

    def versions(self, only=None):
        """The versions' directories, in order; `only` is NAME/VERSION."""
        found = sorted(path.parent for path in self.path.glob("images/*/*/image.json"))
        if only:
            found = [path for path in found if "/".join(path.parts[-2:]) == only]
        require(found, f"{self.path}: no image{f' {only}' if only else ''} in it")
        return found

    def key(self, name):
        return load_key(self.path / "keys" / name)


@functools.cache
def load_key(path):
    """A public key and its id, which is the SHA-256 of its SubjectPublicKeyInfo."""
    key = load_pem_public_key(path.read_bytes())
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key, hashlib.sha256(der).digest()


def image(version):
    """What the export says of a version."""
    return json.loads((version / "image.json").read_bytes())


def bundles(version):
    """The bundles of a version's directory that are there."""
    paths = ((kind, version / "bundles" / f"{kind}.sigstore.json") for kind in PREDICATE_TYPES)
    return [Bundle(path, version, kind) for kind, path in paths if path.exists()]


def blob(version, digest):
    """Path of an image's blob."""
    algorithm, _, value = digest.partition(":")
    return version / "oci" / "blobs" / algorithm / value
