"""An account of AWS in one region, by boto3, with the credentials that the SDK finds; its failures in our words."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from deployer.errors.aws import AwsUnreachable, CredentialsExpired, CredentialsMissing
from deployer.errors.base import Failure
from deployer.errors.cloud import AccountRefused
from deployer.model.aws_codes import NO_KEYS, SIGN_IN
from infra.actions import prefix_of
from infra.refusals import Refusal, failure_of

TRIES = 8


@dataclass(frozen=True)
class Account:
    """`endpoint` is None for AWS; tests have one on loopback. A call that AWS throttles, or that has no answer, is made
    up to `tries` times; `patience` are the seconds that it may take to connect, and to be answered."""

    region: str
    endpoint: str | None = None
    tries: int = TRIES
    patience: float = 60

    def client(self, service: str) -> Any:
        """boto3's client of a service. Like everything of this class, use it inside `asking`."""
        return _client(service, self)

    def number(self) -> str:
        """The account's twelve digits."""
        return str(self.client("sts").get_caller_identity()["Account"])


@functools.cache
def _client(service: str, account: Account) -> Any:
    """To make one takes up to half a second."""
    from boto3.session import Session
    from botocore.config import Config

    config = Config(
        connect_timeout=account.patience,
        read_timeout=account.patience,
        retries={"mode": "standard", "total_max_attempts": account.tries},
        ignore_configured_endpoint_urls=True,
    )
    client = Session().client(service, region_name=account.region, endpoint_url=account.endpoint, config=config)
    client.meta.events.register("after-call", _note_service)
    return client


def _note_service(parsed: dict[str, Any], model: Any, **others: Any) -> None:
    """What boto3 raises says the operation, and not whose it is."""
    parsed.setdefault("ResponseMetadata", {})["Service"] = model.service_model.signing_name


def check(account: Account, space: str, wanted: str | None) -> str:
    """The account's number; AccountRefused where the space belongs to another one."""
    with asking():
        found = account.number()
    if wanted not in (None, found):
        raise AccountRefused(space, found, str(wanted))
    return found


@contextmanager
def asking() -> Iterator[None]:
    """Turns what boto3 raises into failures of errors.cloud."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _refusal(error) from error
    except BotoCoreError as error:
        raise _unanswered(error) from error


def code_of(error: Any) -> str:
    """AWS's code in a ClientError."""
    return str(error.response.get("Error", {}).get("Code", ""))


def unless(codes: tuple[str, ...], ask: Callable[[], Any]) -> Any:
    """The answer; None where it is one of these errors."""
    from botocore.exceptions import ClientError

    try:
        return ask()
    except ClientError as error:
        if code_of(error) not in codes:
            raise
        return None


def _refusal(error: Any) -> Failure:
    told, about = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    service, tries = prefix_of(about.get("Service", "")), int(about.get("RetryAttempts", 0)) + 1
    return failure_of(Refusal(service, error.operation_name, code_of(error), str(told.get("Message") or ""), tries))


def _unanswered(error: Exception) -> Failure:
    name = type(error).__name__
    if name in SIGN_IN:
        return CredentialsExpired(str(error))
    if name in NO_KEYS:
        return CredentialsMissing(str(error))
    return AwsUnreachable(str(error))
