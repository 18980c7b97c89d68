"""Runs in the build jail: puts a package of npm's registry into a folder: `PACKAGE@V FOLDER [PART...]`.

npm fetches it, and compares it with the digest that the registry has for it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

TOOL = "/opt/tools/npm"
NPM = (f"{TOOL}/bin/node", f"{TOOL}/lib/node_modules/npm/bin/npm-cli.js")


def main(package: str, folder: Path, parts: list[str]) -> None:
    """All of a package lies in one folder, `package`, which is left out."""
    with tempfile.TemporaryDirectory(dir="/cache") as aside:
        words = ("pack", "--loglevel=error", "--pack-destination", aside, package)
        subprocess.run([*NPM, *words], check=True, stdout=subprocess.DEVNULL, cwd=aside)
        (archive,) = Path(aside).glob("*.tgz")
        folder.mkdir(parents=True, exist_ok=True)
        words = ("--no-same-owner", "--no-same-permissions", "--strip-components=1", "-C", str(folder))
        subprocess.run(["tar", "-xzf", str(archive), *words, *(f"package/{part}" for part in parts)], check=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
