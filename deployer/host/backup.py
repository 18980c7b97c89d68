"""The agent's `backup` call: begins, watches and ends backups and restores, and carries dumps that lie on this host.

| do | request | result |
| --- | --- | --- |
| begin | `{job}` (host/backup_job.py) | its unit has started: `{}` |
| watch | `{app, name}` | events `progress {bytes}`; `{outcome}` |
| look | `{app, names}` | `{running: [name], outcomes: {name: outcome}}` |
| cancel | `{app, name}` | its unit has ended: `{}` |
| give | `{app, name, offset}` | events `data` with bytes; `{size}` |
| take | `{app, name}`, then messages with bytes, then `{end}` | a dump for `begin`: `{size}` |
| drop | `{app, names}` | their dumps are no more: `{}` |
| unschedule | `{app, addon}` | no more are made of it here: `{}` |
| forget | `{app}` | nothing of the app is left here: `{}` |

Errors: `backup-failed`, `backup-gone`, `backup-no-room`.
"""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import backup_job, systemd
from deployer.host.backup_dumps import CHUNK, FileSink, file_of, unfinished
from deployer.host.backup_job import Job, Traces, is_at_work, traces
from deployer.host.channel import Channel
from deployer.host.paths import Paths
from deployer.model import codec
from deployer.model.backup import CANCELED, FAILED, Outcome
from deployer.model.moment import spelled
from deployer.store.backups import Backups
from deployer.store.folder import FolderStore

Request = dict[str, Any]
OFTEN = 0.3  # seconds between two looks


def backup(request: Request, channel: Channel) -> dict[str, Any]:
    """Do what `do` says; the table above has requests and results."""
    work = _DO.get(request.get("do", ""))
    if work is None:
        raise HostFailure("bad-request", {"reason": f"backup cannot {request.get('do')!r}"})
    return work(request, channel)


def begin(request: Request, channel: Channel) -> dict[str, Any]:
    """Start it, and leave it to itself."""
    backup_job.begin(channel.paths, codec.decode(Job, request["job"]))
    return {}


def watch(request: Request, channel: Channel) -> dict[str, Any]:
    """Tell how far it is until it has ended."""
    app, name = request["app"], request["name"]
    own, told = traces(channel.paths, app, name), -1
    while (found := _outcome(channel.paths, own, app, name)) is None:
        if (reached := own.progress()) != told:
            channel.event({"event": "progress", "bytes_done": reached})
            told = reached
        time.sleep(OFTEN)
    return {"outcome": codec.encode(found)}


def look(request: Request, channel: Channel) -> dict[str, Any]:
    """Which of them are at work, and how the others ended that are known here."""
    app, running, outcomes = request["app"], [], {}
    for name in request["names"]:
        own = traces(channel.paths, app, name)
        found = _outcome(channel.paths, own, app, name) if own.folder.exists() else _lost()
        if found is None:
            running.append(name)
        else:
            outcomes[name] = codec.encode(found)
    return {"running": running, "outcomes": outcomes}


def cancel(request: Request, channel: Channel) -> dict[str, Any]:
    """End it: what is half done goes, and a database that would be overwritten stays."""
    own = traces(channel.paths, request["app"], request["name"])
    if is_at_work(request["app"], request["name"]):
        own.canceled.touch()
        systemd.stop([backup_job.unit_of(request["app"], request["name"])])
        if own.outcome() is None:
            own.end(Outcome(CANCELED, spelled(datetime.now(UTC))))
    return {}


def give(request: Request, channel: Channel) -> dict[str, Any]:
    """The bytes of a dump from `offset` on."""
    try:
        with file_of(channel.paths, request["app"], request["name"]).open("rb") as file:
            file.seek(int(request.get("offset", 0)))
            while data := file.read(CHUNK):
                channel.event({"event": "data"}, data)
            return {"size": file.tell()}
    except FileNotFoundError:
        raise HostFailure("backup-gone", {"app": request["app"], "name": request["name"]}) from None


def take(request: Request, channel: Channel) -> dict[str, Any]:
    """A dump that somebody has."""
    into = FileSink(file_of(channel.paths, request["app"], request["name"]))
    try:
        while True:
            message, data = channel.receive()
            if "end" in message:
                break
            into.write(data)
        into.finish()
    finally:
        into.abort()
    return {"size": into.sent}


def drop(request: Request, channel: Channel) -> dict[str, Any]:
    """Have the dumps of these no more."""
    for name in request["names"]:
        file_of(channel.paths, request["app"], name).unlink(missing_ok=True)
    return {}


def unschedule(request: Request, channel: Channel) -> dict[str, Any]:
    """Make no more of a database."""
    _records(channel).delete_schedule(request["app"], request["addon"])
    return {}


def forget(request: Request, channel: Channel) -> dict[str, Any]:
    """Have nothing of the app."""
    app = request["app"]
    found = [path.name.removeprefix(f"{app}.") for path in (channel.paths.backups / "work").glob(f"{app}.*")]
    for name in found:
        cancel({"app": app, "name": name}, channel)
        shutil.rmtree(traces(channel.paths, app, name).folder, ignore_errors=True)
    shutil.rmtree(file_of(channel.paths, app, "b001").parent, ignore_errors=True)
    _records(channel).forget(app)
    return {}


def _records(channel: Channel) -> Backups:
    return Backups(FolderStore(channel.paths.backup_records))


def _outcome(paths: Paths, own: Traces, app: str, name: str) -> Outcome | None:
    """How it ended; that of one whose unit went without a word, as by a power cut, is written now, and what it had
    dumped goes."""
    found = own.outcome()
    if found is None and not is_at_work(app, name):
        found = own.outcome()  # it has ended in between
        if found is None:
            found = _lost()
            unfinished(file_of(paths, app, name)).unlink(missing_ok=True)
            own.end(found)
    return found


def _lost() -> Outcome:
    return Outcome(FAILED, spelled(datetime.now(UTC)), code="backup-lost")


_DO = {
    "begin": begin,
    "watch": watch,
    "look": look,
    "cancel": cancel,
    "give": give,
    "take": take,
    "drop": drop,
    "unschedule": unschedule,
    "forget": forget,
}
