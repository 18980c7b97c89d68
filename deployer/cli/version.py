"""`deployer version`."""

from __future__ import annotations

import platform

import typer

from deployer.cli.shell import Shell
from deployer.version import VERSION


def version(ctx: typer.Context) -> None:
    """Print the version of deployer, and what it runs on."""
    shell: Shell = ctx.obj
    machine = f"{platform.system().lower()}-{platform.machine()}"
    shell.output.print(f"deployer/{VERSION} {machine} python-{platform.python_version()}")
