"""A client of S3 by boto3, and what its exceptions mean; what they say is for users' eyes, never parsed."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any

from deployer.errors.base import Failure
from deployer.errors.store import (
    StoreClockSkewed,
    StoreCredentialsExpired,
    StoreCredentialsMissing,
    StoreCredentialsRefused,
    StoreDenied,
    StoreMissing,
    StoreRefused,
    StoreUnreachable,
)
from deployer.model.aws_codes import DENIED, EXPIRED, NO_KEYS, SIGN_IN, SKEWED, UNKNOWN
from deployer.model.space import StoreAddress

CONNECTIONS = 16
ABSENT = ("NoSuchKey", "404")


def client_of(address: StoreAddress, attempts: int, timeout: float) -> Any:
    """boto3's client: each request is sent up to `attempts` times, and waited for `timeout` seconds each time.
    The endpoint is the address's alone: no setting of the SDK leads a ledger elsewhere."""
    from boto3.session import Session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    config = Config(
        connect_timeout=timeout,
        read_timeout=timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=CONNECTIONS,
        request_checksum_calculation="when_required",  # others than AWS refuse the checksum that is new since 2025
        response_checksum_validation="when_required",
        signature_version="s3v4",  # also of URLs that are handed on
        s3={"addressing_style": "path" if address.endpoint else "auto"},
        ignore_configured_endpoint_urls=True,
    )
    region = address.region or ("us-east-1" if address.endpoint else None)
    try:
        return Session().client("s3", region_name=region, endpoint_url=address.endpoint, config=config)
    except BotoCoreError as error:
        raise failure_of(error, address, "client") from error


def is_refusal(error: Any) -> bool:
    """Whether S3 says that a key is absent, or that a condition does not hold."""
    return _code(error) in ABSENT or _status(error) == 412


def failure_of(error: Any, address: StoreAddress, operation: str) -> Failure:
    """What went wrong, in our words; `operation` is the name of the request in boto3's spelling."""
    if not isinstance(getattr(error, "response", None), dict):  # None where a connection ended
        return _unanswered(error, address)
    store, code = str(address), _code(error)
    reason = error.response.get("Error", {}).get("Message") or "it says no more"
    doing = "".join(word.capitalize() for word in operation.removesuffix("_v2").split("_"))
    if code == "NoSuchBucket":
        return StoreMissing(store, address.bucket)
    if code in SKEWED:
        return StoreClockSkewed(store, _off(error))
    if code in EXPIRED:
        return StoreCredentialsExpired(store, reason)
    if code in UNKNOWN:
        return StoreCredentialsRefused(store, code, reason)
    if code in DENIED:
        return StoreDenied(store, doing, reason)
    return StoreRefused(store, doing, _status(error), code, reason)


def _unanswered(error: Exception, address: StoreAddress) -> Failure:
    name = type(error).__name__
    if name in SIGN_IN:
        return StoreCredentialsExpired(str(address), str(error))
    if name in NO_KEYS:
        return StoreCredentialsMissing(str(address), str(error))
    return StoreUnreachable(str(address), str(error))


def _off(error: Any) -> str:
    """How far this computer's clock is from the one that stands in the answer."""
    date = error.response["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date is None:
        return "more than 15 minutes off"
    ahead = round((time.time() - parsedate_to_datetime(date).timestamp()) / 60)
    return f"{abs(ahead)} minutes {'ahead' if ahead > 0 else 'behind'}"


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
