"""What each role of people may do in AWS, and hosts at most, as policies of IAM.

What AWS confines neither by name nor by tag, listings above all, is allowed for everything, and only reads.
`sts:GetCallerIdentity` needs no permission, nor does the key `aws/ssm`, which encrypts the passphrase: its own policy
lets in whoever may read the parameter (AWS KMS Developer Guide, `AWS managed keys`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from deployer.spaces.aws import owner
from deployer.spaces.aws.pulumi_lock import STATES
from deployer.spaces.aws.scope import ANY, LISTED, Scope, Statement, allow, of
from deployer.store import keys
from infra import permissions
from infra.policies import may

LEASES_OF_APPS = keys.lease("app-*")
RELEASES = (
    keys.app(ANY),
    keys.current(ANY),
    keys.operation(ANY),
    f"{keys.releases(ANY)}*",
    keys.config(ANY, ANY),
    keys.slug(ANY),
    keys.layer(ANY),
    keys.ACCESS,
    f"{keys.AUDIT}*",
    LEASES_OF_APPS,
)
"""What a deploy writes into the ledger, as patterns of keys. Who reaches hosts by SSH brings a key for that."""
LEDGER = (
    f"{keys.APPS}*",
    keys.slug(ANY),
    keys.layer(ANY),
    keys.ACCESS,
    f"{keys.ADDONS}*",
    f"{keys.DOMAINS}*",
    f"{keys.CERTIFICATES}*",
    keys.CERTIFICATES_CHANGED,
    f"{keys.BACKUPS}*",
    f"{keys.SCHEDULES}*",
    f"{keys.UIDS}*",
    f"{keys.AUDIT}*",
    keys.DATABASE_CA,
    LEASES_OF_APPS,
)
"""What all commands on apps write there: all but what hosts say of themselves and what is the owner's."""

FIND_HOSTS = [
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeScalingActivities",
    "ec2:DescribeInstanceConnectEndpoints",
    "ec2:DescribeInstances",
    "rds:DescribeDBInstances",
]


class Role(StrEnum):
    """`owner` makes spaces and takes them down, `deployer` works on their apps, `preview` looks, `ci` deploys.
    `hosts` is no role of people's: it is what the role of a space's hosts may do at most."""

    OWNER = "owner"
    DEPLOYER = "deployer"
    PREVIEW = "preview"
    CI = "ci"
    HOSTS = "hosts"


def policy(role: Role, scope: Scope) -> dict[str, Any]:
    """The policy of a role, as `aws iam create-policy` takes it."""
    return {"Version": "2012-10-17", "Statement": STATEMENTS[role](scope)}


def _preview(scope: Scope) -> list[Statement]:
    """Enough for `preview --space` and `spaces:refresh`, which work on a copy of Pulumi's state."""
    found = permissions.reads() | {"acm:ListCertificates", "route53:ListHostedZones"}
    return [
        allow("Look", of(LISTED, found), [ANY], scope.there({})),
        allow("LookUpPrices", ["pricing:GetProducts"], [ANY]),
        allow("LookAtDns", of(("route53",), found), [ANY]),
        allow("LookAtTheRole", of(("iam",), found), scope.roles),
        allow("LookForItsBoundary", ["iam:GetPolicy"], scope.below_path[-1:]),
        allow("LookAtTheStore", of(("s3",), found), [scope.store]),
        allow("LookAtTheBudget", of(("budgets",), found), [scope.budget]),
        allow(
            "LookUpParameters",
            ["ssm:GetParameter"],
            [scope.parameter("state"), scope.parameter("passphrase"), scope.debian],
        ),
        allow("ListTheState", ["s3:ListBucket"], [scope.state]),
        allow("ReadTheState", ["s3:GetObject"], [f"{scope.state}/{keys.SPACE}", f"{scope.state}/{STATES}/*"]),
    ]


def _deployer(scope: Scope) -> list[Statement]:
    prefixes = (keys.APPS, keys.ADDONS, keys.DOMAINS, keys.LAYERS, keys.BACKUPS, keys.SCHEDULES)
    deleted = [f"{scope.store}/{one}*" for one in prefixes]
    return [
        *_works_on_hosts(scope),
        allow("WriteTheLedger", ["s3:PutObject"], [f"{scope.store}/{one}" for one in LEDGER]),
        allow("DeleteFromTheLedger", ["s3:DeleteObject"], deleted),
        # Of the database's master: who is let in by it makes and drops what add-ons are.
        allow("MakeDatabases", ["secretsmanager:GetSecretValue"], [scope.secrets], scope.of_database),
    ]


def _ci(scope: Scope) -> list[Statement]:
    """It makes releases of apps that there are; it makes and deletes no app and no add-on."""
    return [
        *_works_on_hosts(scope),
        allow("WriteReleases", ["s3:PutObject"], [f"{scope.store}/{one}" for one in RELEASES]),
        # Of layers those that no release needs any more: who may write there could spoil them all the same.
        allow(
            "EndOperations",
            ["s3:DeleteObject"],
            [f"{scope.store}/{one}" for one in (keys.operation(ANY), keys.layer(ANY))],
        ),
    ]


def _works_on_hosts(scope: Scope) -> list[Statement]:
    """Find the space, read its ledger, write down who did what, and reach its hosts by SSH. To list is needed to read:
    else S3 says of an object that is not there that it is refused."""
    ssh = {"NumericEquals": {"ec2-instance-connect:remotePort": "22"}, **scope.tagged("aws:ResourceTag")}
    endpoint = scope.arn("ec2", "instance-connect-endpoint/*")
    return [
        allow("FindTheSpace", ["ssm:GetParameter"], [scope.parameter("state")]),
        allow("ReadTheSpecification", ["s3:GetObject"], [f"{scope.state}/{keys.SPACE}"]),
        allow("SayWhoDidWhat", ["s3:PutObject"], [f"{scope.state}/{keys.AUDIT}*"]),
        allow("ListTheLedger", ["s3:ListBucket"], [scope.store]),
        allow("ReadTheLedger", ["s3:GetObject"], [f"{scope.store}/*"]),
        allow("FindHosts", FIND_HOSTS, [ANY], scope.there({})),
        allow("ReachHosts", ["ec2-instance-connect:OpenTunnel"], [endpoint], ssh),
    ]


def _hosts(scope: Scope) -> list[Statement]:
    found: list[Statement] = may(scope.store, scope.space, takes_address=True)["Statement"]
    return found


STATEMENTS: Mapping[Role, Callable[[Scope], list[Statement]]] = {
    Role.OWNER: owner.statements,
    Role.DEPLOYER: _deployer,
    Role.PREVIEW: _preview,
    Role.CI: _ci,
    Role.HOSTS: _hosts,
}
