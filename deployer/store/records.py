"""Records in a store: read in batches, and written only where they still are what was last seen of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from deployer.errors.ledger import RecordChanged
from deployer.model.release import Release
from deployer.model.slug import Slug
from deployer.store import record
from deployer.store.base import Get, List, Lost, Put, Store, Stored
from deployer.store.entries import Claim, ConfigRecord
from deployer.store.foresight import Foresight

T = TypeVar("T")
UNCHANGING = (Release, ConfigRecord, Slug)  # records whose key says what is in them, or that are written once


class Records:
    """What is known of a store's records, by key."""

    def __init__(self, store: Foresight) -> None:
        self.store = store
        self._etags: dict[str, str | None] = {}
        self._unchanging: dict[str, Any] = {}  # records that are never written again, once read or written here
        self._unwritten: dict[str, Put] = {}  # those of them that travel with the next release

    def _keep(self, key: str, value: Any) -> None:
        """Write a record whose name says what is in it, if this ledger does not know it to be there."""
        if key not in self._unchanging:
            self._unwritten[key] = Put(key, record.dump(value))
            self._unchanging[key] = value

    def _keys(self, prefix: str) -> Sequence[str]:
        found = self.store.batch([List(prefix)]).answers[0]
        assert isinstance(found, tuple)
        return found

    def _all(self, kind: type[T], prefix: str) -> list[T]:
        return self._many(kind, self._keys(prefix))

    def _many(self, kind: type[T], names: Iterable[str]) -> list[T]:
        return [found for _, found in self._named(kind, names)]

    def _named(self, kind: type[T], names: Iterable[str]) -> list[tuple[str, T]]:
        """Those that are there, with their keys."""
        wanted = [(kind, key) for key in names]
        found = zip(wanted, self._read(*wanted), strict=True) if wanted else ()
        return [(key, value) for (_, key), value in found if value is not None]

    def _get(self, kind: type[T], key: str) -> T | None:
        found: T | None = self._read((kind, key))[0]
        return found

    def _read(self, *wanted: tuple[type, str]) -> tuple[Any, ...]:
        """The records at these keys, in one batch of those that may have changed; None where there is none. A write
        must match the etags seen here."""
        asked = [(kind, key) for kind, key in wanted if key not in self._unchanging]
        answers = self.store.batch([Get(key) for _, key in asked]).answers if asked else ()
        found = {key: self._unchanging[key] for _, key in wanted if key in self._unchanging}
        for (kind, key), stored in zip(asked, answers, strict=True):
            assert stored is None or isinstance(stored, Stored)
            self._etags[key] = stored.etag if stored else None
            found[key] = record.load(kind, stored) if stored else None
            if stored and kind in UNCHANGING:
                self._unchanging[key] = found[key]
        return tuple(found[key] for _, key in wanted)

    def _put(self, key: str, value: Any, through: Store | None = None) -> None:
        """Write a record that changes, if it is what was last seen here; one that was never seen must be absent."""
        etag = self._etags.get(key)
        put = Put(key, record.dump(value), if_absent=etag is None, if_match=etag)
        try:
            self._etags[key] = record.put(through or self.store, put)
        except Lost as lost:
            raise RecordChanged(key) from lost

    def _claim(self, prefix: str, first: int, owner: str, *, lowest: bool) -> int:
        """The next number below `prefix`, or the lowest free one, claimed for `owner`."""
        while True:
            taken = {int(key.removeprefix(prefix)) for key in self._keys(prefix)}
            number = max(taken, default=first - 1) + 1
            if lowest:
                number = next(n for n in range(first, number + 1) if n not in taken)
            try:
                record.put(self.store, Put(f"{prefix}{number}", record.dump(Claim(owner)), if_absent=True))
            except Lost:
                continue
            return number
