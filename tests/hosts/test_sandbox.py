"""A sandbox is real systemd hosts: reachable, repairable, and gone without a trace."""

from __future__ import annotations

import pytest

from deployer.remote.agent import connect
from deployer.spaces.sandbox.sandbox import Sandbox

pytestmark = pytest.mark.hosts


def test_every_host_answers_over_ssh_with_the_key_that_is_known(sandbox: Sandbox) -> None:
    facts = []
    for host in sandbox.hosts:
        with connect(host, sandbox.identity) as session:
            facts.append(session.call("facts"))
    assert [fact["hostname"] for fact in facts] == ["hosts-h1", "hosts-h2"]
    assert {fact["platform"] for fact in facts} == {sandbox.record.platform}
