"""`doctor` of a space in AWS: this machine's part of it."""

from __future__ import annotations

from deployer.cli.cloud import described, region_of
from deployer.cli.shell import Shell
from deployer.operations.cloud_doctor import Meant, Site, examine
from deployer.operations.diagnosis import Finding
from deployer.operations.doctor import here
from deployer.spaces.aws.tools import home_here


def findings(shell: Shell, name: str) -> list[Finding]:
    """Those of every machine that builds, then those of spaces in AWS."""
    spec = described(shell, name)
    source = "this machine's pointer" if name in shell.pointers.names() else "deployer.toml"
    space = Meant(name, region_of(shell, name, spec), source, spec.account if spec else None)
    return [*here(), *examine(_site(shell), space)]


def _site(shell: Shell) -> Site:
    if shell.tools is None:
        return Site(shell.env, home_here())
    made = shell.tools()
    return Site({**shell.env, "PATH": str(made.root / "bin")}, made.home, made.endpoint)
