"""Domains of apps behind a load balancer, in a cloud on loopback: each gets a certificate of AWS, in two steps."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.cli.cloud_domains import going
from deployer.cli.output import Output
from deployer.cli.shell import Shell
from deployer.model.certificate import ACM, ISSUED, PENDING, Certificate
from deployer.operations import cloud_change
from deployer.operations.cloud import leased
from deployer.operations.cloud_domains import with_one, without
from deployer.operations.domain_wait import meet
from deployer.operations.session import OpenSpace, open_space
from deployer.spaces import pointers
from deployer.store import keys
from deployer.store.base import Get
from tests.cli.test_cloud import Laptop, at_work
from tests.infra.cloud_here import cloud
from tests.infra.moto_here import REGION, issue_certificates

pytestmark = [pytest.mark.edge, pytest.mark.timeout(600)]
SPACE = """
[space.production]
region = "eu-central-1"
account = "123456789012"
load-balancer = true
"""
NAMES = ("www.shop.example", "*.shop.example")
UP = ("up", "--space", "production", "--yes")


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    with cloud() as here, at_work(here, tmp_path, monkeypatch) as one:
        one.says(SPACE)
        assert one.run(*UP) == 0, one.err
        with open_space(pointers.load("production")) as space:
            space.ledger.create_app("shop", space="production")
        yield one


def lists(space: OpenSpace, *names: str) -> None:
    """As the command does that adds them to the app."""
    app = space.ledger.app("shop")
    assert app is not None
    space.ledger.save_app(replace(app, domains=names))


def steps(laptop: Laptop, name: str = "", *, gone: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """What a command proposes and does: the verbs and kinds of its changes."""
    tools = laptop.here.tools(laptop.folder.parent)
    with open_space(pointers.load("production")) as space:
        alter = without(space, gone) if gone else with_one(space, name)
    found = cloud_change.propose(tools, "production", REGION, f"domains:add {name}", alter)
    cloud_change.carry_out(tools, found, lambda event: None)
    return [(one.verb, one.kind) for one in found.changes or ()]


def in_store(*names: str) -> dict[str, Certificate]:
    with open_space(pointers.load("production")) as space:
        assert space.ledger.store.batch([Get(keys.CERTIFICATES_CHANGED)]).answers[0] is not None
        assert space.space.has_load_balancer
        return space.ledger.certificates(names)


def shown(laptop: Laptop) -> set[str]:
    """The domains of the certificates that the listener of HTTPS has."""
    elb, acm = laptop.here.client("elbv2"), laptop.here.client("acm")
    [balancer] = elb.describe_load_balancers()["LoadBalancers"]
    listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    domains = {one["CertificateArn"]: one["DomainName"] for one in acm.list_certificates()["CertificateSummaryList"]}
    [http] = [one for one in listeners if one["Port"] == 80]
    assert http["DefaultActions"][0]["Type"] == "forward", "names without a certificate need HTTP"
    secure = [one["ListenerArn"] for one in listeners if one["Port"] == 443]
    found = [elb.describe_listener_certificates(ListenerArn=one)["Certificates"] for one in secure]
    return {domains[one["CertificateArn"]] for some in found for one in some}


def test_a_domain_gets_a_certificate_of_aws_in_two_steps(laptop: Laptop) -> None:
    with open_space(pointers.load("production")) as space:
        lists(space, *NAMES)
    assert steps(laptop, NAMES[0]) == [("create", "certificate")]
    [asked] = in_store(*NAMES).values()
    assert (asked.name, asked.by, asked.status, asked.is_in_force) == (NAMES[0], ACM, PENDING, False)
    assert asked.reason.startswith("AWS waits for the DNS record _") and " CNAME _" in asked.reason
    assert steps(laptop, NAMES[0]) == [], "nothing to do until it is issued"
    assert laptop.run(*UP) == 0 and "Nothing to do" in laptop.err
    assert f"Domains of apps: {NAMES[0]}: AWS waits for the DNS record _" in " ".join(laptop.out.split())

    issue_certificates(REGION)
    assert steps(laptop, NAMES[0]) == [("create", "listener")]
    assert shown(laptop) == {NAMES[0]}
    assert (in_store(NAMES[0])[NAMES[0]].status, in_store(NAMES[0])[NAMES[0]].reason) == (ISSUED, "")

    assert steps(laptop, NAMES[1]) == [("create", "certificate")]
    issue_certificates(REGION)
    assert laptop.run(*UP) == 0, laptop.err
    assert shown(laptop) == set(NAMES)
    assert {one.is_in_force for one in in_store(*NAMES).values()} == {True}
    assert laptop.run("spaces:refresh", "production", "--detailed-exitcode") == 0, laptop.out

    with open_space(pointers.load("production")) as space:
        lists(space, NAMES[0])
    steps(laptop, gone=(NAMES[1],))
    assert shown(laptop) == {NAMES[0]} and in_store(*NAMES).keys() == {NAMES[0]}
    assert laptop.run("down", "production", "--confirm", "production") == 0, laptop.err
    assert "Nothing of production is left in AWS" in laptop.err
    assert not laptop.here.client("acm").list_certificates()["CertificateSummaryList"]


def zone(laptop: Laptop, name: str) -> str:
    made = laptop.here.client("route53").create_hosted_zone(Name=name, CallerReference=name)
    return str(made["HostedZone"]["Id"]).rpartition("/")[2]


def records(laptop: Laptop, number: str) -> dict[tuple[str, str], str]:
    """What a zone has beside its own records, by name and type: where it leads."""
    found = laptop.here.client("route53").list_resource_record_sets(HostedZoneId=number)["ResourceRecordSets"]
    return {
        (one["Name"].rstrip("."), one["Type"]): one["AliasTarget"]["DNSName"]
        if "AliasTarget" in one
        else one["ResourceRecords"][0]["Value"]
        for one in found
        if one["Type"] not in ("SOA", "NS")
    }


def adds(laptop: Laptop, *names: str) -> list[tuple[str, str]]:
    """The app has these domains, of which the last one is new."""
    with open_space(pointers.load("production")) as space:
        lists(space, *names)
    return steps(laptop, names[-1])


def test_a_domain_in_a_zone_of_the_account_from_its_first_record_to_its_last(laptop: Laptop) -> None:
    www, blog = "www.shop.example", "blog.shop.example"
    number, others = zone(laptop, "shop.example"), {(blog, "CNAME"): "elsewhere.example"}
    record = {"Name": blog, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "elsewhere.example"}]}
    changes = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    laptop.here.client("route53").change_resource_record_sets(HostedZoneId=number, ChangeBatch=changes)

    asked, made = ("create", "certificate"), ("create", "Route 53 record")
    assert adds(laptop, www) == [asked, made, made]
    found = records(laptop, number)
    [balancer] = laptop.here.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert found.pop((www, "A")).rstrip(".") == balancer["DNSName"]
    [proof] = found.keys() - others.keys()
    assert proof[1] == "CNAME" and others.items() <= found.items()
    assert in_store(www)[www].reason.endswith(", which is in Route 53")
    assert adds(laptop, www, blog) == [asked, made], "somebody else's record stays"
    assert records(laptop, number)[blog, "CNAME"] == "elsewhere.example"
    assert laptop.run(*UP) == 0 and "Nothing to do" in laptop.err, laptop.err
    assert waited(laptop)

    steps(laptop, gone=(www,))
    assert (www, "A") not in records(laptop, number) and shown(laptop) == {blog}
    assert left_behind(laptop)
    assert records(laptop, number) == others and not shown(laptop)
    assert adds(laptop, www) == [asked, made, made]
    assert laptop.run("down", "production", "--confirm", "production") == 0, laptop.err
    assert "Nothing of production is left in AWS" in laptop.err and records(laptop, number) == others


def waited(laptop: Laptop) -> bool:
    """`domains:wait` says what is waited for, and has the load balancer show what is issued, without a question; who
    releases the app hears meanwhile that it is time."""
    of, told = ("-a", "production/shop"), list[object]()
    assert laptop.run("domains:wait", *of, "--timeout", "0") == 1
    assert "www.shop.example: AWS waits for the DNS record _" in laptop.err and not shown(laptop)
    with open_space(pointers.load("production")) as space:
        meet(space, "shop", told.append)
        assert told == []
        issue_certificates(REGION)
        meet(space, "shop", told.append)
    assert "a certificate for www.shop.example, blog.shop.example: `deployer domains:wait -a shop`" in str(told)
    assert laptop.run("domains:wait", *of, "--timeout", "0") == 0, laptop.err
    assert "+ listener https" in laptop.err
    return shown(laptop) == {"www.shop.example", "blog.shop.example"}


def left_behind(laptop: Laptop) -> bool:
    """An app goes, as by `apps:destroy`, while somebody else changes the space: what stays goes with the next `up`."""
    tools, said = laptop.here.tools(laptop.folder.parent), io.StringIO()
    shell = Shell(Output(said, said, False, False), {}, laptop.folder, pointers, open_space, tools=lambda: tools)
    busy = leased(tools.account(REGION), "production", "deployer up")
    with open_space(pointers.load("production")) as space, busy, going(shell, space, ["blog.shop.example"]):
        space.ledger.delete_app("shop")
    told = " ".join(said.getvalue().split())
    assert "- certificate certificate-blog.shop.example" in told and "is changing production." in told
    assert "The certificates of blog.shop.example go with the next `deployer up --space production`." in told
    assert laptop.run("spaces:refresh", "production", "--detailed-exitcode") == 0, laptop.out
    assert laptop.run("preview", "--space", "production", "--detailed-exitcode") == 2, laptop.err
    assert "- certificate certificate-blog.shop.example" in laptop.out
    assert laptop.run(*UP) == 0, laptop.err
    with open_space(pointers.load("production")) as space:
        space.ledger.create_app("shop", space="production")
    return not laptop.here.client("acm").list_certificates()["CertificateSummaryList"]
