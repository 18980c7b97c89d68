"""AWS for hosts on loopback: moto with a store and a group, and each instance's metadata as a small server."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from deployer.model.joining import JoinOrder
from tests.infra.gate import Gate
from tests.infra.moto_here import ACCOUNT, REGION, moto

BUCKET, GROUP, SPACE = "deployer-store", "deployer-hosts", "production"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/host"


@dataclass
class Instance:
    """An instance of the group, and where its metadata is."""

    id: str
    metadata: str
    values: dict[str, str]

    def says(self, path: str, text: str) -> None:
        """Have its metadata say so from now on."""
        self.values[path] = text


@dataclass
class Region:
    """Everything of a space. `hooks` are the calls about hooks: (hook, instance, result), refused where none of them
    `waits`."""

    endpoint: str
    waits: bool = True
    hooks: list[tuple[str, str, str]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        import boto3

        facts = {"aws_access_key_id": "of-tests", "aws_secret_access_key": "of-tests"}
        return boto3.client(service, REGION, endpoint_url=self.endpoint, **facts)

    def put(self, key: str, body: bytes) -> None:
        """An object in the store."""
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        """It."""
        body: bytes = self.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def keys(self, prefix: str) -> list[str]:
        """What stands in the store."""
        found = self.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [one["Key"] for one in found]

    def order(self, one: Instance | None = None, *, has_front: bool = True) -> JoinOrder:
        """What an instance is told."""
        return JoinOrder(
            SPACE,
            BUCKET,
            REGION,
            has_front,
            endpoint=self.endpoint,
            metadata=one.metadata if one else None,
        )

    def states(self) -> dict[str, str]:
        """The group's instances, and their states."""
        (group,) = self.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        return {one["InstanceId"]: one["LifecycleState"] for one in group["Instances"]}

    def set_state(self, instance: str, state: str, *, healthy: bool = True) -> None:
        """Have Auto Scaling say this of an instance."""
        for found in _instances():
            if found.instance.id == instance:
                found.lifecycle_state, found.health_status = state, "Healthy" if healthy else "Unhealthy"

    def end(self, instance: str) -> None:
        """EC2 has ended one, and Auto Scaling has not seen it yet."""
        for found in _instances():
            if found.instance.id == instance:
                found.instance._state.name, found.instance._state.code = "terminated", 48

    @contextmanager
    def instances(self, state: str = "Pending:Wait") -> Iterator[list[Instance]]:
        """Those of the group, each with its metadata, in a state."""
        names = list(self.states())
        servers = [_Server(self, name) for name in names]
        for name, server in zip(names, servers, strict=True):
            self.set_state(name, state)
            threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield [Instance(name, server.address, server.values) for name, server in zip(names, servers, strict=True)]
        finally:
            for server in servers:
                server.shutdown()
                server.server_close()


@contextmanager
def region(count: int = 2, gate: Gate | None = None) -> Iterator[Region]:
    """A region with a space's store and a group of so many instances."""
    with moto(gate) as endpoint:
        here = Region(endpoint)
        with _hooks(here):
            here.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
            _group(here, count)
            yield here


def _group(here: Region, count: int) -> None:
    ec2 = here.client("ec2")
    image = ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]
    facts = {"ImageId": image, "InstanceType": "t4g.small"}
    template = ec2.create_launch_template(LaunchTemplateName="host", LaunchTemplateData=facts)["LaunchTemplate"]
    here.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        LaunchTemplate={"LaunchTemplateId": template["LaunchTemplateId"], "Version": "1"},
        MinSize=count,
        MaxSize=count + 1,
        AvailabilityZones=[f"{REGION}a"],
    )


def _instances() -> list[Any]:
    from moto.backends import get_backend

    return list(get_backend("autoscaling")[ACCOUNT][REGION].autoscaling_groups[GROUP].instance_states)


@contextmanager
def _hooks(here: Region) -> Iterator[None]:
    """moto's hooks do nothing, and nobody can answer them."""
    from moto.autoscaling.exceptions import ValidationError
    from moto.autoscaling.responses import AutoScalingResponse
    from moto.core.responses import EmptyResult

    def complete(asked: Any) -> Any:
        if not here.waits:
            raise ValidationError("No active Lifecycle Action found with instance ID")
        instance, result = asked._get_param("InstanceId"), asked._get_param("LifecycleActionResult")
        here.hooks.append((asked._get_param("LifecycleHookName"), instance, result))
        here.set_state(instance, "InService" if result == "CONTINUE" else "Terminating")
        return EmptyResult()

    def heartbeat(asked: Any) -> Any:
        here.hooks.append((asked._get_param("LifecycleHookName"), asked._get_param("InstanceId"), "heartbeat"))
        return EmptyResult()

    names = {"complete_lifecycle_action": complete, "record_lifecycle_action_heartbeat": heartbeat}
    before = {name: getattr(AutoScalingResponse, name, None) for name in names}
    for name, answer in names.items():
        setattr(AutoScalingResponse, name, answer)
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                delattr(AutoScalingResponse, name)
            else:
                setattr(AutoScalingResponse, name, old)


class _Server(ThreadingHTTPServer):
    """The metadata of an instance, version 2."""

    def __init__(self, here: Region, instance: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = secrets.token_hex(8)
        self.values = _values(here, instance)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_PUT(self) -> None:
        is_token = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self._say(200, self.server.token) if is_token else self._say(404, "")

    def do_GET(self) -> None:
        found = self.server.values.get(self.path.removeprefix("/latest/"))
        if self.headers["X-aws-ec2-metadata-token"] != self.server.token:
            self._say(401, "")
        else:
            self._say(404 if found is None else 200, found or "")

    def _say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *words: object) -> None:
        pass


def _values(here: Region, instance: str) -> dict[str, str]:
    ec2 = here.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    got = here.client("sts").assume_role(RoleArn=ROLE, RoleSessionName=instance)["Credentials"]
    credentials = {
        "Code": "Success",
        "AccessKeyId": got["AccessKeyId"],
        "SecretAccessKey": got["SecretAccessKey"],
        "Token": got["SessionToken"],
        "Expiration": got["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    folder = "meta-data/iam/security-credentials/"
    return {
        "meta-data/instance-id": instance,
        "meta-data/local-ipv4": ec2["PrivateIpAddress"],
        folder: "host\n",
        f"{folder}host": json.dumps(credentials),
    }
