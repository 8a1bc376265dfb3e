"""Minimum elements of SBOMs: what NTIA, CISA and BSI ask of every component and of the document."""

import json

from .export import require

# The one element of CISA's list that the checker reads in SPDX 3 alone; SPDX 2.3 has no field for it.
ONLY_SPDX_3 = "SBOM generation context (SBOM type) provided?"


def spdx(path):
    """NTIA's elements and CISA's of 2024, by the checker of the SPDX project; nothing floats."""
    from ntia_conformance_checker import SbomChecker

    for standard in ("ntia", "fsct3-min"):
        checker = SbomChecker(str(path), validate=True, compliance=standard)
        require(not checker.parsing_errors, f"{standard}: {checker.parsing_errors}")
        require(not checker.validation_messages, f"{standard}: {checker.validation_messages}")
        missing = [row for row, is_there in checker.table_elements if not is_there]
        require(set(missing) <= {ONLY_SPDX_3}, f"{standard} misses {missing}")
        floating = checker.floating_component_ids
        require(not floating, f"not part of the composition: {sorted(floating)}")
    creation = json.loads(path.read_bytes())["creationInfo"]
    require("SBOM type: Build." in creation["comment"], "the SBOM's type is not told")
    # BSI TR-03183-2: who made the SBOM can be written to.
    require(any("@" in creator for creator in creation["creators"]), "no creator has an address")


def cyclonedx(path):
    """The same elements in CycloneDX, and dependencies that are told even where there are none."""
    document = json.loads(path.read_bytes())
    metadata = document["metadata"]
    require(metadata["lifecycles"] == [{"phase": "build"}], "another lifecycle")
    for entity in (metadata["manufacturer"], metadata["supplier"], {"contact": metadata["authors"]}):
        require("@" in entity["contact"][0]["email"], "an organization without an address")
    image = metadata["component"]
    require(acknowledged(image["licenses"]) == "concluded", "the image has no concluded licence")
    require(image["copyright"], "the image has no copyright notice")
    if any(held["name"] == "wavetank:base:digest" for held in image.get("properties", [])):
        (base,) = image["pedigree"]["ancestors"]
        require(base["purl"].startswith("pkg:oci/") and base["hashes"], "the base is not told")
    references = {image["bom-ref"]}
    for part in document["components"]:
        references.add(part["bom-ref"])
        require("@" in part["supplier"]["contact"][0]["email"], f"{part['name']}: no contact")
        if part["type"] == "library":
            require(part["copyright"], f"{part['name']}: no copyright notice")
            require(acknowledged(part["licenses"]) == "concluded", f"{part['name']}: not concluded")
            declared = part["evidence"]["licenses"]
            require(acknowledged(declared) == "declared", f"{part['name']}: no declared licence")
    told = {entry["ref"]: entry["dependsOn"] for entry in document["dependencies"]}
    require(set(told) == references, "dependencies are not told of every component")
    require(all(isinstance(needed, list) for needed in told.values()), "dependsOn is no list")


def acknowledged(licenses):
    (license,) = licenses
    require(license["expression"], "a licence without expression")
    return license["acknowledgement"]
