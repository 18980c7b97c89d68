"""Where dumps lie: in the bucket of a space in AWS; elsewhere in a folder of the host that has the database, which is
root's alone and leaves a part of the disk free."""

from __future__ import annotations

import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from deployer.errors.base import HostFailure
from deployer.host import files, myself
from deployer.host.aws import Refused, Unanswered
from deployer.host.ledger_store import asking
from deployer.host.multipart import Upload
from deployer.host.paths import Paths
from deployer.store import keys
from deployer.store.base import KEY, Store
from deployer.store.folder import FolderStore

RESERVE = 2 << 30  # bytes that stay free for databases, journal and releases; a tenth of a small disk
CHUNK = 1 << 20
PATIENCE = 60.0  # seconds without a byte of somebody else's server


class Readable(Protocol):
    """Bytes as they come."""

    def read(self, size: int, /) -> bytes:
        """The next ones; none at the end."""
        ...


class Sink(Protocol):
    """A dump in the making."""

    @property
    def sent(self) -> int:
        """Bytes so far."""
        ...

    def write(self, data: bytes) -> None:
        """The next bytes."""
        ...

    def finish(self) -> None:
        """Have it."""
        ...

    def abort(self) -> None:
        """Have nothing of it."""
        ...


def unfinished(path: Path) -> Path:
    """Where a dump is until it is whole."""
    return path.with_name(f".{path.name}.part")


class FileSink:
    """A file under its name when it is whole; `backup-no-room` before it takes the disk's last part."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.sent = 0
        self._path = path
        self._aside = unfinished(path)
        check_room(path.parent, 0)
        self._file = os.fdopen(os.open(self._aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")

    def write(self, data: bytes) -> None:
        """The next bytes."""
        check_room(self._path.parent, self.sent)
        self._file.write(data)
        self.sent += len(data)

    def finish(self) -> None:
        """On the disk for good."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._aside.rename(self._path)
        files.sync(self._path.parent)

    def abort(self) -> None:
        """Have nothing of it."""
        self._file.close()
        self._aside.unlink(missing_ok=True)


class BucketSink:
    """An object of the space's bucket."""

    def __init__(self, paths: Paths, key: str) -> None:
        with _asking(key):
            order = myself.remembered(paths)
            self._upload = Upload(myself.aws_of(order), order.bucket, key)
        self._key = key

    @property
    def sent(self) -> int:
        """Bytes so far."""
        return self._upload.sent

    def write(self, data: bytes) -> None:
        """The next bytes."""
        with _asking(self._key):
            self._upload.write(data)

    def finish(self) -> None:
        """Have it."""
        with _asking(self._key):
            self._upload.finish()

    def abort(self) -> None:
        """Have nothing of it; S3 removes by itself within a week what this does not."""
        try:
            self._upload.abort()
        except (Refused, Unanswered):
            return


def in_bucket(paths: Paths) -> bool:
    """Whether this host is one of AWS that has joined."""
    return paths.join_order.exists()


def records(paths: Paths) -> Store:
    """Where the records of backups are."""
    if in_bucket(paths):
        store: Store = myself.store_of(myself.remembered(paths))
        return store
    return FolderStore(paths.backup_records)


def file_of(paths: Paths, app: str, name: str) -> Path:
    """The dump of a backup, on a host that keeps them itself; `bad-request` for a name that leads elsewhere."""
    if KEY.fullmatch(keys.dump(app, name)) is None or "/" in app or "/" in name:
        raise HostFailure("bad-request", {"reason": f"{app!r} {name!r} is no backup"})
    return paths.backups / "dumps" / app / name


def sink(paths: Paths, app: str, name: str) -> Sink:
    """Where a new dump goes."""
    if in_bucket(paths):
        return BucketSink(paths, keys.dump(app, name))
    return FileSink(file_of(paths, app, name))


@contextmanager
def opened(paths: Paths, app: str, name: str) -> Iterator[Readable]:
    """The bytes of a dump; `backup-gone`."""
    if not in_bucket(paths):
        try:
            with file_of(paths, app, name).open("rb") as file:
                yield file
        except FileNotFoundError:
            raise HostFailure("backup-gone", {"app": app, "name": name}) from None
        return
    store = myself.store_of(myself.remembered(paths))
    with store.opened(keys.dump(app, name)) as response:
        if response is None:
            raise HostFailure("backup-gone", {"app": app, "name": name})
        yield response


def fetch(url: str, path: Path) -> None:
    """What somebody else's server has at a URL, into a file; `url-refused`, `backup-no-room`."""
    into = FileSink(path)
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            if not url.startswith("https://") or not answer.url.startswith("https://"):
                raise HostFailure("url-refused", {"reason": "only https:// is fetched"})
            copy(answer, into)
        into.finish()
    except urllib.error.HTTPError as error:
        raise HostFailure("url-refused", {"reason": f"HTTP status {error.code}"}) from error
    except (OSError, ValueError) as error:
        raise HostFailure("url-refused", {"reason": str(getattr(error, "reason", error))}) from error
    finally:
        into.abort()


def copy(source: Readable | IO[bytes], into: Sink) -> None:
    """All of it."""
    while data := source.read(CHUNK):
        into.write(data)


def check_room(folder: Path, written: int, needed: int = 0) -> None:
    """`backup-no-room` where less of the disk is free than is to stay so, or than is needed beside that."""
    disk = shutil.disk_usage(folder)
    reserve = min(RESERVE, disk.total // 10)
    if disk.free < reserve + needed:
        facts = {"path": str(folder), "free": disk.free, "reserve": reserve, "written": written, "needed": needed}
        raise HostFailure("backup-no-room", facts)


@contextmanager
def _asking(key: str) -> Iterator[None]:
    with asking(f"writing {key}"):
        yield
