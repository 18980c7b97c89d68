"""What a host does for the certificates of its apps' names where nobody needs to be asked."""

from __future__ import annotations

import io
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployer.host import issue, issuing_place
from deployer.host.channel import Channel
from deployer.host.issue import Seen, Turn
from deployer.host.issuing_place import Place
from deployer.host.paths import Paths
from deployer.model import codec, issuing
from deployer.model.certificate import FAILING, Certificate, Issuer
from deployer.model.routes import Routes
from deployer.model.space import Host, Space
from deployer.store import certificates, keys, record
from deployer.store.base import Get, Put, Stored
from deployer.store.folder import FolderStore

NOW = datetime.now(UTC)
GOOD = issuing.issued("shop.test", "chain", "key", (NOW, NOW + timedelta(days=90)), NOW)
SPACE = Space(
    "prod", "ssh", "debian-13-amd64", "http://{app}.test/", "", "1", certificates=Issuer("https://acme.test/")
)


class Lone:
    """A rented host in a folder, without a router, and what is written of its certificates."""

    def __init__(self, folder: Path) -> None:
        self.paths = Paths(folder / "srv", folder)
        self.store = FolderStore(self.paths.store)
        self.place = Place(self.store, Issuer(), ["203.0.113.7"])
        self.said = io.BytesIO()
        self.channel = Channel(io.BytesIO(), self.said, self.paths)

    def looks(self, *names: str, seen: Seen = Seen(), leads: str = "203.0.113.7") -> Seen:  # noqa: B008
        turn = Turn(self.paths, self.place, self.channel, seen, lambda name: [leads] if leads else [])
        return turn.run(names)

    def known(self, name: str) -> Certificate:
        found = certificates.every(self.store).get(name)
        assert found
        return found

    def changed(self) -> str:
        found = self.store.batch([Get(keys.CERTIFICATES_CHANGED)]).answers[0]
        return found.etag if isinstance(found, Stored) else ""


@pytest.fixture
def host(tmp_path: Path) -> Lone:
    return Lone(tmp_path)


def test_a_wildcard_is_told_once_and_not_asked_for(host: Lone) -> None:
    host.looks("*.shop.test")
    found, changed = host.known("*.shop.test"), host.changed()
    assert (found.status, found.failures) == (FAILING, 0) and "wildcard" in found.reason
    host.looks("*.shop.test")
    assert host.changed() == changed, "what is known already is not written again"


def test_a_name_that_leads_elsewhere_is_looked_at_again_within_a_minute(host: Lone) -> None:
    seen = host.looks("www.shop.test", leads="1.2.3.4")
    assert host.known("www.shop.test").reason.startswith("DNS does not lead here: www.shop.test leads to 1.2.3.4")
    assert seen.due - time.time() <= issue.OFTEN and host.known("www.shop.test").failures == 0


def test_what_is_in_force_is_left_alone_until_it_is_due(host: Lone) -> None:
    certificates.put(host.store, GOOD)
    seen = host.looks("shop.test", leads="")
    assert host.known("shop.test") == GOOD
    assert seen.due - time.time() > issue.OFTEN


def test_a_record_that_makes_no_sense_keeps_no_other_from_its_turn(host: Lone) -> None:
    certificates.put(host.store, replace(GOOD, name="bad.test", ends="tomorrow"))
    host.store.batch([Put(keys.certificate("worse.test"), b"no JSON")])
    certificates.put(host.store, replace(GOOD, name="endless.test", starts="", ends=""))
    host.looks("bad.test", "endless.test", "worse.test", "www.shop.test", leads="1.2.3.4")
    assert host.known("www.shop.test").reason and host.known("bad.test").reason
    assert host.known("endless.test").is_in_force, "it is renewed, and in force until then"


def test_a_name_that_nobody_has_any_more_is_forgotten_after_a_week(host: Lone) -> None:
    certificates.put(host.store, GOOD)
    seen = host.looks()
    assert list(seen.unused) == ["shop.test"] and host.known("shop.test") == GOOD
    later = host.looks(seen=replace(seen, unused={"shop.test": time.time() - issue.UNUSED - 1}))
    assert certificates.every(host.store).get("shop.test") is None and not later.unused
    again = host.looks("shop.test", seen=seen, leads="1.2.3.4")
    assert not again.unused


def test_where_a_rented_host_orders(host: Lone, monkeypatch: pytest.MonkeyPatch) -> None:
    assert issuing_place.here(host.paths) is None, "the ledger lies elsewhere"
    first = Host("prod-h1", 1, "203.0.113.7", "10.0.0.1", "key")
    host.store.batch([Put(keys.host(first.id), record.dump(first))])
    rented = issuing_place.here(host.paths)
    assert rented and rented.place() is None, "a store that has no space is none"
    host.store.batch([Put(keys.SPACE, record.dump(SPACE))])
    place = rented.place()
    assert place and place.issuer == SPACE.certificates and "203.0.113.7" in place.own
    moved = replace(first, id="prod-h2", seat=2, address="203.0.113.8")
    host.store.batch(
        [
            Put(keys.host(moved.id), record.dump(moved)),
            Put(keys.SPACE, record.dump(replace(SPACE, first="prod-h2"))),
        ]
    )
    place = rented.place()
    assert place and "203.0.113.8" in place.own and "203.0.113.7" not in place.own
    assert rented.changed("") == ""


@pytest.mark.edge
def test_the_call_looks_when_names_or_certificates_change(host: Lone) -> None:
    """On a sandbox's host nothing happens; on a rented one only what is news is looked at."""
    assert issue.certificates({}, host.channel) == {"looked": False}
    host.paths.root.mkdir(parents=True, exist_ok=True)
    host.paths.space.write_text("prod\n")
    host.store.batch([Put(keys.SPACE, record.dump(SPACE))])
    assert issue.certificates({}, host.channel) == {"looked": True}
    assert issue.certificates({}, host.channel) == {"looked": False}
    certificates.put(host.store, GOOD)
    assert issue.certificates({}, host.channel) == {"looked": True}
    routes = Routes("shop", 1, ("*.shop.test",), "none", ())
    file = host.paths.app("shop").routes
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(codec.encode(routes)))
    assert issue.certificates({}, host.channel) == {"looked": True}
    assert host.known("*.shop.test").reason
