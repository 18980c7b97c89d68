"""How far a domain is in AWS, against moto: its zone, how its certificate stands, which records are there."""

from __future__ import annotations

from typing import Any

import pytest

from deployer.spaces.aws import domain
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.domain import Domain, Entry
from deployer.spaces.aws.found import find
from infra.spec import Spec
from tests.infra.moto_here import ACCOUNT, REGION

pytestmark = pytest.mark.edge
SHOP = Spec(REGION, load_balancer=True, domain="shop.example.com")


def zone(account: Account, name: str, **more: Any) -> str:
    made = account.client("route53").create_hosted_zone(Name=name, CallerReference=f"{name}{len(more)}", **more)
    return str(made["HostedZone"]["Id"]).rpartition("/")[2]


def certificate(account: Account, name: str, status: str, space: str = "production") -> None:
    tags = [{"Key": "deployer:space", "Value": space}]
    made = account.client("acm").request_certificate(DomainName=name, ValidationMethod="DNS", Tags=tags)
    from moto.backends import get_backend

    get_backend("acm")[ACCOUNT][REGION]._certificates[made["CertificateArn"]].status = status


def test_a_specification_without_a_domain_asks_aws_nothing() -> None:
    assert domain.look(Account(REGION, "http://127.0.0.1:9"), "production", Spec(REGION)) is None


def test_the_nearest_public_zone_counts(account: Account) -> None:
    assert domain.look(account, "production", SHOP) == Domain("shop.example.com", None)
    zone(account, "ample.com")
    zone(account, "other.example.com")
    above = zone(account, "example.com")
    found = domain.look(account, "production", SHOP)
    assert found and found.zone and (found.zone.id, found.zone.name) == (above, "example.com")
    assert found.zone.servers
    zone(
        account, "shop.example.com", VPC={"VPCRegion": REGION, "VPCId": "vpc-1"}, HostedZoneConfig={"PrivateZone": True}
    )
    found = domain.look(account, "production", SHOP)
    assert found and found.zone and found.zone.id == above
    own = zone(account, "shop.example.com")
    found = domain.look(account, "production", SHOP)
    assert found and found.zone and found.zone.id == own


def test_two_zones_of_one_name_are_none(account: Account) -> None:
    zone(account, "example.com")
    account.client("route53").create_hosted_zone(Name="example.com", CallerReference="again")
    assert domain.look(account, "production", SHOP) == Domain("shop.example.com", None)


def test_only_the_spaces_own_certificate_of_that_domain_counts(account: Account) -> None:
    certificate(account, "shop.example.com", "ISSUED", space="staging")
    certificate(account, "old.example.com", "ISSUED")
    found = domain.look(account, "production", SHOP)
    assert found and (found.status, found.is_proved) == ("", False)
    certificate(account, "shop.example.com", "PENDING_VALIDATION")
    found = domain.look(account, "production", SHOP)
    assert found and (found.status, found.is_proved) == ("PENDING_VALIDATION", False)
    certificate(account, "shop.example.com", "ISSUED")
    found = domain.look(account, "production", SHOP)
    assert found and (found.status, found.is_proved) == ("ISSUED", True)


def test_certificates_that_acm_waits_for_no_more_are_forgotten(account: Account) -> None:
    for status in ("VALIDATION_TIMED_OUT", "FAILED", "PENDING_VALIDATION", "ISSUED"):
        certificate(account, f"{status.lower().replace('_', '-')}.example.com", status)
    certificate(account, "theirs.example.com", "FAILED", space="staging")
    domain.forget_given_up(account, "production")
    with asking():
        left = [one.status for space in ("production", "staging") for one in domain.certificates(account, space)]
    assert sorted(left) == ["FAILED", "ISSUED", "PENDING_VALIDATION"]


def test_records_that_are_left_are_found_and_those_of_others_are_not(account: Account) -> None:
    number = zone(account, "example.com")
    wanted = [
        Entry("*.shop.example.com", "CNAME", "front-1.elb.amazonaws.com", leads=True),
        Entry("_ab.shop.example.com", "CNAME", "_cd.acm-validations.aws"),
    ]
    with asking():
        assert list(domain.still_there(account, "shop.example.com", wanted)) == []
    put(account, number, "*.shop.example.com", "A", "203.0.113.1")
    put(account, number, "_ab.shop.example.com", "CNAME", "_cd.acm-validations.aws.")
    with asking():
        assert [one.name for one in domain.still_there(account, "shop.example.com", wanted)] == ["_ab.shop.example.com"]
    put(account, number, "*.shop.example.com", "A", alias="Front-1.elb.amazonaws.com.")
    with asking():
        names = [str(one) for one in domain.still_there(account, "shop.example.com", wanted)]
    assert names == ["Route 53 record *.shop.example.com", "Route 53 record _ab.shop.example.com"]


def test_a_record_whose_making_was_cut_off_is_found_and_one_of_others_is_not(account: Account) -> None:
    number = zone(account, "example.com")
    target = {"name": "front-1.elb.amazonaws.com", "zoneId": "Z1", "evaluateTargetHealth": False}
    wanted = {"zoneId": number, "name": "*.example.com", "type": "A", "aliases": [target]}
    record = "aws:route53/record:Record"
    assert find(account, record, wanted) is None
    put(account, number, "*.example.com", "A", alias="theirs.elb.amazonaws.com")
    assert find(account, record, wanted) is None
    put(account, number, "*.example.com", "A", alias="front-1.elb.amazonaws.com")
    assert find(account, record, wanted) == f"{number}_*.example.com_A"
    assert find(account, record, {**wanted, "zoneId": "Z0GONE"}) is None


def test_while_the_domain_changes_the_certificate_of_the_new_one_is_found(account: Account) -> None:
    certificate(account, "old.example.com", "ISSUED")
    wanted = {"tags": {"deployer:space": "production"}, "domainName": "shop.example.com"}
    assert find(account, "aws:acm/certificate:Certificate", wanted) is None
    certificate(account, "shop.example.com", "PENDING_VALIDATION")
    found = find(account, "aws:acm/certificate:Certificate", wanted)
    with asking():
        [new] = [one for one in domain.certificates(account, "production") if one.domain == "shop.example.com"]
    assert found == new.arn


def put(account: Account, number: str, name: str, kind: str, value: str = "", alias: str = "") -> None:
    plain = {"TTL": 60, "ResourceRecords": [{"Value": value}]}
    target = {"AliasTarget": {"DNSName": alias, "HostedZoneId": "Z1", "EvaluateTargetHealth": False}}
    change = {"Action": "UPSERT", "ResourceRecordSet": {"Name": name, "Type": kind, **(target if alias else plain)}}
    account.client("route53").change_resource_record_sets(HostedZoneId=number, ChangeBatch={"Changes": [change]})
