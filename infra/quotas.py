"""The quotas that a space can meet: what Service Quotas calls them, by the code that AWS answers with."""

from __future__ import annotations

BY_CODE: dict[str, tuple[str, str, str]] = {
    "VcpuLimitExceeded": ("Running On-Demand Standard instances", "ec2", "L-1216C47A"),
    "InstanceLimitExceeded": ("Running On-Demand Standard instances", "ec2", "L-1216C47A"),
    "AddressLimitExceeded": ("EC2-VPC Elastic IPs", "ec2", "L-0263D0A3"),
    "VpcLimitExceeded": ("VPCs per Region", "vpc", "L-F678F1CE"),
    "InternetGatewayLimitExceeded": ("Internet gateways per Region", "vpc", "L-A4707A72"),
    "SecurityGroupLimitExceeded": ("VPC security groups per Region", "vpc", "L-E79EC296"),
    "InstanceQuotaExceeded": ("DB instances", "rds", "L-7B6409FD"),
    "TooManyLoadBalancers": ("Application Load Balancers per Region", "elasticloadbalancing", "L-53DA6B97"),
    "TooManyBuckets": ("Buckets", "s3", "L-DC2B2D3D"),
}
BY_CALL: dict[str, tuple[str, str, str]] = {
    "iam:CreateRole": ("Roles per account", "iam", "L-FE177D64"),
}


def quota(code: str, service: str = "", operation: str = "") -> tuple[str, str]:
    """What it is, and the line that asks for more of it; both say less where the quota is unknown."""
    found = BY_CODE.get(code.removesuffix("Exception").removesuffix("Fault")) or BY_CALL.get(f"{service}:{operation}")
    if found is None:
        return "one of its quotas", "in the console: Service Quotas"
    name, owner, number = found
    which = f"--service-code {owner} --quota-code {number}"
    return f"the quota `{name}`", (
        f"aws service-quotas request-service-quota-increase {which} --region REGION --desired-value NUMBER"
    )
