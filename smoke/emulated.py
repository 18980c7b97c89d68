"""The emulator as a place: moto, the stand-in for Pulumi's provider and the real `pulumi` command, all on loopback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from deployer.spaces.aws.account import Account
from smoke.place import Place
from tests.infra.cloud_here import DEPLOYER, ROOT, Cloud, cloud
from tests.infra.moto_here import issue_certificates

DOMAIN = "example.org"
NO_HOOKS = "The emulator's hooks hold no host: how long one waits to be let in and out is not seen."
HIDDEN = {
    "one-host": "The emulator makes everything at once: only the times of deployer and Pulumi are seen. No host boots.",
    "database": "No database runs; that it takes TLS alone is seen as the setting, not by connecting.",
    "front": "Nothing listens at the load balancer's name, and hosts are healthy unseen. The certificate is issued "
    "when this run says so, not when DNS has proved the domain.",
    "app": "No host boots, so no app gets there: `make demo-aws` plays it, before hosts that are real.",
    "kill": "The emulator replaces a host within the call that ends it: no health check finds it, no time passes, and "
    f"all hosts are in one zone. {NO_HOOKS}",
    "roll": f"As for kill. {NO_HOOKS}",
    "end": "The actions of the end are kept and never done: no clock runs in the emulator.",
}


@contextmanager
def emulator(folder: Path, region: str, domain: str | None) -> Iterator[Place]:
    """An empty account with the domain's zone. AssertionError where something was asked of the world outside."""
    before = dict(os.environ)
    os.environ |= {"DEPLOYER_HOME": f"{folder}/names", "DEPLOYER_DATA": f"{folder}/data", "PYTHONPATH": str(ROOT)}
    try:
        with cloud() as here:
            here.client("route53").create_hosted_zone(Name=domain or DOMAIN, CallerReference="smoke")
            yield place(here, folder, region, domain)
            assert not here.asked, here.asked
    finally:
        os.environ.clear()
        os.environ |= before


def place(here: Cloud, folder: Path, region: str, domain: str | None) -> Place:
    """A place in a cloud on loopback."""
    run = here.engine(folder)
    words = (str(run.root), str(run.home), here.endpoint, run.env["PULUMI_DEBUG_PROVIDERS"])
    return at(words, region, domain or DOMAIN, prove=True)


def at(words: tuple[str, ...], region: str, domain: str | None, *, prove: bool = False) -> Place:
    """The same, for a process that the emulator is not in: the pulumi command's folder, that command's own folder,
    moto's address, the stand-in's."""
    return Place(
        Account(region, words[2]),
        (sys.executable, "-c", DEPLOYER, *words),
        pace=0.3,
        patience=120.0,
        domain=domain,
        prove=(lambda: issue_certificates(region)) if prove else None,
        hidden=HIDDEN,
        tools={name: version(name) for name in ("pulumi", "pulumi-aws", "moto")},
        name="emulator",
        joins=False,
    )
