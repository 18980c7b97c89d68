"""`pg:backups:download` and `pg:backups:url`: a dump leaves the space."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deployer.errors.backups import OutputExists, UrlUnsupported
from deployer.operations.backup_work import Reached
from deployer.operations.backups import Found, find_whole
from deployer.operations.session import OpenSpace
from deployer.store import keys
from deployer.store.s3 import S3Store

LIVES = 3600  # seconds, as Heroku's


def url(space: OpenSpace, app: str, name: str | None) -> str:
    """Where whoever knows it finds a dump for an hour; UrlUnsupported outside AWS."""
    found = find_whole(space, app, name)
    store = space.ledger.store.beneath
    if found.shelf.session is not None or not isinstance(store, S3Store):
        raise UrlUnsupported(space.space.name, found.backup.name)
    return store.download_url(keys.dump(found.backup.app, found.backup.name), LIVES)


def download(space: OpenSpace, found: Found, path: Path, reached: Reached) -> int:
    """A dump into a file, which has its name when it is whole; what was cut off goes on where it was. Its size.
    OutputExists."""
    if path.exists():
        raise OutputExists(str(path))
    aside = path.with_name(f".{path.name}.{found.backup.app}-{found.backup.name}.part")
    size = found.outcome.size if found.outcome else 0
    there = aside.stat().st_size if aside.exists() else 0
    there = there if there <= size else 0
    with aside.open("r+b" if aside.exists() else "wb") as file:
        file.truncate(there)
        file.seek(there)
        for piece in _pieces(space, found, there) if there < size else ():
            file.write(piece)
            there += len(piece)
            reached(there)
    aside.rename(path)
    return there


def _pieces(space: OpenSpace, found: Found, offset: int) -> Iterator[bytes]:
    app, name = found.backup.app, found.backup.name
    store = space.ledger.store.beneath
    if found.shelf.session is None and isinstance(store, S3Store):
        yield from store.pieces(keys.dump(app, name), offset)
        return
    assert found.shelf.session is not None, "where there is no bucket a host has it"
    with found.shelf.session.exchange("backup", {"do": "give", "app": app, "name": name, "offset": offset}) as exchange:
        while "result" not in (received := exchange.receive())[0]:
            yield received[1]
