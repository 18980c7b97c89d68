"""How hosts of a space in AWS are reached: through its endpoint, or directly where its specification says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from deployer.errors.ledger import SpaceEmpty
from deployer.errors.remote import AuthenticationRefused
from deployer.model.space import Host, Pointer
from deployer.remote import agent, ssh
from deployer.remote.agent import Session
from deployer.remote.person import Person
from deployer.remote.reach import Reach
from deployer.remote.ssh import Dial
from deployer.spaces.aws import record, tunnel
from deployer.spaces.aws.account import Account
from deployer.store.s3 import S3Store

SPREADS = 60.0  # seconds after it was made in which a key reaches hosts: they look every ten
AGAIN = 6.0  # seconds: sshd counts five against an address for each try, and shuts it out at fifteen
Find = Callable[[Account, str], tunnel.Endpoint]


@dataclass
class Access:
    """With the key that this machine has for the space; without one, with the user's own, as ssh would try them. AWS is
    asked when the first host is dialled, and once."""

    pointer: Pointer
    person: Person
    find: Find = tunnel.find
    again: float = AGAIN
    _known: list[Dial | None] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._reach = Reach(self.person, self.pointer.targets)

    def connect(self, host: Host) -> Session:
        """A session with a host, whose key is the one that the ledger has."""
        with self._lock:
            if not self._known:
                self._known.append(self._way())
        dial = self._known[0]
        if self.pointer.identity:
            return self._connected(host, Path(self.pointer.identity), dial or ssh.dial)
        return self._reach.through(dial, host) if dial else self._reach.connect(host)

    def _connected(self, host: Host, identity: Path, dial: Dial) -> Session:
        """By this machine's own key; a new one may not have reached the host yet."""
        while True:
            try:
                return agent.connect(host, identity, dial)
            except AuthenticationRefused:
                if not identity.exists() or time.time() - identity.stat().st_mtime > SPREADS:
                    raise
            time.sleep(self.again)

    def _way(self) -> Dial | None:
        """The dial through the space's endpoint; None where its hosts are reached directly."""
        address = self.pointer.store
        known = record.load(S3Store(address)) if address else None
        if address is None or known is None:
            raise SpaceEmpty
        if known.spec.ssh_from:
            return None
        return tunnel.dialler(self.find(Account(known.spec.region, address.endpoint), self.pointer.name))
