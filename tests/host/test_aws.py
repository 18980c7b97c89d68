"""What a host says to AWS: signed as AWS's own library signs, and understood by an emulator of AWS."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest

from deployer.host import aws
from deployer.host.aws import Aws, Bucket, Credentials, Group, Metadata, Refused, Unanswered, parsed, signed
from tests.host.aws_here import BUCKET, GROUP, Instance, Region, region
from tests.infra.moto_here import REGION

AT = 1_800_000_000.0
CASES = {
    "an object": ("GET", "s3", "https://b.s3.eu-central-1.amazonaws.com/hosts/AROA%3Ai-1/state", b"", {}),
    "an object by path": ("GET", "s3", "http://127.0.0.1:5000/b/space", b"", {"If-None-Match": '"0a"'}),
    "a list": ("GET", "s3", "https://b.s3.eu-central-1.amazonaws.com/?prefix=a%2Fb&list-type=2", b"", {}),
    "a write": ("PUT", "s3", "https://b.s3.eu-central-1.amazonaws.com/seats/1", b"{}", {"If-None-Match": "*"}),
    "an upload": ("POST", "s3", "https://b.s3.eu-central-1.amazonaws.com/backups/a/b001.dump?uploads=", b"", {}),
    "a part": ("PUT", "s3", "https://b.s3.eu-central-1.amazonaws.com/a?partNumber=10&uploadId=a.b_c-%3D", b"x", {}),
    "a form": ("POST", "autoscaling", "https://autoscaling.eu-central-1.amazonaws.com/", b"Action=A&B=%20", {}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("token", ["", "a token/of+a role=="])
def test_it_signs_as_their_library_does(case: str, token: str) -> None:
    method, service, url, body, headers = CASES[case]
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as TheirCredentials

    ours = urllib.request.Request(url, body or None, dict(headers), method=method)
    signed(ours, Credentials("AKID", "secret/key", token), REGION, service, AT)
    theirs = AWSRequest(method, url, dict(headers), body)
    # A header of its own where the library would not say it: it is part of what is signed.
    theirs.headers["X-Amz-Content-Sha256"] = ours.headers["X-amz-content-sha256"]
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    told = kind(TheirCredentials("AKID", "secret/key", token or None), service, REGION)
    theirs.context["timestamp"] = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(AT))
    text = told.string_to_sign(theirs, _canonical(told, theirs, token))
    assert ours.headers["Authorization"].endswith(f"Signature={told.signature(text, theirs)}")


def _canonical(told: Any, request: Any, token: str) -> str:
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    text: str = told.canonical_request(request)
    return text


def test_an_answer_without_a_date_is_of_now() -> None:
    assert aws.Answer(b"", {"date": formatdate(AT, usegmt=True)}).now == AT
    assert abs(aws.Answer(b"", {}).now - time.time()) < 5


def test_what_is_no_xml_is_no_answer() -> None:
    with pytest.raises(Unanswered, match="no XML"):
        parsed(b"<html>a portal<br>")


@pytest.fixture(scope="module")
def here() -> Iterator[Region]:
    with region() as here:
        yield here


@pytest.fixture(scope="module")
def instances(here: Region) -> Iterator[list[Instance]]:
    with here.instances() as found:
        yield found


def aws_of(here: Region, one: Instance) -> Aws:
    return Aws(Metadata(one.metadata).credentials, REGION, here.endpoint)


@pytest.mark.edge
def test_it_knows_who_it_is(here: Region, instances: list[Instance]) -> None:
    for one in instances:
        assert Metadata(one.metadata).instance() == one.id
        assert aws.user_id(aws_of(here, one)).endswith(f":{one.id}")


@pytest.mark.edge
def test_an_object_is_written_where_its_condition_holds(here: Region, instances: list[Instance]) -> None:
    bucket = Bucket(aws_of(here, instances[0]), BUCKET)
    key = "hosts/AROA:i-1/state"
    first = bucket.put(key, b"one", if_absent=True).headers["etag"]
    assert (bucket.get(key).body, bucket.get(key).headers["etag"]) == (b"one", first)
    for condition, status in (({"if_absent": True}, 412), ({"if_match": '"0a0a0a0a"'}, 412)):
        with pytest.raises(Refused) as refused:
            bucket.put(key, b"two", **condition)  # type: ignore[arg-type]
        assert refused.value.status == status
    second = bucket.put(key, b"two", if_match=first).headers["etag"]
    assert bucket.get(key, unless=first).body == b"two"
    for unless, absent, status in ((second, key, 304), (None, "nothing", 404)):
        with pytest.raises(Refused) as refused:
            bucket.get(absent, unless=unless)
        assert refused.value.status == status


@pytest.mark.edge
def test_a_list_has_all_of_its_pages(here: Region, instances: list[Instance]) -> None:
    wanted = [f"many/{number:04d}" for number in range(1003)]
    s3 = here.client("s3")
    for key in wanted:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"12")
    found, now = Bucket(aws_of(here, instances[0]), BUCKET).list("many/")
    assert found == [(key, 2) for key in wanted]
    assert abs(now - time.time()) < 60


@pytest.mark.edge
def test_a_group_is_found_by_its_instance(here: Region, instances: list[Instance]) -> None:
    first, second = instances
    group = Group(aws_of(here, first), first.id)
    assert group.name == GROUP
    assert {one.id: (one.state, one.is_alive) for one in group.members()} == {
        one.id: ("Pending:Wait", True) for one in instances
    }
    group.heartbeat("join")
    group.complete("join", "CONTINUE")
    assert here.hooks[-2:] == [("join", first.id, "heartbeat"), ("join", first.id, "CONTINUE")]
    here.set_state(second.id, "InService", healthy=False)
    assert [one.id for one in group.members() if one.is_alive] == [first.id]
    with pytest.raises(Refused, match="in no Auto Scaling group"):
        Group(aws_of(here, first), "i-0123").members()


@pytest.mark.edge
def test_the_address_of_a_space_is_found_by_its_tag_and_taken(here: Region, instances: list[Instance]) -> None:
    ec2, asks = here.client("ec2"), aws_of(here, instances[0])
    with pytest.raises(Refused, match="no Elastic IP is tagged"):
        aws.find_address(asks, "production")
    tag = {"ResourceType": "elastic-ip", "Tags": [{"Key": "deployer:space", "Value": "production"}]}
    made = ec2.allocate_address(Domain="vpc", TagSpecifications=[tag])
    allocation, public = made["AllocationId"], made["PublicIp"]
    assert aws.find_address(asks, "production") == aws.Address(allocation, "", public)
    for one in instances:
        aws.take_address(asks, allocation, one.id)
        assert aws.find_address(asks, "production") == aws.Address(allocation, one.id, public)
    assert aws.find_address(asks, "of nobody", allocation) == aws.Address(allocation, instances[-1].id, public)


@pytest.mark.edge
def test_one_that_gives_up_is_replaced_whether_its_launch_waits_or_not() -> None:
    with region(2) as here, here.instances() as (first, second):
        Group(aws_of(here, first), first.id).give_up("join")
        assert here.hooks == [("join", first.id, "ABANDON")]
        here.waits = False
        group = Group(aws_of(here, second), second.id)
        group.give_up("join")
        assert {one.id: one.is_alive for one in group.members()} == {first.id: False, second.id: False}


@pytest.mark.edge
def test_who_does_not_answer_is_asked_again_and_then_told_of() -> None:
    asks = Aws(lambda: Credentials("a", "b"), REGION, "http://127.0.0.1:1")
    began = time.monotonic()
    with pytest.raises(Unanswered):
        asks.ask("sts", "GetCallerIdentity")
    assert time.monotonic() - began >= sum(aws.PAUSES)
