"""`doctor` of a space in AWS: what it says of this machine, with an account and without, in short time."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from deployer.operations.cloud_doctor import Meant, Site, examine
from deployer.operations.diagnosis import Finding
from deployer.spaces.aws import bootstrap, record
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.archives import PROVIDER, pinned
from deployer.spaces.aws.choice import provider_in
from deployer.spaces.aws.record import Record
from infra.spec import Spec
from tests.cli.conftest import Machine
from tests.infra.moto_here import ACCOUNT, REGION, moto

PINS = pinned()
MEANT = Meant("production", REGION, "deployer.toml")


@pytest.fixture
def no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without any, in which no service is asked for some."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return tmp_path


def pulumi(folder: Path, says: str) -> Site:
    """A machine whose `pulumi version` says this, with the provider in its folder."""
    for program in (folder / "bin/pulumi", provider_in(folder) / PROVIDER):
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n{says}\n")
        program.chmod(0o755)
    return Site({"PATH": str(folder / "bin")}, folder)


def about(findings: list[Finding], check: str) -> Finding:
    [found] = [one for one in findings if one.check == check]
    return found


@pytest.mark.parametrize(
    ("says", "passed_over"),
    [
        ("echo v3.259.0", ""),
        ("echo v3.258.9", "is 3.258.9: deployer drives 3.259 up to, not including, 4"),
        ("exit 3", "does not say its version"),
    ],
)
def test_which_pulumi_command_is_taken_is_said(no_credentials: Path, says: str, passed_over: str) -> None:
    found = about(examine(pulumi(no_credentials, says), MEANT), "pulumi command")
    assert not found.problem and passed_over in found.note
    theirs = f"3.259.0, {no_credentials}/bin/pulumi"
    ours = f"{PINS.command and PINS.command.version}, which the next command that needs it downloads"
    assert found.note.startswith(ours if passed_over else theirs)


def test_a_machine_without_archives_is_told_what_to_install(no_credentials: Path) -> None:
    site = Site({"PATH": ""}, no_credentials, pins=pinned("darwin-amd64"))
    command, provider = (about(examine(site, MEANT), f"pulumi {one}") for one in ("command", "provider"))
    assert command.problem == provider.problem == "it is not here"
    assert "no archive of it for darwin-amd64: install Pulumi 3.259 or later" in command.advice
    assert f"PULUMI_HOME={no_credentials} pulumi plugin install resource aws" in provider.advice


def test_a_machine_that_has_nothing_is_told_all_of_it_at_once(machine: Machine, no_credentials: Path) -> None:
    (machine.folder / "deployer.toml").write_text(f'[space.production]\nregion = "{REGION}"\n')
    machine.env["PATH"] = str(no_credentials)
    began = time.monotonic()
    assert machine.run("doctor") == 1
    assert time.monotonic() - began < 10
    for line in (
        "credentials: There are no credentials for AWS here.",
        "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its kin",
    ):
        assert line in machine.out
    assert machine.run("doctor", "--json", "--space", "production") == 1
    rows = {one["check"]: one for one in json.loads(machine.out)}
    assert rows["region"] == {
        **rows["region"], "ok": True, "where": "AWS", "note": f"{REGION}, by deployer.toml"
    }  # fmt: skip
    for one in ("command", "provider"):
        assert rows[f"pulumi {one}"]["note"].endswith(", which the next command that needs it downloads")
    assert not rows["credentials"]["ok"] and "account" not in rows


def test_a_variable_that_leads_elsewhere_ends_it(no_credentials: Path) -> None:
    site = pulumi(no_credentials, "echo v3.259.0")
    found = examine(Site({**site.env, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, site.home), MEANT)
    assert found[-1].check == "endpoint" and found[-1].advice == "Spaces are made in AWS itself: unset it."


def test_a_sign_in_that_has_ended_says_how_to_sign_in(no_credentials: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `aws sso login` leaves it: a session whose cached token is not there any more."""
    (no_credentials / "config").write_text(
        "[profile work]\nsso_session = us\nsso_account_id = 123456789012\nsso_role_name = admin\n"
        "[sso-session us]\nsso_start_url = https://example.com/start\nsso_region = eu-central-1\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "work")
    found = examine(pulumi(no_credentials, "echo v3.259.0"), MEANT)[-1]
    assert found.check == "credentials" and "expired" in found.problem
    assert "aws sso login" in found.advice


def test_a_profile_that_nobody_knows_is_named(no_credentials: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "misspelt")
    found = examine(pulumi(no_credentials, "echo v3.259.0"), MEANT)[-1]
    assert found.check == "credentials" and "misspelt" in found.problem


def test_an_aws_that_does_not_answer_is_waited_for_some_seconds(
    no_credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-tests")
    site = pulumi(no_credentials, "echo v3.259.0")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        findings = examine(Site(site.env, site.home, endpoint), MEANT)
        assert time.monotonic() - began < 12
    assert about(findings, "credentials").note == "AWS_ACCESS_KEY_ID and its kin"
    assert about(findings, "account").problem.startswith("AWS did not answer.")


class Expired(BaseHTTPRequestHandler):
    """AWS, when a token is too old."""

    def do_POST(self) -> None:
        body = (
            b"<ErrorResponse><Error><Code>ExpiredToken</Code><Message>It has expired</Message></Error></ErrorResponse>"
        )
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_token_that_is_too_old_says_what_to_do(no_credentials: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        monkeypatch.setenv(f"AWS_{name}", "of-tests")
    site = pulumi(no_credentials, "echo v3.259.0")
    with HTTPServer(("127.0.0.1", 0), Expired) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = examine(Site(site.env, site.home, f"http://127.0.0.1:{server.server_port}"), MEANT)[-1]
        server.shutdown()
    assert (found.check, found.problem.endswith("It has expired")) == ("account", True)
    assert found.advice.startswith("Sign in again (`aws sso login`)")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto() as found:
        yield found


@pytest.mark.edge
def test_the_account_has_to_be_the_space_s(endpoint: str, tmp_path: Path) -> None:
    site = pulumi(tmp_path, "echo v3.259.0")
    site = Site(site.env, site.home, endpoint)
    well = examine(site, MEANT)
    assert not [one for one in well if one.problem]
    assert about(well, "account").note.startswith(f"{ACCOUNT}, arn:aws:")
    assert about(well, "space").note == "production is not made yet"

    other = examine(site, Meant("production", REGION, "deployer.toml", account="999999999999"))
    assert about(other, "account").problem == (
        f"These credentials belong to the account {ACCOUNT}; production belongs to 999999999999."
    )

    account = Account(REGION, endpoint)
    state = bootstrap.ensure(account, "production")
    store = record.store_of(account, state)
    record.save(store, Record("production", Spec(REGION), ACCOUNT, "0.1.0"))
    assert about(examine(site, MEANT), "space").note == "production, 1 host"
    record.save(store, Record("production", Spec(REGION), "999999999999", "0.1.0"))
    assert "production belongs to 999999999999" in about(examine(site, MEANT), "space").problem
    record.save(store, Record("production", Spec(REGION), ACCOUNT, "99.0"))
    assert "was changed by deployer 99.0" in about(examine(site, MEANT), "space").problem
