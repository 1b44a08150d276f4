"""Prints an SPDX document of what is installed beside the connector, by Python and by Debian.

`python scripts/sbom.py ABOUT`, with the Python of what it is about: `wheel`, an environment that
holds the wheel, or `image`. The standard library is enough, since an image has nothing else.
SOURCE_DATE_EPOCH sets the time that it tells.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

_CONNECTOR = "source-mixpanel"


def python_packages() -> Iterator[dict[str, Any]]:
    """Those of this environment, and those of an image beside Debian's."""
    places = [*sys.path, *map(str, Path("/usr/local/lib").glob("python3*/*-packages"))]
    for found in distributions(path=places):
        name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
        yield package("pypi", name, found.version, **_licence(found))


def _licence(found: Distribution) -> dict[str, str]:
    if "License-Expression" in found.metadata:
        return {"licenseDeclared": found.metadata["License-Expression"]}
    classified = [c for c in found.metadata.get_all("Classifier", []) if c.startswith("License")]
    return {"licenseComments": "; ".join(classified)} if classified else {}


def debian_packages() -> Iterator[dict[str, Any]]:
    """Those of an image."""
    command = ["dpkg-query", "--show", "--showformat=${Package} ${Version}\\n"]
    for line in subprocess.check_output(command, text=True).splitlines():  # noqa: S603
        yield package("deb/debian", *line.split())


def package(kind: str, name: str, version: str, **more: str) -> dict[str, Any]:
    """One package in SPDX's form."""
    reference = re.sub("[^A-Za-z0-9.]", "-", f"{kind}-{name}-{version}")
    purl = f"pkg:{kind}/{name}@{version.replace('+', '%2B').replace(':', '%3A')}"
    return {
        "SPDXID": f"SPDXRef-{reference}",
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": purl,
            }
        ],
        **more,
    }


def document(about: str, packages: list[dict[str, Any]]) -> dict[str, Any]:
    """A document that describes the connector, which depends on all the others."""
    [root] = [found for found in packages if found["name"] == _CONNECTOR]
    content = json.dumps(packages, sort_keys=True).encode()
    named = f"{_CONNECTOR}-{root['versionInfo']}-{about}"
    moment = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", root["SPDXID"])]
    relations += [
        (root["SPDXID"], "DEPENDS_ON", found["SPDXID"]) for found in packages if found is not root
    ]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": named,
        "documentNamespace": "https://spdx.org/spdxdocs/"
        f"{named}-{hashlib.sha256(content).hexdigest()}",
        "creationInfo": {
            "creators": [f"Tool: {_CONNECTOR}-sbom"],
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", moment),
        },
        "packages": packages,
        "relationships": [
            {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
            for one, kind, other in relations
        ],
    }


if __name__ == "__main__":
    found = {one["SPDXID"]: one for one in python_packages()}
    if sys.argv[1] == "image" and shutil.which("dpkg-query"):
        found |= {one["SPDXID"]: one for one in debian_packages()}
    told = document(sys.argv[1], [found[key] for key in sorted(found)])
    print(json.dumps(told, indent=1))
