"""Log lines through a tunnel that ends and is made again, from a real agent behind a real sshd."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.model.events import Detail, Event, Warn
from deployer.model.space import Host, Space
from deployer.operations.cloud_gone import judged
from deployer.operations.logs import Filter, logs
from deployer.operations.session import OpenSpace
from deployer.remote import ssh
from deployer.remote.agent import Session
from deployer.spaces.aws import tunnel
from deployer.store.folder import FolderStore
from deployer.store.ledger import Ledger
from deployer.version import VERSION
from tests.remote.agents_here import sshd
from tests.spaces.instance_connect import InstanceConnect, instance_connect, lend_credentials

pytestmark = pytest.mark.edge
ADDRESS = "10.0.1.7"
PATIENCE = 30.0  # seconds
# What the agent asks of it: the newest entries first, and those after one, as they come.
JOURNALCTL = """#!/bin/sh
for word; do
  case $word in
    --reverse) exec tac {journal} ;;
    --after-cursor=*) from=$(grep -n "\\"${{word#*=}}\\"" {journal} | cut -d: -f1) ;;
  esac
done
exec tail -f -n +$((from + 1)) {journal}
"""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Of an app on the host, below a command that reads it in the place of journalctl."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "journalctl"
    command.write_text(JOURNALCTL.format(journal=tmp_path / "journal"))
    command.chmod(0o755)
    return tmp_path / "journal"


def write(journal: Path, text: str) -> None:
    """A dyno writes a line."""
    fields = {"MESSAGE": text, "DEPLOYER_APP": "shop", "DEPLOYER_DYNO": "web.1", "_UID": "20001"}
    about = {"__REALTIME_TIMESTAMP": "1700000000000000", "__CURSOR": f"c-{text}"}
    with journal.open("a") as file:
        file.write(json.dumps({**fields, **about, "_SYSTEMD_UNIT": "deployer-dyno-v1@shop.web.1.v3.service"}) + "\n")


@pytest.fixture
def aws(tmp_path: Path, journal: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[InstanceConnect, OpenSpace]]:
    """An endpoint, and a space of one host behind it with an app."""
    with sshd(tmp_path, f"SetEnv PATH={journal.parent}/bin:/usr/bin:/bin\n") as server:
        host = replace(server.host, address="", private_address=ADDRESS, port=22)
        with instance_connect(tmp_path, {ADDRESS: server.host.port}) as here:
            lend_credentials(monkeypatch, tmp_path)

            def connect(host: Host) -> Session:
                connection = ssh.connect(host, server.identity, tunnel.dialler(here.endpoint))
                return Session(host, connection, root=str(tmp_path / "root"))

            described = Space("production", "aws", "debian-13-amd64", "http://{app}.example/", "2026", VERSION)
            ledger = Ledger(FolderStore(tmp_path / "store"), "ada")
            ledger.save_host(replace(host, seat=ledger.take_seat(host.id)))
            ledger.create_app("shop", space="production")
            space = OpenSpace(described, ledger, None, connect)
            yield here, space
            space.close()


def heard(told: list[Event], count: int) -> None:
    """Wait until so many events were told."""
    deadline = time.monotonic() + PATIENCE
    while len(told) < count and time.monotonic() < deadline:
        time.sleep(0.01)


def test_a_tail_goes_on_where_its_tunnel_ended(aws: tuple[InstanceConnect, OpenSpace], journal: Path) -> None:
    here, space = aws
    told: list[Event] = []
    write(journal, "one")
    lines = logs(space, "shop", Filter(follow=True), told.append)
    assert next(lines).text == "one"
    write(journal, "two")
    assert next(lines).text == "two"
    here.expire()
    heard(told, 2)  # else a line may pass before the end is felt
    write(journal, "three")
    assert next(lines).text == "three"
    here.cut()
    heard(told, 4)
    write(journal, "four")
    assert next(lines).text == "four"
    assert [type(event) for event in told] == [Warn, Detail, Warn, Detail]
    assert len(here.asked) == 3
    lines.close()  # type: ignore[attr-defined]


def test_a_tail_hears_the_host_that_comes_in_the_place_of_one_that_is_gone(
    aws: tuple[InstanceConnect, OpenSpace], journal: Path
) -> None:
    here, space = aws
    told: list[Event] = []
    space.asks = lambda silent, known: judged([one.id for one in silent], [], 1, [], {"h1": "terminated"})
    write(journal, "one")
    lines = logs(space, "shop", Filter(follow=True), told.append)
    assert next(lines).text == "one"
    (old,) = space.hosts
    here.behind = {"10.0.1.8": here.behind[ADDRESS]}
    here.cut()
    heard(told, 2)
    space.ledger.forget_host(old)
    seat = space.ledger.take_seat("h2")
    space.ledger.save_host(replace(old, id="h2", seat=seat, private_address="10.0.1.8"))
    write(journal, "two")
    assert [next(lines).text, next(lines).text] == ["one", "two"], "all of what the new one has"
    said = [event.text for event in told if isinstance(event, (Detail, Warn))]
    assert said == [
        "h1: the connection ended. Connecting again...",
        "h1: it is gone (EC2: terminated); its group starts another one. What it writes does not stand here any more.",
        "h2 has come: what it writes stands here, too.",
    ]
    lines.close()  # type: ignore[attr-defined]
