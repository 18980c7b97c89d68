"""Certificates in a space's store. Whoever changes any says so in one small key beside them: hosts that look every few
seconds ask for that one alone."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from deployer.model.certificate import Certificate, Changed
from deployer.model.moment import spelled
from deployer.store import keys, record
from deployer.store.base import Delete, Get, List, Put, Store


def every(store: Store) -> dict[str, Certificate]:
    """All that there are, by name; what makes no sense is as if it were not there, and keeps no other from its turn."""
    listed = store.batch([List(keys.CERTIFICATES)]).answers[0]
    assert isinstance(listed, tuple)
    answers = store.batch([Get(key) for key in listed]).answers if listed else ()
    found = (_sound(answer) for answer in answers)
    return {one.name: one for one in found if one}


def _sound(answer: object) -> Certificate | None:
    with suppress(ValueError, TypeError):
        found = record.found(Certificate, answer)
        for moment in (found.starts, found.ends, found.asked) if found else ():
            datetime.fromisoformat(moment.replace("Z", "+00:00")) if moment else None
        return found
    return None


def put(store: Store, *written: Certificate, gone: Iterable[str] = ()) -> None:
    """Write these, have those of the names `gone` no more, and say that something has changed."""
    deleted = [Delete(keys.certificate(name)) for name in gone]
    puts = [Put(keys.certificate(one.name), record.dump(one)) for one in written]
    store.batch([*deleted, *puts, changed(spelled(datetime.now(UTC)))])


def changed(at: str) -> Put:
    """What says to hosts that something has changed."""
    return Put(keys.CERTIFICATES_CHANGED, record.dump(Changed(at)))
