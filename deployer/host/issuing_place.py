"""Where a host orders certificates, if it does: in AWS the one that the space's address leads to, of rented hosts the
one that has the store."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Collection
from dataclasses import dataclass

from deployer.host.aws import find_address
from deployer.host.converge import recall
from deployer.host.leads_here import addresses
from deployer.host.ledger_store import asking
from deployer.host.myself import Myself, read, remembered
from deployer.host.paths import Paths
from deployer.model.certificate import Issuer
from deployer.model.space import Host, Space
from deployer.store import keys, record
from deployer.store.base import Get, List, Store, Stored
from deployer.store.folder import FolderStore


@dataclass(frozen=True, slots=True)
class Place:
    """The store, who issues certificates, and the addresses that names have to lead to. With `names_lead_here` the
    space itself sees to it that they do."""

    store: Store
    issuer: Issuer
    own: Collection[str]
    names_lead_here: bool = False


class InAws:
    """A host of AWS that has joined, before whose space nothing stands."""

    def __init__(self, me: Myself) -> None:
        self._me = me

    def changed(self, known: str) -> str:
        """The etag of what tells of changes; the same again costs no more than the request."""
        key = keys.CERTIFICATES_CHANGED
        return self._me.store.etags([key], {key: known} if known else {}).get(key, "")

    def place(self) -> Place | None:
        """None on a host that the space's address does not lead to."""
        me = self._me
        with asking("asking for the space's address"):
            address = find_address(me.aws, me.order.space, me.order.address)
        space = read(me, Space, keys.SPACE)
        if space is None or address.holder != me.instance:
            return None
        return Place(me.store, space.certificates, (address.public,), names_lead_here=True)


class Rented:
    """A rented host, whose space's store lies in a folder on it."""

    def __init__(self, store: FolderStore) -> None:
        self._store = store

    def changed(self, known: str) -> str:
        """The etag of what tells of changes."""
        found = self._store.batch([Get(keys.CERTIFICATES_CHANGED)]).answers[0]
        return found.etag if isinstance(found, Stored) else ""

    def place(self) -> Place | None:
        """None where the store holds no space: that lies in a bucket, or on another host by now. People may reach the
        host by a name, or by an address that is not on it."""
        answers = self._store.batch([Get(keys.SPACE), List(keys.HOSTS)]).answers
        space, listed = record.found(Space, answers[0]), answers[1]
        if space is None or not isinstance(listed, tuple):
            return None
        hosts = [record.found(Host, answer) for answer in self._store.batch([Get(key) for key in listed]).answers]
        known = [one.address for one in hosts if one and (one.id == space.first if space.first else one.seat == 1)]
        return Place(
            self._store,
            space.certificates,
            sorted({*own_addresses(), *(number for one in known for number in addresses(one))}),
        )


def here(paths: Paths) -> InAws | Rented | None:
    """As what this host orders; None where it has no store to keep certificates in."""
    if paths.join_order.exists():
        return InAws(recall(remembered(paths), paths)[0])
    return Rented(FolderStore(paths.store)) if paths.store.exists() else None


def own_addresses() -> set[str]:
    """The addresses of this machine that others may reach it at."""
    done = subprocess.run(
        ["ip", "-json", "addr", "show", "scope", "global"], capture_output=True, text=True, check=False
    )
    found = json.loads(done.stdout or "[]")
    return {one["local"] for link in found for one in link.get("addr_info", []) if "local" in one}
