"""The preview of a space of rented hosts."""

from __future__ import annotations

from dataclasses import replace

from deployer.cli.rented import preview_lines
from deployer.model.platforms import Platform
from deployer.model.space import Host
from deployer.operations.rented import Preview
from tests.spaces.test_inspect import FIT

FIRST = Host("prod-h1", 1, "203.0.113.7", "10.0.0.5", "ssh-ed25519 A", "ada")
SECOND = Host("prod-h2", 2, "203.0.113.8", "10.0.0.6", "ssh-ed25519 B")
URL = "http://{app}.203-0-113-7.sslip.io/"
ONE = Preview("prod", (FIRST,), (FIT,), Platform("debian-13", "amd64"), URL, False)


def test_one_host(golden):
    golden("rented/one.txt", "\n".join(preview_lines(ONE)))


def test_several_hosts_with_and_without_a_network_of_their_own(golden):
    two = replace(ONE, hosts=(FIRST, SECOND), found=(FIT, replace(FIT, target="root@203.0.113.8", missing=())))
    golden("rented/two.txt", "\n".join(preview_lines(two)))
    golden("rented/apart.txt", "\n".join(preview_lines(replace(two, local_only=True))))
