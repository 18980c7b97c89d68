"""Runs in the build jail: makes a folder with Node and npm out of the registry's packages: `NODE@V NPM@V FOLDER`.

npm fetches them and compares them with the digests that the registry has for them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

TOOL = "/opt/tools/npm"
NPM = (f"{TOOL}/bin/node", f"{TOOL}/lib/node_modules/npm/bin/npm-cli.js")


def fetch(package: str, aside: Path) -> Path:
    """The package as it was published. Nothing of it is kept in npm's cache: the layer is kept."""
    place = aside / package.partition("@")[0]
    place.mkdir()
    words = ("pack", "--silent", "--cache", str(aside / "cache"), "--pack-destination", str(place), package)
    subprocess.run([*NPM, *words], check=True, stdout=subprocess.DEVNULL, cwd=aside)
    return next(place.glob("*.tgz"))


def unpack(archive: Path, folder: Path, *parts: str) -> None:
    """The parts of a package, without the folder that all of it lies in."""
    folder.mkdir(parents=True, exist_ok=True)
    inside = [f"package/{part}" for part in parts] or ["package"]
    words = ["tar", "-xzf", str(archive), "--no-same-owner", "--strip-components=1", "-C", str(folder), *inside]
    subprocess.run(words, check=True)


def main(node: str, npm: str, home: Path) -> None:
    """Fill `home` as Node's own archives are laid out."""
    with tempfile.TemporaryDirectory(dir="/cache") as name:
        aside = Path(name)
        unpack(fetch(node, aside), home, "bin", "include", "LICENSE")
        unpack(fetch(npm, aside), home / "lib/node_modules/npm")
    for command in ("npm", "npx"):
        program = f"lib/node_modules/npm/bin/{command}-cli.js"
        (home / program).chmod(0o755)
        (home / "bin" / command).symlink_to(f"../{program}")


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
