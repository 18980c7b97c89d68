"""A build on a host of the space: this program, run there by the host's own Python for one build.

It travels with the packages that it imports (`deployer.build.elsewhere`), is started in a slice with little weight, and
speaks JSON lines with bytes behind them, as the agent does:

-> the order: app, platform, buildpacks, config vars, commit; the source's files by path, kind and digest
<- {"lacking": [digest]}                           -> a tar of those
<- {"event": NAME, "facts": {...}}, again and again
<- {"slug": {...}, "layers": [{"layer", "root", "manifest"}]}, or {"failure": {...}}

The end of its standard input ends the build."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from deployer.build import folders, platform_image
from deployer.build.build import build
from deployer.build.jail import Jail, run
from deployer.build.source import Source
from deployer.build.tools import uv_version
from deployer.errors.base import Failure
from deployer.model.codec import encode
from deployer.model.events import Detail, Event
from deployer.model.platforms import Platform, parse
from deployer.model.slug import Built

Message = dict[str, Any]


class Wire:
    """Messages to and from the laptop."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes]) -> None:
        self._reader = reader
        self._writer = writer
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Send a message."""
        with self._lock:
            self._writer.write(json.dumps(message).encode() + b"\n")
            self._writer.flush()

    def receive(self) -> tuple[Message, bytes]:
        """The next message, and its bytes."""
        message: Message = json.loads(self._reader.readline())
        return message, self._reader.read(message.get("bytes", 0))

    def tell(self, event: Event) -> None:
        """Pass an event on."""
        self.send({"event": type(event).__name__, "facts": encode(event)})

    def end_with_input(self) -> None:
        """Nobody is left to build for: end, and with this process all that it started, for they share a unit."""
        self._reader.read()
        os._exit(1)


def main() -> None:
    """One build."""
    wire = Wire(sys.stdin.buffer, sys.stdout.buffer)
    order, _ = wire.receive()
    try:
        shelf = _source_folder(order["app"])
        _complete(shelf, order["entries"], wire)
        threading.Thread(target=wire.end_with_input, daemon=True).start()
        with folders.open_lock(folders.cache_folder() / "lock") as lock:
            _take(lock, wire)
            built = _build(order, shelf, wire)
        wire.send({"slug": encode(built.slug), "layers": _layers(order["app"], built)})
    except Failure as failure:
        wire.send({"failure": told(failure)})


def told(failure: Failure) -> Message:
    """A failure as JSON: where its class is, and its facts."""
    return {"module": type(failure).__module__, "name": type(failure).__name__, "facts": failure.facts()}


def _take(lock: IO[str], wire: Wire) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        wire.tell(Detail("Waiting for another build on this host to end"))
        fcntl.flock(lock, fcntl.LOCK_EX)


def _build(order: Mapping[str, Any], shelf: Path, wire: Wire) -> Built:
    platform = parse(order["platform"])
    _have_uv(Path(os.environ["DEPLOYER_UV"]), platform, wire)
    source = Source(order["commit"], None, lambda folder: fill(folder, shelf, order["entries"]))
    return build(
        source,
        app=order["app"],
        platform=platform,
        buildpacks=tuple(order["buildpacks"]),
        config=order["config"],
        tell=wire.tell,
        no_cache=order["no_cache"],
    )


def _have_uv(place: Path, platform: Platform, wire: Wire) -> None:
    """uv for this machine, where the laptop has none for it: from the package index, by the platform's own pip."""
    if place.exists():
        return
    image = platform_image.ensure(platform, "build", wire.tell)
    aside = place.with_suffix(".new")
    shutil.rmtree(aside, ignore_errors=True)
    for name in ("app", "cache"):
        (aside / name).mkdir(parents=True)
        (aside / name).chmod(0o777)
    install = f"python3 -m venv /cache/venv && /cache/venv/bin/pip install -q uv=={uv_version()}"
    lines: list[str] = []
    run(Jail(image, aside / "app", aside / "cache"), ["sh", "-c", install], lines.append, seconds=300)
    found = aside / "cache/venv/bin/uv"
    if not found.exists():
        raise SystemExit("uv could not be installed on this host:\n" + "\n".join(lines[-5:]))
    os.chown(found, 0, 0)
    found.rename(place)
    shutil.rmtree(aside)


def _source_folder(app: str) -> Path:
    """Where the files of an app's sources lie, by their digests."""
    folder = folders.cache_folder() / "sources" / app
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _complete(shelf: Path, entries: Sequence[Sequence[str]], wire: Wire) -> None:
    """Have every file of the source; those of earlier ones go."""
    wanted = {digest for _, kind, digest in entries if kind in "fx"}
    for path in shelf.iterdir():
        if path.name not in wanted:
            path.unlink()
    wire.send({"lacking": sorted(wanted - {path.name for path in shelf.iterdir()})})
    _, data = wire.receive()
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            body = content.read() if content else b""
            if hashlib.sha256(body).hexdigest() == member.name:
                aside = shelf / f".{member.name}"
                aside.write_bytes(body)
                aside.rename(shelf / member.name)


def fill(folder: Path, shelf: Path, entries: Sequence[Sequence[str]]) -> list[str]:
    """Lay the source out; nothing to tell, for its author has heard it."""
    for name, kind, what in entries:
        path = folder / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "d":
            path.mkdir(exist_ok=True)
        elif kind == "l":
            path.symlink_to(what)
        else:
            shutil.copyfile(shelf / what, path)
            path.chmod(0o755 if kind == "x" else 0o644)
    return []


def _layers(app: str, built: Built) -> list[Message]:
    """The layers, with files of their manifests: the agent takes them from there."""
    folder = folders.cache_folder() / "manifests" / app
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for one in built.layers:
        (folder / one.layer.digest).write_bytes(one.manifest)
    return [
        {"layer": encode(one.layer), "root": str(one.root), "manifest": str(folder / one.layer.digest)}
        for one in built.layers
    ]


if __name__ == "__main__":
    main()
