"""What the owner of a space may do: make it, change it, find out what AWS has of it, and take it down.

AWS gives a policy room for 6,144 characters: listings, and changes of what is the space's own, are named in short, like
`rds:ModifyDB*`. What makes something new, and what is done with roles, is named one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from deployer.spaces.aws.scope import ANY, LISTED, ZONES, Scope, Statement, allow, of
from infra import permissions
from infra.names import PREFIX

HOST = "ec2.amazonaws.com"  # what may run with the role of a host
PASS = "iam:PassRole"
BY_NAME = ("autoscaling", "elasticloadbalancing", "rds", "secretsmanager")
DNS = "route53:ChangeResourceRecordSets"
# What deployer asks beside Pulumi's provider: proof.py, foreign.py, price_list.py, operations/cloud_roll.py, and where
# the newest image is.
FOUND = {
    "acm:ListCertificates",
    "ec2:DescribeInstances",
    "ec2:DescribeNatGateways",
    "ec2:DescribeVolumes",
    "rds:DescribeDBSnapshots",
}
EVERYWHERE = {
    "budgets:ViewBudget",
    "iam:ListInstanceProfiles",
    "iam:ListRoles",
    "kms:DescribeKey",
    "pricing:GetProducts",
    "route53:Get*",
    "route53:List*",
    "s3:ListAllMyBuckets",
}
OF_OTHERS = {
    "iam:GetInstanceProfile",
    "iam:GetPolicy",
    "iam:ListRoleTags",
    "s3:GetBucketTagging",
    "ssm:GetParameter",
}
# What gives a role power: only below a boundary that is not the owner's to change.
EMPOWERS = {"iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"}
# bootstrap.py, tools.py, store.s3, and Pulumi's own back end.
PARAMETERS = {"ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:GetParameter", "ssm:PutParameter"}
OBJECTS = {"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"}
BUCKETS = {"s3:ListBucketMultipartUploads", "s3:ListBucketVersions"}
# Calls that make something which carries the tag; first those that use nothing else of the space's.
ALONE = {
    "acm:RequestCertificate",
    "ec2:AllocateAddress",
    "ec2:CreateInternetGateway",
    "ec2:CreateLaunchTemplate",
    "ec2:CreateVpc",
}
MAKES = ALONE | {
    "acm:AddTagsToCertificate",
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateInstanceConnectEndpoint",
    "ec2:CreateRouteTable",
    "ec2:CreateSecurityGroup",
    "ec2:CreateSubnet",
    "ec2:CreateVpcEndpoint",
    "ec2:RunInstances",
}
# Nothing tags the network interfaces of hosts, of the endpoint, and of what an address leads to; images are Debian's.
UNTAGGED = {"ec2:CreateNetworkInterface", "ec2:DisassociateAddress", "ec2:RunInstances"}
# What stands for several actions that only read, and for several on what is the space's own.
LISTINGS = (
    "acm:Describe*",
    "acm:List*",
    "autoscaling:Describe*",
    "ec2:DescribeA*",
    "ec2:DescribeLaunchTemplate*",
    "ec2:DescribeNetwork*",
    "ec2:DescribeSecurityGroup*",
    "ec2:DescribeVpc*",
    "elasticloadbalancing:Describe*",
    "rds:DescribeDB*",
)
CHANGES = (
    "autoscaling:*AutoScalingGroup",
    "autoscaling:*LoadBalancerTargetGroups",
    "autoscaling:*Processes",
    "autoscaling:*Tags",
    "budgets:*Budget",
    "budgets:*Resource",
    "ec2:Associate*",
    "ec2:Attach*",
    "ec2:Authorize*",
    "ec2:Create*",
    "ec2:Delete*",
    "ec2:Detach*",
    "ec2:Disassociate*",
    "ec2:Modify*",
    "ec2:Replace*",
    "ec2:Revoke*",
    "elasticloadbalancing:*Certificates",
    "elasticloadbalancing:*Tags",
    "elasticloadbalancing:Create*",
    "elasticloadbalancing:Delete*",
    "elasticloadbalancing:Modify*",
    "elasticloadbalancing:Set*",
    "iam:*InstanceProfile",
    "iam:GetRole*",
    "iam:List*",
    "rds:*DB*",
    "rds:*Resource",
    "s3:*Resource",
    "s3:DeleteBucket*",
    "s3:DeleteObject*",
    "s3:Get*",
    "s3:ListBucket*",
    "s3:Put*",
    "ssm:*Parameter",
)


def statements(scope: Scope) -> list[Statement]:
    """All that `up`, `down`, `preview`, `hosts:roll`, and `spaces:create`, `refresh`, `unlock`, `upgrade` take."""
    return [*_looks(scope), *_makes(scope), *_roles(scope), _keeps(scope)]


def _looks(scope: Scope) -> list[Statement]:
    """What a preview reads, and what `down` looks for: things of the space, and what others have put into its way."""
    reads = permissions.reads() | {one for one in permissions.writes() if is_read(one)} | FOUND
    others = [*scope.below_path, f"arn:aws:s3:::{PREFIX}-*", scope.debian]
    return [
        allow("Look", _short(of(LISTED, reads), LISTINGS) | EVERYWHERE, [ANY]),
        allow("LookAtOthers", OF_OTHERS, others),
    ]


def _makes(scope: Scope) -> list[Statement]:
    """EC2 asks for each thing that a call makes or uses: new ones must get the tag, others must have it. What has been
    made without it nobody can tag afterwards, and make the space's by that; certificates excepted, where AWS does not
    tell the two apart."""
    things = [scope.arn("ec2", ANY), scope.arn("acm", ANY)]
    own, new = scope.tagged("aws:RequestTag"), {"Null": {"ec2:CreateAction": "false"}}
    changes = {one for one in of(("acm", "ec2"), permissions.writes()) if not is_read(one)} - ALONE
    return [
        allow("Make", MAKES, [ANY], scope.there(own)),
        allow("TagWhatIsNew", ["ec2:CreateTags"], [ANY], {**scope.there(own), **new}),
        allow("ChangeItsOwn", _short(changes, CHANGES), things, scope.tagged("aws:ResourceTag")),
        allow("StartHosts", UNTAGGED, [scope.arn("ec2", "network-interface/*"), scope.images]),
    ]


def _roles(scope: Scope) -> list[Statement]:
    """Who may write the policy of a role and start hosts with it may do what the role may do: hence the boundary."""
    found = of(("iam",), permissions.reads() | permissions.writes()) - EMPOWERS - {permissions.LINK, PASS}
    below = {"ArnLike": {"iam:PermissionsBoundary": scope.boundary}}
    role, _ = scope.roles
    linked = {"StringEquals": {"iam:AWSServiceName": list(permissions.LINKED)}}
    return [
        allow("EmpowerTheRole", EMPOWERS, [role], below),
        allow("KeepTheRole", _short(found, CHANGES), scope.roles),
        allow("GiveItToHosts", [PASS], [role], {"StringEquals": {"iam:PassedToService": HOST}}),
        allow("LinkServices", [permissions.LINK], [ANY], linked),
    ]


def _keeps(scope: Scope) -> Statement:
    """Its own things, by their names; and records of DNS, in whatever zone of the account its domain is."""
    found = permissions.reads() | permissions.writes()
    writes = {one for one in of(BY_NAME, permissions.writes()) if not is_read(one)}
    buckets = [scope.state, scope.store]
    own = [
        *buckets,
        *(f"{one}/*" for one in buckets),
        scope.parameter(ANY),
        scope.group,
        scope.balancers,
        *scope.databases,
        scope.secrets,
        scope.budget,
        ZONES,
    ]
    actions = writes | of(("budgets", "s3"), found) | BUCKETS | OBJECTS | PARAMETERS | {DNS}
    return allow("KeepItsOwn", _short(actions, CHANGES), own)


def _short(actions: Iterable[str], patterns: Iterable[str]) -> set[str]:
    """With what stands for several in the place of them."""
    return {next((short for short in patterns if fnmatchcase(one, short)), one) for one in actions}


def is_read(action: str) -> bool:
    """Whether it is one of those that making something takes, and that only look."""
    return action.partition(":")[2].startswith("Describe")
