"""The README's picture of a space in AWS: what is left out, and what is made stable."""

from __future__ import annotations

from demo.cloud_picture import picture
from demo.transcript import Typed

CHANGED = """\
Dollars a month               now     then
──────────────────────────  ------  -------
Hosts: t4g.small             24.53        -
Hosts: t4g.medium                -    49.06
Their disks, 20 GB each       3.20     3.20
Load balancer (ALB)          16.43    16.43
Sum                         $44.16   $68.69
"""
NEW = """\
28 resources would be made.

Network
  + VPC
  + internet gateway
  + S3 gateway endpoint

Dollars a month               now     then
──────────────────────────  ------  -------
Hosts: t4g.small                 -    24.53
Sum                              -   $24.53
-----> Making production in eu-central-1
       network: VPC vpc made, 2 s
       hosts: role host made, 1 s
"""


def shown(text: str) -> list[str]:
    return picture([Typed("deployer up", tuple(text.splitlines()))]).splitlines()[1:]


def test_of_a_bill_the_rows_that_differ_are_shown() -> None:
    told = [line.split("  ")[0] for line in shown(CHANGED)[2:]]
    assert told == ["Hosts: t4g.small", "Hosts: t4g.medium", "...", "Sum"]


def test_of_a_new_space_the_beginning_and_the_sum_are_shown() -> None:
    told = shown(NEW)
    assert told[:5] == ["28 resources would be made.", "", "Network", "  + VPC", "..."]
    assert told[7:] == [
        "...",
        "Sum                              -   $24.53",
        "-----> Making production in eu-central-1",
        "       ...",
    ]


def test_one_detail_stays() -> None:
    told = "       hosts: launch template host changed, "
    assert shown(f"{told}3 s") == [f"{told}… s"]


def test_what_others_choose_is_made_stable() -> None:
    assert shown("deployer-production-4f54a8d-1.us-east-1.elb.amazonaws.com") == [
        "deployer-production-0a1b2c3-1.us-east-1.elb.amazonaws.com"
    ]
    name, value = "_d930b28be6c5927595552b219965053e", "_c9edd76ee4a0e2a74388032f3861cc50.ykybfrwcxw"
    assert shown(f"{name}.example.com CNAME {value}.acm-validations.aws") == [
        "_0a1b2c3d4e5f.example.com CNAME _0a1b2c3d4e5f.example.acm-validations.aws"
    ]
    assert shown("Kept: last snapshot deployer-production-20261130-023748, 20 GB") == [
        "Kept: last snapshot deployer-production-20260101-120000, 20 GB"
    ]
    assert shown("rds:deployer-production-3e5b29b-2026-11-30-02-34") == [
        "rds:deployer-production-0a1b2c3-2026-01-01-12-00"
    ]
