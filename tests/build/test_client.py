"""What of a machine's configuration enters the build jail."""

from __future__ import annotations

from pathlib import Path

from deployer.build import client


def test_indexes_and_proxies_enter_and_nothing_else(tmp_path: Path) -> None:
    own = {"HTTPS_PROXY": "http://proxy", "AWS_PROFILE": "x", "UV_INDEX": "", "npm_config_registry": "https://npm.test"}
    assert client.environment(own, tmp_path / "none") == {
        "HTTPS_PROXY": "http://proxy",
        "npm_config_registry": "https://npm.test",
    }


def test_uv_is_told_of_pips_indexes(tmp_path: Path) -> None:
    conf = tmp_path / "pip.conf"
    conf.write_text(
        "[global]\nindex-url = https://a.test/simple\nextra-index-url =\n  https://b.test\n  https://c.test\n"
    )
    found = client.environment({}, conf)
    assert found["UV_DEFAULT_INDEX"] == found["PIP_INDEX_URL"] == "https://a.test/simple"
    assert found["UV_INDEX"] == "https://b.test https://c.test"


def test_the_environment_stands_before_pip_conf_and_uvs_own_before_pips(tmp_path: Path) -> None:
    conf = tmp_path / "pip.conf"
    conf.write_text("[global]\nindex-url = https://a.test\n")
    found = client.environment({"PIP_INDEX_URL": "https://b.test", "UV_DEFAULT_INDEX": "https://c.test"}, conf)
    assert (found["PIP_INDEX_URL"], found["UV_DEFAULT_INDEX"]) == ("https://b.test", "https://c.test")


def test_a_broken_pip_conf_is_as_good_as_none(tmp_path: Path) -> None:
    conf = tmp_path / "pip.conf"
    conf.write_text("no section\n")
    assert client.environment({}, conf) == {}


def test_npm_is_told_of_registries_and_proxies_and_of_no_other_setting(tmp_path: Path) -> None:
    machines, home = tmp_path / "npmrc", tmp_path / "home"
    home.mkdir()
    machines.write_text(
        "registry=https://a.test\n//a.test/:_authToken=machine\ncafile=/etc/x\nhttps-proxy = http://p\n"
    )
    (home / ".npmrc").write_text(
        "@x:registry=https://x.test\n//x.test/:_authToken=person\nnodedir=/usr\n# registry=y\n"
    )
    assert client.npmrc(machines, home).splitlines() == [
        "registry=https://a.test",
        "//a.test/:_authToken=machine",
        "https-proxy = http://p",
        "@x:registry=https://x.test",
    ]


def test_without_configuration_npm_is_told_nothing(tmp_path: Path) -> None:
    assert client.npmrc(tmp_path / "none", tmp_path) == ""
