"""The store in S3 when S3 does not answer as it should: moto's server behind a door that lets requests fail."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from deployer.errors import store as errors
from deployer.errors.base import Failure
from deployer.errors.lease import LeaseHeld
from deployer.model.lease import Lease
from deployer.model.space import Space
from deployer.store import keys, record
from deployer.store.base import Get, List, Lost, Put, Stored
from deployer.store.lease import hold
from deployer.store.ledger import Ledger
from deployer.store.probe import probe
from deployer.store.s3 import S3Store
from tests.remote.agents_here import free_port
from tests.store.s3_here import BUCKET, Door, Says, once, s3

pytestmark = pytest.mark.edge
SLOW_DOWN = Says(503, "SlowDown", "Please reduce your request rate.")
CONFLICT = Says(409, "ConditionalRequestConflict", "A conflicting operation occurred.")


@pytest.fixture(scope="module")
def server() -> Iterator[Door]:
    with s3() as door:
        yield door


@pytest.fixture
def door(server: Door) -> Iterator[Door]:
    yield server
    server.is_open()


@pytest.fixture
def store(door: Door, tmp_path: Path) -> S3Store:
    return S3Store(door.address(tmp_path.name), attempts=3, timeout=1.0, patience=0.0)


def lease(token: int) -> bytes:
    return record.dump(Lease(token))


def holds(store: S3Store, key: str) -> Stored:
    found = store.batch([Get(key)]).answers[0]
    assert isinstance(found, Stored)
    return found


@pytest.mark.parametrize("condition", ["absent", "match"])
def test_a_put_whose_answer_was_lost_is_known_again(store: S3Store, door: Door, condition: str) -> None:
    """It was done, boto3 sends it again, S3 refuses it: the body that is read back is our own."""
    etag = record.put(store, Put("current", lease(1), if_absent=True)) if condition == "match" else None
    mine = Put("current", lease(2), if_absent=etag is None, if_match=etag)
    door.fault = once("PUT", Says(None, after=True))
    assert record.put(store, mine) == holds(store, "current").etag
    assert holds(store, "current").body == mine.body


def test_a_put_that_timed_out_with_its_work_done_is_known_again(store: S3Store, door: Door) -> None:
    late = iter([2.0])

    def fault(asked: object) -> None:
        if getattr(asked, "method", "") == "PUT" and (pause := next(late, 0.0)):
            time.sleep(pause)

    door.fault = fault
    assert record.put(store, Put("current", lease(1), if_absent=True)) == holds(store, "current").etag
    assert [asked.method for asked in door.asked].count("PUT") > 1


def test_a_put_that_somebody_else_overtook_is_lost(store: S3Store) -> None:
    record.put(store, Put("current", lease(1), if_absent=True))
    with pytest.raises(Lost):
        record.put(store, Put("current", lease(1), if_absent=True))


def test_a_conflict_is_sent_again_until_it_is_decided(store: S3Store, door: Door) -> None:
    door.fault = once("PUT", CONFLICT, CONFLICT)
    store.batch([Put("current", b"1", if_absent=True)])
    assert holds(store, "current").body == b"1"


def test_a_conflict_that_another_one_won_is_lost(store: S3Store, door: Door) -> None:
    store.batch([Put("current", b"theirs")])
    door.fault = once("PUT", CONFLICT)
    with pytest.raises(Lost):
        store.batch([Put("current", b"mine", if_absent=True)])


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_store_that_is_busy_for_a_moment_is_asked_again(store: S3Store, door: Door, method: str) -> None:
    store.batch([Put("a", b"1")])
    door.fault = once(method, SLOW_DOWN, Says(500, "InternalError"))
    assert store.batch([Put("a", b"2"), Get("a")]).answers[1] == holds(store, "a")


def test_a_delete_whose_answer_was_lost_is_a_delete(store: S3Store, door: Door, tmp_path: Path) -> None:
    ledger = Ledger(store, "ada")
    ledger.create_app("shop", space="s")
    door.fault = once("DELETE", Says(None, after=True))
    ledger.delete_app("shop")
    door.is_open()
    assert ledger.apps() == ()


def test_a_list_longer_than_a_page_is_whole(store: S3Store) -> None:
    store = S3Store(store.address, page=3)
    names = tuple(f"audit/{number}" for number in range(7))
    store.batch([Put(name, b"1") for name in names])
    assert store.batch([List("audit/")]).answers == (names,)
    store.clear(keys.ALL)
    assert store.batch([List("")]).answers == ((),)


def test_objects_of_others_are_neither_seen_nor_cleared(store: S3Store, door: Door) -> None:
    store.batch([Put("space", b"1"), Put("photos/cat", b"meow")])
    S3Store(door.address(f"{store.address.prefix}-2")).batch([Put("space", b"2")])
    store.clear(keys.ALL)
    assert store.batch([List("")]).answers == (("photos/cat",),)
    assert S3Store(door.address(f"{store.address.prefix}-2")).batch([List("")]).answers == (("space",),)


def test_clearing_takes_old_versions_along(store: S3Store) -> None:
    client = store._client
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    store.batch([Put("apps/shop/config/1", b"secret"), Put("apps/shop/config/1", b"another")])
    store.clear(keys.ALL)
    found = client.list_object_versions(Bucket=BUCKET, Prefix=f"{store.address.prefix}/")
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    assert (found.get("Versions"), found.get("DeleteMarkers")) == (None, None)


def test_leases_are_judged_by_the_stores_clock(store: S3Store, door: Door) -> None:
    """It is an hour behind this computer: what ends in a minute there ended long ago here, and is held."""
    door.clock = lambda: time.time() - 3600
    ends = door.clock() + 60
    store.batch([Put(keys.lease("app-shop"), record.dump(Lease(7, "x", "bob", "ci-7", 4711, "deploy", ends)))])
    with pytest.raises(LeaseHeld), hold(store, "app-shop", command="x", wait=None, second_store=lambda: store):
        pass
    door.clock = lambda: ends + 2
    with hold(store, "app-shop", command="x", wait=None, second_store=lambda: store) as held:
        assert held.lease.expires < ends + 70


@pytest.mark.parametrize(
    ("deaf", "header"), [(("if-match",), "If-Match"), (("if-none-match",), "If-None-Match")], ids=["match", "absent"]
)
def test_an_endpoint_that_drops_conditions_is_refused(
    store: S3Store, door: Door, deaf: tuple[str, ...], header: str
) -> None:
    door.deaf = deaf
    with pytest.raises(errors.StoreConditionsIgnored) as refused:
        probe(store, "s3://x")
    assert f"A put with {header} whose condition does not hold is done all the same." in str(refused.value)
    door.is_open()
    assert store.batch([List("")]).answers == ((),)


def test_an_endpoint_that_does_not_know_conditions_is_refused(store: S3Store, door: Door) -> None:
    door.fault = once("PUT", *[Says(501, "NotImplemented")] * 9, conditional=True)
    with pytest.raises(errors.StoreConditionsIgnored):
        probe(store, "s3://x")


def test_the_ledger_of_another_space_is_not_written_over(store: S3Store) -> None:
    Ledger(store, "ada").save_space(Space("shop", "ssh", "debian-13-amd64", "http://{app}/", "2026", "0.1.0"))
    with pytest.raises(errors.StoreTaken, match="holds the space shop already"):
        probe(store, "s3://x")


ANSWERS: dict[str, tuple[Says, type[Failure], str]] = {
    "expired": (Says(400, "ExpiredToken", "It has expired."), errors.StoreCredentialsExpired, "have expired"),
    "unknown": (Says(403, "InvalidAccessKeyId", "no such key"), errors.StoreCredentialsRefused, "no such key"),
    "denied": (Says(403, "AccessDenied", "not authorized"), errors.StoreDenied, "does not allow GetObject"),
    "no-bucket": (Says(404, "NoSuchBucket", "gone"), errors.StoreMissing, "There is no bucket deployer-tests"),
    "skewed": (
        Says(403, "RequestTimeTooSkewed", "too large", headers={"date": formatdate(time.time() - 7200, usegmt=True)}),
        errors.StoreClockSkewed,
        "minutes ahead of the clock",
    ),
    "broken": (Says(500, "InternalError", "We encountered an error."), errors.StoreRefused, "HTTP 500 InternalError"),
    "silent": (Says(None), errors.StoreUnreachable, "Could not reach the store"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_s3_says_becomes_words_of_ours(store: S3Store, door: Door, name: str) -> None:
    says, kind, text = ANSWERS[name]
    door.fault = lambda asked: says
    with pytest.raises(kind) as raised:
        store.batch([Get("space")])
    assert text in str(raised.value)


@pytest.mark.parametrize("says", [Says(None), Says(500, "InternalError"), Says(502)], ids=["silent", "500", "502"])
def test_a_store_that_is_away_for_a_moment_is_asked_again(door: Door, tmp_path: Path, says: Says) -> None:
    """Of boto3's own tries the last comes within a second."""
    store, back = S3Store(door.address(tmp_path.name), attempts=2), time.monotonic() + 1.5
    door.fault = lambda asked: says if time.monotonic() < back else None
    store.batch([Put("space", b"1"), Get("space"), List("")])
    back = time.monotonic() + 1.5
    assert store.batch([List("")]).answers == (("space",),)


def test_a_door_that_is_shut_is_named() -> None:
    store = S3Store(Door(free_port()).address("x"), attempts=2, timeout=1.0, patience=0.0)
    with pytest.raises(errors.StoreUnreachable, match="Could not reach the store s3://deployer-tests/x at http://127"):
        store.batch([Get("space")])


def test_without_credentials_it_is_said_where_they_are_looked_for(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(errors.StoreCredentialsMissing, match="AWS_ACCESS_KEY_ID"):
        S3Store(door.address("x")).batch([Get("space")])
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(errors.StoreCredentialsMissing, match="nobody"):
        S3Store(door.address("x"))


def test_nothing_in_the_environment_leads_a_ledger_elsewhere(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    assert S3Store(door.address("elsewhere")).batch([List("")]).answers == ((),)
