"""A person's day with a space in AWS, in the box: nothing, one command, an app that serves, nothing again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.box.box import Box
from tests.box.person import Person, at_work

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(600)]


def test_from_an_empty_account_to_a_url_and_back(here: Box, tmp_path: Path) -> None:
    with at_work(here, tmp_path, "shop", "python_flask_worker") as ada:
        ada.describes()
        boundary = administered(ada)
        before = here.cloud.there()
        url = ada.brings_up()
        assert url == f"http://shop.{here.front_address().replace('.', '-')}.sslip.io/"
        assert "1 host to join production" in ada.err and "web.1 is up" in ada.err
        released = ["+ the app shop", "Building shop meanwhile", "Making production", "web.1 is up"]
        assert [ada.err.index(one) for one in released] == sorted(ada.err.index(one) for one in released), ada.err
        assert ada.err.index("Building shop meanwhile") < ada.err.index("shop is built") < ada.err.index("Waiting for")
        status, text = ada.asks()
        assert (status, text) == (200, "Hello from Flask, dyno web.1, release v2\n")
        [one] = here.instances()
        [role] = here.cloud.client("iam").list_roles(PathPrefix="/deployer/")["Roles"]
        limit = here.cloud.client("iam").get_role(RoleName=role["RoleName"])["Role"]["PermissionsBoundary"]
        assert limit["PermissionsBoundaryArn"] == boundary  # what hosts ask of AWS is held to it
        assert f"{one.id}  1" in ada.types("hosts", "--space", "production")
        assert "web.1: up" in ada.types("ps")
        looked_at(ada, one.id)
        assert "Nothing changed" in (ada.types("up", "--space", "production", "--yes"), ada.err)[1]
        ada.types("down", "production", status=2)
        assert "Its apps go with it: shop." in ada.err
        ada.types("down", "production", "--confirm", "production")
        assert "Nothing of production is left in AWS: $0.00." in ada.err
    assert here.cloud.there() == before and not here.instances()


def administered(person: Person) -> str:
    """The administrator of the account makes the boundary of hosts; its ARN."""
    document = person.types("iam:policy", "hosts", "--space", "production")
    iam = person.here.cloud.client("iam")
    made = iam.create_policy(Path="/deployer/", PolicyName="deployer-production-hosts", PolicyDocument=document)
    return str(made["Policy"]["Arn"])


@pytest.mark.faults
def test_a_build_that_fails_beside_the_cloud_leaves_the_space_and_says_how_to_go_on(here: Box, tmp_path: Path) -> None:
    with at_work(here, tmp_path, "shop", "python_flask_worker") as ada:
        ada.describes()
        wanted = (ada.folder / "requirements.txt").read_text()
        (ada.folder / "requirements.txt").write_text("no-such-package-anywhere==99.99.99\n")
        ada.types("up", "--space", "production", "--yes", status=1)
        said = ["The build of shop said:", "nothing is released", "1 host to join", "production is there. `deployer up"]
        assert [ada.err.index(one) for one in said] == sorted(ada.err.index(one) for one in said), ada.err
        assert "The app" not in ada.types("apps", "--space", "production")
        (ada.folder / "requirements.txt").write_text(wanted)
        ada.brings_up()
        assert ada.asks()[0] == 200
        ada.types("down", "production", "--confirm", "production")


def looked_at(ada: Person, host: str) -> None:
    """What `doctor` and `spaces:info` say of a host that has joined, and of one that dies."""
    info = ada.types("spaces:info", "production")
    assert f"{host} seat 1, " in info and "(InService: serves)" in info and "Apps:" in info
    ada.types("doctor", "--space", "production")
    assert f"ok  {host}" in ada.out and "group (seat 1), disk" in ada.out
    assert "hosts (1 of 1 serve), group" in ada.out and "ok  shop" in ada.out
    ada.here.terminate(host, hard=True)
    ada.here.wait(lambda: host not in ada.types("spaces:info", "production"), 60)
    began = time.monotonic()
    ada.types("doctor", "--space", "production", status=1)
    assert time.monotonic() - began < 8, "nobody dials a host that the group does not have any more"
    assert host not in ada.out
    assert "hosts: 0 of 1 serve, 1 on the way" in ada.out and "boots, and joins" in ada.out
    ada.here.wait(lambda: "(InService: serves)" in ada.types("spaces:info", "production"), 120)
    ada.types("doctor", "--space", "production")
