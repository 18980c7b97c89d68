"""HAProxy's configuration as text: golden files, and what changes it and what does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.errors.base import HostFailure
from deployer.host import error_pages, router_config, router_maps, router_service, router_settings
from deployer.host.router_settings import Settings
from deployer.model.roll import Roll
from deployer.model.routes import Routes, Server

SHOP = Routes(
    "shop",
    4,
    ("shop.example.com", "www.shop.test"),
    "running",
    (Server("web.1", "10.0.0.11", 7001, "shop.web.1.v4"), Server("web.3", "fd00::7", 7002, "shop.web.3.v4")),
)
BLOG = Routes("blog", 1, ("blog.example.com",), "none", ())


@pytest.mark.parametrize("version", [(2, 6), (3, 0)], ids=["2.6", "3.0"])
def test_the_configuration_of_two_apps(golden: Callable[[str, str], None], version: tuple[int, int]) -> None:
    name = f"router/haproxy-{version[0]}.{version[1]}.cfg"
    golden(name, router_config.render([SHOP, BLOG], Settings(version=version)))


def test_the_configuration_where_nothing_stands_before_the_router(golden: Callable[[str, str], None]) -> None:
    golden("router/haproxy-https.cfg", router_config.render([BLOG], Settings(secure_bind=":443")))


def test_what_is_led_to_https() -> None:
    secure = Settings(secure=("www.shop.test", "*.example.com"))
    assert router_maps.render_redirect_map([SHOP, replace(BLOG, redirect=False)], secure) == (
        "shop.example.com yes\nwww.shop.test yes\n"
    )
    assert router_maps.render_redirect_map([SHOP], Settings()) == ""
    assert not router_maps.is_secure("a.b.example.com", secure.secure), "a wildcard covers one label"


def test_the_files_beside_it(golden: Callable[[str, str], None]) -> None:
    for name, text in router_config.fixed_files(Settings()).items():
        golden(f"router/{name}", text)


def test_the_maps() -> None:
    claims = replace(SHOP, app="zoo")
    assert router_maps.render_hosts_map([claims, SHOP, BLOG]) == (
        "blog.example.com be_blog\nshop.example.com be_shop\nwww.shop.test be_shop\n"
    )
    assert router_maps.render_state_map([SHOP, BLOG], ready=False) == (
        "router joining\nbe_blog none\nbe_shop running\n"
    )


def test_who_counts() -> None:
    roll = Roll(8, "h1", ("10.0.0.12", "fd00::7"), {"h9": 8, "h4": 3})
    assert router_maps.render_out_map(roll) == "h4 3\nh9 8\n"
    assert router_maps.render_roll(Settings(roll=roll)) == ("number 8\nhost h1\npeer 10.0.0.12 80\npeer fd00::7 80\n")
    assert router_maps.render_roll(Settings()) == "number 0\n", "as before a host was told anything"


def test_only_more_than_addresses_asks_for_a_reload() -> None:
    def structure(*routes: Routes) -> str:
        return router_config.structure_in(router_config.render(routes, Settings()))

    before = structure(SHOP)
    assert structure(replace(SHOP, servers=SHOP.servers[:1])) == before
    assert structure(replace(SHOP, domains=("other.test",), intent="maint", generation=9)) == before
    assert structure(SHOP, BLOG) != before
    eleven = tuple(Server(f"web.{n}", "10.0.0.1", 7000 + n, f"shop.web.{n}.v4") for n in range(1, 12))
    assert structure(replace(SHOP, servers=eleven)) != before
    fronts = Settings(fronts=("192.0.2.0/24",))
    assert router_config.structure_in(router_config.render([SHOP], fronts)) != before
    told = Settings(roll=Roll(8, "h1", ("10.0.0.12",), {"h9": 8}))
    assert router_config.structure_in(router_config.render([SHOP], told)) == before


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"app": "a b"}, "no app's name"),
        ({"domains": ("shop.test be_other",)}, "no domain"),
        ({"domains": ("www.*.test",)}, "no domain"),
        ({"intent": "up"}, "no intent"),
        ({"servers": (Server("web.1", "10.0.0.1 disabled", 7001, "i"),)}, "no address"),
        ({"servers": (Server("web.1", "10.0.0.1", 0, "i"),)}, "no port"),
        ({"servers": (Server("hold", "10.0.0.1", 7001, "i"),)}, "no slot"),
        ({"servers": SHOP.servers[:1] * 2}, "twice"),
    ],
)
def test_routes_that_could_break_the_configuration_are_refused(wrong: dict[str, object], reason: str) -> None:
    with pytest.raises(HostFailure) as failed:
        router_settings.check(replace(SHOP, **wrong))  # type: ignore[arg-type]
    assert failed.value.code == "bad-routes"
    assert reason in failed.value.details["reason"]


@given(st.text(max_size=40))
def test_no_domain_that_passes_can_hold_anything_but_a_name(text: str) -> None:
    try:
        router_settings.check(replace(SHOP, domains=(text,)))
    except HostFailure:
        return
    assert set(text.removeprefix("*.")) <= set("abcdefghijklmnopqrstuvwxyz0123456789-._")


def test_pages_hold_no_percent_sign_that_haproxy_would_read() -> None:
    for name, text in error_pages.pages().items():
        assert "%" not in text.replace("%[var(", ""), name


def test_versions_are_read_from_the_program_and_from_the_socket() -> None:
    assert router_service.parse_version("HAProxy version 2.6.12-1+deb12u4 2026/10/17 - x") == (2, 6)
    assert router_service.parse_version("Name: HAProxy\nVersion: 3.0.11-1+deb13u4\nRelease_date: x") == (3, 0)


@pytest.mark.edge
def test_haproxy_itself_takes_it_and_its_words_come_through(tmp_path: Path) -> None:
    settings = Settings(folder=tmp_path, run=tmp_path, user=None, version=router_service.version(tmp_path / "none"))
    files = {
        **router_config.fixed_files(settings),
        "hosts.map": router_maps.render_hosts_map([SHOP, BLOG]),
        "state.map": router_maps.render_state_map([SHOP, BLOG], ready=True),
        "redirect.map": router_maps.render_redirect_map([SHOP, BLOG], settings),
        "out.map": router_maps.render_out_map(Roll(8, "h1", out={"h2": 8})),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    text = router_config.render([SHOP, BLOG], settings)
    assert router_service.refusal(tmp_path, text) == ""
    words = router_service.refusal(tmp_path, text.replace("balance random", "balance nonsense"))
    assert "roundrobin" in words and "candidate" not in words
    assert [path.name for path in tmp_path.glob(".candidate*")] == []
