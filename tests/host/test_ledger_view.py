"""What a host of AWS reads of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from deployer.errors.base import HostFailure
from deployer.host import ledger_view, myself
from deployer.host.converge import watched
from deployer.host.ledger_store import LedgerStore
from deployer.model.app import Current, Operation
from deployer.model.formation import Quantity
from deployer.model.joining import Access
from deployer.model.release import Release
from deployer.model.slug import Layer, Slug
from deployer.model.space import Space, StoreAddress
from deployer.store import keys, record
from deployer.store.base import Delete, Get, List, Lost, Put, Stored
from deployer.store.lease import hold
from deployer.store.ledger import Ledger
from deployer.store.s3 import S3Store
from tests.host.aws_here import BUCKET, SPACE, Region, region
from tests.infra.moto_here import REGION

pytestmark = pytest.mark.edge
SLUG = Slug("debian-13-arm64", (Layer("app", "0a" * 32, 1, 1),), {"web": "./web"}, (), 1)
WHERE = Space(SPACE, "aws", "debian-13-arm64", "http://{app}.example", "2026", "1")


@pytest.fixture(scope="module")
def here() -> Iterator[Region]:
    with region(1) as here:
        yield here


@pytest.fixture
def people(here: Region) -> Ledger:
    return Ledger(S3Store(StoreAddress(BUCKET, endpoint=here.endpoint, region=REGION)), "ada@laptop")


@pytest.fixture
def store(here: Region) -> Iterator[LedgerStore]:
    with here.instances() as (one,):
        yield myself.store_of(here.order(one))


def deployed(people: Ledger, name: str, formation: dict[str, Quantity]) -> None:
    app = people.create_app(name, space=SPACE)
    state = people.state(name)
    assert state is not None
    slug, config = people.save_slug(SLUG), people.save_config(name, {"A": "1"})
    number = people.new_release(name, Release(0, slug, config, "Deploy", "", "")).number
    people.commit(state, replace(app, formation=formation), Current(number, 2))


def test_it_reads_what_people_wrote(people: Ledger, store: LedgerStore) -> None:
    deployed(people, "shop", {"web": Quantity(2)})
    people.create_app("new", space=SPACE)
    assert ledger_view.apps(store) == ["new", "shop"]
    (view,) = ledger_view.views(store)
    assert (view.slug, view.config, view.release.number) == (SLUG, {"A": "1"}, 2)
    assert (view.token, view.held, view.operation) == (0, False, False)
    wanted = view.wanted(WHERE)
    assert (wanted.release, wanted.generation, wanted.domains, wanted.quiet) == (2, 2, ("shop.example",), True)


def test_an_app_that_a_command_is_at_is_not_quiet(here: Region, people: Ledger, store: LedgerStore) -> None:
    deployed(people, "busy", {"web": Quantity(1)})
    with hold(people.store, "app-busy", command="deploy", wait=0, second_store=lambda: people.store) as held:
        assert ledger_view.lease(store, "busy") == (held.token, True)
    assert ledger_view.lease(store, "busy") == (held.token, False)
    people.save_operation("busy", Operation("deploy", "boot", 3, 2, held.token))
    view = next(one for one in ledger_view.views(store) if one.app.name == "busy")
    assert (view.held, view.operation, view.wanted(WHERE).quiet) == (False, True, False)
    people.clear_operation("busy")
    view = next(one for one in ledger_view.views(store) if one.app.name == "busy")
    assert view.wanted(WHERE).quiet, "what people deleted is empty in S3"


def test_only_what_has_changed_is_news(here: Region, store: LedgerStore) -> None:
    names = watched(2)
    ledger = [keys.SPACE, keys.ACCESS, keys.AGENT, keys.DATABASE_CA, keys.CERTIFICATES_CHANGED]
    assert names == [*ledger, keys.seat(1), keys.seat(2)]
    first = store.etags(names, {})
    assert first == {}
    here.put(keys.ACCESS, record.dump(Access({"a": "b"})))
    second = store.etags(names, first)
    assert list(second) == [keys.ACCESS] and store.etags(names, second) == second
    here.put(keys.ACCESS, record.dump(Access({"a": "c"})))
    assert store.etags(names, second) != second


def test_a_store_of_a_host_is_a_store(store: LedgerStore) -> None:
    key = "hosts/AROA:i-1/state"
    (etag,) = store.batch([Put(key, b"1", if_absent=True)]).answers
    assert store.batch([Get(key), Get("hosts/x"), List("hosts/")]).answers == (Stored(b"1", str(etag)), None, (key,))
    for put in (
        Put(key, b"2", if_absent=True),
        Put(key, b"2", if_match='"0a"'),
        Put("hosts/none", b"2", if_match='"0a"'),
    ):
        with pytest.raises(Lost):
            store.batch([put])
    store.batch([Delete(key)])  # an empty object: hosts may delete nothing
    assert store.batch([Get(key)]).answers == (None,)
    store.batch([Put(key, b"3", if_absent=True)])
    assert store.batch([Get(key)]).now > 1_700_000_000


def test_what_aws_refuses_is_said_with_what_was_asked(here: Region, store: LedgerStore) -> None:
    lost = replace(here.order(), bucket="another-ones", endpoint="http://127.0.0.1:1", metadata="http://127.0.0.1:1")
    with pytest.raises(HostFailure) as failure:
        myself.who(lost)
    assert failure.value.code == "aws-unanswered"
    with here.instances() as (one,), pytest.raises(HostFailure) as failure:
        myself.store_of(replace(here.order(one), bucket="another-ones")).batch([List("apps/")])
    assert failure.value.code == "aws-refused"
    assert failure.value.details["asked"] == "listing apps/"
