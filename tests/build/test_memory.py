"""Records of what a program looked at: what they are worth, and what speaks against using its result again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deployer.build import memory
from deployer.build.memory import Record, Surroundings

AROUND = Surroundings({"dependencies": "d1"}, "c1", {"a": "1"})


def record(**values: object) -> str:
    return json.dumps({"read": [], "output": None, "volatile": [], **values})


def test_a_record_is_told_in_paths_of_the_app() -> None:
    text = record(read=["/app/manage.py", "/app/a/b.py"], output="/app/static", volatile=["x"])
    assert memory.parse(text) == Record(("a/b.py", "manage.py"), "static", ("x",))


def test_paths_that_lead_out_of_the_app_are_dropped() -> None:
    text = record(read=["/etc/shadow", "/app/../etc/shadow", "/app/", "relative"], output="/app/../../etc")
    assert memory.parse(text) == Record((), None, ())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"read": 1, "output": null, "volatile": []}', record(output=7)])
def test_a_result_without_a_record_is_never_used_again(text: str) -> None:
    assert memory.parse(text).volatile == ("it left no record of what it read",)


def test_a_record_survives_being_kept() -> None:
    kept = Record(("a", "b"), "static", ("x",))
    assert memory.decode(json.loads(json.dumps(memory.encode(kept)))) == kept


def test_nothing_speaks_against_the_same_again(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    one = Record(("a",), "static", ())
    facts = memory.facts_of(one, tmp_path, ("a",), AROUND)
    assert memory.reasons(one, facts, memory.facts_of(one, tmp_path, ("a", "static/new"), AROUND)) == []


def test_everything_that_changed_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    one = Record(("a",), None, ())
    before = memory.facts_of(one, tmp_path, ("a", "old"), AROUND)
    (tmp_path / "a").write_text("b")
    around = Surroundings({"dependencies": "d2"}, "c2", {"a": "2"})
    after = memory.facts_of(one, tmp_path, ("a", *(f"n{i}" for i in range(7))), around)
    assert memory.reasons(one, before, after) == [
        "a changed",
        "all config vars changed",
        "a changed from 1 to 2",
        "layer dependencies changed",
        "n0, n1, n2, n3, n4 and 2 more are new",
        "old is gone",
    ]


def test_an_output_that_is_a_link_is_no_layer(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "app/static").symlink_to(tmp_path / "outside")
    found = memory.checked(Record((), "static", ()), tmp_path / "app", ())
    assert found.output is None
    assert found.volatile


def test_an_output_with_files_of_the_source_is_no_layer(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    assert memory.checked(Record((), "static", ()), tmp_path, ("static/own.txt",)).output is None
    assert memory.checked(Record((), "static", ()), tmp_path, ("statically/own.txt",)).output == "static"
