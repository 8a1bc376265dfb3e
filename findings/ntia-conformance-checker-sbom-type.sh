#!/usr/bin/env bash
# No SPDX 2.3 document can pass the check of CISA's or BSI's list, though the checker takes them.
#
# ntia-conformance-checker 6.0.0 (the SPDX project's own).
# Expected: SPDX 2.x is its default, and `fsct3-min` and `bsi` can be asked of it. So a valid document
#   in SPDX 2.3 that states everything on CISA's list can be conformant, and BSI's rows say what they
#   found in the document.
# Behaviour: the SBOM's type is read in SPDX 3 alone, which has a field for it; for SPDX 2.3 it is
#   always missing, wherever the document tells it. The same content as SPDX 3.0.1 is conformant.
#   Many of BSI's rows are fixed for SPDX 2.3, whatever it holds: the SBOM's creator is missing
#   although it has an address, and the file names are there although no file is told of.
# Seen:
#   SPDX 2.3: valid True
#     ntia: conformant True
#     fsct3-min: conformant False, misses SBOM generation context (SBOM type) provided?
#     bsi: conformant False, creator False, file names True
#   SPDX 3.0.1: valid True
#     ntia: conformant True
#     fsct3-min: conformant True
#     bsi: conformant False, creator True, file names False
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ntia-conformance-checker==6.0.0

venv/bin/python - <<'PY' | tee seen
import json
from pathlib import Path

from ntia_conformance_checker import SbomChecker

TIME = "2026-01-01T00:00:00Z"
AT = "https://example.com/sbom"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
AUTHOR = "Organization: Example (sbom@example.com)"
PARTS = ["app", "library"]

edges = [
    ("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-app"),
    ("SPDXRef-app", "DEPENDS_ON", "SPDXRef-library"),
]
spdx2 = {
    "spdxVersion": "SPDX-2.3",
    "dataLicense": "CC0-1.0",
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": "app",
    "documentNamespace": AT,
    "comment": "SBOM type: Build",
    "creationInfo": {"created": TIME, "creators": [AUTHOR], "comment": "SBOM type: Build"},
    "packages": [
        {
            "SPDXID": f"SPDXRef-{name}",
            "name": name,
            "versionInfo": "1.0",
            "supplier": AUTHOR,
            "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False,
            "checksums": [{"algorithm": "SHA256", "checksumValue": SHA256}],
            "licenseConcluded": "MIT",
            "licenseDeclared": "MIT",
            "copyrightText": "Copyright Example",
            "externalRefs": [
                {
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": f"pkg:generic/{name}@1.0",
                }
            ],
        }
        for name in PARTS
    ],
    "relationships": [
        {"spdxElementId": of, "relationshipType": kind, "relatedSpdxElement": to}
        for of, kind, to in edges
    ],
}


def element(kind, key, **more):
    return {"type": kind, "spdxId": f"{AT}#{key}", "creationInfo": "_:creation", **more}


def edge(of, kind, to):
    ends = {"from": f"{AT}#{of}", "relationshipType": kind, "to": [f"{AT}#{to}"]}
    return element("Relationship", f"{of}-{kind}", **ends)


address = {
    "type": "ExternalIdentifier",
    "externalIdentifierType": "email",
    "identifier": "sbom@example.com",
}
elements = [
    element("Organization", "author", name="Example", externalIdentifier=[address]),
    element("simplelicensing_LicenseExpression", "mit", simplelicensing_licenseExpression="MIT"),
    edge("app", "dependsOn", "library"),
]
for name in PARTS:
    stated = {
        "name": name,
        "software_packageVersion": "1.0",
        "suppliedBy": f"{AT}#author",
        "verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": SHA256}],
        "software_copyrightText": "Copyright Example",
        "software_packageUrl": f"pkg:generic/{name}@1.0",
    }
    elements.append(element("software_Package", name, **stated))
    elements.append(edge(name, "hasConcludedLicense", "mit"))
    elements.append(edge(name, "hasDeclaredLicense", "mit"))
sbom = element(
    "software_Sbom",
    "sbom",
    rootElement=[f"{AT}#app"],
    element=[part["spdxId"] for part in elements],
    software_sbomType=["build"],
)
root = [sbom["spdxId"]]
creation = {
    "type": "CreationInfo",
    "@id": "_:creation",
    "specVersion": "3.0.1",
    "created": TIME,
    "createdBy": [f"{AT}#author"],
}
document = element(
    "SpdxDocument", "document", rootElement=root, element=root + sbom["element"], name="app"
)
spdx3 = {
    "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
    "@graph": [creation, *elements, sbom, document],
}

for name, spec, stated in ("SPDX 2.3", "spdx2", spdx2), ("SPDX 3.0.1", "spdx3", spdx3):
    Path(f"{spec}.json").write_text(json.dumps(stated))
    checks = {
        standard: SbomChecker(f"{spec}.json", compliance=standard, sbom_spec=spec)
        for standard in ("ntia", "fsct3-min", "bsi")
    }
    errors = [(check.parsing_errors, check.validation_messages) for check in checks.values()]
    print(f"{name}: valid", all(error == ([], []) for error in errors))
    for standard, check in checks.items():
        rows = dict(check.table_elements)
        said = f"conformant {check.compliant}"
        if standard == "bsi":
            said += f", creator {rows['Creator of the SBOM']}"
            said += f", file names {rows['Distribution Filenames']}"
        elif not check.compliant:
            said += ", misses " + ", ".join(row for row, found in rows.items() if not found)
        print(f"  {standard}: {said}")
PY

diff - seen <<'SEEN'
SPDX 2.3: valid True
  ntia: conformant True
  fsct3-min: conformant False, misses SBOM generation context (SBOM type) provided?
  bsi: conformant False, creator False, file names True
SPDX 3.0.1: valid True
  ntia: conformant True
  fsct3-min: conformant True
  bsi: conformant False, creator True, file names False
SEEN
