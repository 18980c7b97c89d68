"""moto's server on loopback, mended where it would mislead us, and what is in its account."""

from __future__ import annotations

import itertools
import logging
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from infra.resources import IMAGES
from tests.infra.gate import Gate, GatedServer
from tests.infra.standin.database import MINORS
from tests.infra.standin.walls import ABOUT

REGION = "eu-central-1"
REGIONS = (REGION, "us-east-1")  # in which Debian's images are
ACCOUNT = "123456789012"  # moto's
MAJORS = tuple(sorted(map(int, MINORS)))  # of PostgreSQL that RDS has
SETTINGS = {
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # thousands of images take seconds
    "MOTO_ENABLE_AMI_VALIDATION": "true",
    "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "true",
    "AWS_ACCESS_KEY_ID": "of-tests",
    "AWS_SECRET_ACCESS_KEY": "of-tests",
    "AWS_REGION": REGION,
}


Mend = tuple[Any, str, Any]  # a module or class of moto, a name in it, and what that is instead


@contextmanager
def moto(gate: Gate | None = None, at: str = "127.0.0.1", further: Sequence[Mend] = ()) -> Iterator[str]:
    """A server whose account holds nothing but Debian's images; its address. It listens `at` an address of this
    machine; `further` mends are made beside ours."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each of thousands of requests
    with pytest.MonkeyPatch.context() as patch, _mended(further):
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        server = GatedServer(gate or Gate(), at)
        server.start()
        try:
            endpoint = f"http://{at}:{server.get_host_and_port()[1]}"
            reset(endpoint)
            yield endpoint
        finally:
            server.stop()


def release_images() -> None:
    """Debian publishes a newer image for each architecture."""
    from moto.backends import get_backend

    for region, (architecture, of_aws) in itertools.product(REGIONS, {"arm64": "arm64", "amd64": "x86_64"}.items()):
        ec2, ssm = (get_backend(service)[ACCOUNT][region] for service in ("ec2", "ssm"))
        image = ec2.register_image(name=f"debian-13-{architecture}-{len(ec2.amis)}", description="")
        image.architecture, image.root_device_name = of_aws, "/dev/xvda"
        ssm.put_parameter("debian", "", image.id, "String", "", "", False, [], "text", "", "")
        public, name = ssm._parameters.pop("debian"), IMAGES.format(architecture=architecture)
        public[-1].name, ssm._parameters[name] = name, public  # nobody but AWS may put one there


def issue_certificates(region: str) -> None:
    """What ACM does when DNS has proved their domains."""
    from moto.backends import get_backend

    for one in get_backend("acm")[ACCOUNT][region]._certificates.values():
        one.status = "ISSUED"


def reset(endpoint: str) -> None:
    """Empty the account, but for the images that Debian keeps, and their public names."""
    ask = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(ask, timeout=30).close()
    release_images()


@contextmanager
def _mended(further: Sequence[Mend]) -> Iterator[None]:
    """moto gives instances addresses of strangers: here they get some of loopback. It cannot read the user data of a
    launch template's second version. It reads no conditions in policies: `without TLS` would mean always. It has no
    endpoints of Instance Connect, which their network interfaces stand for. And it issues certificates by itself after
    a minute: here somebody says when."""
    from moto import settings
    from moto.ec2.models import elastic_network_interfaces
    from moto.ec2.models.launch_templates import LaunchTemplateVersion
    from moto.ec2.responses import EC2Response
    from moto.ec2.utils import parse_user_data
    from moto.iam.access_control import PermissionResult
    from moto.rds.responses import RDSResponse
    from moto.s3.models import FakeBucket

    numbers = itertools.count(2)
    mends: tuple[Mend, ...] = (
        (elastic_network_interfaces, "random_public_ip", lambda: f"127.77.{next(numbers) % 250}.1"),
        (LaunchTemplateVersion, "user_data", property(lambda one: parse_user_data(str(one.data["UserData"])))),
        (EC2Response, "describe_instance_connect_endpoints", _endpoints),
        (EC2Response, "delete_instance_connect_endpoint", _delete_endpoint),
        (settings, "ACM_VALIDATION_WAIT", 86_400),
        (RDSResponse, "describe_db_engine_versions", _versions),
        *_restored(),
        (FakeBucket, "get_permission", lambda bucket, action, resource: PermissionResult.NEUTRAL),
        *further,
    )
    before = [getattr(where, name, None) for where, name, _ in mends]
    for where, name, mended in mends:
        setattr(where, name, mended)
    try:
        yield
    finally:
        for (where, name, _), old in zip(mends, before, strict=True):
            setattr(where, name, old)


def _restored() -> list[Mend]:
    """An instance that was restored has a master without a password that AWS keeps: somebody has to ask for that."""
    from moto.rds.models import RDSBackend

    def mended(name: str) -> Mend:
        restore = getattr(RDSBackend, name)

        def restoring(backend: Any, *given: Any) -> Any:
            made = restore(backend, *given)
            made.update(manage_master_user_password=False)
            return made

        return RDSBackend, name, restoring

    return [mended("restore_db_instance_from_db_snapshot"), mended("restore_db_instance_to_point_in_time")]


def _endpoints(asked: Any) -> Any:
    from moto.core.responses import ActionResult

    return ActionResult({"InstanceConnectEndpoints": endpoints(asked)})


def endpoints(asked: Any) -> list[dict[str, Any]]:
    """Those of Instance Connect that tests/infra/standin/walls.py makes of network interfaces."""
    found = [one for one in list(asked.ec2_backend.enis.values()) if one.description == ABOUT]
    return [
        {
            "InstanceConnectEndpointId": (name := one.id.replace("eni-", "eice-")),
            "DnsName": f"{name}.ec2-instance-connect-endpoint.{asked.region}.amazonaws.com",
            "SubnetId": one.subnet.id,
            "State": "create-complete",
            "Tags": one.get_tags(),
        }
        for one in found
    ]


def _delete_endpoint(asked: Any) -> Any:
    from moto.core.responses import ActionResult

    name = str(asked._get_param("InstanceConnectEndpointId"))
    asked.ec2_backend.delete_network_interface(name.replace("eice-", "eni-"))
    return ActionResult({"InstanceConnectEndpoint": {"InstanceConnectEndpointId": name, "State": "delete-complete"}})


def _versions(asked: Any) -> Any:
    """What RDS can bring a PostgreSQL to, which moto does not know: a later minor one, and every later major one."""
    from moto.core.responses import ActionResult

    version = str(asked.params["EngineVersion"])
    major = int(version.partition(".")[0])
    later = [("later minor", f"{major}.99", False), *(("", MINORS[str(n)], True) for n in MAJORS if n > major)]
    targets = [
        {"Engine": "postgres", "EngineVersion": one, "Description": about, "IsMajorVersionUpgrade": is_major}
        for about, one, is_major in later
    ]
    told = {"Engine": "postgres", "EngineVersion": version, "ValidUpgradeTarget": targets}
    return ActionResult({"DBEngineVersions": [told]})


Client = Callable[[str], Any]


def _instances(client: Client) -> list[str]:
    found = [one for each in client("ec2").describe_instances()["Reservations"] for one in each["Instances"]]
    return [one["InstanceId"] for one in found if one["State"]["Name"] not in ("terminated", "shutting-down")]


def _groups(client: Client) -> list[str]:
    found = client("ec2").describe_security_groups()["SecurityGroups"]
    return [one["GroupName"] for one in found if one["GroupName"] != "default"]


def _subnets(client: Client) -> list[str]:
    found = client("ec2").describe_subnets()["Subnets"]
    return [one["SubnetId"] for one in found if not one["DefaultForAz"]]


def _vpcs(client: Client) -> list[str]:
    return [one["VpcId"] for one in client("ec2").describe_vpcs()["Vpcs"] if not one["IsDefault"]]


def _parameter_groups(client: Client) -> list[str]:
    found = client("rds").describe_db_parameter_groups()["DBParameterGroups"]
    return [name for one in found if not (name := one["DBParameterGroupName"]).startswith("default.")]


def _listed(service: str, call: str, key: str, name: str) -> Callable[[Client], list[str]]:
    return lambda client: [one[name] for one in getattr(client(service), call)()[key]]


def _records(client: Client) -> list[str]:
    """Those that Route 53 makes with a zone are left out."""
    dns = client("route53")
    zones = [one["Id"] for one in dns.list_hosted_zones()["HostedZones"]]
    found = [one for zone in zones for one in dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]]
    return [one["Name"] for one in found if one["Type"] not in ("SOA", "NS")]


LOOKS: dict[str, Callable[[Client], list[str]]] = {
    "VPC": _vpcs,
    "subnet": _subnets,
    "internet gateway": _listed("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    "security group": _groups,
    "instance": _instances,
    "volume": _listed("ec2", "describe_volumes", "Volumes", "VolumeId"),
    "address": _listed("ec2", "describe_addresses", "Addresses", "AllocationId"),
    "launch template": _listed("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateName"),
    "Auto Scaling group": _listed(
        "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"
    ),
    "load balancer": _listed("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerName"),
    "target group": _listed("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupName"),
    "certificate": _listed("acm", "list_certificates", "CertificateSummaryList", "DomainName"),
    "database": _listed("rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
    "snapshot": _listed("rds", "describe_db_snapshots", "DBSnapshots", "DBSnapshotIdentifier"),
    "subnet group": _listed("rds", "describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName"),
    "parameter group": _parameter_groups,
    "record": _records,
    "bucket": _listed("s3", "list_buckets", "Buckets", "Name"),
    "role": _listed("iam", "list_roles", "Roles", "RoleName"),
    "instance profile": _listed("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    "secret": _listed("secretsmanager", "list_secrets", "SecretList", "Name"),
    "budget": lambda client: [
        one["BudgetName"] for one in client("budgets").describe_budgets(AccountId=ACCOUNT)["Budgets"]
    ],
}
