"""What the profile scripts leave in a dyno's environment, asked from a real shell."""

from __future__ import annotations

import os
import subprocess

import pytest

from buildpacks.python.profile import SCRIPTS


def sourced(**env: str) -> dict[str, str]:
    script = "".join(SCRIPTS.values()) + "env -0"
    words = ["bash", "--norc", "-euc", script]
    done = subprocess.run(
        words, env={"PATH": os.environ["PATH"], "HOME": "/app", **env}, check=True, capture_output=True
    )
    return dict(pair.split("=", 1) for pair in done.stdout.decode().split("\0") if pair)


def test_a_dyno_finds_its_packages_and_unbuffered_output() -> None:
    env = sourced()
    assert env["PATH"].startswith("/app/.heroku/python/bin:")
    assert (env["PYTHONUNBUFFERED"], env["PYTHONPATH"], env["LANG"]) == ("true", "/app", "en_US.UTF-8")
    assert (env["FORWARDED_ALLOW_IPS"], env["GUNICORN_CMD_ARGS"]) == ("*", "--access-logfile -")


@pytest.mark.parametrize("name", ["PYTHONPATH", "FORWARDED_ALLOW_IPS", "GUNICORN_CMD_ARGS", "PYTHONUNBUFFERED"])
@pytest.mark.parametrize("value", ["mine", ""])
def test_a_config_var_stands_before_the_profile_also_when_it_is_empty(name: str, value: str) -> None:
    assert sourced(**{name: value})[name] == value


@pytest.mark.parametrize(
    ("memory", "cores", "workers"),
    [("512", 2, "2"), ("1024", 2, "4"), ("2560", 2, "5"), ("14336", 8, "17"), ("128", 2, "1")],
)
def test_workers_follow_memory_and_processors(memory: str, cores: int, workers: str) -> None:
    script = (
        f"nproc() {{ echo {cores}; }}; " + "".join(SCRIPTS.values()) + 'echo "$WEB_CONCURRENCY $WEB_CONCURRENCY_SET_BY"'
    )
    words = ["bash", "--norc", "-euc", script]
    env = {"PATH": os.environ["PATH"], "HOME": "/app", "MEMORY_AVAILABLE": memory}
    done = subprocess.run(words, env=env, check=True, capture_output=True, text=True)
    assert done.stdout == f"{workers} heroku/python\n"


def test_a_number_of_workers_that_was_set_stays() -> None:
    env = sourced(MEMORY_AVAILABLE="512", WEB_CONCURRENCY="9")
    assert env["WEB_CONCURRENCY"] == "9"
    assert "WEB_CONCURRENCY_SET_BY" not in env


def test_without_a_known_memory_nothing_is_guessed() -> None:
    assert "WEB_CONCURRENCY" not in sourced()
