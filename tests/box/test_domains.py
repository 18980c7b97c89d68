"""Domains of an app on a space in AWS with one host: its router answers, and that of the host that comes after it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deployer.model.certificate import ACME, FAILING, Certificate
from deployer.operations.session import OpenSpace, open_space
from deployer.spaces import pointers
from tests.box.box import Box
from tests.box.person import Person, at_work, visitor
from tests.infra.moto_here import REGION, issue_certificates

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(600)]
NAME = "www.shop.test"


@pytest.mark.faults
def test_a_domain_answers_on_this_host_and_on_the_next(here: Box, tmp_path: Path) -> None:
    with at_work(here, tmp_path, "shop", "python_flask_worker") as ada:
        ada.describes()
        ada.brings_up()
        with visitor(ada) as seen:
            added = json.loads(ada.types("domains:add", NAME, "--json"))
            ada.types("domains:add", "*.shop.test")
        assert seen.keys() == {200} and seen.total() > 5, seen
        assert (added["dns_record_type"], added["cname"]) == ("A", here.front_address())
        assert "release v2" in asked_as(ada, NAME) and "release v2" in asked_as(ada, "any.shop.test")
        assert "release v2" in asked_as(ada, ada.name), "a domain makes no release"
        certificates(ada)
        [one] = here.instances()
        here.terminate(one.id, hard=True)
        here.wait(lambda: "release v2" in asked_as(ada, NAME) and one.id not in [i.id for i in here.instances()], 180)
        here.wait(lambda: one.id not in ada.types("spaces:info", "production"), 120)
        ada.types("domains:clear", "--confirm", "shop", "--wait", "60")
        assert "There is nothing here" in asked_as(ada, NAME)
        ada.types("down", "production", "--confirm", "production")


def certificates(ada: Person) -> None:
    """`certs:auto` shows what stands in the store, and `certs:auto:refresh` has it tried again."""
    reason = "DNS does not lead here: www.shop.test has no address"
    with open_space(pointers.load("production")) as space:
        failing = Certificate(NAME, ACME, FAILING, asked="2026-11-30T12:00:00Z", failures=3, reason=reason)
        keep(space, failing)
    lines = {one["hostname"]: one for one in json.loads(ada.types("certs:auto", "--json"))}
    assert (lines[NAME]["acm_status"], lines[NAME]["acm_status_reason"]) == ("Failing", reason)
    assert lines["*.shop.test"]["acm_status"] == "HTTP only"
    ada.types("certs:auto:refresh")
    assert NAME in ada.err
    with open_space(pointers.load("production")) as space:
        assert space.ledger.certificates([NAME])[NAME].failures < 3
    ada.types("certs:redirect", "off")
    assert ada.types("certs:redirect") == "off\n"


def keep(space: OpenSpace, certificate: Certificate) -> None:
    space.ledger.certificates([certificate.name])  # a host may have written first
    space.ledger.save_certificate(certificate, space.ledger.timestamp())


def leading(dns: Any, zone: str) -> list[str]:
    """The names of the records of a zone that are not its own."""
    found = dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return [one["Name"] for one in found if one["Type"] not in ("SOA", "NS")]


def asked_as(ada: Person, name: str) -> str:
    before, ada.name = ada.name, name
    try:
        return ada.asks()[1]
    finally:
        ada.name = before


@pytest.mark.faults
def test_behind_a_load_balancer_a_domain_gets_a_certificate_of_aws(here: Box, tmp_path: Path) -> None:
    with at_work(here, tmp_path, "store", "python_flask_worker") as ada:
        ada.describes(1, "load-balancer = true")
        ada.brings_up()
        dns = here.cloud.client("route53")
        zone = dns.create_hosted_zone(Name="shop.test", CallerReference="once")["HostedZone"]["Id"]
        ada.types("domains:add", NAME, status=1)
        assert f"+ certificate certificate-{NAME}" in ada.err and "--yes" in ada.err, "it is shown and asked first"
        assert json.loads(ada.types("domains", "--json"))[1:] == []
        with visitor(ada) as seen:
            ada.types("domains:add", NAME, "--yes")
        assert seen.keys() == {200}, seen
        assert "AWS waits for the DNS record _" in ada.err and "in Route 53, in the zone shop.test" in ada.err
        assert len(leading(dns, zone)) == 2, "one leads here, one proves it"
        assert "release v2" in asked_as(ada, NAME)
        assert json.loads(ada.types("domains", "--json"))[1]["acm_status"] == "In Progress"
        issue_certificates(REGION)
        ada.types("domains:wait", NAME)
        assert "+ listener https" in ada.err
        assert json.loads(ada.types("domains", "--json"))[1]["acm_status"] == "OK"
        ada.types("apps:destroy", "--confirm", "store")
        assert f"- certificate certificate-{NAME}" in ada.err and leading(dns, zone) == []
        assert "There is nothing here" in asked_as(ada, NAME)
        ada.types("down", "production", "--confirm", "production")
