"""Source trees that nobody means well with: any names, links anywhere, too many files; from a folder and from git."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployer.build import source
from deployer.build.scan import Scope, scan
from deployer.errors.build import CommitUnreadable, TooManyFiles
from deployer.host.layers import Shelf, build, entries_of
from deployer.host.paths import AppPaths
from deployer.model.manifest import MOST, BadManifest, Entry, decode
from tests.build.test_source import git

# Whatever a shell, a unit file, git, or a line-based tool could mistake; and bytes that are no text.
SHELL = [
    "$(touch pwned)",
    "`id`",
    "; rm -rf ~",
    "-rf",
    "--help",
    "a\nb",
    "*",
    "?",
    "~",
    "#",
    "%n%i",
    "\\",
    "'",
    '"',
    "a b",
]
ODD = [*map(os.fsencode, SHELL), b"\xff\xfe", b"\x01", "é".encode(), "é".encode(), b"CON", b"app", b"." * 3]
NAMES = st.sampled_from(ODD) | st.binary(min_size=1, max_size=8).map(lambda name: name.translate(None, b"\0/")).filter(
    lambda name: name not in (b"", b".", b"..") and os.fsdecode(name) not in source.NEVER | source.UNMANAGED
)
TARGETS = st.sampled_from([b"/etc/shadow", b"../../../../etc", b"/app/x", b".", b"$(id)", b"\xff", b"a\nb"])
FILES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map(b"/".join),
    st.tuples(st.just("f"), st.binary(max_size=20))
    | st.tuples(st.just("x"), st.just(b"#!"))
    | st.tuples(st.just("l"), TARGETS),
    max_size=6,
)
Tree = Mapping[bytes, tuple[str, bytes]]


def without_crossings(files: Tree) -> Tree:
    """Those that can stand together: none below another."""
    return {path: file for path, file in files.items() if not any(path.startswith(other + b"/") for other in files)}


def laid(folder: Path, files: Tree) -> None:
    """Make these files below a folder."""
    for path, (kind, content) in files.items():
        place = folder / os.fsdecode(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind == "l":
            place.symlink_to(os.fsdecode(content))
        else:
            place.write_bytes(content)
            place.chmod(0o755 if kind == "x" else 0o644)


def found(folder: Path) -> Tree:
    """What lies below a folder, folders apart."""
    return {
        os.fsencode(place.relative_to(folder)): one_file(place)
        for place in folder.rglob("*")
        if place.is_symlink() or not place.is_dir()
    }


def one_file(place: Path) -> tuple[str, bytes]:
    """Its kind and its content."""
    if place.is_symlink():
        return "l", os.fsencode(place.readlink())
    return "x" if place.stat().st_mode & 0o100 else "f", place.read_bytes()


def on_a_host(tree: Path, folder: Path) -> Tree:
    """The tree as a host has it: scanned, its manifest taken apart, its blobs linked into a layer."""
    entries = entries_of(scan(Scope(tree, "none")).encoded)
    folder.joinpath("host").mkdir()
    shelf = Shelf(AppPaths(folder / "host"), os.getuid())
    for entry in {entry.blob: entry for entry in entries if entry.blob}.values():
        with shelf.adding(entry.blob or "") as descriptor:
            os.write(descriptor, one_file(tree / os.fsdecode(entry.path))[1])
    build(entries, shelf, folder / "layer", os.getuid())
    return found(folder / "layer/app")


@settings(max_examples=60, deadline=None)
@given(FILES.map(without_crossings))
def test_a_folder_of_any_names_and_links_comes_to_a_host_as_it_is(files: Tree) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "work").mkdir()
        laid(folder / "work", files)
        (folder / "copy/app").mkdir(parents=True)
        source.from_folder(folder / "work").fill(folder / "copy/app")
        assert found(folder / "copy/app") == files
        assert on_a_host(folder / "copy", folder) == files
        assert sorted(path.name for path in folder.iterdir()) == ["copy", "host", "layer", "work"]


@settings(max_examples=12, deadline=None)
@given(FILES.map(without_crossings).filter(bool))
def test_a_commit_of_any_names_and_links_comes_as_it_is(files: Tree) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "work").mkdir()
        git(folder / "work", "init", "-q")
        laid(folder / "work", files)
        git(folder / "work", "add", "-A", "--force")
        git(folder / "work", "commit", "-q", "-m", "x")
        (folder / "copy").mkdir()
        source.from_git(folder / "work/.git", "HEAD").fill(folder / "copy")
        assert found(folder / "copy") == files


def plumbing(folder: Path, *words: str, given: bytes) -> str:
    """What git says of what it is given."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(["git", *words], cwd=folder, env=env, input=given, capture_output=True, check=True)
    return done.stdout.decode().strip()


def tree_of(folder: Path, *entries: tuple[str, str, bytes]) -> str:
    """A tree with these entries (mode, object, name), also such that git itself would not make."""
    body = b"".join(b"%s %s\0%s" % (mode.encode(), name, bytes.fromhex(sha)) for mode, sha, name in entries)
    return plumbing(folder, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", given=body)


def crafted(folder: Path, *entries: tuple[str, str, bytes]) -> str:
    """A commit of such a tree."""
    return git(folder, "commit-tree", tree_of(folder, *entries), "-m", "x")


@pytest.mark.edge
@pytest.mark.parametrize("name", [b"..", b".", b".git", b"../evil", b"a/../../evil", b"/tmp/evil-of-a-test", b""])
def test_a_tree_that_git_would_not_make_is_refused(tmp_path: Path, name: bytes) -> None:
    work = tmp_path / "in/work"
    work.mkdir(parents=True)
    git(work, "init", "-q")
    (work / "evil").write_text("evil")
    sha = git(work, "hash-object", "-w", "evil")
    commit = crafted(work, ("100644", sha, name))
    (tmp_path / "in/copy").mkdir()
    with pytest.raises(CommitUnreadable):
        source.from_git(work / ".git", commit).fill(tmp_path / "in/copy")
    assert list((tmp_path / "in/copy").iterdir()) == []
    assert sorted(path.name for path in tmp_path.rglob("*evil*")) == ["evil"]


@pytest.mark.edge
def test_nothing_is_written_through_a_link_of_the_tree_itself(tmp_path: Path) -> None:
    work, outside = tmp_path / "work", tmp_path / "outside"
    for folder in (work, outside, tmp_path / "copy"):
        folder.mkdir()
    git(work, "init", "-q")
    (work / "evil").write_text("evil")
    (work / "target").write_text(str(outside))
    evil, target = git(work, "hash-object", "-w", "evil"), git(work, "hash-object", "-w", "target")
    inner = tree_of(work, ("100644", evil, b"evil"))
    commit = crafted(work, ("120000", target, b"link"), ("40000", inner, b"link"))
    with suppress(CommitUnreadable):
        source.from_git(work / ".git", commit).fill(tmp_path / "copy")
    assert list(outside.iterdir()) == []


def test_a_source_of_too_many_files_is_refused_as_soon_as_it_is_seen() -> None:
    copy = source._Copy(lambda path, is_folder: False)
    with pytest.raises(TooManyFiles) as caught:
        for number in range(1_000_000):
            copy.count(f"node_modules/{number}.js")
    assert copy.number == MOST + 1
    assert "node_modules" in caught.value.folders


@pytest.mark.edge
def test_a_commit_of_a_million_files_is_refused_before_any_is_written(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "empty").write_text("")
    sha = git(tmp_path, "hash-object", "-w", "empty")
    thousand = tree_of(tmp_path, *(("100644", sha, b"%06d" % number) for number in range(1000)))
    commit = crafted(tmp_path, *(("40000", thousand, b"%04d" % number) for number in range(1000)))
    (tmp_path / "copy").mkdir()
    with pytest.raises(TooManyFiles, match="The commit has more than 250000 files"):
        source.from_git(tmp_path / ".git", commit).fill(tmp_path / "copy")
    assert list((tmp_path / "copy").iterdir()) == []


def test_a_manifest_of_a_million_paths_is_refused_before_it_is_taken_apart() -> None:
    sha = "0" * 64
    manifest = b"".join(b"f %s app/%07d\0" % (sha.encode(), number) for number in range(1_000_000))
    with pytest.raises(BadManifest, match="1000000 paths, and a layer has at most 250000"):
        decode(manifest)


@given(st.lists(st.sampled_from([b"..", b".", b"", b"a", b"b", b"etc"]), min_size=1, max_size=5).map(b"/".join))
def test_no_path_of_a_manifest_leads_out_of_its_layer(path: bytes) -> None:
    try:
        (entry,) = decode(Entry("f", "0" * 64, path).encoded() + b"\0")
    except BadManifest:
        return
    assert os.path.normpath(b"/layer/" + entry.path) == b"/layer/" + path
