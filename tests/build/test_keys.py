"""What decides a layer, and the reasons for making it anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from buildpacks.plan import Layer, Run
from deployer.build import keys

LAYER = Layer(
    name="dependencies",
    path=".heroku/python",
    inputs=("requirements.txt", "missing.txt", "libs"),
    facts={"Python": "3.12"},
    config_vars=("INDEX",),
    steps=(Run(command=("install",)),),
)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "libs/deep").mkdir(parents=True)
    (tmp_path / "libs/deep/a.py").write_text("a")
    (tmp_path / "requirements.txt").write_text("six")
    (tmp_path / "other.txt").write_text("x")
    return tmp_path


def facts(app: Path, layer: Layer = LAYER, **config: str) -> keys.Facts:
    return keys.of_layer(layer, app, {"A": "1"}, config)


def test_every_reason_is_told_at_once(app: Path) -> None:
    before = facts(app)
    (app / "requirements.txt").unlink()
    (app / "missing.txt").write_text("")
    (app / "libs/deep/b.py").write_text("b")
    after = facts(app, replace(LAYER, facts={"Python": "3.13"}), INDEX="https://user:secret@example.org")
    assert keys.reasons(before, after) == [
        "libs changed",
        "missing.txt is new",
        "requirements.txt is gone",
        "the config var INDEX changed",
        "Python changed from 3.12 to 3.13",
    ]


def test_values_of_config_vars_are_not_kept(app: Path) -> None:
    assert "secret" not in repr(facts(app, INDEX="https://user:secret@example.org"))


def test_what_is_no_input_decides_nothing(app: Path) -> None:
    before = facts(app, OTHER="x")
    (app / "other.txt").write_text("changed")
    assert keys.name_of(facts(app)) == keys.name_of(before)


@pytest.mark.parametrize(
    "layer",
    [
        replace(LAYER, steps=(Run(command=("install", "-v")),)),
        replace(LAYER, steps=(Run(command=("install",), env={"X": "1"}),)),
        replace(LAYER, path="elsewhere"),
        replace(LAYER, facts={"Python": "3.13"}),
        replace(LAYER, inputs=("",)),
    ],
)
def test_another_way_to_make_it_makes_it_another_layer(app: Path, layer: Layer) -> None:
    assert keys.name_of(facts(app, layer)) != keys.name_of(facts(app))


def test_the_first_one_is_made_for_no_reason() -> None:
    assert keys.reasons(None, {"file a": "x"}) == []


def test_a_renamed_file_in_a_folder_changes_the_folder(app: Path) -> None:
    before = keys.of_path(app, "libs")
    (app / "libs/deep/a.py").rename(app / "libs/deep/c.py")
    assert keys.of_path(app, "libs") != before


def test_a_link_out_of_the_app_is_never_followed(app: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret"
    outside.write_text("a")
    (app / "requirements.txt").unlink()
    (app / "requirements.txt").symlink_to(outside)
    before = keys.of_path(app, "requirements.txt")
    outside.write_text("b")
    assert keys.of_path(app, "requirements.txt") == before


def test_paths_are_those_of_files_and_links_outside_of_what_is_hidden(app: Path) -> None:
    (app / "libs/link").symlink_to("deep")
    assert keys.of_paths(app, frozenset({"requirements.txt"})) == ("libs/deep/a.py", "libs/link", "other.txt")
