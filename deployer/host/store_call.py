"""The agent's `store` call: a batch over the first host's store."""

from __future__ import annotations

from typing import Any

from deployer.errors.base import HostFailure
from deployer.host.channel import Channel
from deployer.store.base import Lost
from deployer.store.folder import FolderStore
from deployer.store.wire import answer_to_json, op_from_json


def store(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """`{now, answers}`, or `{lost: KEY}` where a condition did not hold: what stood before it was done."""
    try:
        ops = [op_from_json(op) for op in request["ops"]]
        answers = FolderStore(channel.paths.store).batch(ops)
    except Lost as lost:
        return {"lost": lost.key}
    except ValueError as error:
        raise HostFailure("bad-request", {"reason": str(error)}) from error
    return {"now": answers.now, "answers": [answer_to_json(answer) for answer in answers.answers]}
