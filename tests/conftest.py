"""What every test gets: golden files, a hostile environment, and a guard against the wide network."""

from __future__ import annotations

import ipaddress
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import recorded

# Property tests say what holds, not how fast: on a busy machine drawing an example alone may take seconds.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")

GOLDEN = Path(__file__).parent / "golden"

# What a user's shell, git hook, CI runner or editor may have set, and what nothing of ours may be led astray by.
HOSTILE = {
    "LANG": "tr_TR.UTF-8",
    "TZ": "Asia/Kathmandu",
    "COLUMNS": "37",
    "CDPATH": "/nowhere",
    "GREP_OPTIONS": "--color=always",
    "LESS": "--nonsense",
    "GIT_DIR": "/nowhere/.git",
    "GIT_WORK_TREE": "/nowhere",
    "GIT_INDEX_FILE": "/nowhere/index",
    "VIRTUAL_ENV": "/nowhere/venv",
    "SSH_AUTH_SOCK": "/nowhere/agent.sock",
}
# What would let a test reach into the spaces or cloud accounts of the person who runs it.
TEMPTING = ("DEPLOYER_APP", "DEPLOYER_SPACE", "LC_ALL", "LC_CTYPE", "LANGUAGE", "AWS_PROFILE", "AWS_ACCESS_KEY_ID")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the expected texts in tests/golden")
    recorded.add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Texts of the command line depend on typer's version: an environment that is not the locked one says so first."""
    lock = (Path(__file__).parent.parent / "requirements.lock").read_text()
    wanted = re.findall(r"^([a-z0-9-]+)==([^ ;]+) \\$", lock, re.MULTILINE)
    other = [f"{name} {found}" for name, version in wanted if (found := _installed(name)) not in (None, version)]
    if other:
        pytest.exit(f"{', '.join(other)}: not as requirements.lock has it. Run `make setup`.", returncode=3)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # begun with `&` or nohup: what tests start inherits it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    recorded.configure(config)


def _installed(name: str) -> str | None:
    with suppress(PackageNotFoundError):
        return version(name)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on systemd hosts make network namespaces and mounts: without root they are skipped, and say so."""
    if os.geteuid() == 0:
        return
    for item in items:
        if item.get_closest_marker("hosts"):
            item.add_marker(pytest.mark.skip(reason="makes systemd hosts: needs root"))


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden("units/web.txt", text)`: the text equals the file below tests/golden; `--update-golden` rewrites it."""
    update = request.config.getoption("--update-golden")

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert path.exists(), f"no tests/golden/{name}: run pytest with --update-golden, then read the difference"
        assert text == path.read_text(), f"differs from tests/golden/{name}; --update-golden rewrites it"

    return compare


@pytest.fixture(scope="session", autouse=True)
def hostile_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An environment to be led astray by; the pointers to spaces go to a folder of the session."""
    with pytest.MonkeyPatch.context() as patch:
        for name in TEMPTING:
            patch.delenv(name, raising=False)
        for name, value in HOSTILE.items():
            patch.setenv(name, value)
        patch.setenv("DEPLOYER_HOME", str(tmp_path_factory.mktemp("deployer-home")))
        patch.setenv("DEPLOYER_DATA", str(tmp_path_factory.mktemp("deployer-data")))
        yield


@pytest.fixture(autouse=True)
def empty_home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests without real programs own no home: nobody's caches or keys decide whether they pass."""
    if request.node.get_closest_marker("edge") or request.node.get_closest_marker("hosts"):
        return
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEPLOYER_HOME", str(tmp_path / "home" / "deployer"))
    monkeypatch.setenv("DEPLOYER_DATA", str(tmp_path / "home" / "data"))
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "DEPLOYER_CACHE"):
        monkeypatch.delenv(name, raising=False)


def is_near(host: object) -> bool:
    """Loopback, or an address of a private network, where test hosts live in namespaces of their own."""
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return str(host) in {"localhost", ""} or str(host).endswith(".localhost")
    return address.is_loopback or (address.is_private and not address.is_link_local) or address.is_unspecified


def refuse_far_addresses(event: str, arguments: tuple[object, ...]) -> None:
    """A test that would dial the wide network fails at the dial, whatever library it uses."""
    if event == "socket.connect" and isinstance(arguments[1], tuple) and not is_near(arguments[1][0]):
        raise RuntimeError(f"a test dialled {arguments[1]}: only loopback and private addresses are allowed")


sys.addaudithook(refuse_far_addresses)
