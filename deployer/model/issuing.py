"""When a certificate is asked for, and again: pure rules (docs/certificates.md)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from deployer.model.certificate import ACME, FAILING, ISSUED, PENDING, Certificate
from deployer.model.moment import spelled

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(days=1)
LONG_AGO = datetime.fromtimestamp(0, UTC)
LEFT = 3  # a certificate is renewed when less than one in so many parts of its life is left
WILDCARD = "a wildcard cannot be proved over HTTP; names that are added one by one get HTTPS"
BEGUN = "an order has begun, and has not come to its end yet"
# As Let's Encrypt says of its limits: `retry after 2026-12-01 00:00:00 UTC`.
RETRY_AFTER = re.compile(r"retry after (\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)")


def next_try(certificate: Certificate | None) -> datetime:
    """The moment from which on its issuer is asked; long ago for one that is new."""
    if certificate is None:
        return LONG_AGO
    due = _renewal(certificate) if certificate.is_in_force else LONG_AGO
    return max(due, _again(certificate)) if certificate.failures and certificate.asked else due


def pending(name: str, now: datetime) -> Certificate:
    """One that is about to be asked for, the first time."""
    return Certificate(name, ACME, PENDING, asked=spelled(now))


def begun(known: Certificate, now: datetime) -> Certificate:
    """The same while an order runs: one whose host ends in the middle of it counts as a try that came to nothing."""
    return replace(known, asked=spelled(now), failures=known.failures + 1, reason=BEGUN)


def failed(known: Certificate, reason: str, now: datetime) -> Certificate:
    """The same after a try that came to nothing: what is in force stays so."""
    return replace(known, status=FAILING, asked=spelled(now), failures=known.failures + 1, reason=reason)


def unasked(known: Certificate, reason: str) -> Certificate:
    """The same where nobody was asked, since it could only fail."""
    return replace(known, status=FAILING, reason=reason)


def issued(name: str, chain: str, key: str, life: tuple[datetime, datetime], now: datetime) -> Certificate:
    """One that was issued."""
    starts, ends = map(spelled, life)
    return Certificate(name, ACME, ISSUED, chain, key, starts=starts, ends=ends, asked=spelled(now))


def pause(failures: int) -> timedelta:
    """How long nobody is asked after so many failures in a row."""
    longer: int = 2 ** min(failures - 1, 20)
    return min(LONGEST_PAUSE, FIRST_PAUSE * longer)


def read(text: str) -> datetime:
    """The moment that a record spells."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _renewal(certificate: Certificate) -> datetime:
    if not (certificate.starts and certificate.ends):  # nobody knows how long it lives
        return LONG_AGO
    starts, ends = read(certificate.starts), read(certificate.ends)
    return ends - (ends - starts) / LEFT


def _again(certificate: Certificate) -> datetime:
    """Twice as long each time, and not before its issuer said."""
    after: datetime = read(certificate.asked) + pause(certificate.failures)
    said = RETRY_AFTER.search(certificate.reason)
    return max(after, read(f"{said[1]}T{said[2]}Z")) if said else after
