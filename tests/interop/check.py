"""Runs every independent check over exported worlds and prints a summary in JSON.

    target/interop-venv/bin/python tests/interop/check.py DIR...

The exit code is 0 if nothing failed, 1 if something did, 2 if nothing could be checked.
"""

import argparse
import concurrent.futures
import json
import os
import sys
from pathlib import Path

from checks import consumers, documents, elements, instants, signed, tlog
from checks.export import PREDICATE_TYPES, Export, bundles, image, require

BUNDLE_CHECKS = {
    "bundle": signed.form,
    "statement": signed.statement,
    "subject": signed.subject,
    "predicate-type": signed.predicate_type,
    "document": signed.document,
    "dsse": signed.dsse,
    "openssl": signed.openssl,
    "hint": signed.hint,
}
ONE_A_WORLD = ("world",)
KINDS = (
    *("cyclonedx", "spdx", "openvex", "osv", "oci", "purl", "cvss", "provenance"),
    *("elements", "spdx3", "vex-match", "instants"),
    *BUNDLE_CHECKS,
    *("log-entry", "log", "audit", "cosign", "complete", *ONE_A_WORLD),
)


def cases(export, only):
    """Every check to make: its kind, the file, the function and what it is given."""
    for version in export.versions(only):
        yield "complete", version, complete, version
        yield "cyclonedx", version / "sbom.cdx.json", documents.cyclonedx, None
        yield "spdx", version / "sbom.spdx.json", documents.spdx, None
        yield "oci", version, documents.oci, version
        yield "openvex", version / "openvex.json", documents.openvex, None
        yield "vex-match", version, consumers.vex, version
        yield "elements", version / "sbom.cdx.json", elements.cyclonedx, None
        yield "elements", version / "sbom.spdx.json", elements.spdx, None
        yield "spdx3", version, elements.spdx3, version
        for paper in ("sbom.cdx.json", "sbom.spdx.json", "provenance.json", "openvex.json"):
            yield "purl", version / paper, file_purls, None
        for path in sorted(version.rglob("*.json")):
            if "oci" not in path.relative_to(version).parts:
                yield "instants", path, instants.file, None
        for bundle in bundles(version):
            for kind, check in BUNDLE_CHECKS.items():
                yield kind, bundle.path, check, bundle
            yield "log-entry", bundle.path, entry, (export, bundle)
            yield "cosign", bundle.path, signed.cosign, bundle
            if bundle.kind == "provenance":
                yield "provenance", bundle.path, signed.provenance, bundle
            if bundle.kind == "vuln":
                yield "purl", bundle.path, bundle_purls, bundle
                yield "cvss", bundle.path, documents.scan_scores, bundle
    for path in sorted(export.path.glob("osv/*.json")):
        yield "osv", path, documents.osv, None
        yield "purl", path, file_purls, None
        yield "cvss", path, documents.osv_scores, None
        yield "instants", path, instants.file, None
    for path in sorted(export.path.glob("*.json")):
        yield "instants", path, instants.file, None
    for name in ("log", "audit"):
        yield name, export.path / name, whole_log, (export, name)
    yield "world", export.path / "trusted_root.json", signed.trusted_root, export


def complete(version):
    """Nothing that a version must have is missing."""
    said = image(version)
    named = [said["name"], str(said["version"])]
    require(named == list(version.parts[-2:]), f"image.json says {named}")
    found = {bundle.kind for bundle in bundles(version)}
    differing = sorted(found ^ set(PREDICATE_TYPES))
    require(not differing, f"bundles differ: {differing}")


def file_purls(path):
    return documents.purls(json.loads(path.read_bytes()))


def bundle_purls(bundle):
    return documents.purls(bundle.statement())


def entry(pair):
    return tlog.entry(*pair)


def whole_log(pair):
    return tlog.log(*pair)


def run(case):
    """Makes a check. Gives the kind, how many things were checked, and what failed."""
    kind, path, check, subject = case
    if kind == "cosign":
        kind += f" {subject.kind}"
    try:
        count = check(path if subject is None else subject)
        return kind, 1 if count is None else count, None
    except Exception as error:  # whatever an implementation objects with
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return kind, 1, {"file": str(path), "reason": reason[:300]}


def sample(cases, size):
    """Of cosign's cases, which are slow, `size` a predicate type, evenly spread."""
    kept, by_type = [], {}
    for case in cases:
        if case[0] == "cosign":
            by_type.setdefault(case[3].kind, []).append(case)
        else:
            kept.append(case)
    for found in by_type.values():
        step = max(len(found) / size, 1)
        kept += [found[int(place * step)] for place in range(min(size, len(found)))]
    return kept


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dirs", metavar="DIR", nargs="+", type=Path, help="an exported world")
    parser.add_argument("--only", metavar="KIND,...", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--image", metavar="NAME/VERSION", help="check only this version")
    parser.add_argument(
        "--cosign-sample", metavar="N", type=int, default=50, help="bundles a type (default 50)"
    )
    options = parser.parse_args()
    options.only = options.only.split(",") if options.only else list(KINDS)
    if unknown := set(options.only) - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    return options


def main():
    options = arguments()
    exports = [Export(path.resolve()) for path in options.dirs]
    skipped = {}
    if "cosign" in options.only and not signed.cosign_path():
        options.only.remove("cosign")
        skipped["cosign"] = "not installed (Debian 13: apt-get install cosign; or set COSIGN)"
    found = [case for export in exports for case in cases(export, options.image)]
    found = sample((case for case in found if case[0] in options.only), options.cosign_sample)
    summary = {}
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for kind, count, failure in pool.map(run, found, chunksize=8):
            result = summary.setdefault(kind, {"checked": 0, "failures": []})
            result["checked"] += count
            if failure:
                result["failures"].append(failure)
    first = next((case[3] for case in found if case[0] == "cosign"), None)
    if first and not signed.cosign_minds_types(first):
        skipped["cosign predicate types"] = "not looked at by this version (GHSA-w6c6-c85g-mmv6)"
    report = {"kinds": dict(sorted(summary.items())), "skipped": skipped}
    print(json.dumps(report, indent=2, ensure_ascii=False))
    return 1 if any(result["failures"] for result in summary.values()) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, KeyError) as error:
        print(f"check.py: {error}", file=sys.stderr)
        sys.exit(2)
