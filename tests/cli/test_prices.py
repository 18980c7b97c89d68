"""`prices:update` with the SDK's own client, against a small Price List on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.operations import prices
from tests.cli.conftest import Machine
from tests.infra.price_list_server import Service, product, serving

LINUX = {
    "productFamily": "Compute Instance",
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "regionCode": "eu-central-1",
}
HERE = {"regionCode": "eu-central-1"}
PRODUCTS = [
    *(
        product("AmazonEC2", f"EUC1-BoxUsage:{size}", {"0": usd}, **LINUX, instanceType=size)
        for size, usd in (("t4g.small", "0.0199000000"), ("t4g.medium", "0.0398000000"), ("t4g.large", "0.0796000000"))
    ),
    product(
        "AmazonEC2", "BoxUsage:t4g.small", {"0": "9"}, **{**LINUX, "regionCode": "us-east-1"}, instanceType="t4g.small"
    ),
    product("AmazonVPC", "EUC1-PublicIPv4:InUseAddress", {"0": "0.0050000000"}, **HERE),
    product("AmazonS3", "EUC1-TimedStorage-ByteHrs", {"0": "0.0245", "51200": "0.0235"}, **HERE, volumeType="Standard"),
    product("AmazonS3", "EUC1-Requests-Tier2", {"0": "0.0000004300"}, **HERE, productFamily="API Request"),
]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    with serving(PRODUCTS) as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", found.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield found


def test_the_preview_prefers_what_was_read(service: Service, machine: Machine) -> None:
    assert machine.run("prices:update", "--region", "eu-central-1") == 0
    assert machine.err.startswith("Reading prices of eu-central-1 from AWS... done, 6 prices\n")
    assert " !     Not among them: alb, alb/lcu," in machine.err
    assert machine.run("preview", "--region", "eu-central-1") == 0
    [hosts] = [line for line in machine.out.splitlines() if line.startswith("Hosts: t4g.small")]
    assert hosts.split()[2:] == ["14.53", "14.53", "29.05", "[1]"]
    assert "AWS Price List, AmazonEC2 (2026-11-20)" in machine.out
    [store] = [line for line in machine.out.splitlines() if line.startswith("Store (S3), 5 GB")]
    assert "0.12" in store and "unknown" not in store


def test_a_second_region_keeps_the_first(service: Service, machine: Machine) -> None:
    assert machine.run("prices:update", "--region", "eu-central-1", "--region", "us-east-1") == 0
    found = prices.load()
    first, second = found.find("eu-central-1", "ec2/t4g.small"), found.find("us-east-1", "ec2/t4g.small")
    assert first and second and (str(first.usd), str(second.usd)) == ("0.0199", "9")


def test_a_region_without_any_price_changes_nothing(service: Service, machine: Machine) -> None:
    assert machine.run("prices:update", "--region", "sa-east-1") == 1
    assert "AWS has no prices for sa-east-1" in machine.err
    assert not prices.path().exists()


def test_a_refusal_is_explained(service: Service, machine: Machine) -> None:
    service.denies = True
    assert machine.run("prices:update") == 1
    assert "User is not authorized: pricing:GetProducts" in machine.err
    assert "It takes credentials that may do pricing:GetProducts" in machine.err
    assert not prices.path().exists()


def test_no_credentials_are_explained(service: Service, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert machine.run("prices:update") == 1
    assert "Unable to locate credentials" in machine.err
    assert not service.asked


@pytest.mark.parametrize("text", ["", "{}", '{"sources": {}, "prices": {"us-east-1": {"alb": ["x", "y"]}}}'])
def test_a_damaged_table_is_named(text: str, machine: Machine) -> None:
    path: Path = prices.path()
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert machine.run("preview") == 1
    assert f"The table of prices cannot be read: {path}." in machine.err
