"""The call `certificates`: what a timer runs on hosts before whose routers nothing stands (docs/certificates.md).

It orders certificates for the names of apps, on the one host that the names lead to. Mostly nothing is due, and all it
asks is whether somebody has changed a certificate in the store.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import certbot, files, https, leads_here, myself, router
from deployer.host.aws import find_address
from deployer.host.channel import Channel
from deployer.host.converge import recall, say, saying_why
from deployer.host.ledger_store import asking
from deployer.host.lock import locked
from deployer.host.myself import Myself
from deployer.host.paths import Paths
from deployer.model import codec, issuing
from deployer.model.certificate import ACME, FAILING, Account, Certificate, Issuer
from deployer.model.space import Space
from deployer.store import certificates as stored
from deployer.store import keys, record
from deployer.store.base import Get, Put, Store

OFTEN = 60.0  # seconds until DNS is asked again, or a mirror, or who has the space's address
SELDOM = 3600.0  # seconds between two looks at everything
UNUSED = 7 * 86400.0  # seconds for which the certificate of a name that no app has stays in the store


@dataclass(frozen=True, slots=True)
class Seen:
    """What this host knows from before: the names that it looked after, the etag of what tells of changes, when it has
    to look again, and since when names are unused (seconds since 1970)."""

    names: tuple[str, ...] = ()
    changed: str = ""
    due: float = 0.0
    unused: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where certificates are ordered: the store, who issues them, and the addresses that names have to lead to."""

    store: Store
    issuer: Issuer
    own: Collection[str]


def certificates(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call: `{looked}`, and with it `{changed}`, the names whose certificates are others now, and `{failed}`."""
    paths = channel.paths
    if not router.own_front(paths) or paths.joining.exists():
        return {"looked": False}
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(paths.root / "certificates.lock", fcntl.LOCK_EX, _give_up))
        except BlockingIOError:
            return {"looked": False, "busy": True}
        with saying_why():
            return _look(paths, channel)


def _give_up() -> None:
    raise BlockingIOError


def _look(paths: Paths, channel: Channel) -> dict[str, Any]:
    seen, names = _remembered(paths), https.names(paths)
    me, _ = recall(myself.remembered(paths), paths)
    changed = _etag(me, seen.changed)
    if (names, changed) == (seen.names, seen.changed) and time.time() < seen.due:
        return {"looked": False}
    place = _place(me)
    if place is None:
        _remember(paths, replace(seen, names=names, changed=changed, due=time.time() + OFTEN))
        return {"looked": True, "holds_address": False}
    done = Turn(paths, place, channel, seen).run(names)
    _remember(paths, replace(done, names=names, changed=_etag(me, "")))
    return {"looked": True}


class Turn:
    """One look at all names."""

    def __init__(self, paths: Paths, place: Place, channel: Channel, seen: Seen) -> None:
        self._paths, self._place, self._channel, self._seen = paths, place, channel, seen
        self._due = time.time() + SELDOM

    def run(self, names: Collection[str]) -> Seen:
        """Order what is due; what is known then."""
        https.follow(self._place.store, self._paths)
        known = stored.every(self._place.store)
        missing = self._missing_program()
        for name in names:
            self._one(name, known.get(name), missing)
        return replace(self._seen, due=self._due, unused=self._forget(known.keys() - set(names)))

    def _one(self, name: str, found: Certificate | None, missing: str) -> None:
        now = datetime.now(UTC)
        known = found if found and found.by == ACME else None
        due = issuing.next_try(known)
        if due > now:
            return self._again(due)
        known = known or issuing.pending(name, now)
        if name.startswith("*"):
            return self._put(issuing.unasked(known, issuing.WILDCARD), found)
        if why := missing or leads_here.problem(name, self._place.own):
            self._again(now + timedelta(seconds=OFTEN))
            return self._put(issuing.unasked(known, why), found)
        self._put(issuing.begun(known, now), found)
        done = self._ordered(known)
        self._put(done, None)
        self._again(issuing.next_try(done))
        return None

    def _ordered(self, known: Certificate) -> Certificate:
        self._as_before()
        try:
            chain, key = certbot.order(self._paths, known.name, self._place.issuer)
        except HostFailure as failure:
            return issuing.failed(known, str(failure.details["reason"]), datetime.now(UTC))
        finally:
            self._keep_account()
        return issuing.issued(known.name, chain, key, certbot.life(chain), datetime.now(UTC))

    def _put(self, certificate: Certificate, before: Certificate | None) -> None:
        """The store first: what the router shows must not be lost with its host."""
        if certificate == before:
            return
        stored.put(self._place.store, certificate)
        what = f"certificate of {certificate.name} {certificate.status}"
        if certificate.status == FAILING:
            say(f"{what}: {certificate.reason}")
        self._channel.event({"event": "changed", "what": what})
        if certificate.is_in_force:
            https.follow(self._place.store, self._paths)

    def _missing_program(self) -> str:
        if certbot.is_there():
            return ""
        try:
            certbot.install()
        except HostFailure as failure:
            last = [line for line in failure.details.get("lines", []) if line.strip()][-1:]
            self._again(datetime.now(UTC) + issuing.FIRST_PAUSE)
            return f"certbot could not be installed on the host: {' '.join(last)}"
        return ""

    def _as_before(self) -> None:
        found = record.found(Account, self._place.store.batch([Get(keys.ACCOUNT)]).answers[0])
        if found:
            certbot.become(self._paths, found)

    def _keep_account(self) -> None:
        known = record.found(Account, self._place.store.batch([Get(keys.ACCOUNT)]).answers[0])
        own = certbot.account(self._paths)
        if own.files and own != known:
            self._place.store.batch([Put(keys.ACCOUNT, record.dump(own))])

    def _forget(self, unused: Collection[str]) -> dict[str, float]:
        """Those of names that have been nobody's for long; since when the others are."""
        since = {name: self._seen.unused.get(name, time.time()) for name in unused}
        if over := [name for name, at in since.items() if time.time() - at > UNUSED]:
            stored.forget(self._place.store, over)
        return {name: at for name, at in since.items() if name not in over}

    def _again(self, at: datetime) -> None:
        self._due = min(self._due, at.timestamp())


def _etag(me: Myself, known: str) -> str:
    found = me.store.etags([keys.CERTIFICATES_CHANGED], {keys.CERTIFICATES_CHANGED: known} if known else {})
    return found.get(keys.CERTIFICATES_CHANGED, "")


def _place(me: Myself) -> Place | None:
    """None on a host that the space's address does not lead to."""
    with asking("asking for the space's address"):
        address = find_address(me.aws, me.order.space, me.order.address)
    space = myself.read(me, Space, keys.SPACE)
    if space is None or address.holder != me.instance:
        return None
    return Place(me.store, space.certificates, (address.public,))


def _remembered(paths: Paths) -> Seen:
    with suppress(FileNotFoundError, ValueError, TypeError):
        return codec.decode(Seen, json.loads(_file(paths).read_text()))
    return Seen()


def _remember(paths: Paths, seen: Seen) -> None:
    files.write(_file(paths), json.dumps(codec.encode(seen)).encode() + b"\n", 0o600)


def _file(paths: Paths) -> Path:
    return paths.root / "certificates.json"
