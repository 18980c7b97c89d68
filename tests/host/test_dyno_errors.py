"""The words for what goes wrong with dynos."""

import pytest

from deployer.errors import dynos
from deployer.errors.base import Failure
from deployer.errors.host import failure

COMMON = {"app": "shop", "dyno": "web.1", "command": "gunicorn shop.wsgi", "lines": ["Traceback:", "  {KeyError}: 'X'"]}
CASES = {
    "dyno-exited": {**COMMON, "status": 3, "result": "exit-code"},
    "dyno-never-bound": {**COMMON, "port": 7001, "seconds": 60.0, "found": [], "lines": []},
    "dyno-bound-elsewhere": {**COMMON, "port": 7001, "seconds": 60.0, "found": ["0.0.0.0:8000", "[::1]:9090"]},
    "dyno-unhealthy": {**COMMON, "path": "/up", "answer": "500"},
    "no-memory": {"needed": 512, "available": 300, "reserve": 128},
    "no-ports": {"wanted": 2, "free": 1},
    "missing-layers": {"app": "shop", "layers": ["a" * 64]},
    "task-lost": {"app": "shop", "dyno": "release.1234"},
    "environment-too-large": {"size": 950_000, "limit": 921_600},
    "packages-missing": {"packages": ["haproxy", "nftables"], "lines": ["E: Unable to locate package haproxy"]},
}


def said(code: str, **changes: object) -> Failure:
    return failure("h1", code, {**CASES[code], **changes})


@pytest.mark.parametrize("code", CASES)
def test_every_failure_says_what_happened_what_was_seen_and_what_to_do(code, golden):
    golden(f"errors/{code}.txt", f"{said(code)}\n")


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"status": 137}, "memory"),
        ({"status": 1, "result": "oom-kill"}, "memory"),
        ({"status": 127}, "No such program"),
        ({"status": 0}, "background"),
    ],
)
def test_an_exit_of_a_known_kind_comes_with_its_likeliest_cause(changes, hint):
    assert hint in said("dyno-exited", **changes).paragraphs()[-1]


def test_the_right_port_on_the_wrong_address_is_told_from_the_wrong_port():
    assert "0.0.0.0" in said("dyno-bound-elsewhere", found=["127.0.0.1:7001"]).paragraphs()[-1]
    assert "PORT" in said("dyno-bound-elsewhere", found=["127.0.0.1:8000"]).paragraphs()[-1]


def test_a_long_log_is_cut_to_its_end():
    lines = [str(number) for number in range(100)]
    assert str(said("dyno-exited", lines=lines)).count("app[web.1]") == dynos.KEPT
