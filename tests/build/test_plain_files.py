"""What a malicious package leaves behind in the working copy never reaches the machine's own files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from buildpacks.plan import Derived
from deployer.build import derived, plain_files, process_types
from deployer.model.events import Event

STEP = Derived(name="byte code", suffix=".py", product="{folder}__pycache__/{stem}.pyc", command=())


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file of the machine."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("web: secret")
    return folder


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "a.py").write_text("a")
    return folder


def made(store: Path, app: Path) -> None:
    """Put byte code into the app, as a program in the jail would make it."""
    wanted = derived.products(STEP, app, ["a.py"])
    derived.put(store, app, wanted, lambda pairs: plain_files.write(store / wanted[0].key, b"code"))


def test_links_are_not_read(app: Path, outside: Path) -> None:
    (app / "link").symlink_to(outside / "secret")
    assert plain_files.read(app / "link") is None
    assert plain_files.read(outside / "secret") == b"web: secret"


def test_pipes_and_folders_are_not_read(app: Path) -> None:
    os.mkfifo(app / "pipe")
    assert plain_files.read(app / "pipe") is None
    assert plain_files.read(app) is None


def test_a_link_is_replaced_and_not_written_through(app: Path, outside: Path) -> None:
    (app / "link").symlink_to(outside / "secret")
    plain_files.write(app / "link", b"new")
    assert (outside / "secret").read_text() == "web: secret"
    assert (app / "link").read_bytes() == b"new"


def test_byte_code_goes_to_no_folder_that_is_a_link(app: Path, outside: Path, tmp_path: Path) -> None:
    (app / "__pycache__").symlink_to(outside)
    made(tmp_path / "store", app)
    assert list(outside.iterdir()) == [outside / "secret"]
    assert (app / "__pycache__/a.pyc").read_bytes() == b"code"


def test_byte_code_is_not_taken_from_a_link_in_the_cache(app: Path, outside: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (product,) = derived.products(STEP, app, ["a.py"])
    (store / product.key).symlink_to(outside / "secret")
    made(store, app)
    assert (app / "__pycache__/a.pyc").read_bytes() == b"code"


def test_a_cache_that_became_a_link_is_made_anew(app: Path, outside: Path, tmp_path: Path) -> None:
    (tmp_path / "store").symlink_to(outside)
    made(tmp_path / "store", app)
    assert list(outside.iterdir()) == [outside / "secret"]


def test_a_procfile_that_is_a_link_is_none(app: Path, outside: Path) -> None:
    (app / "Procfile").symlink_to(outside / "secret")
    told: list[Event] = []
    assert process_types.discover(app, {}, told.append) == {}


def test_a_source_that_gives_nothing_is_tried_once(app: Path, tmp_path: Path) -> None:
    wanted = derived.products(STEP, app, ["a.py"])
    assert derived.put(tmp_path / "store", app, wanted, lambda pairs: None) == 1
    assert derived.put(tmp_path / "store", app, wanted, lambda pairs: None) == 0
    assert not (app / "__pycache__").exists()


def test_another_content_or_place_is_another_product(app: Path) -> None:
    (app / "b.py").write_text("a")
    first, other = derived.products(STEP, app, ["a.py", "b.py"])
    (app / "a.py").write_text("b")
    (changed,) = derived.products(STEP, app, ["a.py"])
    assert len({first.key, other.key, changed.key}) == 3


def test_what_no_build_has_used_for_long_is_forgotten(app: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    made(store, app)
    (kept,) = store.iterdir()
    derived.forget(store)
    assert kept.exists()
    os.utime(kept, (0, 0))
    derived.forget(store)
    assert not kept.exists()
