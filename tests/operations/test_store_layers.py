"""Layers in the store that no release needs any more: an S3 of moto, and its own clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.model.app import Current
from deployer.model.release import Release
from deployer.model.slug import Layer, Slug
from deployer.operations.release import KEEP_RELEASES
from deployer.operations.store_layers import delete_unnamed
from deployer.store import keys
from deployer.store.base import List, Put
from deployer.store.lease import hold
from deployer.store.ledger import Ledger
from deployer.store.s3 import S3Store
from tests.store.s3_here import Door, s3

pytestmark = pytest.mark.edge
EVER = -1.0  # seconds: nothing is younger


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    with s3() as door:
        yield door


@pytest.fixture
def store(door: Door, tmp_path: Path) -> S3Store:
    return S3Store(door.address(tmp_path.name))


@pytest.fixture
def ledger(store: S3Store) -> Ledger:
    return Ledger(store, "ada@laptop")


def slug(*names: str) -> Slug:
    return Slug("debian-13-amd64", tuple(Layer(name, digest(name), 1, 1) for name in names), {"web": "x"}, (), 1)


def digest(name: str) -> str:
    return (name.encode() + b".").hex().ljust(64, "0")


def released(ledger: Ledger, app: str, *names: str, became: str | None = "succeeded") -> None:
    """A release of these layers, as a deploy leaves it: `became` is None where it is pending."""
    state = ledger.state(app) if ledger.app(app) else None
    if state is None:
        ledger.create_app(app, space="production")
        state = ledger.state(app)
    assert state is not None and state.current is not None
    ledger.store.batch([Put(keys.layer(digest(name)), b"archive") for name in names])
    draft = Release(0, ledger.save_slug(slug(*names)), ledger.save_config(app, {}), "Deploy", "", "")
    number = ledger.new_release(app, draft).number
    if became == "succeeded":
        ledger.commit(state, state.app, Current(number, state.current.generation + 1))
    if became:
        ledger.end_release(app, number, None if became == "succeeded" else became)


def there(store: S3Store) -> set[str]:
    found = store.batch([List(keys.LAYERS)]).answers[0]
    assert isinstance(found, tuple)
    return {bytes.fromhex(key.removeprefix(keys.LAYERS)).decode().partition(".")[0] for key in found}


def test_what_no_app_needs_any_more_goes(store: S3Store, ledger: Ledger) -> None:
    released(ledger, "shop", "python", "first")
    for n in range(KEEP_RELEASES):
        released(ledger, "shop", "python", f"v{n}")
    released(ledger, "shop", "python", "bad", became="the release command failed")
    released(ledger, "blog", "ruby", "mine")
    released(ledger, "blog", "ruby", "coming", became=None)
    store.batch([Put(keys.layer(digest("lost")), b"of a deploy that was cut off")])
    gone = delete_unnamed(store, "shop", EVER)
    assert gone == sorted(keys.layer(digest(name)) for name in ("first", "bad", "lost"))
    kept = {f"v{n}" for n in range(KEEP_RELEASES)}
    assert there(store) == {"python", "ruby", "mine", "coming", *kept}
    assert delete_unnamed(store, "shop", EVER) == []


def test_what_is_young_stays(store: S3Store, ledger: Ledger) -> None:
    released(ledger, "shop", "python")
    store.batch([Put(keys.layer(digest("coming")), b"of a deploy that has not named it yet")])
    assert delete_unnamed(store, "shop") == []
    assert there(store) == {"python", "coming"}


def test_nothing_goes_while_somebody_changes_another_app(store: S3Store, ledger: Ledger) -> None:
    released(ledger, "shop", "python")
    released(ledger, "blog", "ruby")
    store.batch([Put(keys.layer(digest("old")), b"that they may be about to name again")])
    with hold(store, "app-blog", command="deploy", wait=0, second_store=lambda: store):
        assert delete_unnamed(store, "shop", EVER) == []
    with hold(store, "app-shop", command="deploy", wait=0, second_store=lambda: store):
        assert delete_unnamed(store, "shop", EVER) == [keys.layer(digest("old"))]


def test_what_a_destroyed_app_had_goes_with_it(store: S3Store, ledger: Ledger) -> None:
    released(ledger, "shop", "python", "shop")
    released(ledger, "blog", "python", "blog")
    ledger.delete_app("shop")
    assert delete_unnamed(store, "shop", EVER) == [keys.layer(digest("shop"))]
    assert there(store) == {"python", "blog"}
