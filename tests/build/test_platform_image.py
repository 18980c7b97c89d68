"""Platform images: one folder for each recipe, said why, never taken from under somebody's feet."""

from __future__ import annotations

import dataclasses
import os
import pwd
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deployer.build import folders, platform_image
from deployer.build.image_recipe import Kind, Recipe, finish
from deployer.model.events import Detail, Event
from deployer.model.platforms import BUILD_PACKAGES, HOST_PACKAGES, RUN_PACKAGES, Platform, parse

THIRTEEN = Platform("debian-13", "amd64")


@pytest.mark.parametrize("kind", ["build", "host"])
def test_the_command_that_makes_an_image(kind: Kind, golden: Callable[[str, str], None]) -> None:
    recipe = Recipe.of(THIRTEEN, kind)
    words = platform_image.mmdebstrap_words(recipe, "root", Path("/cache/image"), ['Acquire::Retries "3";'])
    golden(f"platform_image/{kind}.txt", "".join(f"{shlex.quote(word)}\n" for word in words))


def test_builds_and_hosts_have_everything_that_slugs_may_count_on() -> None:
    assert set(RUN_PACKAGES) < set(BUILD_PACKAGES)
    assert set(RUN_PACKAGES) < set(HOST_PACKAGES)
    for packages in (RUN_PACKAGES, BUILD_PACKAGES, HOST_PACKAGES):
        assert len(set(packages)) == len(packages)


def test_another_package_is_another_recipe_and_the_reason_names_it() -> None:
    now = Recipe.of(THIRTEEN, "host")
    before = dataclasses.replace(now, packages=("vim", *now.packages[:-1]), version=0)
    assert platform_image.digest(before) != platform_image.digest(now)
    assert platform_image.differences(before.facts(), now.facts()) == [
        "Changed: packages +zstd -vim",
        "Changed: version",
    ]


def test_an_image_is_held_as_long_as_its_user_is_there(tmp_path: Path) -> None:
    image, user = tmp_path / "image", tmp_path / "sandbox"
    user.mkdir()
    assert not platform_image.is_held(image)
    platform_image.hold(image, user)
    platform_image.hold(image, user)
    assert platform_image.is_held(image)
    user.rmdir()
    assert not platform_image.is_held(image)


def test_a_finished_host_image_has_no_identity_and_starts_nothing_by_itself(tmp_path: Path) -> None:
    wants = tmp_path / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / "haproxy.service").symlink_to("/lib/systemd/system/haproxy.service")
    (wants / "ssh.service").symlink_to("/lib/systemd/system/ssh.service")
    (tmp_path / "etc/ssh").mkdir()
    (tmp_path / "etc/ssh/ssh_host_rsa_key").write_text("secret")
    (tmp_path / "etc/machine-id").write_text("0123")
    finish(tmp_path, Recipe.of(THIRTEEN, "host"))
    assert (tmp_path / "etc/machine-id").read_text() == ""
    assert list(tmp_path.glob("etc/ssh/ssh_host_*")) == []
    assert [link.name for link in wants.iterdir()] == ["ssh.service"]
    assert (tmp_path / "etc/systemd/system/apt-daily.timer").readlink() == Path("/dev/null")


def test_a_finished_build_image_has_every_mount_point_of_a_build(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/resolv.conf").symlink_to("/run/nowhere")
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    finish(tmp_path, Recipe.of(THIRTEEN, "build"))
    assert all((tmp_path / name).is_dir() for name in ("app", "cache", "opt/tools", "opt/rt"))
    assert all((tmp_path / "etc" / name).is_file() for name in ("resolv.conf", "hosts", "pip.conf", "npmrc"))
    assert "build:x:1000:1000::/app:/bin/bash\n" in (tmp_path / "etc/passwd").read_text()


def test_folders_move_with_their_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEPLOYER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("DEPLOYER_HOME")
    assert folders.data_folder() == tmp_path / "data"
    assert folders.config_folder() == tmp_path / "config/deployer"
    assert folders.cache_folder() == tmp_path / "home/.cache/deployer"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is anybody under sudo")
def test_under_sudo_they_lie_in_the_home_of_who_typed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    person = pwd.getpwnam("games")
    monkeypatch.setenv("SUDO_UID", str(person.pw_uid))
    monkeypatch.delenv("DEPLOYER_HOME")
    assert folders.config_folder() == Path(person.pw_dir, ".config/deployer")
    assert folders.cache_folder() == Path("/root/.cache/deployer")
    monkeypatch.setenv("SUDO_UID", "0")
    assert folders.config_folder() == Path(os.environ["HOME"], ".config/deployer")


@pytest.mark.parametrize(
    ("taken", "first"), [("", 100000), ("ada:100000:65536\nbob:165536:65536\n", 231072), ("ada:1000:10", 100000)]
)
def test_a_range_of_uids_that_is_proposed_belongs_to_nobody_else(taken: str, first: int) -> None:
    assert platform_image.free_range(taken) == first


@pytest.mark.edge
def test_an_image_is_found_again_without_a_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEPLOYER_CACHE", str(tmp_path))
    platform = parse("debian-13")
    made = tmp_path / "platforms" / f"{platform}-host-{platform_image.digest(Recipe.of(platform, 'host'))}"
    made.mkdir(parents=True)
    heard: list[Event] = []
    assert platform_image.ensure(platform, "host", heard.append) == made
    assert heard == []


@pytest.mark.hosts
def test_every_package_of_the_lists_is_in_the_image_that_they_make() -> None:
    """On both systems: a name that one of them lacks would have failed; one that only provides it would be missing."""
    for system in ("debian-13", "debian-12"):
        image = platform_image.ensure(parse(system), "host", lambda event: None)
        words = ["dpkg-query", f"--admindir={image}/var/lib/dpkg", "--show", "--showformat=${Package}\\n"]
        listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
        assert set(HOST_PACKAGES) <= set(listed)
        assert list((image / "etc/postgresql").glob("*")) == []


@pytest.mark.edge
@pytest.mark.skipif(shutil.which("mmdebstrap") is None or os.geteuid() != 0, reason="needs mmdebstrap and root")
def test_a_failure_repeats_the_last_words_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from deployer.errors.platform_image import ImageNotMade

    monkeypatch.setenv("DEPLOYER_CACHE", str(tmp_path))
    wrong = dataclasses.replace(Recipe.of(parse("debian-13"), "build"), codename="no-such-release")
    heard: list[Event] = []
    with pytest.raises(ImageNotMade, match="no-such-release"):
        folders.make(tmp_path / "platforms")
        platform_image.make(tmp_path / "platforms" / "image", wrong, heard.append)
    assert list((tmp_path / "platforms").iterdir()) == []
    assert Detail("There is none yet on this machine") in heard
