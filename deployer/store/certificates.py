"""Certificates in a space's store. Whoever changes any says so in one small key beside them: hosts that look every few
seconds ask for that one alone."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from deployer.model.certificate import Certificate, Changed
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


def get(store: Store, name: str) -> Certificate | None:
    """That of one name."""
    return record.found(Certificate, store.batch([Get(keys.certificate(name))]).answers[0])


def put(store: Store, certificate: Certificate) -> None:
    """Write one, and that something has changed."""
    store.batch([Put(keys.certificate(certificate.name), record.dump(certificate)), _changed()])


def forget(store: Store, names: Iterable[str]) -> None:
    """These are nobody's any more."""
    store.batch([*(Delete(keys.certificate(name)) for name in names), _changed()])


def _changed() -> Put:
    return Put(keys.CERTIFICATES_CHANGED, record.dump(Changed(datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))))
