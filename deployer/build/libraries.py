"""Which shared libraries a host of a platform has, and whether everything in a slug finds its own.

A platform image for builds holds more than hosts do. Its dpkg database tells which package each library came with, and
which packages follow from the run list: what only the others have will be missing on every host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deployer.build.scan import Scanned
from deployer.errors.build import LibrariesMissing
from deployer.model.platforms import RUN_PACKAGES, Platform

SHOWN = 12  # lines of a message
LIBRARY = re.compile(r"/lib.*/(lib[^/]+\.so[^/]*|ld-linux[^/]*)$")
FOREIGN = "libc.musl-"  # files for another C library lie beside those for ours


@dataclass(frozen=True, slots=True)
class Libraries:
    """File names of libraries: those of every host, and the package of each that only builds have."""

    run: frozenset[str]
    build_only: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package: its alternatives of dependencies, and whether every Debian has it."""

    name: str
    depends: tuple[tuple[str, ...], ...]
    provides: tuple[str, ...]
    is_base: bool


def of_image(image: Path, wanted: Iterable[str] = RUN_PACKAGES) -> Libraries:
    """The libraries of a build image."""
    packages = parse_status((image / "var/lib/dpkg/status").read_text("utf-8", "replace"))
    run = closure(packages, wanted)
    ours: set[str] = set()
    others: dict[str, str] = {}
    for path in sorted((image / "var/lib/dpkg/info").glob("*.list")):
        package = path.stem.partition(":")[0]
        names = _libraries(path.read_text("utf-8", "replace"))
        if package in run:
            ours.update(names)
        else:
            others.update(dict.fromkeys(names, package))
    return Libraries(frozenset(ours), {name: package for name, package in others.items() if name not in ours})


def _libraries(listing: str) -> list[str]:
    return [found[1] for line in listing.splitlines() if (found := LIBRARY.search(line))]


def parse_status(text: str) -> dict[str, Package]:
    """The packages in a dpkg status file that are installed."""
    packages = {}
    for stanza in text.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", stanza, re.MULTILINE))
        if "Package" not in fields or not fields.get("Status", "").endswith(" installed"):
            continue
        depends = f"{fields.get('Pre-Depends', '')},{fields.get('Depends', '')}"
        base = fields.get("Essential") == "yes" or fields.get("Priority") == "required"
        packages[fields["Package"]] = Package(
            fields["Package"], _alternatives(depends), _names(fields.get("Provides", "")), base
        )
    return packages


def _alternatives(depends: str) -> tuple[tuple[str, ...], ...]:
    return tuple(_names(one.replace("|", ",")) for one in depends.split(",") if one.strip())


def _names(text: str) -> tuple[str, ...]:
    return tuple(found for one in text.split(",") if (found := re.split(r"[\s(:]", one.strip())[0]))


def closure(packages: Mapping[str, Package], wanted: Iterable[str]) -> frozenset[str]:
    """The names of the wanted packages, of those that every Debian has, and of all that these depend on."""
    providers: dict[str, list[str]] = {}
    for package in packages.values():
        for name in (package.name, *package.provides):
            providers.setdefault(name, []).append(package.name)
    todo = [name for one in wanted for name in providers.get(one, [])]
    todo += [package.name for package in packages.values() if package.is_base]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += [p for names in packages[name].depends for one in names for p in providers.get(one, [])]
    return frozenset(seen)


def check(platform: Platform, layers: Iterable[Scanned], known: Libraries) -> list[str]:
    """Raises LibrariesMissing for libraries that only builds have. Returns a warning for each that nobody has: files
    that came ready-made may never be loaded."""
    layers = list(layers)
    here = known.run.union(*(layer.offers for layer in layers))
    missing: dict[str, list[str]] = {}
    for layer in layers:
        for file, needed in layer.needs.items():
            if not any(name.startswith(FOREIGN) for name in needed):
                for name in set(needed) - here:
                    missing.setdefault(name, []).append(file)
    fatal = [
        _line(name, files, known.build_only[name])
        for name, files in sorted(missing.items())
        if name in known.build_only
    ]
    if fatal:
        raise LibrariesMissing(str(platform), "\n".join(fatal[:SHOWN]))
    return [_line(name, files, None) for name, files in sorted(missing.items())][:SHOWN]


def _line(library: str, files: list[str], package: str | None) -> str:
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    owner = f" of the package {package}" if package else ", which no host has"
    return f"{min(files)}{more}: {library}{owner}"
