"""The space's epoch, as this host knows it: commands of an older one, which ended when another host was made the first
one, are refused."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import files
from deployer.host.channel import Channel
from deployer.host.lock import locked
from deployer.host.paths import Paths


def read_epoch(paths: Paths) -> int:
    """The space's epoch as this host knows it; 0 before `prepare`."""
    try:
        return int(paths.epoch.read_text())
    except FileNotFoundError:
        return 0


def check_epoch(request: dict[str, Any], paths: Paths) -> None:
    """Refuse commands of an epoch that ended when another host was made the first one."""
    known = read_epoch(paths)
    if request.get("epoch", known) < known:
        raise HostFailure("old-epoch", {"epoch": request["epoch"], "known": known})


def raise_epoch(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call: obey no command of an older epoch than this from now on; `epoch-taken` where it is no news here, for
    then somebody else has chosen it too."""
    epoch = int(request["epoch"])
    if not learn_epoch(channel.paths, epoch):
        raise HostFailure("epoch-taken", {"epoch": epoch, "known": read_epoch(channel.paths)})
    return {"epoch": epoch}


def learn_epoch(paths: Paths, epoch: int) -> bool:
    """Know this epoch from now on, unless this or a newer one is known; whether it was news."""
    with _locked(paths, fcntl.LOCK_EX):
        if epoch <= read_epoch(paths):
            return False
        return files.write(paths.epoch, f"{epoch}\n".encode())


@contextmanager
def in_its_epoch(request: dict[str, Any], paths: Paths) -> Iterator[None]:
    """Refuse an older epoch, and let nobody raise it before the block is over: what is acknowledged to a command is on
    the disk when whoever raises the epoch looks."""
    with _locked(paths, fcntl.LOCK_SH):
        check_epoch(request, paths)
        yield


@contextmanager
def _locked(paths: Paths, kind: int) -> Iterator[None]:
    paths.root.mkdir(parents=True, exist_ok=True)
    with locked(paths.root / "epoch.lock", kind):
        yield
