"""An app's layers on a host: trees of hard links to blobs, made aside and renamed when all of it is on the disk."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from deployer.errors.base import HostFailure
from deployer.host import lock
from deployer.host.paths import AppPaths
from deployer.model.manifest import BadManifest, Entry, decode

DIGEST = re.compile(r"[0-9a-f]{64}")


@contextmanager
def locked(app: AppPaths) -> Iterator[None]:
    """Alone with the app's blobs and layers; what a killed agent left in the making is gone."""
    app.root.mkdir(parents=True, exist_ok=True)
    with lock.locked(app.blobs_lock, fcntl.LOCK_EX):
        remove_tree(app.incoming)
        yield


def sweep(app: AppPaths) -> bool:
    """Take away what a killed agent has left of layers that it was making or removing, unless another agent is at work
    on this app's; whether there was anything."""
    found = [folder for folder in (app.incoming, app.trash) if folder.is_dir() and any(folder.iterdir())]
    if not found:
        return False
    with lock.tried(app.blobs_lock) as is_held:
        for folder in found if is_held else ():
            remove_tree(folder)
    return is_held


def remove_tree(folder: Path) -> None:
    """Remove a folder of ours, if it is there."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def checked_digest(text: object) -> str:
    """A digest, safe as a file's name; `bad-request` where it is none."""
    if not isinstance(text, str) or not DIGEST.fullmatch(text):
        raise HostFailure("bad-request", {"reason": f"{text!r} is no digest"})
    return text


def entries_of(manifest: bytes) -> list[Entry]:
    """A manifest's entries; `bad-manifest` where it holds a path outside app/ or anything else no build makes."""
    try:
        entries = decode(manifest)
    except BadManifest as error:
        raise HostFailure("bad-manifest", {"reason": str(error)}) from error
    for entry in entries:
        if not entry.path.startswith(b"app/") and entry != Entry("d", entry.digest, b"app"):
            raise HostFailure("bad-manifest", {"reason": f"{entry.path!r} lies outside app/"})
    return entries


class Shelf:
    """Where an app's blobs are: in its store, or still in `incoming/blobs`. Paths are strings here: a Path costs ten
    microseconds, and a slug may have twenty thousand blobs."""

    def __init__(self, app: AppPaths, uid: int) -> None:
        app.incoming.joinpath("blobs").mkdir(parents=True, mode=0o700)
        self._incoming = os.fspath(app.incoming / "blobs")
        self._blobs = os.fspath(app.blobs)
        self._uid = uid
        self._new: set[str] = set()

    def lacks(self, names: Iterable[str]) -> set[str]:
        """Those of `names` that must be sent."""
        return {name for name in set(names) if not os.access(self.path(name), os.F_OK)}

    def path(self, name: str) -> str:
        """A blob's file."""
        return f"{self._incoming}/{name}" if name in self._new else self._place(name)

    def _place(self, name: str) -> str:
        return f"{self._blobs}/{name[:2]}/{name[2:]}"

    @contextmanager
    def adding(self, name: str) -> Iterator[int]:
        """A descriptor for a new blob's bytes; the blob counts when the block ends well."""
        descriptor = os.open(f"{self._incoming}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            yield descriptor
            self._give(descriptor, name)
        finally:
            os.close(descriptor)
        self._new.add(name)

    def _give(self, descriptor: int, name: str) -> None:
        os.fchown(descriptor, self._uid, self._uid)
        os.fchmod(descriptor, 0o755 if name.endswith("x") else 0o644)

    def link(self, name: str, path: bytes) -> None:
        """Put a blob at `path`. At the file system's limit of links a fresh copy takes the blob's place."""
        blob = self.path(name)
        try:
            os.link(blob, path)
        except OSError as error:
            if error.errno != errno.EMLINK:
                raise
            self._renew(name, Path(blob))
            os.link(blob, path)

    def _renew(self, name: str, blob: Path) -> None:
        fresh = Path(self._incoming, f"{name}.again")
        with fresh.open("wb") as file:
            file.write(blob.read_bytes())
            file.flush()
            self._give(file.fileno(), name)
            os.fsync(file.fileno())  # no other sync comes between its bytes and its name
        fresh.rename(blob)

    def keep(self) -> None:
        """Move the new blobs into the store: only when their bytes are on the disk."""
        for prefix in {name[:2] for name in self._new}:
            Path(self._blobs, prefix).mkdir(parents=True, exist_ok=True)
        for name in self._new:
            os.rename(f"{self._incoming}/{name}", self._place(name))  # noqa: PTH104
        self._new.clear()


def build(entries: Sequence[Entry], shelf: Shelf, folder: Path, uid: int) -> None:
    """Make a layer's tree in the new folder `folder`, all of it owned by the app's user."""
    folder.mkdir(mode=0o755)
    root = os.fsencode(folder)
    made = {b""}
    for entry in entries:
        parent = entry.path if entry.kind == "d" else entry.path.rpartition(b"/")[0]
        _make_folders(root, parent, made, uid)
        path = root + b"/" + entry.path
        if entry.kind == "l":
            os.symlink(Path(shelf.path(entry.digest)).read_bytes(), path)  # noqa: PTH211 - paths are bytes here
            os.lchown(path, uid, uid)
        elif entry.blob is not None:
            shelf.link(entry.blob, path)


def _make_folders(root: bytes, folder: bytes, made: set[bytes], uid: int) -> None:
    if folder in made:
        return
    _make_folders(root, folder.rpartition(b"/")[0], made, uid)
    path = root + b"/" + folder
    os.mkdir(path, 0o755)  # noqa: PTH102 - paths are bytes here
    os.chown(path, uid, uid)
    made.add(folder)


def sync(folder: Path) -> None:
    """Have the whole file system of `folder` written to the disk."""
    subprocess.run(["/bin/sync", "-f", folder], check=True)
