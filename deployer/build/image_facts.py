"""What a build needs to know of its platform image: its Python, and which libraries hosts have. Kept beside the
images.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from deployer.build import libraries
from deployer.build.layer_cache import write_json
from deployer.build.libraries import Libraries


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """`python` is the full version of the image's own python3."""

    python: str
    libraries: Libraries


def of_image(image: Path, folder: Path) -> ImageFacts:
    """The facts of an image, read from its package database once and kept in `folder`."""
    kept = folder / f"{image.name}.json"
    try:
        data = json.loads(kept.read_text())
        return ImageFacts(data["python"], Libraries(frozenset(data["run"]), data["build_only"]))
    except (FileNotFoundError, ValueError, KeyError):
        facts = ImageFacts(_python(image), libraries.of_image(image))
    folder.mkdir(parents=True, exist_ok=True)
    known = facts.libraries
    write_json(kept, {"python": facts.python, "run": sorted(known.run), "build_only": dict(known.build_only)})
    return facts


def _python(image: Path) -> str:
    """The upstream version of Debian's package python3: `3.13.5` of `3.13.5-1`."""
    status = (image / "var/lib/dpkg/status").read_text("utf-8", "replace")
    found = re.search(r"^Package: python3\n(?:.+\n)*?Version: ([0-9.]+)", status, re.MULTILINE)
    return found[1] if found else ""
