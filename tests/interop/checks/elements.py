"""Minimum elements of SBOMs: what NTIA, CISA and BSI ask of every component and of the document."""

import hashlib
import json

from .export import image, require

# The one element of CISA's list that the checker reads in SPDX 3 alone; 2.3 has no field for it.
ONLY_SPDX_3 = "SBOM generation context (SBOM type) provided?"
# What BSI TR-03183-2 asks for where it exists, and what is optional: invented packages have no
# sources, and images declare no licence of their own.
BSI_MAY_LACK = {
    "Original Licenses (Warning)",
    "Source Code URIs (Warning)",
    "Deployable Form URIs (Warning)",
    "Effective Licenses (Optional)",
    "Source Code Hashes (Optional)",
    "Security.txt URLs (Optional)",
    "BOM References (Optional)",
}


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


def spdx3(version):
    """SPDX 3.0.1 by the SPDX project's own model and checker: all of NTIA, CISA and BSI; the files
    that are told of are those that stand in the image."""
    from ntia_conformance_checker import SbomChecker

    path = version / "sbom.spdx3.json"
    for standard in ("ntia", "fsct3-min", "bsi"):
        checker = SbomChecker(str(path), validate=True, compliance=standard, sbom_spec="spdx3")
        require(not checker.parsing_errors, f"{standard}: {checker.parsing_errors}")
        require(not checker.validation_messages, f"{standard}: {checker.validation_messages}")
        missing = [row for row, is_there in checker.table_elements if not is_there]
        accepted = standard != "bsi" or set(missing) <= BSI_MAY_LACK
        require(checker.compliant and accepted, f"{standard} misses {missing}")
        floating = checker.floating_component_ids
        require(not floating, f"not part of the composition: {sorted(floating)}")
    files = [
        part for part in json.loads(path.read_bytes())["@graph"] if part["type"] == "software_File"
    ]
    (manifest,) = [part for part in files if part["name"] == f"blobs/sha256/{hex_digest(version)}"]
    data = (version / "oci" / manifest["name"]).read_bytes()
    told = {used["algorithm"]: used["hashValue"] for used in manifest["verifiedUsing"]}
    for algorithm, value in told.items():
        require(hashlib.new(algorithm, data).hexdigest() == value, f"another {algorithm}")


def hex_digest(version):
    return image(version)["digest"].removeprefix("sha256:")


def cyclonedx(path):
    """The same elements in CycloneDX, and dependencies that are told even where there are none."""
    document = json.loads(path.read_bytes())
    metadata = document["metadata"]
    require(metadata["lifecycles"] == [{"phase": "build"}], "another lifecycle")
    author = {"contact": metadata["authors"]}
    for entity in (metadata["manufacturer"], metadata["supplier"], author):
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
