"""Where the records of further domains go, against moto: the nearest zones, and what others have made in them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.domain import Entry
from deployer.spaces.aws.places import is_ours, places, still_there
from deployer.spaces.aws.record import Record
from infra.records import Records
from infra.spec import Spec
from tests.infra.moto_here import REGION
from tests.spaces.test_aws_domain import put, zone

pytestmark = pytest.mark.edge
DNS = "deployer-production-1a2b3c4-1.eu-central-1.elb.amazonaws.com"
SPEC = Spec(REGION, load_balancer=True, domains=("www.shop.example", "shop.example", "*.shop.example"))
KNOWN = Record("production", SPEC, "123456789012", "1", outputs={"dns": DNS})


def test_where_there_are_no_further_domains_nobody_is_asked() -> None:
    nowhere = Account(REGION, "http://127.0.0.1:9")
    assert places(nowhere, replace(KNOWN, spec=Spec(REGION, load_balancer=True))) == ()
    assert places(nowhere, replace(KNOWN, spec=replace(SPEC, load_balancer=False))) == ()


def test_each_domain_goes_into_the_nearest_zone(account: Account) -> None:
    assert places(account, KNOWN) == ()
    above, own = zone(account, "shop.example"), zone(account, "www.shop.example")
    zone(account, "hop.example")
    found = {one.domain: one.zone.id for one in places(account, KNOWN)}
    assert found == {"www.shop.example": own, "shop.example": above, "*.shop.example": above}
    assert all(one.zone.servers and one.taken is None and not one.there for one in places(account, KNOWN))


def test_what_others_have_made_is_left_alone(account: Account) -> None:
    number = zone(account, "shop.example")
    put(account, number, "www.shop.example", "CNAME", "Elsewhere.example.")
    put(account, number, "a.shop.example", "A", "203.0.113.1")
    put(account, number, "shop.example", "MX", "10 mail.shop.example.")
    put(account, number, "*.shop.example", "A", alias=f"dualstack.{DNS}.")
    first, bare, wild = places(account, KNOWN)
    assert first.taken == Entry("www.shop.example", "CNAME", "elsewhere.example")
    assert first.records == Records("www.shop.example", number, leads=False, there=True)
    assert bare.records == Records("shop.example", number), "mail leads nobody elsewhere, nor do the zone's own records"
    assert wild.records == Records("*.shop.example", number, there=True), "it leads here already"


def test_what_was_made_stays_the_spaces_own(account: Account) -> None:
    number = zone(account, "shop.example")
    told = '{"www.shop.example": {"leads": true}, "shop.example": {"leads": false}}'
    known = replace(KNOWN, outputs={"dns": DNS, "domains": told})
    for name in ("www.shop.example", "shop.example"):
        put(account, number, name, "A", "203.0.113.1")
        put(account, number, name, "AAAA", "2001:db8::1")
    first, bare, _ = places(account, known)
    assert first.taken is None, "changed by hand: `up` puts it right"
    assert bare.taken == Entry("shop.example", "A", "203.0.113.1")


def test_a_name_that_others_answer_for_is_left_alone(account: Account) -> None:
    number = zone(account, "shop.example")
    put(account, number, "www.shop.example", "NS", "ns.other.example.")
    [first, *_] = places(account, KNOWN)
    assert first.taken == Entry("www.shop.example", "NS", "ns.other.example")


def test_what_the_spaces_own_record_leads_here_needs_none(account: Account) -> None:
    zone(account, "shop.example")
    own = replace(KNOWN, spec=replace(SPEC, domain="shop.example"))
    assert [one.domain for one in places(account, own)] == ["www.shop.example", "shop.example"]


def test_a_load_balancer_of_the_space_is_known_by_its_name() -> None:
    assert is_ours(KNOWN, DNS) and is_ours(KNOWN, DNS.replace("1a2b3c4", "0f0f0f0"))
    assert is_ours(KNOWN, f"dualstack.{DNS}")
    others = ("deployer-production-2-1a2b3c4-1.eu-central-1.elb.amazonaws.com", "elsewhere.example", "")
    assert not any(is_ours(KNOWN, one) for one in others)


def test_records_that_are_left_are_found(account: Account) -> None:
    number = zone(account, "shop.example")
    proof = "_ab.shop.example CNAME _cd.acm-validations.aws."
    told = '{"shop.example": {"proof": "%s", "zone": "%s", "leads": true}, "other.example": {"zone": null}}'
    known = replace(KNOWN, outputs={"dns": DNS, "domains": told % (proof, number)})

    def left() -> list[str]:
        with asking():
            return [str(one) for look in still_there(known) for one in look(account, "production")]

    assert left() == []
    put(account, number, "_ab.shop.example", "CNAME", "_cd.acm-validations.aws.")
    put(account, number, "shop.example", "A", alias=DNS)
    assert left() == ["Route 53 record shop.example", "Route 53 record _ab.shop.example"]
