"""What scanners make of a VEX document: whether a statement matches the names that they use."""

import json

from .export import image, require

REGISTRY = "registry.wavetank.example"
NOTHING = "NONE-FOUND"


def matches(general, specific):
    """`PurlMatches` of openvex/go-vex, which Trivy, Grype and vexctl use: every part and every
    qualifier of the document's purl is a demand."""
    from packageurl import PackageURL

    ours, theirs = PackageURL.from_string(general), PackageURL.from_string(specific)
    same = (ours.type, ours.namespace, ours.name) == (theirs.type, theirs.namespace, theirs.name)
    version = ours.version in (None, theirs.version)
    return same and version and (ours.qualifiers or {}).items() <= (theirs.qualifiers or {}).items()


def names(component):
    """The purls by which a document names a component."""
    identifiers = component.get("identifiers", {})
    return [name for name in (component.get("@id"), identifiers.get("purl")) if name]


def is_named(component, seen):
    """Whether the component is what a scanner has seen: a purl, or the digest of an image."""
    if not seen.startswith("pkg:"):
        return seen in component.get("hashes", {}).values()
    return any(matches(name, seen) for name in names(component))


def applies(statement, product, package=""):
    """`Statement.Matches` of go-vex: a product, and one of its subcomponents if both have some."""
    for said in statement["products"]:
        held = said.get("subcomponents", [])
        if not is_named(said, product):
            continue
        if not held or not package or any(is_named(part, package) for part in held):
            return True
    return False


def images_seen(name, digest):
    """How scanners call the image, wherever they pulled it from."""
    hex = digest.removeprefix("sha256:")
    bare = f"pkg:oci/{name}@{digest}"
    yield f"{bare}?arch=amd64&repository_url={REGISTRY}%2F{name}"  # Trivy
    yield f"{bare}?arch=amd64&repository_url=localhost:5000%2Fmirror%2F{name}"  # from a copy
    yield f"{bare}?arch=amd64&os=linux&repository_url={REGISTRY}&tag=latest"  # Grype
    yield f"{bare}?repository_url={REGISTRY}"
    yield bare
    yield hex


def packages_seen(name, version):
    """How scanners call a package of an image of the distribution."""
    bare = f"pkg:apk/alpine/{name.replace('+', '%2B')}@{version}"
    yield f"{bare}?arch=x86_64&distro=alpine-3.23.0"  # Syft and Grype
    yield f"{bare}?arch=x86_64&distro=alpine-3.23.0&upstream={name.replace('+', '%2B')}"
    yield f"{bare}?arch=x86_64&distro=3.23.0"  # Trivy
    yield bare


def vex(version):
    """Every statement is found by every scanner, for the image and for a package in an SBOM, and
    about nothing else."""
    said = image(version)
    document = json.loads((version / "openvex.json").read_bytes())
    sbom = json.loads((version / "sbom.cdx.json").read_bytes())
    held = {part["name"]: part["version"] for part in sbom["components"]}
    other = f"sha256:{'0' * 64}"
    for statement in document["statements"]:
        for seen in images_seen(said["name"], said["digest"]):
            require(applies(statement, seen), f"{seen} does not match")
        for seen in images_seen(said["name"], other):
            require(not applies(statement, seen), f"{seen} matches")
        if statement["vulnerability"]["name"] == NOTHING:
            require(len(document["statements"]) == 1, "something was found after all")
            continue
        package, found = subcomponent(statement)
        require(held.get(package) == found, f"{package} {found} is not in the image")
        for name in packages_seen(package, found):
            require(applies(statement, name), f"{name} alone does not match")
            for seen in images_seen(said["name"], said["digest"]):
                require(applies(statement, seen, name), f"{seen} with {name} does not match")
        for name in packages_seen(package, "0-r0"):
            require(not applies(statement, name), f"{name} matches")
    return len(document["statements"])


def subcomponent(statement):
    from packageurl import PackageURL

    (held,) = [said for said in statement["products"] if "subcomponents" in said]
    (part,) = held["subcomponents"]
    purl = PackageURL.from_string(part["@id"])
    return purl.name, purl.version
