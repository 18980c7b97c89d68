"""Every type that the program uses."""

from __future__ import annotations

from tests.infra.standin import bucket, budget, database, front, hosts, network, records, walls
from tests.infra.standin.kind import Kind

KINDS: dict[str, Kind] = {
    "aws:acm/certificate:Certificate": front.CERTIFICATE,
    "aws:autoscaling/group:Group": hosts.GROUP,
    "aws:budgets/budget:Budget": budget.BUDGET,
    "aws:ec2/eip:Eip": network.ADDRESS,
    "aws:ec2/internetGateway:InternetGateway": network.GATEWAY,
    "aws:ec2/launchTemplate:LaunchTemplate": hosts.LAUNCH_TEMPLATE,
    "aws:ec2/route:Route": network.ROUTE,
    "aws:ec2/routeTable:RouteTable": network.TABLE,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": network.ASSOCIATION,
    "aws:ec2/securityGroup:SecurityGroup": walls.GROUP,
    "aws:ec2/subnet:Subnet": network.SUBNET,
    "aws:ec2/vpc:Vpc": network.VPC,
    "aws:ec2/vpcEndpoint:VpcEndpoint": network.ENDPOINT,
    "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint": walls.CONNECT,
    "aws:iam/instanceProfile:InstanceProfile": hosts.PROFILE,
    "aws:iam/role:Role": hosts.ROLE,
    "aws:iam/rolePolicy:RolePolicy": hosts.ROLE_POLICY,
    "aws:lb/listener:Listener": front.LISTENER_KIND,
    "aws:lb/listenerCertificate:ListenerCertificate": front.SHOWN_KIND,
    "aws:lb/loadBalancer:LoadBalancer": front.BALANCER,
    "aws:lb/targetGroup:TargetGroup": front.TARGETS,
    "aws:rds/instance:Instance": database.INSTANCE_KIND,
    "aws:rds/parameterGroup:ParameterGroup": database.PARAMETERS,
    "aws:rds/subnetGroup:SubnetGroup": database.SUBNETS,
    "aws:route53/record:Record": records.RECORD,
    "aws:s3/bucket:Bucket": bucket.BUCKET,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": bucket.LIFECYCLE,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": bucket.OWNERSHIP,
    "aws:s3/bucketPolicy:BucketPolicy": bucket.POLICY,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": bucket.BLOCK,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": bucket.ENCRYPTION,
    "aws:s3/bucketVersioning:BucketVersioning": bucket.VERSIONING,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": walls.EGRESS,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": walls.INGRESS,
}
