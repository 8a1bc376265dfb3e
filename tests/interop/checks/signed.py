"""Signed documents: the bundle's form, its statement, its signature, and cosign's verdict."""

import base64
import json
import os
import shutil
import subprocess
import tempfile

from .export import PREDICATE_TYPES, blob, image, load_key, require

PAYLOAD_TYPE = "application/vnd.in-toto+json"
# cosign's own names where it takes no URI.
COSIGN_TYPES = {"provenance": "slsaprovenance1", "cyclonedx": "cyclonedx", "openvex": "openvex"}
# The document beside a bundle that the statement must hold (provenance: the whole statement).
ATTESTED = {"spdx": "sbom.spdx.json", "cyclonedx": "sbom.cdx.json", "openvex": "openvex.json"}


def form(bundle):
    """The bundle as Sigstore's own models read it, which refuse what they do not know."""
    from sigstore_models.bundle.v1 import Bundle

    Bundle.from_json(bundle.path.read_text())


def trusted_root(export):
    """The trusted root names the log's key, in Sigstore's own models."""
    from sigstore_models.trustroot.v1 import TrustedRoot

    root = TrustedRoot.from_json((export.path / "trusted_root.json").read_text())
    _, log_id = export.key("log.pem")
    named = [log.log_id.key_id for log in root.tlogs]
    require(named == [log_id], "it names another log than keys/log.pem")
    _, signer_id = export.key("signer.pem")
    said = export.world()["signer_key_id"].removeprefix("sha256:")
    require(said == signer_id.hex(), "keys/signer.pem is not the signer of world.json")


def statement(bundle):
    """The in-toto Statement, by in-toto's own library; unknown fields are refused."""
    from google.protobuf import json_format
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement

    parsed = json_format.Parse(bundle.payload(), statement_pb2.Statement())
    Statement.copy_from_pb(parsed).validate()


def provenance(bundle):
    """The predicate as SLSA's protobuf; unknown fields are refused. The required ones are there."""
    from google.protobuf import json_format
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2

    predicate = bundle.statement()["predicate"]
    parsed = json_format.ParseDict(predicate, provenance_pb2.Provenance())
    require(parsed.build_definition.build_type, "no buildType")
    require(len(parsed.build_definition.external_parameters), "no externalParameters")
    require(parsed.run_details.builder.id, "no builder.id")


def subject(bundle):
    """The statement is about the image in whose directory it is, and nothing else."""
    expected = image(bundle.version)
    subjects = bundle.statement()["subject"]
    require(len(subjects) == 1, f"{len(subjects)} subjects")
    digest = f"sha256:{subjects[0]['digest']['sha256']}"
    require(digest == expected["digest"], f"the subject is {digest}")
    require(subjects[0]["name"].endswith(f"/{expected['name']}"), "the subject has another name")


def predicate_type(bundle):
    """The statement says what the bundle's name promises."""
    found = bundle.statement()["predicateType"]
    require(found == PREDICATE_TYPES[bundle.kind], f"the predicate type is {found}")


def document(bundle):
    """The document beside the bundle is the one that was signed."""
    if bundle.kind in ATTESTED:
        beside = json.loads((bundle.version / ATTESTED[bundle.kind]).read_bytes())
        require(beside == bundle.statement()["predicate"], f"{ATTESTED[bundle.kind]} differs")
    elif bundle.kind == "provenance":
        beside = (bundle.version / "provenance.json").read_bytes()
        require(beside == bundle.payload(), "provenance.json differs")


def key_file(bundle):
    return bundle.version.parents[2] / "keys/signer.pem"


def dsse(bundle):
    """The envelope's signature, by securesystemslib."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey

    envelope = bundle.json()["dsseEnvelope"]
    require(envelope["payloadType"] == PAYLOAD_TYPE, "another payload type")
    keyid = envelope["signatures"][0]["keyid"]
    pem = key_file(bundle).read_text()
    key = SSlibKey(keyid, "ecdsa", "ecdsa-sha2-nistp256", {"public": pem})
    Envelope.from_dict(envelope).verify([key], 1)


def openssl(bundle):
    """The envelope's signature, by openssl over the pre-authentication encoding."""
    envelope = bundle.json()["dsseEnvelope"]
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
    pae = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    (signature,) = envelope["signatures"]
    with tempfile.NamedTemporaryFile() as file:
        file.write(base64.b64decode(signature["sig"]))
        file.flush()
        command = ["openssl", "dgst", "-sha256", "-verify", key_file(bundle)]
        run([*command, "-signature", file.name], pae)


def hint(bundle):
    """The bundle's hint names the signer's key."""
    _, signer_id = load_key(key_file(bundle))
    said = bundle.json()["verificationMaterial"]["publicKey"]["hint"]
    require(said.removeprefix("sha256:") == signer_id.hex(), f"the hint is {said}")


def cosign_path():
    """Where cosign is: in COSIGN, or on the path."""
    return os.environ.get("COSIGN") or shutil.which("cosign")


def cosign(bundle, kind=None):
    """All of it offline, by cosign: signature, log entry, subject and predicate type."""
    root = bundle.version.parents[2]
    kind = kind or COSIGN_TYPES.get(bundle.kind, PREDICATE_TYPES[bundle.kind])
    options = {"--key": key_file(bundle), "--bundle": bundle.path, "--type": kind}
    options["--trusted-root"] = root / "trusted_root.json"
    flags = [part for option in options.items() for part in option]
    manifest = blob(bundle.version, image(bundle.version)["digest"])
    run([cosign_path(), "verify-blob-attestation", *flags, manifest], b"")


def cosign_minds_types(bundle):
    """Whether this cosign compares predicate types. Before 2.6.3 and 3.0.6 it did not, for bundles
    of the new format (GHSA-w6c6-c85g-mmv6)."""
    try:
        cosign(bundle, "https://example.com/another-type")
    except ValueError as refused:
        return "predicate type" in str(refused)
    return False


def run(command, data):
    """Runs a program; its last line is the reason if it fails."""
    result = subprocess.run(command, input=data, capture_output=True, timeout=60)
    lines = (result.stdout + result.stderr).decode(errors="replace").strip().splitlines()
    require(result.returncode == 0, f"{command[0]}: {lines[-1] if lines else 'failed'}")
