"""Downloads an archive that is pinned by its SHA-256, and unpacks it to its place, once for all commands.

What comes is written to a private file beside the place while its sum is taken; only the right one is unpacked, into a
private folder, which is then renamed to the place in one step. So a command that is killed leaves nothing or everything
there, and of two at once one waits. What killed ones left beside it, the next one takes away.

The lock is the file that Pulumi itself locks for `pulumi plugin install`, PLACE.lock; PLACE.partial is how Pulumi says
that one of its own was cut off (pulumi, sdk/go/common/workspace/plugins.go, InstallWithContext).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from deployer.build import client, folders
from deployer.errors.archives import ArchiveNotKept, ArchiveUnreached, ArchiveWrong
from deployer.model.events import Doing, Done, Reached, Tell
from deployer.spaces.aws.archives import Archive
from deployer.spaces.aws.unpack import unpack
from deployer.version import VERSION

if TYPE_CHECKING:
    from http.client import HTTPResponse

CHUNK = 1 << 18  # bytes
PORTIONS = 4  # how often it is told how far a download is
GZIP = b"\x1f\x8b"
BEGINNING = 80  # bytes that are shown of what is no archive


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: `silence` of the server, and for the `whole` download. Bytes: of the `archive`, and `unpacked`. The
    provider is some hundred MB: an hour is enough for it at 1 Mbit/s."""

    silence: float = 30.0
    whole: float = 3600.0
    archive: int = 1 << 30
    unpacked: int = 1 << 32


PATIENT = Limits()


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted: `instead` is how to do without it, for failures."""

    archive: Archive
    place: Path
    instead: str

    @property
    def aside(self) -> Path:
        return self.place.with_name(f".{self.place.name}.new")


def is_there(place: Path, program: str) -> bool:
    """Whether the program is at the place, whole."""
    return os.access(place / program, os.X_OK) and not _partial(place).exists()


def have(order: Order, tell: Tell, limits: Limits = PATIENT) -> None:
    """The archive, unpacked at its place. ArchiveUnreached, ArchiveWrong, ArchiveBroken, ArchiveNotKept."""
    what, place = order.archive.what, order.place
    if is_there(place, order.archive.program):
        return
    try:
        with _kept(what, place.parent):
            folders.make(place.parent)
            with _alone(place, tell):
                if not is_there(place, order.archive.program):
                    _bring(order, tell, limits)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"Nothing of {what} was kept: the next command that needs it downloads it.")
        raise


@contextmanager
def _kept(what: str, folder: Path) -> Iterator[None]:
    """What the disk refuses, as ours; errors of the network have become failures further in."""
    try:
        yield
    except OSError as error:
        raise ArchiveNotKept(what, str(folder), error.strerror or str(error)) from error


@contextmanager
def _alone(place: Path, tell: Tell) -> Iterator[None]:
    """Nobody else brings something to this place meanwhile."""
    with folders.open_lock(_lock(place)) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(Doing("Waiting for another command that downloads the same"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            tell(Done())
        folders.hand_over(_lock(place))
        yield


def _bring(order: Order, tell: Tell, limits: Limits) -> None:
    _sweep(order)
    order.aside.mkdir(mode=0o700)
    folders.hand_over(order.aside)
    tell(Doing(f"Downloading {order.archive.what}"))
    try:
        tree = order.aside / "tree"
        with _private(order.aside / "archive") as file:
            _download(order, file, tell, limits)
            tell(Reached("unpacking"))
            file.seek(0)
            unpack(order.archive, file, tree, limits.unpacked, order.instead)
        for path in (tree, *sorted(tree.rglob("*"))):
            folders.hand_over(path)
        _put(order, tree)
    finally:
        shutil.rmtree(order.aside, ignore_errors=True)
    tell(Done())


def _sweep(order: Order) -> None:
    """Take away what killed ones left here, of other versions, too; what somebody is about to make stays."""
    shutil.rmtree(order.aside, ignore_errors=True)
    for left in order.place.parent.glob(".*.new"):
        other = left.with_name(left.name.removeprefix(".").removesuffix(".new"))
        with suppress(BlockingIOError), folders.open_lock(_lock(other)) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


def _download(order: Order, file: IO[bytes], tell: Tell, limits: Limits) -> None:
    """Write what comes into the file, if it is what is pinned."""
    digest, size, beginning = hashlib.sha256(), 0, b""
    for chunk in _chunks(order, tell, limits):
        beginning += chunk[: BEGINNING - len(beginning)]
        digest.update(chunk)
        size += len(chunk)
        file.write(chunk)
    file.flush()
    if digest.hexdigest() != order.archive.sha256:
        found = f"its SHA-256 is {digest.hexdigest()}, and {order.archive.sha256} is expected"
        if not beginning.startswith(GZIP):
            found = f"{size} bytes that are no archive, and begin with `{_readable(beginning)}`"
        raise ArchiveWrong(order.archive.what, order.archive.url, found, order.instead)


def _readable(text: bytes) -> str:
    words = " ".join(text.decode("utf-8", "replace").split())
    return "".join(one for one in words if one.isprintable())


def _chunks(order: Order, tell: Tell, limits: Limits) -> Iterator[bytes]:
    """What the server sends, as it comes: to the end, or ArchiveUnreached."""
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError

    try:
        with open_url(order.archive.url, limits.silence) as answer:
            yield from _read(answer, order, tell, limits)
    except HTTPError as error:
        with error:
            raise _unreached(order, f"the answer is {error.code} {error.reason}") from error
    except TimeoutError as error:
        raise _unreached(order, f"nothing came for {limits.silence:g} seconds") from error
    except (OSError, HTTPException) as error:
        cause = error.reason if isinstance(error, URLError) else error
        raise _unreached(order, getattr(cause, "strerror", None) or str(cause) or type(cause).__name__) from error


def open_url(url: str, silence: float) -> HTTPResponse:
    """Through a proxy, where the environment names one."""
    import ssl
    from urllib.request import HTTPSHandler, Request, build_opener

    context = ssl.create_default_context()
    bundle = Path(client.bundle())
    if bundle.is_file() and "SSL_CERT_FILE" not in os.environ:  # Pythons that are no system's look elsewhere
        context.load_verify_locations(bundle)
    request = Request(url, headers={"User-Agent": f"deployer/{VERSION}"})
    answer: HTTPResponse = build_opener(HTTPSHandler(context=context)).open(request, timeout=silence)
    return answer


def _read(answer: HTTPResponse, order: Order, tell: Tell, limits: Limits) -> Iterator[bytes]:
    until, whole, size, told = time.monotonic() + limits.whole, answer.length, 0, 0
    if whole:
        tell(Reached(f"{max(1, round(whole / 1e6))} MB"))
    while chunk := answer.read1(CHUNK):  # `read` would wait for more, and so for ever for one that sends little
        yield chunk
        size += len(chunk)
        if max(size, whole or 0) > limits.archive:
            found = f"it is larger than {limits.archive} bytes"
            raise ArchiveWrong(order.archive.what, order.archive.url, found, order.instead)
        if time.monotonic() > until:
            raise _unreached(order, f"{size} bytes came in {limits.whole:g} seconds, and not all")
        if whole and (part := size * PORTIONS // whole) > told and part < PORTIONS:
            tell(Reached(f"{part * 100 // PORTIONS} %"))
            told = part
    if whole and size < whole:
        raise _unreached(order, f"it ended after {size} of {whole} bytes")


def _unreached(order: Order, reason: str) -> ArchiveUnreached:
    return ArchiveUnreached(order.archive.what, order.archive.url, reason, order.instead)


def _put(order: Order, tree: Path) -> None:
    """The rename that makes it count. What is there already is a part of one that was cut off."""
    if order.place.exists():
        order.place.rename(order.aside / "part")
    tree.rename(order.place)
    _partial(order.place).unlink(missing_ok=True)


def _lock(place: Path) -> Path:
    return place.with_name(f"{place.name}.lock")


def _partial(place: Path) -> Path:
    return place.with_name(f"{place.name}.partial")
