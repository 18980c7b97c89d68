"""What users notice of changes to an app that they use: nothing. They ask from outside while it happens."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.model.space import Pointer
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.outside import Conversation, Outside, talking
from tests.hosts.person import Person

pytestmark = pytest.mark.hosts
DEPLOYS = 20
PROGRAM = Path(__file__).parent.parent / "host" / "router_app.py"
PROCFILE = "web: python3 app.py $PORT $HEROKU_RELEASE_VERSION 0.2\nworker: sleep 100000\n"


class Shop(Person):
    """A person whose app is small, boots in 0.2 s and says its release."""

    @property
    def here(self) -> tuple[str, str]:
        """The words that say which app."""
        return "-a", f"hosts/{self.app}"

    def opens(self) -> None:
        """Create and deploy it."""
        self.folder.mkdir()
        shutil.copy(PROGRAM, self.folder / "app.py")
        (self.folder / "requirements.txt").touch()
        (self.folder / "Procfile").write_text(PROCFILE)
        self.types("deployer", "create", self.app, "--space", "hosts", "--no-remote")
        self.types("deployer", "deploy", *self.here)
        self.sees("v2")

    def changes_a_line(self) -> None:
        """Make a source that differs from all before."""
        with (self.folder / "app.py").open("a") as program:
            program.write(f"# {time.monotonic_ns()}\n")

    def closes(self) -> None:
        """Destroy it."""
        self.types("deployer", "apps:destroy", *self.here, "--confirm", self.app)


@pytest.fixture(scope="module")
def shop(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    person = Shop(tmp_path_factory.mktemp("load") / "shop", "load-shop", sandbox.record.port)
    person.opens()
    person.types("deployer", "ps:scale", "web=2", *person.here)
    yield person
    person.closes()


@pytest.fixture(scope="module")
def conversation(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversation]:
    """With another app of the space, from before the first deploy until after the last."""
    person = Shop(tmp_path_factory.mktemp("load") / "talk", "load-talk", sandbox.record.port)
    person.opens()
    with talking(person.port, person.app) as conversation:
        yield conversation
    person.closes()


@pytest.fixture
def outside(shop: Shop, conversation: Conversation) -> Iterator[Outside]:
    """Users who ask during the whole test, and lose nothing."""
    users = Outside(shop.port, shop.app)
    with users.asking():
        yield users
    users.lost_nothing(at_least=20)
    assert not conversation.broken


def test_twenty_deploys_lose_no_request_and_keep_another_apps_websocket(
    shop: Shop, outside: Outside, conversation: Conversation
) -> None:
    rows = [_deploy(shop) for _ in range(DEPLOYS)]
    shop.sees(f"v{2 + DEPLOYS} ")
    print(f"\n{'deploy':>6} {'seconds':>8} {'bytes sent':>10}")
    for number, (seconds, sent) in enumerate(rows, 1):
        print(f"{number:>6} {seconds:>8.2f} {sent:>10}")
    print(f"{outside.count} requests, {len(outside.failures)} failed, the slowest took {outside.longest:.2f} s")
    print(f"the other app's websocket: {conversation.lines} lines, all came back")
    assert conversation.lines > DEPLOYS


def _deploy(shop: Shop) -> tuple[float, str]:
    shop.changes_a_line()
    began = time.monotonic()
    said = shop.types("deployer", "deploy", *shop.here, "--verbose").stderr
    seconds = time.monotonic() - began
    sent = re.search(r"Done: (\S+) in", said)
    assert sent, said
    return seconds, sent[1]


def test_scaling_up_and_down_loses_no_request(shop: Shop, outside: Outside) -> None:
    for count in (4, 1, 3, 2):
        shop.types("deployer", "ps:scale", f"web={count}", *shop.here)


def test_config_changes_and_rollbacks_lose_no_request(shop: Shop, outside: Outside) -> None:
    shop.types("deployer", "config:set", "GREETING=good morning", *shop.here)
    shop.types("deployer", "rollback", *shop.here)
    shop.types("deployer", "config:unset", "GREETING", *shop.here)


def test_requests_wait_while_every_dyno_restarts(shop: Shop, outside: Outside) -> None:
    shop.types("deployer", "ps:restart", *shop.here)
    shop.types("deployer", "ps:restart", "-d", "web.1", *shop.here)


def test_hosts_that_come_and_go_lose_no_request(shop: Shop, sandbox: Sandbox, outside: Outside) -> None:
    added = shop.types("deployer", "hosts:add", "--space", "hosts").stdout.strip()
    try:
        shop.types("deployer", "ps:scale", "web=3", "worker=1", *shop.here)
        assert added in where(shop).values(), "the new host gets what is new"
        shop.changes_a_line()
        shop.types("deployer", "deploy", *shop.here)
        assert set(where(shop).values()) == {host.id for host in sandbox.hosts} | {added}
        assert (
            "the first host" in shop.types("deployer", "hosts:remove", "hosts-h1", "--space", "hosts", status=1).stderr
        )
    finally:
        shop.types("deployer", "hosts:remove", added, "--space", "hosts")
    assert added not in shop.types("deployer", "hosts", "--space", "hosts").stdout
    assert set(where(shop)) == {"web.1", "web.2", "web.3", "worker.1"}, "what ran there runs elsewhere"
    shop.types("deployer", "ps:scale", "web=2", "worker=0", *shop.here)


def where(shop: Shop) -> dict[str, str]:
    """The host of each dyno."""
    listed = json.loads(shop.types("deployer", "ps", "--json", *shop.here).stdout)
    return {dyno["name"]: dyno["host"] for dyno in listed}
