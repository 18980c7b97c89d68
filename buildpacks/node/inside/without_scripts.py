"""Runs in the build jail: a command of npm without some of the app's own scripts: `SCRIPT,SCRIPT COMMAND...`.

Those run in each build, after the packages were installed or taken from the cache. npm's --ignore-scripts would leave
out those of the packages, too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def without(text: str, scripts: list[str]) -> str:
    """package.json without these scripts."""
    data = json.loads(text)
    data["scripts"] = {name: command for name, command in data["scripts"].items() if name not in scripts}
    return json.dumps(data, indent=2)


def main(scripts: list[str], command: list[str]) -> int:
    """The command's exit status."""
    file = Path("package.json")
    original = file.read_bytes()
    try:
        file.write_text(without(original.decode("utf-8-sig"), scripts))
        return subprocess.run(command).returncode
    finally:
        file.write_bytes(original)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].split(","), sys.argv[2:]))
