"""An account of AWS in one region, by boto3, with the credentials that the SDK finds; its failures in our words."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from deployer.errors.base import Failure
from deployer.errors.cloud import (
    AccountRefused,
    AwsDenied,
    AwsRefused,
    AwsUnreachable,
    CredentialsExpired,
    CredentialsMissing,
)
from deployer.store.s3_client import DENIED, EXPIRED, NO_KEYS, SIGN_IN, UNKNOWN

MAY_NOT = (*DENIED, "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "AuthFailure")


@dataclass(frozen=True)
class Account:
    """`endpoint` is None for AWS; tests have one on loopback."""

    region: str
    endpoint: str | None = None

    def client(self, service: str) -> Any:
        """boto3's client of a service. Like everything of this class, use it inside `asking`."""
        return _client(service, self.region, self.endpoint)

    def number(self) -> str:
        """The account's twelve digits."""
        return str(self.client("sts").get_caller_identity()["Account"])


@functools.cache
def _client(service: str, region: str, endpoint: str | None) -> Any:
    """To make one takes up to half a second."""
    from boto3.session import Session
    from botocore.config import Config

    config = Config(retries={"mode": "standard", "total_max_attempts": 8}, ignore_configured_endpoint_urls=True)
    return Session().client(service, region_name=region, endpoint_url=endpoint, config=config)


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


def _refusal(error: Any) -> Failure:
    code, reason = code_of(error), str(error.response.get("Error", {}).get("Message", "")) or "it says no more"
    if code in EXPIRED or code in UNKNOWN:
        return CredentialsExpired(reason)
    if code in MAY_NOT:
        return AwsDenied(error.operation_name, reason)
    return AwsRefused(error.operation_name, code, reason)


def _unanswered(error: Exception) -> Failure:
    name = type(error).__name__
    if name in SIGN_IN:
        return CredentialsExpired(str(error))
    if name in NO_KEYS:
        return CredentialsMissing(str(error))
    return AwsUnreachable(str(error))
