"""Unsigned documents: SBOMs, OpenVEX, OSV, OCI, and the purls and scores in all of them."""

import functools
import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

from .export import blob, image, require

SCHEMAS = Path(__file__).parent.parent / "schemas"


@functools.cache
def cyclonedx_validator():
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return JsonStrictValidator(SchemaVersion.V1_6)


def cyclonedx(path):
    """The strict schema of CycloneDX 1.6, by OWASP's own library."""
    error = cyclonedx_validator().validate_str(path.read_text())
    require(error is None, str(error and error.data.message))


def spdx(path):
    """SPDX 2.3 by the SPDX project's tools: parsed, and validated in full."""
    from spdx_tools.spdx.jsonschema.document_converter import DocumentConverter
    from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    document = json.loads(path.read_bytes())
    parsed = JsonLikeDictParser().parse(document)
    messages = validate_full_spdx_document(parsed, "SPDX-2.3")
    require(not messages, "; ".join(message.validation_message for message in messages))
    understood(document, DocumentConverter().convert(parsed))


def openvex(path):
    """OpenVEX by vexipy, which fills in what is missing: so the required fields are asked for."""
    from vexipy import Document

    document = json.loads(path.read_bytes())
    require(document.get("@context") == "https://openvex.dev/ns/v0.2.0", "another @context")
    for field in ("@id", "author", "timestamp", "version", "statements"):
        require(document.get(field), f"no {field}")
    require(type(document["version"]) is int, "version is not an integer")
    parsed = Document.from_json(path.read_text())
    understood(document, parsed.model_dump(mode="json", by_alias=True, exclude_unset=True))


def understood(document, again):
    """Libraries that drop what they do not know must give back every field they were given."""
    require(fields(document) == fields(again), "it has fields that the format does not have")


def fields(value):
    """The structure of a document without its values."""
    if isinstance(value, dict):
        return {key: fields(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [fields(inner) for inner in value]
    return None


@functools.cache
def osv_validator():
    from jsonschema import Draft202012Validator

    schema = json.loads((SCHEMAS / "osv/schema.json").read_bytes())
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def osv(path):
    """The JSON schema of OSV; the file is named after its record."""
    record = json.loads(path.read_bytes())
    osv_validator().validate(record)
    require(record["id"] == path.stem, f"the record is {record['id']}")


@functools.cache
def oci_validator(name):
    from jsonschema import Draft4Validator
    from referencing import Registry
    from referencing.jsonschema import DRAFT4

    registry, schemas = Registry(), {}
    for path in SCHEMAS.glob("oci/*.json"):
        schema = schemas[path.stem] = json.loads(path.read_bytes())
        resource = DRAFT4.create_resource(schema)
        # References are by file name, relative to wherever the schema's id stands.
        for base in ("", "schema/", "schema/image/"):
            base = base and f"https://opencontainers.org/{base}"
            registry = registry.with_resource(base + path.name, resource)
    return Draft4Validator(schemas[name], registry=registry)


def oci(version):
    """An image layout: schemas, digests, sizes, and a layer that lists what the SBOM lists."""

    def read(descriptor):
        data = blob(version, descriptor["digest"]).read_bytes()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        require(digest == descriptor["digest"], f"a blob is {digest}, not {descriptor['digest']}")
        require(len(data) == descriptor["size"], f"{digest} has another size")
        return data

    def load(schema, data):
        document = json.loads(data)
        oci_validator(schema).validate(document)
        return document

    load("image-layout-schema", (version / "oci/oci-layout").read_bytes())
    index = load("image-index-schema", (version / "oci/index.json").read_bytes())
    digests = {descriptor["digest"] for descriptor in index["manifests"]}
    require(digests == {image(version)["digest"]}, "the index names another image")
    manifest = load("image-manifest-schema", read(index["manifests"][0]))
    config = load("config-schema", read(manifest["config"]))
    layers = [gzip.decompress(read(layer)) for layer in manifest["layers"]]
    diff_ids = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    require(diff_ids == config["rootfs"]["diff_ids"], "diff_ids are not those of the layers")
    sbom = json.loads((version / "sbom.cdx.json").read_bytes())
    listed = {
        (part["name"], part["version"]) for part in sbom["components"] if part["type"] == "library"
    }
    require(installed(layers[-1]) == listed, "the layer lists other packages than the SBOM")


def installed(layer):
    """Names and versions in apk's database."""
    archive = tarfile.open(fileobj=io.BytesIO(layer))
    text = archive.extractfile("lib/apk/db/installed").read().decode()
    packages = (
        dict(line.split(":", 1) for line in block.splitlines() if line[1:2] == ":")
        for block in text.strip().split("\n\n")
    )
    return {(package["P"], package["V"]) for package in packages if package}


def strings(value):
    """Every string in a document."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def purls(document):
    """Every purl in a document means the same once it is read and written again."""
    from packageurl import PackageURL

    count = 0
    for text in strings(document):
        if text.startswith("pkg:"):
            purl = PackageURL.from_string(text)
            again = PackageURL.from_string(purl.to_string())
            require(purl == again, f"{text} is read as {purl}")
            written = text.rpartition("@")[2].partition("?")[0] if "@" in text else None
            require(purl.version in (None, written), f"{text}: version {purl.version}")
            count += 1
    return count


def score(vector, claimed, severity):
    """Score and severity of a CVSS 3.1 vector, by Red Hat's library."""
    from cvss import CVSS3

    known = CVSS3(vector)
    found = f"{known.scores()[0]:.1f}", known.severities()[0].lower()
    require(found == (claimed, severity), f"{vector} is {found}, not {(claimed, severity)}")


def osv_scores(path):
    """The scores of an OSV record, which stand beside its vectors."""
    record = json.loads(path.read_bytes())
    said = record["database_specific"]
    for severity in record["severity"]:
        score(severity["score"], said["cvss_score"], said["severity"])
    return len(record["severity"])


def scan_scores(bundle):
    """The scores in the result of a scan."""
    found = bundle.statement()["predicate"]["scanner"]["result"]["vulnerabilities"]
    for vulnerability in found:
        score(vulnerability["cvssVector"], vulnerability["score"], vulnerability["severity"])
    return len(found)
