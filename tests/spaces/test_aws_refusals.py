"""What boto3 raises when AWS refuses, throttles or is not there, against moto behind a gate."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from deployer.errors import aws as words
from deployer.errors.base import Failure
from deployer.spaces.aws.account import Account, asking
from tests.infra.gate import EXPIRED, Gate, Says
from tests.infra.moto_here import ACCOUNT, REGION, moto

pytestmark = pytest.mark.edge
TRIES = 3
THROTTLED = Says(400, "Throttling", "Rate exceeded")
Ask = Callable[[Account], object]
# One call of each form in which services are asked: S3's own, EC2's, the other form, JSON.
CALLS: dict[str, tuple[str, str, Ask]] = {
    "s3:ListBuckets": ("s3", "GET /", lambda here: here.client("s3").list_buckets()),
    "ec2:DescribeVpcs": ("ec2", "DescribeVpcs", lambda here: here.client("ec2").describe_vpcs()),
    "iam:ListRoles": ("iam", "ListRoles", lambda here: here.client("iam").list_roles()),
    "elasticloadbalancing:DescribeLoadBalancers": (
        "elasticloadbalancing",
        "DescribeLoadBalancers",
        lambda here: here.client("elbv2").describe_load_balancers(),
    ),
    "budgets:DescribeBudgets": (
        "budgets",
        "DescribeBudgets",
        lambda here: here.client("budgets").describe_budgets(AccountId=ACCOUNT),
    ),
}


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate()


@pytest.fixture(scope="module")
def account(gate: Gate) -> Iterator[Account]:
    with moto(gate) as endpoint:
        yield Account(REGION, endpoint, TRIES)


@pytest.fixture(autouse=True)
def opened(gate: Gate) -> Iterator[None]:
    yield
    gate.open()


def failed(account: Account, ask: Ask) -> Failure:
    with pytest.raises(Failure) as raised, asking():
        ask(account)
    return raised.value


@pytest.mark.parametrize("call", CALLS)
def test_the_call_and_the_action_are_named(call: str, account: Account, gate: Gate) -> None:
    service, operation, ask = CALLS[call]
    gate.refuse(service, operation, EXPIRED)
    assert isinstance(failed(account, ask), words.CredentialsExpired)
    sentence = "User: me is not authorized to perform: x:Y because no identity-based policy allows the x:Y action"
    gate.refuse(service, operation, Says(403, "AccessDenied", sentence))
    assert failed(account, ask).facts() == {"call": call, "action": "x:Y", "reason": sentence}
    gate.refuse(service, operation, Says(400, "NobodyKnowsThis", "for no reason"))
    found = failed(account, ask)
    assert isinstance(found, words.AwsRefused)
    assert found.facts() == {"call": call, "code": "NobodyKnowsThis", "reason": "for no reason"}


def test_what_is_throttled_is_asked_again(account: Account, gate: Gate) -> None:
    gate.refuse("ec2", "DescribeVpcs", THROTTLED, times=TRIES - 1)
    assert account.client("ec2").describe_vpcs()["Vpcs"]
    assert len(gate.met) == TRIES - 1


def test_what_stays_throttled_is_said(account: Account, gate: Gate) -> None:
    gate.refuse("ec2", "DescribeVpcs", THROTTLED)
    found = failed(account, CALLS["ec2:DescribeVpcs"][2])
    assert isinstance(found, words.AwsThrottled)
    assert found.facts() == {"call": "ec2:DescribeVpcs", "code": "Throttling", "tries": TRIES}
    assert len(gate.met) == TRIES


def test_nobody_there(account: Account) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = failed(Account(REGION, f"http://127.0.0.1:{port}", 1), CALLS["ec2:DescribeVpcs"][2])
    assert isinstance(found, words.AwsUnreachable)


def test_no_credentials(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, f"{tmp_path}/none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    found = failed(Account(REGION, account.endpoint, 2), CALLS["ec2:DescribeVpcs"][2])
    assert isinstance(found, words.CredentialsMissing)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    found = failed(Account(REGION, account.endpoint, 1), CALLS["ec2:DescribeVpcs"][2])
    assert isinstance(found, words.CredentialsMissing) and "nobody" in found.reason
