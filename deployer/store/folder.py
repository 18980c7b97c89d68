"""A store in a folder: the first host's, and what tests stand on.

One flock for a whole batch; a body is written to a temporary name, synced, renamed, and its folder synced. An etag is
the sha256 of a body. Names that begin with a dot are ours and never keys.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deployer.store.base import Answers, Delete, Get, List, Lost, Op, Put, Stored, check

AT = ".at"  # how many batches wrote something


class FolderStore:
    """The objects below `root`; `now` gives the store's clock in seconds since 1970."""

    def __init__(self, root: Path, now: Callable[[], float] = time.time) -> None:
        self._root = root
        self._now = now
        self._counted = False

    def batch(self, ops: Sequence[Op]) -> Answers:
        """Run `ops` in order under one lock; Lost at the first condition that does not hold, ValueError for a key
        that is none."""
        for op in ops:
            check(op)
        writes = any(isinstance(op, (Put, Delete)) for op in ops)
        with self._locked(fcntl.LOCK_EX if writes else fcntl.LOCK_SH):
            now = self._now()
            self._counted = False
            answers = tuple(self._answer(op) for op in ops)
            return Answers(now, answers, read_number(self._root / AT))

    def _count(self) -> None:
        """Number the batch, once, before the first thing that it changes: what a crash leaves half done, or an unmet
        condition ends, is a number that no copy has."""
        if not self._counted:
            write_number(self._root / AT, read_number(self._root / AT) + 1)
            self._counted = True

    def everything(self) -> tuple[int, dict[str, bytes]]:
        """After how many batches it is, and every body by its key."""
        with self._locked(fcntl.LOCK_SH):
            found = {key: self._get(key) for key in self._list("")}
            return read_number(self._root / AT), {key: stored.body for key, stored in found.items() if stored}

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        descriptor = self._open_lock(write=kind == fcntl.LOCK_EX)
        try:
            fcntl.flock(descriptor, kind)
            yield
        finally:
            os.close(descriptor)

    def _open_lock(self, *, write: bool) -> int:
        """Reading asks for no right to write: a disk with errors can still be read."""
        lock = self._root / ".lock"
        if not write and lock.exists():
            return os.open(lock, os.O_RDONLY)
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)

    def _answer(self, op: Op) -> Stored | str | tuple[str, ...] | None:
        if isinstance(op, Get):
            return self._get(op.key)
        if isinstance(op, Put):
            return self._put(op)
        if isinstance(op, List):
            return self._list(op.prefix)
        self._delete(op)
        return None

    def _get(self, key: str) -> Stored | None:
        try:
            body = (self._root / key).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        return Stored(body, etag(body))

    def _put(self, op: Put) -> str:
        stored = self._get(op.key)
        if op.if_absent and stored is not None:
            raise Lost(op.key)
        if op.if_match is not None and (stored is None or stored.etag != op.if_match):
            raise Lost(op.key)
        self._count()
        self._write(self._root / op.key, op.body)
        return etag(op.body)

    def _write(self, path: Path, body: bytes) -> None:
        # One name for all: writers exclude each other, and the next one overwrites what a killed one left.
        new = self._root / ".new"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        self._make_folder(path.parent)
        new.rename(path)
        _sync(path.parent)

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make_folder(folder.parent)
            folder.mkdir(mode=0o700)
            _sync(folder.parent)

    def _list(self, prefix: str) -> tuple[str, ...]:
        start = self._root / prefix.rpartition("/")[0]
        found = (
            str((Path(folder) / name).relative_to(self._root))
            for folder, _, names in os.walk(start)
            for name in names
            if not name.startswith(".")
        )
        return tuple(sorted(key for key in found if key.startswith(prefix)))

    def _delete(self, op: Delete) -> None:
        stored = self._get(op.key)
        if stored is None:
            return
        if op.if_match is not None and stored.etag != op.if_match:
            raise Lost(op.key)
        self._count()
        self._remove(op.key)

    def _remove(self, key: str) -> None:
        path = self._root / key
        path.unlink()
        _sync(path.parent)
        self._remove_empty(path.parent)

    def _remove_empty(self, folder: Path) -> None:
        while folder != self._root and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


def read_number(path: Path) -> int:
    """The number in a file; 0 where there is none."""
    try:
        return int(path.read_text() or "0")
    except FileNotFoundError:
        return 0


def write_number(path: Path, number: int) -> None:
    """Of constant length and within one sector: no crash leaves half a number."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(descriptor, b"%020d\n" % number, 0)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def etag(body: bytes) -> str:
    """The etag of a body."""
    return hashlib.sha256(body).hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
