"""What a space in AWS says of its domain, from the first `up` until HTTPS is spoken, and what is to be done next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from deployer.cli.cloud_domain import further, rows, todo, url
from deployer.operations.cloud_proposal import Proposal
from deployer.spaces.aws.domain import Domain, Entry, Zone, entries
from deployer.spaces.aws.places import Place
from deployer.spaces.aws.record import Record
from infra.spec import Hosts, Spec

TWO = Spec("us-east-1", Hosts(count=2), load_balancer=True, domain="example.com")
ONE = Spec("us-east-1", domain="shop.example.com")
FRONT = {"dns": "deployer-production-1.us-east-1.elb.amazonaws.com"}
PROOF = {"proof": "_ab.example.com CNAME _cd.acm-validations.aws."}
ZONE = Zone("Z0123", "example.com", ("ns-1.awsdns-01.org", "ns-2.awsdns-02.com"))
BEHIND = Record("production", TWO, "123456789012", "1", outputs={**FRONT, **PROOF})
SECURE = replace(BEHIND, outputs={**BEHIND.outputs, "https": "True"})
ALONE = Record("production", ONE, "123456789012", "1", outputs={"address": "203.0.113.9"})
ELSEWHERE, HERE = Domain("example.com", None, "PENDING_VALIDATION"), Domain("example.com", ZONE, "PENDING_VALIDATION")
CASES: dict[str, tuple[Record, Domain | None]] = {
    "no domain": (replace(ALONE, spec=Spec("us-east-1")), None),
    "pending, DNS elsewhere": (BEHIND, ELSEWHERE),
    "pending, zone here": (BEHIND, HERE),
    "issued, not yet used": (BEHIND, replace(ELSEWHERE, status="ISSUED")),
    "issued": (SECURE, replace(ELSEWHERE, status="ISSUED")),
    "expired": (SECURE, replace(HERE, status="EXPIRED")),
    "given up": (BEHIND, replace(ELSEWHERE, status="VALIDATION_TIMED_OUT")),
    "one host, DNS elsewhere": (ALONE, Domain("shop.example.com", None)),
    "one host, zone here": (ALONE, Domain("shop.example.com", ZONE)),
}


def test_what_is_said_of_a_domain(golden: Callable[[str, str], None]) -> None:
    told = [
        "\n".join([f"--- {case}", url(known), *_shown(rows(known, there)), f"todo: {todo(known, there)}", ""])
        for case, (known, there) in CASES.items()
    ]
    golden("cloud/domain.txt", "\n".join(told))


def test_of_further_domains_the_preview_says_what_is_made_and_what_stays() -> None:
    known = replace(TWO, domains=("old.example.com",))
    taken = Entry("blog.example.com", "CNAME", "elsewhere.example")
    places = (Place("old.example.com", ZONE), Place("www.example.com", ZONE), Place("blog.example.com", ZONE, taken))
    found = Proposal("production", "123456789012", known, known, (), places=places)
    assert further(found) == [
        "The records of www.example.com are made in Route 53, in the zone example.com.",
        "The record that proves blog.example.com is made in Route 53, in the zone example.com.",
        "Somebody else's record stays as it is there: blog.example.com CNAME elsewhere.example",
    ]


def _shown(found: dict[str, str]) -> list[str]:
    return [f"{key}: {value}" for key, value in found.items()]


def test_the_records_are_those_that_people_type() -> None:
    assert [str(one) for one in entries(BEHIND.spec, BEHIND.outputs)] == [
        f"*.example.com CNAME {FRONT['dns']}",
        "_ab.example.com CNAME _cd.acm-validations.aws",
    ]
    assert [str(one) for one in entries(ALONE.spec, ALONE.outputs)] == ["*.shop.example.com A 203.0.113.9"]
    assert entries(TWO, {}) == []
