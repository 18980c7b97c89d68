"""Which `pulumi` and which provider are used on a machine."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from deployer.errors.cloud import EngineMissing
from deployer.spaces.aws import choice
from deployer.spaces.aws.archives import DATA, PROVIDER, Pins, pinned
from deployer.spaces.aws.tools import of_this_machine

ROOT = Path(__file__).parent.parent.parent
PINS = pinned("linux-arm64")


def pulumi(folder: Path, says: str, name: str = "bin/pulumi") -> dict[str, str]:
    """PATH with a command that says this."""
    program = folder / name
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{says}\n")
    program.chmod(0o755)
    return {"PATH": str(program.parent)}


@pytest.mark.parametrize("says", ["v3.259.0", "v3.280.1", "v3.260.0-alpha.x1"])
def test_a_command_on_path_of_a_suitable_version_is_used(tmp_path: Path, says: str) -> None:
    found = choice.command(pulumi(tmp_path, f"echo {says}"), tmp_path / "home", PINS)
    assert (found.place, found.order, f"v{found.version}") == (tmp_path, None, says)


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("echo v3.258.9", "is 3.258.9: deployer drives 3.259 up to, not including, 4"),
        ("echo v4.0.1", "is 4.0.1: deployer drives 3.259 up to, not including, 4"),
        ("exit 3", "does not say its version"),
        ("exec sleep 60", "says nothing for 0.5 seconds"),
    ],
)
def test_one_that_does_not_suit_is_passed_over(tmp_path: Path, says: str, why: str) -> None:
    env = {"PATH": f"{pulumi(tmp_path, says)['PATH']}:/bin"}
    found = choice.command(env, tmp_path / "home", PINS, wait=0.5)
    assert why in found.passed_over
    assert found.order and found.order.archive == PINS.command
    assert found.place == tmp_path / f"home/command-{found.version}"


def test_links_are_followed_to_a_folder_that_the_engine_can_be_given(tmp_path: Path) -> None:
    pulumi(tmp_path / "cellar", "echo v3.260.0")
    (tmp_path / "links").mkdir()
    (tmp_path / "links/pulumi").symlink_to(tmp_path / "cellar/bin/pulumi")
    env = {"PATH": str(tmp_path / "links")}
    assert choice.command(env, tmp_path, PINS).place == tmp_path / "cellar"


def test_one_program_under_many_names_is_found_by_its_own(tmp_path: Path) -> None:
    """As the shims of version managers: /usr/bin/mise, called `pulumi`."""
    pulumi(tmp_path, "echo v3.260.0", "usr/bin/mise")
    for folder in ("shims", "bin"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "pulumi").symlink_to(tmp_path / "usr/bin/mise")
    passed = choice.command({"PATH": str(tmp_path / "shims")}, tmp_path / "home", PINS)
    assert "which is in no folder `bin`" in passed.passed_over and passed.order
    assert choice.command({"PATH": str(tmp_path / "bin")}, tmp_path, PINS).place == tmp_path


def test_the_pinned_command_is_downloaded_once(tmp_path: Path) -> None:
    first = choice.command({}, tmp_path, PINS)
    assert first.order and first.order.place == first.place
    pulumi(first.place, "echo v3.267.0")
    again = choice.command({}, tmp_path, PINS)
    assert (again.order, again.place, again.version) == (None, first.place, first.version)


def test_a_machine_without_archives_is_told_what_to_install(tmp_path: Path) -> None:
    pins = pinned("darwin-amd64")
    assert pins == Pins("darwin-amd64", None, None)
    with pytest.raises(EngineMissing) as missing:
        choice.command(pulumi(tmp_path, "echo v3.1.0"), tmp_path, pins)
    assert "is 3.1.0: deployer drives" in str(missing.value)
    assert "deployer knows no archive of it for darwin-amd64: install Pulumi 3.259 or later" in str(missing.value)
    with pytest.raises(EngineMissing, match=f"pulumi plugin install resource aws {re.escape(version('pulumi-aws'))}"):
        choice.provider(tmp_path, pins)
    assert choice.command(pulumi(tmp_path, "echo v3.259.0"), tmp_path, pins).order is None
    with pytest.raises(EngineMissing, match="The pulumi command is not here"):
        of_this_machine({"PATH": "/nowhere"}, lambda event: None, pins)


def test_the_provider_is_the_library_s(tmp_path: Path) -> None:
    found = choice.provider(tmp_path, PINS)
    assert found.order and found.version == version("pulumi-aws")
    assert found.place == tmp_path / f"plugins/resource-aws-v{found.version}"
    assert PINS.provider
    with pytest.raises(EngineMissing):
        choice.provider(tmp_path, replace(PINS, provider=replace(PINS.provider, version="7.1.0")))
    pulumi(found.place, "exit", PROVIDER)
    assert choice.provider(tmp_path, PINS).order is None
    (found.place.parent / f"{found.place.name}.partial").touch()  # Pulumi's own installation was cut off
    assert choice.provider(tmp_path, PINS).order


@pytest.mark.parametrize("machine", ["linux-amd64", "linux-arm64", "darwin-arm64"])
def test_what_is_pinned_is_pulumis_and_of_the_library_s_version(machine: str) -> None:
    pins = pinned(machine)
    assert pins.command and pins.provider
    for one, host in ((pins.command, "get"), (pins.provider, "api")):
        assert one.url.startswith(f"https://{host}.pulumi.com/releases/") and f"-v{one.version}-" in one.url
        assert re.fullmatch("[0-9a-f]{64}", one.sha256)
    assert pins.provider.version == version("pulumi-aws")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    exactly = f"pulumi-aws=={pins.provider.version}"
    assert exactly in project["project"]["optional-dependencies"]["aws"]
    assert exactly in project["dependency-groups"]["dev"]


def test_no_two_archives_have_one_sum() -> None:
    sums = re.findall('"sha256": "(.+)"', DATA.read_text())
    assert len(set(sums)) == len(sums) == 6


def test_pins_are_renewed_out_of_the_list_of_nixpkgs(tmp_path: Path) -> None:
    """The sum is that of nothing, which Nix writes so."""
    nothing = "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"
    urls = (
        "https://get.pulumi.com/releases/sdk/pulumi-v3.300.0-linux-x64.tar.gz",
        "https://api.pulumi.com/releases/plugins/pulumi-resource-aws-v8.0.0-linux-amd64.tar.gz",
        "https://api.pulumi.com/releases/plugins/pulumi-resource-awsx-v9.0.0-linux-amd64.tar.gz",
    )
    entries = "".join(f'{{\n url = "{url}";\n sha256 = "{nothing}";\n}}\n' for url in urls)
    (tmp_path / "data.nix").write_text(entries)
    words = [sys.executable, ROOT / "scripts/pulumi-archives", tmp_path / "data.nix", "2026-12-24"]
    made = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert made.count('"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"') == 2
    assert "linux-amd64" in made and "8.0.0" in made and "9.0.0" not in made and "read 2026-12-24" in made
