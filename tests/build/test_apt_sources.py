"""The machine's own package sources, turned to another release; third parties' stay out."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployer.build.apt_sources import from_lines, from_stanzas, machine_codename, sources_for, transport_options

STANZA = """\
Types: deb deb-src
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://vendor.example/apt
Suites: stable
Components: main
"""
TURNED = """\
Types: deb
URIs: http://mirror.example/debian
Suites: trixie trixie-updates trixie-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def test_a_stanza_of_this_release_is_turned_and_a_third_partys_left_out() -> None:
    assert from_stanzas(STANZA, "bookworm", "trixie") == [TURNED]


def test_a_key_that_stands_in_the_stanza_is_kept_whole() -> None:
    key = "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEY\n"
    stanza = f"Types: deb\nURIs: http://mirror.example/\nSuites: bookworm\nComponents: main\n{key}"
    assert from_stanzas(stanza, "bookworm", "trixie")[0].endswith(key)


@pytest.mark.parametrize(
    "stanza",
    [
        "Types: deb\nURIs: http://m/\nSuites: bookworm\nComponents: main\nEnabled: no\n",
        "Types: deb-src\nURIs: http://m/\nSuites: bookworm\nComponents: main\n",
        "Types: deb\nURIs: http://m/\nSuites: ./\n",
        "# nothing but a comment\n",
    ],
)
def test_stanzas_that_give_no_packages_of_this_release_are_left_out(stanza: str) -> None:
    assert from_stanzas(stanza, "bookworm", "trixie") == []


@pytest.mark.parametrize(
    ("line", "turned"),
    [
        ("deb http://m/debian bookworm main", "Types: deb\nURIs: http://m/debian\nSuites: trixie\nComponents: main\n"),
        (
            "deb [signed-by=/k.gpg,/l.gpg arch=amd64] http://m/security bookworm-security main contrib # ours",
            "Types: deb\nURIs: http://m/security\nSuites: trixie-security\nComponents: main contrib\n"
            "Signed-By: /k.gpg /l.gpg\nArchitectures: amd64\n",
        ),
        (
            "  deb [ trusted=yes ]  http://m/debian   bookworm-updates main",
            "Types: deb\nURIs: http://m/debian\nSuites: trixie-updates\nComponents: main\nTrusted: yes\n",
        ),
    ],
)
def test_a_line_becomes_a_stanza(line: str, turned: str) -> None:
    assert from_lines(line, "bookworm", "trixie") == [turned]


@pytest.mark.parametrize(
    "line",
    [
        "# deb http://m/ bookworm main",
        "deb-src http://m/ bookworm main",
        "deb http://m/ sdk-bookworm main",
        "deb http://m/ ./",
    ],
)
def test_other_lines_are_left_out(line: str) -> None:
    assert from_lines(line, "bookworm", "trixie") == []


def test_a_machine_that_has_the_other_release_already_needs_no_turning() -> None:
    line = "deb http://m/debian trixie main"
    assert "Suites: trixie\n" in from_lines(line, "noble", "trixie")[0]


def test_all_files_are_read_and_what_stands_twice_is_taken_once(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb http://m/debian bookworm main\n")
    (tmp_path / "sources.list.d/more.list").write_text("deb http://m/debian bookworm main\n")
    (tmp_path / "sources.list.d/debian.sources").write_text(STANZA)
    found = sources_for("trixie", "bookworm", tmp_path)
    assert found.count("Types: deb") == 2
    assert "vendor" not in found


def test_the_release_of_a_machine_is_its_code_name() -> None:
    assert machine_codename('ID=debian\nVERSION_CODENAME="bookworm"\n') == "bookworm"
    assert machine_codename("ID=arch\n") == ""


def test_how_packages_are_fetched_is_kept_and_nothing_else_of_apts_settings() -> None:
    dumped = """\
Acquire::http "";
Acquire::http::Proxy "http://cache.example:3142";
Acquire::https::CAInfo "/etc/ssl/own.pem";
Acquire::Retries "3";
Acquire::IndexTargets::deb::Packages::MetaKey "x";
DPkg::Post-Invoke:: "rm -rf /var/cache/apt";
"""
    assert transport_options(dumped) == [
        'Acquire::http::Proxy "http://cache.example:3142";',
        'Acquire::https::CAInfo "/etc/ssl/own.pem";',
        'Acquire::Retries "3";',
    ]
