"""The call `certificates`: what a timer runs on hosts before whose routers nothing stands (docs/certificates.md).

It orders certificates for the names of apps, on the one host that the names lead to. Mostly nothing is due, and all it
asks is whether somebody has changed a certificate in the store.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import certbot, files, https, issuing_place, leads_here, router
from deployer.host.channel import Channel
from deployer.host.converge import say, saying_why
from deployer.host.issuing_place import Place
from deployer.host.leads_here import Lookup
from deployer.host.lock import tried
from deployer.host.paths import Paths
from deployer.model import codec, issuing
from deployer.model.certificate import ACME, FAILING, Account, Certificate
from deployer.store import certificates as stored
from deployer.store import keys, record
from deployer.store.base import Get, Put

OFTEN = 60.0  # seconds until DNS is asked again, or a mirror, or who has the space's address
SELDOM = 3600.0  # seconds between two looks at everything
UNUSED = 7 * 86400.0  # seconds for which the certificate of a name that no app has stays in the store


@dataclass(frozen=True, slots=True)
class Seen:
    """What this host knows from before: the names that it looked after, the etag of what tells of changes, when it has
    to look again, and since when names are unused (seconds since 1970). `lacking` is why certbot could not be
    installed, so many times, and `install_at` when that is tried again."""

    names: tuple[str, ...] = ()
    changed: str = ""
    due: float = 0.0
    unused: dict[str, float] = field(default_factory=dict)
    lacking: str = ""
    installs: int = 0
    install_at: float = 0.0


def certificates(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call: `{looked}`, and with it `{changed}`, the names whose certificates are others now, and `{failed}`."""
    paths = channel.paths
    if not router.own_front(paths) or paths.joining.exists():
        return {"looked": False}
    with tried(paths.root / "certificates.lock") as is_alone, saying_why():
        return _look(paths, channel) if is_alone else {"looked": False, "busy": True}


def _look(paths: Paths, channel: Channel) -> dict[str, Any]:
    seen, names, here = _remembered(paths), https.names(paths), issuing_place.here(paths)
    if here is None:
        return {"looked": False}
    changed = here.changed(seen.changed)
    if (names, changed) == (seen.names, seen.changed) and time.time() < seen.due:
        return {"looked": False}
    place = here.place()
    if place is None:
        _remember(paths, replace(seen, names=names, changed=changed, due=time.time() + OFTEN))
        return {"looked": True, "holds_address": False}
    done = Turn(paths, place, channel, seen).run(names)
    # What stood there before this look: what somebody has written meanwhile is news the next time.
    _remember(paths, replace(done, names=names, changed=changed))
    return {"looked": True}


class Turn:
    """One look at all names."""

    def __init__(
        self, paths: Paths, place: Place, channel: Channel, seen: Seen, lookup: Lookup = leads_here.addresses
    ) -> None:
        self._paths, self._place, self._channel, self._seen = paths, place, channel, seen
        self._lookup = lookup
        self._due = time.time() + SELDOM

    def run(self, names: Collection[str]) -> Seen:
        """Order what is due; what is known then."""
        https.follow(self._place.store, self._paths)
        known = stored.every(self._place.store)
        if self._place.names_lead_here:
            self._lacks_program()  # before anybody waits for it
        for name in names:
            self._one(name, known.get(name))
        return replace(self._seen, due=self._due, unused=self._forget(known.keys() - set(names)))

    def _one(self, name: str, found: Certificate | None) -> None:
        now = datetime.now(UTC)
        known = found if found and found.by == ACME else None
        due = issuing.next_try(known)
        if due > now:
            return self._again(due)
        known = known or issuing.pending(name, now)
        if name.startswith("*"):
            return self._put(issuing.unasked(known, issuing.WILDCARD), found)
        if why := leads_here.problem(name, self._place.own, self._lookup):
            self._again(now + timedelta(seconds=OFTEN))
            return self._put(issuing.unasked(known, why), found)
        if why := self._lacks_program():
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

    def _lacks_program(self) -> str:
        """Why there is no certbot; empty where there is. A mirror that has none is asked less and less often."""
        if certbot.is_there():
            return ""
        if time.time() >= self._seen.install_at:
            why = _install()
            tries = self._seen.installs + 1
            pause = issuing.pause(tries).total_seconds() if why else 0.0
            self._seen = replace(self._seen, lacking=why, installs=tries, install_at=time.time() + pause)
        self._again(datetime.fromtimestamp(self._seen.install_at, UTC))
        return self._seen.lacking

    def _as_before(self) -> None:
        if found := self._account():
            certbot.become(self._paths, found)

    def _keep_account(self) -> None:
        own = certbot.account(self._paths)
        if own.files and own != self._account():
            self._place.store.batch([Put(keys.ACCOUNT, record.dump(own))])

    def _account(self) -> Account | None:
        return record.found(Account, self._place.store.batch([Get(keys.ACCOUNT)]).answers[0])

    def _forget(self, unused: Collection[str]) -> dict[str, float]:
        """Those of names that have been nobody's for long; since when the others are."""
        since = {name: self._seen.unused.get(name, time.time()) for name in unused}
        if over := [name for name, at in since.items() if time.time() - at > UNUSED]:
            stored.put(self._place.store, gone=over)
        return {name: at for name, at in since.items() if name not in over}

    def _again(self, at: datetime) -> None:
        self._due = min(self._due, at.timestamp())


def _install() -> str:
    try:
        certbot.install()
    except HostFailure as failure:
        last = [line for line in failure.details.get("lines", []) if line.strip()][-1:]
        return f"certbot could not be installed on the host: {' '.join(last)}"
    return ""


def _remembered(paths: Paths) -> Seen:
    with suppress(FileNotFoundError, ValueError, TypeError):
        return codec.decode(Seen, json.loads(_file(paths).read_text()))
    return Seen()


def _remember(paths: Paths, seen: Seen) -> None:
    files.write(_file(paths), json.dumps(codec.encode(seen)).encode() + b"\n", 0o600)


def _file(paths: Paths) -> Path:
    return paths.root / "certificates.json"
