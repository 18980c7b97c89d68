"""Which libraries hosts have, told from the package database of a build image."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployer.build import image_facts, libraries
from deployer.build.libraries import Libraries
from deployer.build.scan import Scanned
from deployer.errors.build import LibrariesMissing
from deployer.model.platforms import Platform

STATUS = """\
Package: base-files
Essential: yes
Status: install ok installed
Pre-Depends: awk

Package: mawk
Status: install ok installed
Provides: awk
Depends: libc6 (>= 2.41)

Package: libc6
Status: install ok installed

Package: libpq5
Status: install ok installed
Depends: libc6 (>= 2.38), libldap2 (>= 2.6) | libldap-other:any

Package: libldap2
Status: install ok installed

Package: python3
Architecture: amd64
Version: 3.13.5-1
Status: install ok installed
Description: an interpreter
 with a second line

Package: libgone
Status: deinstall ok config-files

Package: gcc
Status: install ok installed
Depends: libatomic1

Package: libatomic1
Status: install ok installed
"""
LISTS = {
    "libc6:amd64": "/usr/lib/x86_64-linux-gnu/libc.so.6\n/usr/lib64/ld-linux-x86-64.so.2\n/usr/share/doc/libc6/x\n",
    "libpq5:amd64": "/usr/lib/x86_64-linux-gnu/libpq.so.5\n/usr/lib/x86_64-linux-gnu/libpq.so.5.17\n",
    "libatomic1:amd64": "/usr/lib/x86_64-linux-gnu/libatomic.so.1\n",
    "gcc": "/usr/lib/gcc/x86_64-linux-gnu/14/libc.so.6\n/usr/bin/gcc\n",
}
PLATFORM = Platform("debian-13", "amd64")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    info = tmp_path / "image/var/lib/dpkg/info"
    info.mkdir(parents=True)
    (info.parent / "status").write_text(STATUS)
    for name, text in LISTS.items():
        (info / f"{name}.list").write_text(text)
    return tmp_path / "image"


def test_hosts_have_what_the_run_list_and_every_debian_depend_on() -> None:
    packages = libraries.parse_status(STATUS)
    assert libraries.closure(packages, ["libpq5"]) == {"base-files", "mawk", "libc6", "libpq5", "libldap2"}


def test_packages_that_are_not_installed_do_not_count() -> None:
    assert "libgone" not in libraries.parse_status(STATUS)


def test_a_library_that_hosts_have_is_theirs_although_others_have_one_of_that_name(image: Path) -> None:
    assert libraries.of_image(image, ["libpq5"]) == Libraries(
        frozenset({"libc.so.6", "ld-linux-x86-64.so.2", "libpq.so.5", "libpq.so.5.17"}),
        {"libatomic.so.1": "libatomic1"},
    )


def test_facts_of_an_image_are_kept(image: Path, tmp_path: Path) -> None:
    first = image_facts.of_image(image, tmp_path / "facts")
    assert first.python == "3.13.5"
    (image / "var/lib/dpkg/status").unlink()
    assert image_facts.of_image(image, tmp_path / "facts") == first


KNOWN = Libraries(frozenset({"libc.so.6"}), {"libatomic.so.1": "libatomic1"})


def layer(needs: dict[str, list[str]], *offers: str) -> Scanned:
    return Scanned(needs=needs, offers=set(offers))


def test_what_is_in_any_layer_or_on_hosts_is_no_problem() -> None:
    layers = [layer({"app/a.so": ["libc.so.6", "libown.so.1"]}), layer({}, "libown.so.1")]
    assert libraries.check(PLATFORM, layers, KNOWN) == []


def test_what_only_builds_have_fails_naming_all_of_it() -> None:
    layers = [layer({"app/b.so": ["libatomic.so.1"], "app/a.so": ["libatomic.so.1", "libodd.so.2"]})]
    with pytest.raises(LibrariesMissing) as missing:
        libraries.check(PLATFORM, layers, KNOWN)
    assert missing.value.missing == "app/a.so and 1 more: libatomic.so.1 of the package libatomic1"


def test_files_for_another_c_library_are_not_for_us() -> None:
    assert libraries.check(PLATFORM, [layer({"app/m.node": ["libc.musl-x86_64.so.1", "libodd.so.2"]})], KNOWN) == []


def test_what_nobody_has_is_a_warning() -> None:
    assert libraries.check(PLATFORM, [layer({"app/a.so": ["libodd.so.2"]})], KNOWN) == [
        "app/a.so: libodd.so.2, which no host has"
    ]
