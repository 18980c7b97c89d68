"""What AWS calls the kinds of things that the program makes, and how long the slow ones take."""

from __future__ import annotations

DATABASE = "RDS for PostgreSQL"

# Words for Pulumi's types; None for those that only tie others together, or set something on them.
WORDS: dict[str, str | None] = {
    "aws:acm/certificate:Certificate": "certificate",
    "aws:autoscaling/group:Group": "Auto Scaling group",
    "aws:budgets/budget:Budget": "budget",
    "aws:ec2/eip:Eip": "Elastic IP",
    "aws:ec2/internetGateway:InternetGateway": "internet gateway",
    "aws:ec2/launchTemplate:LaunchTemplate": "launch template",
    "aws:ec2/route:Route": None,
    "aws:ec2/routeTable:RouteTable": "route table",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": None,
    "aws:ec2/securityGroup:SecurityGroup": "security group",
    "aws:ec2/subnet:Subnet": "subnet",
    "aws:ec2/vpc:Vpc": "VPC",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "S3 gateway endpoint",
    "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint": "EC2 Instance Connect Endpoint",
    "aws:iam/instanceProfile:InstanceProfile": None,
    "aws:iam/role:Role": "role",
    "aws:iam/rolePolicy:RolePolicy": None,
    "aws:lb/listener:Listener": "listener",
    "aws:lb/listenerCertificate:ListenerCertificate": None,
    "aws:lb/loadBalancer:LoadBalancer": "ALB",
    "aws:lb/targetGroup:TargetGroup": "target group",
    "aws:rds/instance:Instance": DATABASE,
    "aws:rds/parameterGroup:ParameterGroup": "parameter group",
    "aws:rds/subnetGroup:SubnetGroup": "subnet group",
    "aws:route53/record:Record": "Route 53 record",
    "aws:s3/bucket:Bucket": "S3 bucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": None,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": None,
    "aws:s3/bucketPolicy:BucketPolicy": None,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": None,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": None,
    "aws:s3/bucketVersioning:BucketVersioning": None,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": None,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": None,
}
# Minutes, of which one or more: by the reports of those who wait for them. To be measured by a run in a real account.
MINUTES: dict[str, dict[str, tuple[int, int]]] = {
    "aws:rds/instance:Instance": {"create": (5, 10), "update": (1, 20), "delete": (3, 10)},
    "aws:lb/loadBalancer:LoadBalancer": {"create": (2, 3), "delete": (1, 5)},
    "aws:autoscaling/group:Group": {"delete": (2, 5)},
    "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint": {"create": (3, 5), "delete": (3, 5)},
}


def word(kind: str) -> str:
    """`aws:ec2/vpc:Vpc` is a VPC; what only ties others together is called after Pulumi's type: `Bucket Policy`."""
    return WORDS.get(kind) or _split(kind.rpartition(":")[2])


def _split(name: str) -> str:
    """`RolePolicy` -> `role policy`"""
    return "".join(f" {one.lower()}" if one.isupper() else one for one in name).strip()
