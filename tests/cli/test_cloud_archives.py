"""The first command on a space in AWS, on a machine that has nothing of Pulumi: the real engine, from an archive."""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.cli.main import run
from deployer.cli.output import Output
from deployer.cli.shell import Shell
from deployer.spaces import pointers
from deployer.spaces.aws.archives import Pins
from deployer.spaces.aws.choice import provider_in
from deployer.spaces.aws.tools import Tools, home_here, of_this_machine
from infra.engine import QUIET
from tests.infra.cloud_here import Cloud, cloud
from tests.spaces.archives_here import Server, packed, serving

pytestmark = pytest.mark.edge
SPACE = '[space.production]\nregion = "eu-central-1"\n'


@pytest.fixture(scope="module")
def here() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """With a laptop that has a folder of its own for data."""
    monkeypatch.setenv("DEPLOYER_DATA", str(tmp_path / "data"))
    (tmp_path / "deployer.toml").write_text(SPACE)
    with serving() as made:
        yield made


def typed(here: Cloud, pins: Pins, folder: Path, *words: str) -> tuple[int, str, str]:
    """A command with the archives of the pins, in the cloud here: its exit status, and what it wrote."""
    out, err = io.StringIO(), io.StringIO()

    def tools() -> Tools:
        ours = here.tools(folder)
        return replace(of_this_machine({}, shell.tell, pins), endpoint=ours.endpoint, env=ours.env, patience=0.0)

    shell = Shell(
        output=Output(out, err, False, False),
        env={},
        folder=folder,
        pointers=pointers,
        open_space=lambda pointer: pytest.fail("no host is dialled"),
        tools=tools,
    )
    return run(words, shell), out.getvalue(), err.getvalue()


def test_what_is_missing_is_downloaded_and_makes_the_space(here: Cloud, server: Server, tmp_path: Path) -> None:
    real = f'#!/bin/sh\nexec "{here.root}/bin/pulumi" "$@"\n'.encode()
    pins = Pins("here", server.command(packed({"pulumi/pulumi": real})), server.provider(version=version_here()))
    status, _, err = typed(here, pins, tmp_path, "preview", "--space", "production")
    assert status == 0 and not server.asked, "there is no state, and so nothing for the engine"
    status, _, err = typed(here, pins, tmp_path, "up", "--space", "production", "--yes")
    assert status == 0, err
    [command, provider] = [line for line in err.splitlines() if line.startswith("Downloading")]
    assert command.startswith("Downloading Pulumi 3.260.0... 1 MB, ") and command.endswith(", unpacking, done")
    assert provider == (
        f"Downloading Pulumi's provider for AWS {version_here()}... 1 MB, 25 %, 50 %, 75 %, unpacking, done"
    )
    status, out, err = typed(here, pins, tmp_path, "preview", "--space", "production", "--json")
    assert (status, json.loads(out)["changes"]) == (0, []), err
    status, _, err = typed(here, pins, tmp_path, "down", "--space", "production", "--confirm", "production")
    assert status == 0 and len(server.asked) == 2, err
    assert not here.asked


def test_the_engine_finds_the_provider(here: Cloud, server: Server, tmp_path: Path) -> None:
    real = f'#!/bin/sh\nexec "{here.root}/bin/pulumi" "$@"\n'.encode()
    pins = Pins("here", server.command(packed({"pulumi/pulumi": real})), server.provider(version=version_here()))
    made = of_this_machine({}, lambda event: None, pins)
    made.ready()
    env = {**os.environ, **QUIET, "PULUMI_HOME": str(made.home)}
    words = [made.root / "bin/pulumi", "plugin", "ls", "--json"]
    found = json.loads(subprocess.run(words, env=env, capture_output=True, text=True, check=True, timeout=60).stdout)
    assert [(one["name"], one["kind"], one["version"]) for one in found] == [("aws", "resource", version_here())]


def test_a_download_that_fails_ends_its_line_and_says_what_to_do(here: Cloud, server: Server, tmp_path: Path) -> None:
    pins = Pins("here", server.command(digest="0" * 64), server.provider(version=version_here()))
    status, out, err = typed(here, pins, tmp_path, "up", "--space", "production", "--yes")
    assert (status, out) == (1, "")
    assert "75 %, !\n !     What came is not Pulumi 3.260.0 as this deployer knows it.\n" in err
    assert "install Pulumi 3.259 or later (not 4) yourself" in err
    assert not here.client("s3").list_buckets()["Buckets"], "nothing was begun in AWS"


def version_here() -> str:
    """Of the provider that the library wants."""
    return provider_in(home_here()).name.removeprefix("resource-aws-v")
