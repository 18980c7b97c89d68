"""Properties of manifests and their deltas."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.model.manifest import BadManifest, Entry, decode, delta, digest, encode, patch

PARTS = (
    st.binary(min_size=1, max_size=6)
    .map(lambda part: part.translate(None, b"\0/"))
    .filter(lambda part: part not in (b"", b".", b".."))
)
PATHS = st.lists(PARTS, min_size=1, max_size=3).map(lambda parts: b"app/" + b"/".join(parts))
ENTRIES = st.builds(
    Entry, st.sampled_from("fxld"), st.binary(max_size=2).map(lambda data: hashlib.sha256(data).hexdigest()), PATHS
)


def without_crossings(entries: list[Entry]) -> list[Entry]:
    """Those entries that can stand together: one for each path, none below another."""
    by_path = {entry.path: entry for entry in entries}
    return [entry for path, entry in by_path.items() if not any(path.startswith(other + b"/") for other in by_path)]


MANIFESTS = st.lists(ENTRIES, max_size=12).map(without_crossings)


@given(MANIFESTS)
def test_a_manifest_holds_its_entries_in_an_order_of_its_own(entries: list[Entry]) -> None:
    assert decode(encode(entries)) == sorted(entries, key=lambda entry: entry.path)
    assert encode(list(reversed(entries))) == encode(entries)


@given(MANIFESTS, MANIFESTS)
def test_a_base_and_a_delta_make_the_manifest(old: list[Entry], new: list[Entry]) -> None:
    base, manifest = encode(old), encode(new)
    assert patch(base, delta(base, manifest)) == manifest


@given(MANIFESTS, MANIFESTS)
def test_a_delta_says_nothing_of_what_stays(old: list[Entry], new: list[Entry]) -> None:
    changes = delta(encode(old), encode(new)).split(b"\0")[:-1]
    stays = {entry.encoded() for entry in old} & {entry.encoded() for entry in new}
    assert not stays & {change[1:] for change in changes}
    assert len(changes) == len({entry.path for entry in {*old} ^ {*new}})


@given(MANIFESTS, st.binary(max_size=200))
def test_nonsense_never_patches_to_a_manifest_of_the_right_digest(entries: list[Entry], nonsense: bytes) -> None:
    manifest = encode(entries)
    try:
        patched = patch(manifest, nonsense)
    except BadManifest:
        return
    assert (digest(patched) == digest(manifest)) == (patched == manifest)


@given(st.binary(max_size=300))
def test_nonsense_is_no_manifest(nonsense: bytes) -> None:
    try:
        entries = decode(nonsense)
    except BadManifest:
        return
    assert encode(entries) == nonsense


@given(MANIFESTS.filter(bool), ENTRIES)
def test_nothing_lies_below_what_is_no_folder(entries: list[Entry], below: Entry) -> None:
    inside = Entry(below.kind, below.digest, entries[0].path + b"/" + below.path)
    with pytest.raises(BadManifest, match="lies below"):
        decode(encode([*entries, inside]))
