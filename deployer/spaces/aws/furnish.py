"""What hosts of a space in AWS find in its store when they join: the space, the agent, the keys that open them.

The store's bucket is made while the rest of the cloud is, and hosts may start before all of that is there: what they
need is written as soon as the bucket is (`Furnisher`)."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from deployer.errors.base import Failure
from deployer.errors.store import StoreMissing
from deployer.model.certificate import ACM, ISSUED, LETS_ENCRYPT, PENDING, Certificate, Issuer
from deployer.model.joining import Access, AgentRef
from deployer.model.platforms import DEFAULT_SYSTEM, Platform
from deployer.model.space import Space, StoreAddress
from deployer.remote.bundle import bundle
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.bootstrap import State
from deployer.spaces.aws.record import Record
from deployer.store import certificates, keys, record
from deployer.store.base import Get, Lost, Put, Stored
from deployer.store.s3 import S3Store
from deployer.version import VERSION, is_older
from infra.names import ADDED, name
from infra.sizes import HOSTS

LOOK_EVERY = 2.0  # seconds between two looks for the bucket
T = TypeVar("T")


def bucket_of(known: Record, state: State) -> str:
    """What the store's bucket is called: as it is where there is one, else with digits that follow from the state's,
    as many as Pulumi would give it (policies of IAM count them)."""
    digits = hashlib.sha256(state.bucket.encode()).hexdigest()[: ADDED - 1]
    return known.bucket or known.outputs.get("bucket") or f"{name(known.name, 'bucket', 'store')}-{digits}"


def address_of(account: Account, bucket: str) -> StoreAddress:
    """Where the ledger of a space in AWS lies."""
    return StoreAddress(bucket, "", account.endpoint, account.region)


def url_of(known: Record) -> str:
    """Where apps answer; empty as long as that is not known. A load balancer without a domain has one name for all."""
    found = known.outputs
    if known.spec.domain:
        return f"{'https' if 'https' in found else 'http'}://{{app}}.{known.spec.domain}/"
    if address := found.get("address"):
        return f"http://{{app}}.{address.replace('.', '-')}.sslip.io/"
    return f"http://{found['dns']}/" if "dns" in found else ""


def furnish(store: S3Store, known: Record, who: str, public_key: str, now: str) -> None:
    """Write what hosts need, where it is not there already; `who` is this machine's person, `now` the time as records
    spell it. Can be repeated."""
    _write_agent(store)
    _let_in(store, who, public_key)
    _write_space(store, known, now)
    _write_certificates(store, known)


def added(known: Record) -> dict[str, Certificate]:
    """The certificates of further domains, as the last run that ended well left them."""
    return {
        name: Certificate(name, ACM, ISSUED if one["shown"] else PENDING, arn=one["arn"], reason=_waiting(one))
        for name, one in json.loads(known.outputs.get("domains", "{}")).items()
    }


def _waiting(one: Mapping[str, Any]) -> str:
    if one["shown"]:
        return ""
    here = ", which is in Route 53" if one.get("zone") else ""
    return f"AWS waits for the DNS record {one['proof'].rstrip('.')}{here}"


def _write_certificates(store: S3Store, known: Record) -> None:
    """Of domains behind a load balancer, for whoever asks how far they are, and for routers, which lead to HTTPS."""
    before = {name: one for name, one in certificates.every(store).items() if one.by == ACM}
    after = added(known)
    if after != before:
        certificates.put(store, *after.values(), gone=before.keys() - after.keys())


def _write_space(store: S3Store, known: Record, now: str) -> None:
    platform = str(Platform(DEFAULT_SYSTEM, HOSTS[known.spec.hosts.size].architecture))

    def as_known(found: Space | None) -> Space:
        before = found or _first(known.name, platform, now)
        tool = VERSION if is_older(before.tool, VERSION) else before.tool
        seats = known.spec.hosts.count + 1  # one more, while one is replaced
        url, balanced = url_of(known) or before.url, known.spec.load_balancer
        asked = known.spec.certificates
        issuer = Issuer(asked.server or LETS_ENCRYPT, asked.email) if asked else Issuer()
        own = replace(before, platform=platform, tool=tool, seats=seats)
        return replace(own, url=url, balanced=balanced, certificates=issuer)

    _change(store, keys.SPACE, Space, as_known)


def _first(name: str, platform: str, now: str) -> Space:
    """A space that has no hosts yet: they learn of each other as they join, and of nobody else's word."""
    return Space(name, "aws", platform, "", now, VERSION, roll=1, called=1)


def _write_agent(store: S3Store) -> None:
    """The archive first: whoever reads which one it is finds it."""
    before = record.found(AgentRef, store.batch([Get(keys.AGENT)]).answers[0])
    if before and (before.name == bundle().name or is_older(VERSION, before.tool)):
        return  # a newer deployer's stays
    archive = bundle().archive()
    store.batch([Put(keys.agent(bundle().name), archive)])
    after = AgentRef(bundle().name, hashlib.sha256(archive).hexdigest(), VERSION)
    store.batch([Put(keys.AGENT, record.dump(after))])


def _let_in(store: S3Store, who: str, public_key: str) -> None:
    _change(store, keys.ACCESS, Access, lambda found: Access({**(found.keys if found else {}), who: public_key}))


def _change(store: S3Store, key: str, kind: type[T], change: Callable[[T | None], T]) -> None:
    """Have a record be what `change` makes of it, whoever else writes it at the same time; nothing where it is so."""
    while True:
        stored = store.batch([Get(key)]).answers[0]
        before = record.found(kind, stored)
        after = change(before)
        if after == before:
            return
        etag = stored.etag if isinstance(stored, Stored) else None
        try:
            record.put(store, Put(key, record.dump(after), if_absent=etag is None, if_match=etag))
        except Lost:
            continue
        return


@dataclass
class Furnisher:
    """Furnishes a store while its bucket is being made, in a thread."""

    store: S3Store
    known: Record
    who: str
    public_key: str
    now: str
    _over: threading.Event = field(default_factory=threading.Event)

    def try_once(self) -> bool:
        """Whether it is done: not where there is no bucket yet."""
        try:
            furnish(self.store, self.known, self.who, self.public_key, self.now)
        except StoreMissing:
            return False
        return True

    @contextmanager
    def working(self) -> Iterator[None]:
        """Look for the bucket for as long as the block takes. What fails meanwhile is left to whoever furnishes when
        the block is over."""
        thread = threading.Thread(target=self._watch, name="furnish", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        try:
            while not self.try_once():
                if self._over.wait(LOOK_EVERY):
                    return
        except Failure:
            return
