"""The agent's calls about the space's store: batches on the first host, a copy on others."""

from __future__ import annotations

from typing import Any

from deployer.errors.base import HostFailure
from deployer.host.channel import Channel
from deployer.host.fence import read_epoch
from deployer.store.base import Lost
from deployer.store.copy import StoreCopy
from deployer.store.folder import FolderStore
from deployer.store.wire import answer_to_json, op_from_json, read_text, text_of


def store(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """`{now, at, answers}`, or `{lost: KEY}` where a condition did not hold: what stood before it was done."""
    try:
        ops = [op_from_json(op) for op in request["ops"]]
        answers = FolderStore(channel.paths.store).batch(ops)
    except Lost as lost:
        return {"lost": lost.key}
    except ValueError as error:
        raise HostFailure("bad-request", {"reason": str(error)}) from error
    return {"now": answers.now, "at": answers.at, "answers": [answer_to_json(answer) for answer in answers.answers]}


def store_read(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The whole store: `{at, bodies: {KEY: BODY}}`."""
    at, bodies = FolderStore(channel.paths.store).everything()
    return {"at": at, "bodies": {key: text_of(body) for key, body in bodies.items()}}


def copy(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Follow the first host's store: by one batch (`ops`), to `{held: bool}`; to all that it holds (`bodies`); without
    either only say how far the copy is: `{epoch, at}`."""
    held = StoreCopy(channel.paths.store_copy)
    if "ops" in request:
        return {"held": held.follow(request["epoch"], request["at"], [op_from_json(op) for op in request["ops"]])}
    if "bodies" in request:
        held.become(request["epoch"], request["at"], {key: read_text(text) for key, text in request["bodies"].items()})
    epoch, at = held.at()
    return {"epoch": epoch, "at": at}


def copy_promote(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The copy becomes the store, which must not be there; `no-copy` where there is none that is whole."""
    paths = channel.paths
    _, at = StoreCopy(paths.store_copy).at()
    if paths.store.exists() or not at:
        raise HostFailure("no-copy", {"at": at, "epoch": read_epoch(paths), "store": paths.store.exists()})
    (paths.store_copy / ".epoch").unlink()
    paths.store_copy.rename(paths.store)
    return {"at": at}
