"""What `doctor` makes of facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deployer.model.app import App, Current, Operation
from deployer.model.formation import Quantity
from deployer.model.lease import Lease
from deployer.model.slug import Slug
from deployer.operations.diagnosis import Examined, Kept, foreign, of_app, of_host
from deployer.store.ledger import AppState

NOW = 1_800_000_000.0
WELL: dict[str, Any] = {
    "time": NOW,
    "disks": [{"path": "/srv/deployer", "total": 100, "free": 50, "inodes": 100, "left": 50}],
    "killed": [],
    "failed": [],
    "reboot": "",
    "certificates": {"/srv/deployer/ca/ca.crt": NOW + 400 * 86400},
    "blobs": {"checked": 3, "total": 9, "bad": []},
    "firewall": True,
    "closed": [],
    "router": "active",
    "routes": {"shop": 4},
    "dynos": [],
}
APP = App("shop", 20000, "2026", formation={"web": Quantity(2), "worker": Quantity(0)})
STATE = AppState(APP, Current(3, 4), slug=Slug("debian-13-amd64", (), {"web": "x"}, (), 0))
FREE = Lease(7)


def host(**changed: Any) -> Examined:
    return Examined("h1", {**WELL, **changed}, NOW)


def row(name: str, release: int = 3, state: str = "up", app: str = "shop") -> dict[str, Any]:
    kind, _, number = name.partition(".")
    return {"app": app, "type": kind, "number": int(number), "release": release, "state": state}


def problems(*hosts: Examined, state: AppState = STATE, lease: Lease = FREE) -> list[str]:
    return [one.problem for one in of_app(Kept(state, lease, NOW), hosts, "box") if one.problem]


def test_of_a_host_that_is_well_every_check_says_so() -> None:
    found = of_host(host(), "box")
    assert [one.problem for one in found if one.problem] == []
    assert [one.check for one in found][:3] == ["disk", "inodes", "memory"]
    assert [one.note for one in found if one.note] == ["3 of 9 hashed again"]


@pytest.mark.parametrize(
    ("changed", "check", "problem", "advice"),
    [
        ({"disks": [{"path": "/", "total": 100, "free": 9, "inodes": 0, "left": 0}]}, "disk", "91% of / is", "du -xh"),
        ({"disks": [{"path": "/", "total": 9, "free": 9, "inodes": 100, "left": 1}]}, "inodes", "99% of the", "du -xh"),
        ({"killed": [["shop", "web.1"]] * 2}, "memory", "web.1 of shop ran out of memory 2 times", "web+0:Standard-2X"),
        ({"killed": [["", "haproxy.service"]]}, "memory", "haproxy.service ran out of memory 1 time ", "larger host"),
        ({"failed": ["cron.service"]}, "units", "cron.service has failed", "systemctl status cron.service   (on h1)"),
        ({"time": NOW + 60}, "clock", "its clock is 60 s ahead of", "timedatectl set-ntp true"),
        ({"time": NOW - 60}, "clock", "its clock is 60 s behind this machine's", "timedatectl set-ntp true"),
        ({"reboot": "kernel 6.12"}, "reboot", "kernel 6.12 waits", "deployer hosts:reboot h1 --space box"),
        ({"certificates": {"/c": NOW + 86400 * 3}}, "certificates", "/c ends in 3 days", "rm /c"),
        ({"certificates": {"/c": NOW - 1}}, "certificates", "/c has ended", "rm /c"),
        ({"blobs": {"checked": 1, "total": 1, "bad": [["shop", "ab"]]}}, "files", "1 file of shop", "failing disk"),
        ({"firewall": False}, "firewall", "are not loaded", "deployer doctor --repair --space box"),
        ({"closed": [7001]}, "firewall", "their ports 7001", "deployer doctor --repair --space box"),
        ({"router": "failed"}, "router", "HAProxy is failed", "deployer doctor --repair --space box"),
    ],
)
def test_what_is_wrong_with_a_host_is_said_with_what_to_do(
    changed: dict[str, Any], check: str, problem: str, advice: str
) -> None:
    wrong = [one for one in of_host(host(**changed), "box") if one.problem]
    assert [(one.where, one.check) for one in wrong] == [("h1", check)]
    assert problem in wrong[0].problem and advice in wrong[0].advice


def test_an_app_that_runs_as_the_ledger_says_has_no_problem() -> None:
    assert problems(host(dynos=[row("web.1")]), host(dynos=[row("web.2", state="starting"), row("run.5")])) == []


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([row("web.1")], "web.2 runs nowhere"),
        ([row("web.1"), row("web.2", state="crashed")], "web.2 is crashed on h1"),
        ([row("web.1"), row("web.2"), row("web.3")], "web.3 of v3 is on h1, and should not be"),
        ([row("web.1"), row("web.2"), row("web.2")], "web.2 of v3 is on h1, and should not be"),
        ([row("web.1"), row("web.2", release=2)], "web.2 on h1 is of v2, and v3 is in force"),
    ],
)
def test_a_dyno_that_is_not_as_the_ledger_says_is_named(rows: list[dict[str, Any]], problem: str) -> None:
    assert problems(host(dynos=rows)) == [problem]


def test_a_router_that_is_behind_is_named() -> None:
    dynos = [row("web.1"), row("web.2")]
    assert problems(host(dynos=dynos, routes={"shop": 3})) == ["the router of h1 is behind (3, and 4 is in force)"]
    assert problems(host(dynos=dynos, routes={})) == ["the router of h1 does not know it"]


def test_an_app_without_code_wants_nothing() -> None:
    assert problems(host(routes={}), state=replace(STATE, slug=None)) == []


def test_who_changes_an_app_is_named_and_the_app_is_left_alone() -> None:
    held = Lease(8, "x", "ada", "laptop", 12, "deploy", expires=NOW + 55)
    (only,) = of_app(Kept(STATE, held, NOW), [host()], "box")
    assert (only.problem, only.note) == ("", "ada on laptop is changing it: `deploy`, renewed 5 s ago")


def test_a_change_that_was_cut_off_is_named_with_who_began_it() -> None:
    state = replace(STATE, operation=Operation("deploy", "boot", 4, 3, 8))
    ended = Lease(8, "x", "ada", "laptop", 12, "deploy", expires=NOW - 10)
    wrong = problems(host(dynos=[row("web.1"), row("web.2")]), state=state, lease=ended)
    assert wrong == ["a deploy of v4 was cut off in its phase boot (by ada on laptop, 70 s ago)"]


def test_apps_that_the_ledger_does_not_know_are_counted() -> None:
    (only,) = foreign(["shop"], [host(dynos=[row("web.1"), row("web.1", app="gone"), row("web.2", app="gone")])], "box")
    assert only.problem == "2 dynos of gone, which the ledger does not know"
