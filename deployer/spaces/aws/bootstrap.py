"""What has to be there before Pulumi can run, and is gone last: where its state lies, and the passphrase of it.

Numbered steps, each of which can be repeated. Two SSM parameters lead to everything: `/deployer/SPACE/state` says the
bucket's name and which steps are done, `/deployer/SPACE/passphrase` encrypts what is secret in the state. The bucket's
name has random digits at its end: names of buckets are the whole world's.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from deployer.spaces.aws.account import Account, unless
from infra.names import name
from infra.policies import KEPT, LEASES, tls_only

FIRST = "us-east-1"  # the region that must not be named when a bucket is made
HELD = ("BucketAlreadyOwnedByYou",)
DELETED_AT_ONCE = 1000  # objects


@dataclass(frozen=True, slots=True)
class State:
    """`bucket` holds Pulumi's state, the space's specification and its lease; for people only. `passphrase` is secret.
    `step` is the last step that is done."""

    space: str
    bucket: str
    passphrase: str
    step: int


def find(account: Account, space: str) -> State | None:
    """What is there of it; None where nothing is. Changes nothing; use it inside `asking`."""
    ssm = account.client("ssm")
    found = _parameter(ssm, _state_name(space))
    if found is None:
        return None
    known = json.loads(found)
    return State(space, known["bucket"], _parameter(ssm, passphrase_name(space)) or "", known["step"])


def ensure(account: Account, space: str) -> State:
    """Make what is missing. Use it inside `asking`."""
    ssm = account.client("ssm")
    _put_once(ssm, _state_name(space), json.dumps({"bucket": _new_name(space), "step": 0}), "String", space)
    known = json.loads(str(_parameter(ssm, _state_name(space))))
    for number, step in enumerate(STEPS, 1):
        if known["step"] < number:
            step(account, space, known["bucket"])
            known["step"] = number
            ssm.put_parameter(Name=_state_name(space), Value=json.dumps(known), Type="String", Overwrite=True)
    state = find(account, space)
    assert state
    return state


def remove(account: Account, state: State) -> None:
    """Take it all away: the bucket with every version of every object, the parameters last. Can be repeated."""
    empty(account, state.bucket)
    s3, ssm = account.client("s3"), account.client("ssm")
    unless(("NoSuchBucket",), lambda: s3.delete_bucket(Bucket=state.bucket))
    for parameter in (passphrase_name(state.space), _state_name(state.space)):
        unless(("ParameterNotFound",), partial(ssm.delete_parameter, Name=parameter))


def empty(account: Account, bucket: str) -> int:
    """Delete every version of every object, and uploads that nobody finished; how many there were. A bucket that is
    gone is empty."""
    return unless(("NoSuchBucket",), lambda: _empty(account.client("s3"), bucket)) or 0


def _empty(s3: Any, bucket: str) -> int:
    count = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
        for start in range(0, len(objects), DELETED_AT_ONCE):
            some = objects[start : start + DELETED_AT_ONCE]
            s3.delete_objects(Bucket=bucket, Delete={"Objects": some, "Quiet": True})
            count += len(some)
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for one in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"])
            count += 1
    return count


def _make_bucket(account: Account, space: str, bucket: str) -> None:
    where = {} if account.region == FIRST else {"CreateBucketConfiguration": {"LocationConstraint": account.region}}
    unless(HELD, lambda: account.client("s3").create_bucket(Bucket=bucket, **where))


def _close_bucket(account: Account, space: str, bucket: str) -> None:
    """Private, encrypted, TLS only, with versions that are kept for a while."""
    s3, owner = account.client("s3"), {"Bucket": bucket, "ExpectedBucketOwner": account.number()}
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(PublicAccessBlockConfiguration=dict.fromkeys(blocks, True), **owner)
    s3.put_bucket_versioning(VersioningConfiguration={"Status": "Enabled"}, **owner)
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    s3.put_bucket_encryption(ServerSideEncryptionConfiguration={"Rules": rules}, **owner)
    s3.put_bucket_policy(Policy=tls_only(f"arn:aws:s3:::{bucket}"), **owner)
    s3.put_bucket_tagging(Tagging={"TagSet": _tags(space)}, **owner)
    s3.put_bucket_lifecycle_configuration(
        LifecycleConfiguration={"Rules": [_expire(LEASES, 1), _expire("", KEPT)]}, **owner
    )


def _expire(prefix: str, days: int) -> dict[str, Any]:
    """Versions that were replaced go after some days."""
    after = {"NoncurrentVersionExpiration": {"NoncurrentDays": days}}
    return {"ID": prefix.strip("/") or "old-versions", "Status": "Enabled", "Filter": {"Prefix": prefix}, **after}


def _make_passphrase(account: Account, space: str, bucket: str) -> None:
    _put_once(account.client("ssm"), passphrase_name(space), secrets.token_urlsafe(32), "SecureString", space)


STEPS: tuple[Callable[[Account, str, str], None], ...] = (_make_bucket, _close_bucket, _make_passphrase)
"""In their order. A new step goes to the end: spaces that are there already get it with their next `up`."""


def _put_once(ssm: Any, parameter: str, value: str, kind: str, space: str) -> None:
    """Two who do this at the same time end up with the same value: the first one's."""
    unless(
        ("ParameterAlreadyExists",),
        lambda: ssm.put_parameter(Name=parameter, Value=value, Type=kind, Tags=_tags(space)),
    )


def _parameter(ssm: Any, parameter: str) -> str | None:
    found = unless(("ParameterNotFound",), lambda: ssm.get_parameter(Name=parameter, WithDecryption=True))
    return None if found is None else str(found["Parameter"]["Value"])


def _tags(space: str) -> list[dict[str, str]]:
    found = {"deployer:space": space, "deployer:noun": "state", "deployer:name": "state", "deployer:tool": "deployer"}
    return [{"Key": key, "Value": value} for key, value in found.items()]


def _new_name(space: str) -> str:
    return f"{name(space, 'bucket', 'state')}-{secrets.token_hex(3)}"


def _state_name(space: str) -> str:
    return f"/deployer/{space}/state"


def passphrase_name(space: str) -> str:
    """The parameter that has it."""
    return f"/deployer/{space}/passphrase"
