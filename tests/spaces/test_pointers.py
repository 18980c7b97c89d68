"""What this machine remembers of spaces."""

from __future__ import annotations

import pytest

from deployer.errors.apps import NoSpace, SpaceUnknown
from deployer.errors.spaces import PointerUnreadable
from deployer.model.space import Host, Pointer
from deployer.spaces import pointers

POINTER = Pointer("box", "sandbox", Host("box-h1", 1, "10.0.0.1", "10.0.0.1", "ssh-ed25519 AAAA"), "/key", "/folder")


def test_a_pointer_is_kept_until_it_is_removed() -> None:
    pointers.save(POINTER)
    assert pointers.names() == ["box"]
    assert pointers.load("box") == POINTER
    pointers.remove("box")
    pointers.remove("box")
    assert pointers.names() == []


def test_an_unknown_space_is_told_with_those_that_are_known() -> None:
    with pytest.raises(NoSpace):
        pointers.load("box")
    pointers.save(POINTER)
    with pytest.raises(SpaceUnknown, match="Known on this machine: box"):
        pointers.load("bax")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"name": "box"}'])
def test_a_pointer_that_was_spoilt_by_hand_is_told_with_its_path(text: str) -> None:
    pointers.save(POINTER)
    path = pointers.folder() / "box.json"
    path.write_text(text)
    with pytest.raises(PointerUnreadable) as raised:
        pointers.load("box")
    assert str(path) in str(raised.value)
