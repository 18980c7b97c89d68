"""The EC2 Instance Connect Endpoint of a space in the box: it leads to port 22 of hosts by their private addresses, and
comes from its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.box.lent import Lent
from tests.infra import moto_here
from tests.infra.moto_here import Mend
from tests.spaces.instance_connect import InstanceConnect, instance_connect, lend_credentials

SSH = 22


@contextmanager
def connected(folder: Path, lent: Lent, number: int) -> Iterator[InstanceConnect]:
    """One server for all endpoints there are; whoever is at work meanwhile has credentials, trusts it, and asks no
    proxy for what is before hosts, in the box of that number."""
    # Where instances, Elastic IPs and load balancers answer: the first few of each, in the words of variables.
    fronts = [f"127.{kind}.{n}.{number}" for kind in (77, 78, 79) for n in range(1, 9)]
    with instance_connect(folder, {}) as here, pytest.MonkeyPatch.context() as patch:
        here.known = lambda: {one.replace("eni-", "eice-") for one in list(lent.addresses) if one.startswith("eni-")}
        here.reach = lambda one, address: _reach(lent.addresses[one.replace("eice-", "eni-")], address)
        near = ",".join([os.environ["NO_PROXY"], *fronts])
        lend_credentials(patch, folder)
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, near)
        yield here


async def _reach(own: str, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(address, SSH, local_addr=(own, 0))


def mends(here: list[InstanceConnect]) -> list[Mend]:
    """EC2 says where it answers."""
    from moto.core.responses import ActionResult
    from moto.ec2.responses import EC2Response

    def describe_instance_connect_endpoints(asked: Any) -> Any:
        told = moto_here.endpoints(asked)
        return ActionResult(
            {"InstanceConnectEndpoints": [{**one, "DnsName": f"localhost:{here[0].port}"} for one in told]}
        )

    return [(EC2Response, "describe_instance_connect_endpoints", describe_instance_connect_endpoints)]
