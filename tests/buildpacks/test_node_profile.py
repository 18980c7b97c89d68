"""What the scripts of a Node.js dyno do to its environment, in a shell."""

from __future__ import annotations

import subprocess

import pytest

from buildpacks.node import profile
from buildpacks.python import profile as python_profile


def sourced(scripts: dict[str, str], shown: str, **env: str) -> str:
    """What a shell says of its environment after the scripts, in the order of their names."""
    script = "\n".join(["set -u", *(scripts[name] for name in sorted(scripts)), f'echo "{shown}"'])
    words = ["bash", "-c", script]
    return subprocess.run(
        words, env={"PATH": "/bin:/usr/bin", "HOME": "/app", **env}, check=True, capture_output=True, text=True
    ).stdout


def test_node_comes_first_and_commands_of_packages_last() -> None:
    path = "/app/.heroku/node/bin:/bin:/usr/bin:/app/bin:/app/node_modules/.bin"
    assert sourced(profile.SCRIPTS, "$PATH $NODE_HOME $NODE_ENV") == f"{path} /app/.heroku/node production\n"


def test_config_vars_stand_before_it() -> None:
    env = {"NODE_ENV": "staging", "WEB_CONCURRENCY": "7", "MEMORY_AVAILABLE": "512"}
    assert sourced(profile.SCRIPTS, "$NODE_ENV $WEB_CONCURRENCY ${WEB_CONCURRENCY_SET_BY-}", **env) == "staging 7 \n"


@pytest.mark.parametrize(
    ("memory", "web_memory", "found"),
    [
        ("512", None, "1 512"),
        ("256", None, "1 512"),
        ("2560", None, "5 512"),
        ("30720", None, "15 2048"),
        ("1024", "256", "4 256"),
        ("999999", "1", "1 1"),
        ("1024", "0", "- 0"),
    ],
)
def test_as_many_processes_as_memory_carries(memory: str, web_memory: str | None, found: str) -> None:
    env = {"MEMORY_AVAILABLE": memory, **({"WEB_MEMORY": web_memory} if web_memory else {})}
    assert sourced(profile.SCRIPTS, "${WEB_CONCURRENCY--} $WEB_MEMORY", **env) == f"{found}\n"


def test_libraries_beside_node_are_found_before_others() -> None:
    scripts = profile.scripts(with_libraries=True)
    assert sourced(scripts, "$LD_LIBRARY_PATH") == "/app/.heroku/node/lib\n"
    assert sourced(scripts, "$LD_LIBRARY_PATH", LD_LIBRARY_PATH="/x") == "/app/.heroku/node/lib:/x\n"
    assert sourced(profile.scripts(with_libraries=False), "${LD_LIBRARY_PATH-none}") == "none\n"


def test_without_a_limit_nothing_is_said_of_processes() -> None:
    assert sourced(profile.SCRIPTS, "${WEB_CONCURRENCY-none} ${WEB_MEMORY-none}") == "none none\n"


def test_the_numbers_can_be_logged() -> None:
    said = sourced(profile.SCRIPTS, "", MEMORY_AVAILABLE="1024", LOG_CONCURRENCY="true")
    assert said.startswith("Detected 1024 MB available memory, 512 MB limit per process (WEB_MEMORY)\n")
    assert "Recommending WEB_CONCURRENCY=2" in said


def test_in_an_app_of_both_languages_python_says_how_many() -> None:
    both = {**profile.SCRIPTS, **python_profile.SCRIPTS}
    assert sourced(both, "$WEB_CONCURRENCY_SET_BY ${PATH%%:*}", MEMORY_AVAILABLE="1024") == (
        "heroku/python /app/.heroku/python/bin\n"
    )
