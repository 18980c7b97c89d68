"""Policies as values: what holds for every bucket of a space, the store's and the one of its state, and what its hosts
may do: read the ledger, write what is their own there and new backups, and speak for themselves to their group."""

from __future__ import annotations

import json
from typing import Any

from infra.names import PREFIX

KEPT = 30  # days of versions that were replaced: what somebody deleted can be brought back
BACKUPS = "backups/"
LEASES = "leases/"  # renewed every few seconds: their old versions are worth nothing
PATH = "/deployer/"  # of roles, their profiles and their boundaries
OF_GROUPS = [
    "autoscaling:CompleteLifecycleAction",
    "autoscaling:RecordLifecycleActionHeartbeat",
    "autoscaling:SetInstanceHealth",
]
LOOK_AT_GROUPS = ["autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances"]
ITSELF = "${aws:userid}"  # `ROLE-ID:i-0123`: of a role on an instance, the part after the colon is the instance


def tls_only(arn: str) -> str:
    """A bucket policy that refuses requests without TLS."""
    refuse = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [refuse]})


def may_be_assumed() -> dict[str, Any]:
    """By EC2, for its instances."""
    ec2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [ec2]}


def may(bucket: str, space: str | None, *, takes_address: bool) -> dict[str, Any]:
    """What a host may do, over the ARN of the store's bucket; of any space where none is named. It cannot write
    releases, the agent, or the registration of another host."""
    own = [f"{bucket}/hosts/{ITSELF}", f"{bucket}/hosts/{ITSELF}/*"]
    statements = [
        _allow("ReadTheLedger", ["s3:GetObject"], [f"{bucket}/*"]),
        _allow("ListTheLedger", ["s3:ListBucket"], [bucket]),
        _allow("RegisterItself", ["s3:PutObject"], own),
        _allow("SitAndReport", ["s3:PutObject"], [f"{bucket}/seats/*", f"{bucket}/apps/*/releases/*.result"]),
        *_may_back_up(f"{bucket}/{BACKUPS}*"),
        {**_allow("SpeakToItsGroup", OF_GROUPS, ["*"]), **_tagged("autoscaling:ResourceTag", space)},
        _allow("SeeWhoIsInIt", LOOK_AT_GROUPS, ["*"]),  # AWS takes no resource and no tag here
    ]
    if takes_address:
        address = _allow("TakeTheAddress", ["ec2:AssociateAddress"], ["arn:aws:ec2:*:*:elastic-ip/*"])
        machine = ["arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*:*:network-interface/*"]
        statements.append({**address, **_tagged("aws:ResourceTag", space)})
        statements.append(_allow("TakeTheAddressItself", ["ec2:AssociateAddress"], machine))
        statements.append(_allow("FindTheAddress", ["ec2:DescribeAddresses"], ["*"]))
        ordered = [f"{bucket}/certificates/*", f"{bucket}/issuing/*"]
        statements.append(_allow("KeepCertificates", ["s3:PutObject"], ordered))
    return {"Version": "2012-10-17", "Statement": statements}


def _may_back_up(objects: str) -> list[dict[str, Any]]:
    """Write backups with nobody there, each once: a host that is somebody else's overwrites and deletes none. As AWS
    has it in `Enforce conditional writes on Amazon S3 buckets`: the parts of an upload are no creation, and carry no
    condition, its end is one."""
    once = {"Condition": {"Null": {"s3:if-none-match": "false"}}}
    parts = {"Condition": {"Bool": {"s3:ObjectCreationOperation": "false"}}}
    return [
        {**_allow("WriteBackupsOnce", ["s3:PutObject"], [objects]), **once},
        {**_allow("SendTheirParts", ["s3:PutObject"], [objects]), **parts},
        _allow("GiveThemUp", ["s3:AbortMultipartUpload"], [objects]),
    ]


def _allow(sid: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def _tagged(key: str, space: str | None) -> dict[str, Any]:
    return {"Condition": {"StringEquals" if space else "StringLike": {f"{key}/deployer:space": space or "*"}}}


def boundary(account: str, space: str | None) -> str:
    """The ARN of the policy that says what roles of hosts may do at most, of one space or of all. Whoever administers
    the account makes it: nobody could be held by a boundary of their own making."""
    return f"arn:aws:iam::{account}:policy{PATH}{'-'.join(filter(None, (PREFIX, space, 'hosts')))}"
