"""Which actions of IAM each type of resource takes: what Pulumi's provider asks of AWS to read, make, change and delete
one, used as the program uses it.

More than the emulator sees: the real provider reads settings that nobody has set (of a bucket a dozen), and AWS asks
for more than the call's own action where one thing uses another. Facts: the calls in terraform-provider-aws, from which
Pulumi's provider is made (internal/service, in the files named below); the action of each in AWS's Service
Authorization Reference and, for S3, in `Required permissions for Amazon S3 API operations`; further ones as noted.
"""

from __future__ import annotations

from dataclasses import dataclass

EC2_TAGS = "CreateTags DeleteTags"
BALANCER_TAGS = "AddTags RemoveTags"
RDS_TAGS = "AddTagsToResource RemoveTagsFromResource"
# Linked roles that AWS makes when an account first uses a service; the user guide of each names its own.
LINKED = (
    "autoscaling.amazonaws.com",
    "ec2-instance-connect.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "rds.amazonaws.com",
)
LINK = "iam:CreateServiceLinkedRole"
# What AmazonRDSFullAccess and ElasticLoadBalancingFullAccess, AWS's own policies, read of EC2 beside their service.
PLACES = (
    "ec2:DescribeAccountAttributes ec2:DescribeAvailabilityZones ec2:DescribeInternetGateways "
    "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcAttribute ec2:DescribeVpcs"
)


@dataclass(frozen=True, slots=True)
class Calls:
    """Of one type: actions, those of `service` without its name. `reads` are enough for a preview."""

    service: str
    reads: str
    writes: str

    def actions(self, words: str) -> frozenset[str]:
        """Each with its service's name."""
        return frozenset(one if ":" in one else f"{self.service}:{one}" for one in words.split())


def _bucket_setting(service: str) -> Calls:
    """One setting of a bucket: to delete it takes the same action as to put it."""
    return Calls("s3", f"Get{service}", f"Put{service}")


CALLS: dict[str, Calls] = {
    # acm/certificate.go
    "aws:acm/certificate:Certificate": Calls(
        "acm",
        "DescribeCertificate ListTagsForCertificate",
        "RequestCertificate DeleteCertificate AddTagsToCertificate RemoveTagsFromCertificate",
    ),
    # autoscaling/group.go. `Launch template support` in the EC2 Auto Scaling user guide: who makes or changes a group
    # must be allowed to start its instances, with their tags, and to give them their role.
    "aws:autoscaling/group:Group": Calls(
        "autoscaling",
        "DescribeAutoScalingGroups",
        "CreateAutoScalingGroup UpdateAutoScalingGroup DeleteAutoScalingGroup PutLifecycleHook SuspendProcesses "
        "ResumeProcesses AttachLoadBalancerTargetGroups DetachLoadBalancerTargetGroups CreateOrUpdateTags DeleteTags "
        f"DescribeScalingActivities ec2:RunInstances ec2:CreateTags iam:PassRole {LINK}",
    ),
    # budgets/budget.go: every call that reads is ViewBudget, every other ModifyBudget.
    "aws:budgets/budget:Budget": Calls(
        "budgets", "ViewBudget ListTagsForResource", "ModifyBudget TagResource UntagResource"
    ),
    # ec2/ec2_eip.go
    "aws:ec2/eip:Eip": Calls(
        "ec2",
        "DescribeAddresses DescribeAddressesAttribute",
        f"AllocateAddress DisassociateAddress ReleaseAddress {EC2_TAGS}",
    ),
    # ec2/vpc_internet_gateway.go
    "aws:ec2/internetGateway:InternetGateway": Calls(
        "ec2",
        "DescribeInternetGateways",
        f"CreateInternetGateway AttachInternetGateway DetachInternetGateway DeleteInternetGateway {EC2_TAGS}",
    ),
    # ec2/ec2_launch_template.go
    "aws:ec2/launchTemplate:LaunchTemplate": Calls(
        "ec2",
        "DescribeLaunchTemplates DescribeLaunchTemplateVersions",
        f"CreateLaunchTemplate CreateLaunchTemplateVersion ModifyLaunchTemplate DeleteLaunchTemplate {EC2_TAGS}",
    ),
    # ec2/vpc_route.go
    "aws:ec2/route:Route": Calls("ec2", "DescribeRouteTables", "CreateRoute ReplaceRoute DeleteRoute"),
    # ec2/vpc_route_table.go
    "aws:ec2/routeTable:RouteTable": Calls(
        "ec2", "DescribeRouteTables", f"CreateRouteTable DisassociateRouteTable DeleteRouteTable {EC2_TAGS}"
    ),
    # ec2/vpc_route_table_association.go
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Calls(
        "ec2", "DescribeRouteTables", "AssociateRouteTable ReplaceRouteTableAssociation DisassociateRouteTable"
    ),
    # ec2/vpc_security_group.go: before it goes, what still uses it is looked for, and its rules are taken away.
    "aws:ec2/securityGroup:SecurityGroup": Calls(
        "ec2",
        "DescribeSecurityGroups",
        "CreateSecurityGroup RevokeSecurityGroupEgress RevokeSecurityGroupIngress DescribeNetworkInterfaces "
        f"DescribeSecurityGroupRules DeleteSecurityGroup {EC2_TAGS}",
    ),
    # ec2/vpc_subnet.go
    "aws:ec2/subnet:Subnet": Calls(
        "ec2",
        "DescribeSubnets",
        f"CreateSubnet ModifySubnetAttribute DescribeNetworkInterfaces DeleteSubnet {EC2_TAGS}",
    ),
    # ec2/vpc_.go: it tells the ids of what came with the VPC.
    "aws:ec2/vpc:Vpc": Calls(
        "ec2",
        "DescribeVpcs DescribeVpcAttribute DescribeNetworkAcls DescribeRouteTables DescribeSecurityGroups",
        f"CreateVpc ModifyVpcAttribute DeleteVpc {EC2_TAGS}",
    ),
    # ec2/vpc_endpoint.go
    "aws:ec2/vpcEndpoint:VpcEndpoint": Calls(
        "ec2",
        "DescribeVpcEndpoints DescribePrefixLists",
        f"CreateVpcEndpoint ModifyVpcEndpoint DeleteVpcEndpoints {EC2_TAGS}",
    ),
    # ec2/ec2_instance_connect_endpoint.go. `Permissions for EC2 Instance Connect Endpoint` in the EC2 user guide: it
    # puts a network interface into the subnet.
    "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint": Calls(
        "ec2",
        "DescribeInstanceConnectEndpoints",
        f"CreateInstanceConnectEndpoint CreateNetworkInterface DeleteInstanceConnectEndpoint {EC2_TAGS} {LINK}",
    ),
    # iam/instance_profile.go: it reads the role, too.
    "aws:iam/instanceProfile:InstanceProfile": Calls(
        "iam",
        "GetInstanceProfile GetRole",
        "CreateInstanceProfile AddRoleToInstanceProfile RemoveRoleFromInstanceProfile DeleteInstanceProfile "
        "TagInstanceProfile UntagInstanceProfile PassRole",
    ),
    # iam/role.go: it reads all policies of the role.
    "aws:iam/role:Role": Calls(
        "iam",
        "GetRole ListRolePolicies ListAttachedRolePolicies GetRolePolicy",
        "CreateRole PutRolePermissionsBoundary UpdateAssumeRolePolicy ListInstanceProfilesForRole "
        "RemoveRoleFromInstanceProfile DeleteRole TagRole UntagRole",
    ),
    # iam/role_policy.go
    "aws:iam/rolePolicy:RolePolicy": Calls("iam", "GetRolePolicy", "PutRolePolicy DeleteRolePolicy"),
    # elbv2/listener.go
    "aws:lb/listener:Listener": Calls(
        "elasticloadbalancing",
        "DescribeListeners DescribeListenerAttributes DescribeTags",
        f"CreateListener ModifyListener ModifyListenerAttributes DeleteListener {BALANCER_TAGS}",
    ),
    # elbv2/listener_certificate.go
    "aws:lb/listenerCertificate:ListenerCertificate": Calls(
        "elasticloadbalancing",
        "DescribeListenerCertificates",
        "AddListenerCertificates RemoveListenerCertificates",
    ),
    # elbv2/load_balancer.go: when it goes, its network interfaces are waited for.
    "aws:lb/loadBalancer:LoadBalancer": Calls(
        "elasticloadbalancing",
        "DescribeLoadBalancers DescribeLoadBalancerAttributes DescribeCapacityReservation DescribeTags",
        "CreateLoadBalancer ModifyLoadBalancerAttributes SetSecurityGroups SetSubnets DeleteLoadBalancer "
        f"{BALANCER_TAGS} ec2:DescribeNetworkInterfaces {PLACES} {LINK}",
    ),
    # elbv2/target_group.go
    "aws:lb/targetGroup:TargetGroup": Calls(
        "elasticloadbalancing",
        "DescribeTargetGroups DescribeTargetGroupAttributes DescribeTags",
        f"CreateTargetGroup ModifyTargetGroup ModifyTargetGroupAttributes DeleteTargetGroup {BALANCER_TAGS}",
    ),
    # rds/instance.go. `Permissions required for Secrets Manager integration` in the RDS user guide: AWS makes the
    # master's password, as a secret, in the name of whoever makes the database. One that is filled from another or from
    # a snapshot is restored, and changed afterwards.
    "aws:rds/instance:Instance": Calls(
        "rds",
        "DescribeDBInstances ListTagsForResource",
        "CreateDBInstance RestoreDBInstanceFromDBSnapshot RestoreDBInstanceToPointInTime "
        f"ModifyDBInstance DeleteDBInstance CreateDBSnapshot {RDS_TAGS} {PLACES} {LINK} "
        "secretsmanager:CreateSecret secretsmanager:TagResource kms:DescribeKey",
    ),
    # rds/parameter_group.go
    "aws:rds/parameterGroup:ParameterGroup": Calls(
        "rds",
        "DescribeDBParameterGroups DescribeDBParameters ListTagsForResource",
        f"CreateDBParameterGroup ModifyDBParameterGroup ResetDBParameterGroup DeleteDBParameterGroup {RDS_TAGS}",
    ),
    # rds/subnet_group.go
    "aws:rds/subnetGroup:SubnetGroup": Calls(
        "rds",
        "DescribeDBSubnetGroups ListTagsForResource",
        f"CreateDBSubnetGroup ModifyDBSubnetGroup DeleteDBSubnetGroup {RDS_TAGS}",
    ),
    # route53/record.go: it waits until all name servers know the change.
    "aws:route53/record:Record": Calls(
        "route53", "GetHostedZone ListResourceRecordSets", "ChangeResourceRecordSets GetChange"
    ),
    # s3/bucket.go: it reads every setting that a bucket can have, those included that have a resource of their own.
    "aws:s3/bucket:Bucket": Calls(
        "s3",
        "ListBucket GetBucketLocation GetBucketPolicy GetBucketAcl GetBucketCORS GetBucketWebsite GetBucketVersioning "
        "GetAccelerateConfiguration GetBucketRequestPayment GetBucketLogging GetLifecycleConfiguration "
        "GetReplicationConfiguration GetEncryptionConfiguration GetBucketObjectLockConfiguration GetBucketTagging "
        "ListTagsForResource",
        "CreateBucket DeleteBucket PutBucketTagging TagResource UntagResource",
    ),
    # s3/bucket_*.go
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _bucket_setting("LifecycleConfiguration"),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _bucket_setting("BucketOwnershipControls"),
    "aws:s3/bucketPolicy:BucketPolicy": Calls("s3", "GetBucketPolicy", "PutBucketPolicy DeleteBucketPolicy"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _bucket_setting("BucketPublicAccessBlock"),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _bucket_setting(
        "EncryptionConfiguration"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _bucket_setting("BucketVersioning"),
    # ec2/vpc_security_group_egress_rule.go
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": Calls(
        "ec2",
        "DescribeSecurityGroupRules",
        f"AuthorizeSecurityGroupEgress ModifySecurityGroupRules RevokeSecurityGroupEgress {EC2_TAGS}",
    ),
    # ec2/vpc_security_group_ingress_rule.go
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": Calls(
        "ec2",
        "DescribeSecurityGroupRules",
        f"AuthorizeSecurityGroupIngress ModifySecurityGroupRules RevokeSecurityGroupIngress {EC2_TAGS}",
    ),
}
# Functions that the program calls: getAmi, getAvailabilityZones. The third, getParameter, reads what is Debian's.
LOOKED_UP = frozenset({"ec2:DescribeImages", "ec2:DescribeAvailabilityZones"})


def reads() -> frozenset[str]:
    """All that a run without changes takes."""
    return LOOKED_UP.union(*(one.actions(one.reads) for one in CALLS.values()))


def writes() -> frozenset[str]:
    """What the making, changing and deleting take on top."""
    return frozenset().union(*(one.actions(one.writes) for one in CALLS.values()))
