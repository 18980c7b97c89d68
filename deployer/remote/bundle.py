"""The agent as it travels: the packages that it may import, in one archive whose hash is its name on hosts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import deployer

STORE = ("__init__", "backups", "base", "certificates", "copy", "entries", "folder", "keys", "record", "wire")
PACKAGES = ("host", "model")  # whole packages below deployer/
MODULES = ("__init__.py", "version.py", "errors/__init__.py", "errors/base.py", *(f"store/{name}.py" for name in STORE))


@dataclass(frozen=True, slots=True)
class Bundle:
    """A program's files by their paths in its folder, as the agent's; `name` is a hash of all of them."""

    name: str
    files: dict[str, bytes]

    def archive(self) -> bytes:
        """A gzipped tar, the same for the same files."""
        import gzip
        import io
        import tarfile

        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for path, content in sorted(self.files.items()):
                member = tarfile.TarInfo(path)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return gzip.compress(packed.getvalue(), mtime=0)


@cache
def bundle() -> Bundle:
    """The agent of this very version."""
    root = Path(deployer.__file__).parent
    found = [root / module for module in MODULES]
    found += [path for package in PACKAGES for path in root.joinpath(package).rglob("*.py")]
    files = {f"deployer/{path.relative_to(root)}": path.read_bytes() for path in found}
    files = {path: content for path, content in files.items() if not _stays(content)}
    files["__main__.py"] = files.pop("deployer/host/__main__.py")
    return bundle_of(files)


def bundle_of(files: dict[str, bytes]) -> Bundle:
    """A bundle of these files, by their paths."""
    return Bundle(_hash(files), files)


def bootstrap_source() -> str:
    """The program that unpacks it."""
    return (Path(deployer.__file__).parent / "host/bootstrap.py").read_text()


def _stays(source: bytes) -> bool:
    """Whether a module is for commands only: it raises failures whose words do not travel."""
    imports = (line for line in source.splitlines() if line.startswith(b"from deployer.errors"))
    return any(not line.startswith(b"from deployer.errors.base ") for line in imports)


def _hash(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path, content in sorted(files.items()):
        digest.update(b"%s\0%d\0" % (path.encode(), len(content)))
        digest.update(content)
    return digest.hexdigest()[:24]
