"""The agent's calls about the space's store: batches on the first host, a copy on others, and what becomes of both when
another host is made the first one."""

from __future__ import annotations

import shutil
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import files
from deployer.host.channel import Channel
from deployer.host.epoch import in_its_epoch, read_epoch
from deployer.host.paths import Paths
from deployer.model.space import Space
from deployer.store import keys, record
from deployer.store.base import Get, Lost, Stored
from deployer.store.copy import StoreCopy
from deployer.store.folder import FolderStore
from deployer.store.wire import answer_to_json, op_from_json, read_text, text_of


def store(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """`{now, at, answers}`, or `{lost: KEY}` where a condition did not hold: what stood before it was done. Of the
    records of backups beside their dumps, with `backups`."""
    folder = channel.paths.backup_records if request.get("backups") else channel.paths.store
    try:
        ops = [op_from_json(op) for op in request["ops"]]
        answers = FolderStore(folder).batch(ops)
    except Lost as lost:
        return {"lost": lost.key}
    except ValueError as error:
        raise HostFailure("bad-request", {"reason": str(error)}) from error
    return {"now": answers.now, "at": answers.at, "answers": [answer_to_json(answer) for answer in answers.answers]}


def store_read(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The whole store, or with `copy` this host's copy: `{at, bodies: {KEY: BODY}}`."""
    paths = channel.paths
    at, bodies = FolderStore(paths.store_copy if request.get("copy") else paths.store).everything()
    return {"at": at, "bodies": {key: text_of(body) for key, body in bodies.items()}}


def copy(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Follow the first host's store: by one batch (`ops`), to `{held: bool}`; to all that it holds (`bodies`); without
    either only say how far the copy is, and what else this host knows: `{epoch, at, known, ledger}`, the latter the
    epoch in the ledger of its own store, 0 where it has none."""
    paths = channel.paths
    held = StoreCopy(paths.store_copy)
    with in_its_epoch(request, paths):
        if "ops" in request:
            return {"held": held.follow(request["epoch"], request["at"], [op_from_json(op) for op in request["ops"]])}
        if "bodies" in request:
            held.become(request["epoch"], request["at"], _bodies(request))
    epoch, at = held.at()
    return {"epoch": epoch, "at": at, "known": read_epoch(paths), "ledger": ledger_epoch(paths)}


def copy_promote(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The copy, or the one that is given (`of`: its `{epoch, at, bodies}`), changed by `ops`, becomes the store, of
    which there must be none with a ledger: one rename. `no-copy` where there is none that is whole."""
    paths = channel.paths
    held = StoreCopy(paths.store_copy)
    with in_its_epoch(request, paths):
        if newer := request.get("of"):
            held.become(newer["epoch"], newer["at"], _bodies(newer))
        _, at = held.at()
        if ledger_epoch(paths) or not at:
            raise HostFailure("no-copy", {"at": at, "store": bool(ledger_epoch(paths))})
        held.change([op_from_json(op) for op in request.get("ops", [])])
        shutil.rmtree(paths.store, ignore_errors=True)  # somebody has looked for a ledger here
        paths.store_copy.rename(paths.store)
        files.sync(paths.root)
        (paths.store / ".epoch").unlink(missing_ok=True)
    return {"at": at}


def store_retire(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Set aside the store of a host that is no longer the first one, for people: no command reads or writes it any
    more. `{retired: bool}`; refused where it is of the space's present `epoch`."""
    paths = channel.paths
    if not paths.store.exists():
        return {"retired": False}
    if ledger_epoch(paths) >= request["epoch"]:
        raise HostFailure("bad-request", {"reason": f"the store of this host is of epoch {ledger_epoch(paths)}"})
    old = paths.store.with_name("store-old")
    shutil.rmtree(old, ignore_errors=True)
    paths.store.rename(old)
    files.sync(paths.root)
    return {"retired": True}


def ledger_epoch(paths: Paths) -> int:
    """The epoch that the ledger in this host's store says; 0 where there is none."""
    if not (paths.store / keys.SPACE).exists():
        return 0
    found = FolderStore(paths.store).batch([Get(keys.SPACE)]).answers[0]
    return record.load(Space, found).epoch if isinstance(found, Stored) else 0


def _bodies(request: dict[str, Any]) -> dict[str, bytes]:
    return {key: read_text(text) for key, text in request["bodies"].items()}
