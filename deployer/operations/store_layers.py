"""Layers in the store of a space in AWS that no release needs any more go, at the end of a deploy and with their app.

What must stay there: the layers of each app's current release, of those that are pending, and of the last ten that
succeeded. Layers of apps may be the same, so all apps are asked. One that a command is about to name is younger than an
hour, or stands there from before: while somebody holds another app's lease nothing is deleted, and whoever commits a
release looks first whether its layers are there still (operations/deploy.py).
"""

from __future__ import annotations

from deployer.errors.base import Failure
from deployer.model.events import Tell, Warn
from deployer.model.lease import Lease
from deployer.operations.release import LOOKED_AT, kept
from deployer.operations.session import OpenSpace, whoami
from deployer.store import keys, record
from deployer.store.base import Delete, Get
from deployer.store.ledger import Ledger
from deployer.store.s3 import S3Store

YOUNG = 3600.0  # seconds in which nobody may have named it yet
MOST = 100  # that go at a time


def prune(space: OpenSpace, app: str, tell: Tell) -> None:
    """For whoever holds the app's lease; nothing fails for it."""
    store = space.ledger.store.beneath
    if not isinstance(store, S3Store):
        return
    try:
        delete_unnamed(store, app)
    except Failure as failure:
        tell(Warn(f"Old layers could not be removed from {store.address}: {failure.paragraphs()[0]}"))


def delete_unnamed(store: S3Store, app: str, young: float = YOUNG) -> list[str]:
    """Delete those that nobody needs; their keys. `app` is the one whose lease is held; none goes that is `young`er."""
    old = [key for key, age in store.ages(keys.LAYERS).items() if age > young]
    ledger = Ledger(store, whoami())  # what somebody else has just written counts
    apps = [one.name for one in ledger.apps()] if old else []
    named = {keys.layer(digest) for one in apps for digest in named_layers(ledger, one)}
    gone = [Delete(key) for key in sorted(set(old) - named)[:MOST]]
    if gone and not _is_somebody_at(store, [one for one in apps if one != app]):
        store.batch(gone)
        return [one.key for one in gone]
    return []


def named_layers(ledger: Ledger, app: str) -> set[str]:
    """The digests of the layers that an app may still need."""
    state, entries = ledger.state(app), ledger.releases(app, LOOKED_AT)
    wanted = [one.release.slug for one in entries if one.result is None] + kept(entries)
    slugs = ledger.slugs(sorted({slug for slug in wanted if slug}))
    current = state.slug.layers if state and state.slug else ()
    return {layer.digest for layer in (*current, *(one for slug in slugs for one in slug.layers))}


def _is_somebody_at(store: S3Store, apps: list[str]) -> bool:
    """Whether a command holds the lease of one of these apps."""
    found = store.batch([Get(keys.lease(f"app-{app}")) for app in apps]) if apps else None
    leases = [record.found(Lease, answer) for answer in found.answers] if found else []
    return any(lease.is_held(found.now) for lease in leases if lease and found)
