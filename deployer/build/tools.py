"""What of ours build steps find below /opt/tools: uv, and the programs that buildpacks run in the jail."""

from __future__ import annotations

from pathlib import Path

import buildpacks
from deployer.build import npm_tool
from deployer.build.jail import Mount

FOLDER = "/opt/tools"


def mount(name: str) -> Mount:
    """The tools `uv` and `npm`, or the folder `inside` of a buildpack's package. Raises NpmUnavailable."""
    if name == "uv":
        from uv import find_uv_bin

        return Mount(Path(find_uv_bin()), f"{FOLDER}/uv")
    if name == "npm":
        return Mount(npm_tool.ensure(), f"{FOLDER}/npm")
    return Mount(Path(buildpacks.__file__).parent / name / "inside", f"{FOLDER}/{name}")


def uv_version() -> str:
    """The version of the uv that is ours."""
    from importlib.metadata import version  # takes the email package along: 20 ms

    return version("uv")
