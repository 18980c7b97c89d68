"""What lies around Pulumi in AWS, against moto: state bucket, parameters, and the proof that nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deployer.errors.aws import AwsRefused
from deployer.errors.cloud import AccountRefused, StillThere
from deployer.operations import cloud
from deployer.operations.cloud_proposal import Departure
from deployer.spaces.aws import bootstrap, proof
from deployer.spaces.aws.account import Account, asking, check
from deployer.spaces.aws.tools import Tools
from tests.infra.moto_here import ACCOUNT, REGION, moto

pytestmark = pytest.mark.edge


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with moto() as endpoint:
        yield Account(REGION, endpoint)


def buckets(account: Account) -> list[str]:
    return [one["Name"] for one in account.client("s3").list_buckets()["Buckets"]]


def test_what_pulumi_needs_is_made_once_and_goes_whole(account: Account) -> None:
    assert bootstrap.find(account, "first") is None
    made = bootstrap.ensure(account, "first")
    assert made.step == len(bootstrap.STEPS) and len(made.passphrase) > 30
    assert bootstrap.ensure(account, "first") == made == bootstrap.find(account, "first")
    assert buckets(account) == [made.bucket]
    s3 = account.client("s3")
    assert s3.get_bucket_versioning(Bucket=made.bucket)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=made.bucket)["PublicAccessBlockConfiguration"].values())
    for body in (b"1", b"2"):
        s3.put_object(Bucket=made.bucket, Key="space", Body=body)
    s3.delete_object(Bucket=made.bucket, Key="space")
    for _ in range(2):
        bootstrap.remove(account, made)
    assert (buckets(account), bootstrap.find(account, "first")) == ([], None)


def test_a_start_that_was_cut_off_goes_on(account: Account) -> None:
    """The parameter is there, and the bucket; nothing after that."""
    ssm, name = account.client("ssm"), "deployer-second-state-0a1b2c"
    ssm.put_parameter(Name="/deployer/second/state", Value=f'{{"bucket": "{name}", "step": 0}}', Type="String")
    where = {"LocationConstraint": REGION}
    account.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)
    made = bootstrap.ensure(account, "second")
    assert (made.bucket, made.step) == (name, len(bootstrap.STEPS))
    bootstrap.remove(account, made)


def test_two_who_begin_at_the_same_time_end_up_with_one(account: Account) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: bootstrap.ensure(account, "third"), range(4)))
    assert len({(one.bucket, one.passphrase) for one in found}) == 1
    assert buckets(account) == [found[0].bucket]
    bootstrap.remove(account, found[0])


def test_another_account_is_refused(account: Account) -> None:
    assert check(account, "production", None) == check(account, "production", ACCOUNT) == ACCOUNT
    with pytest.raises(AccountRefused):
        check(account, "production", "999999999999")


def test_what_aws_says_is_told(account: Account) -> None:
    with pytest.raises(AwsRefused) as raised, asking():
        account.client("s3").get_object(Bucket="nobody-has-this-bucket", Key="space")
    assert (raised.value.call, raised.value.code) == ("s3:GetObject", "NoSuchBucket")


def make_vpc(client: Any, space: str) -> str:
    tags = [{"Key": "deployer:space", "Value": space}]
    made = client.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": tags}])
    return str(made["Vpc"]["VpcId"])


def test_down_fails_where_aws_still_has_something(account: Account, tmp_path: Any) -> None:
    """Something that Pulumi does not know, with the space's tag; that of another space is none of its business."""
    ec2 = account.client("ec2")
    mine, others = make_vpc(ec2, "fourth"), make_vpc(ec2, "fourth-and-more")
    assert proof.left(account, "fourth") == [proof.Left("VPC", mine)]
    tools = Tools(tmp_path, tmp_path, account.endpoint, patience=0.0)
    with pytest.raises(StillThere, match=f"VPC {mine}"):
        cloud.down(tools, Departure("fourth", ACCOUNT, REGION, None), lambda event: None, keep=True)
    ec2.delete_vpc(VpcId=mine)
    assert cloud.down(tools, Departure("fourth", ACCOUNT, REGION, None), lambda event: None, keep=True) == []
    ec2.delete_vpc(VpcId=others)


def test_it_is_waited_until_aws_has_forgotten(account: Account) -> None:
    ec2 = account.client("ec2")
    mine = make_vpc(ec2, "fifth")
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        ec2.delete_vpc(VpcId=mine)

    assert proof.wait_until_gone(account, "fifth", 60.0, sleep) == []
    assert len(waited) == 1


def test_the_proof_looks_past_buckets_without_tags(account: Account) -> None:
    """One that somebody has made, or that a bootstrap has left that was cut off before it tagged it."""
    s3, name = account.client("s3"), "deployer-sixth-state-0a1b2c"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    assert proof.left(account, "sixth") == []
    s3.delete_bucket(Bucket=name)
