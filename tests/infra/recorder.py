"""Runs the Pulumi program against Pulumi's own mocks, and keeps what it asks for."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.program import Settings, program
from infra.spec import Budget, Database, Hosts, Origin, OwnDatabase, Spec

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pulumi_aws warns of old types of its own when a module of it is first used
    LOADED = (
        aws.acm.Certificate,
        aws.autoscaling.Group,
        aws.budgets.Budget,
        aws.ec2.Vpc,
        aws.ec2transitgateway.InstanceConnectEndpoint,
        aws.iam.Role,
        aws.lb.Listener,
        aws.rds.Instance,
        aws.route53.Record,
        aws.s3.Bucket,
        aws.ssm.get_parameter,
        aws.vpc.SecurityGroupIngressRule,
    )

SPECS = {
    "one host": Spec("us-east-1"),
    "database": Spec("eu-central-1", database=Database(), budget=Budget(60, "me@example.com")),
    "load balancer": Spec("us-east-1", Hosts("t4g.small", 2), Database(), load_balancer=True),
    "domain": Spec(
        "us-east-1",
        Hosts("m7i.large", 3),
        Database("db.t4g.small", 50),
        load_balancer=True,
        account="123456789012",
        domain="example.com",
        ssh_from=("203.0.113.7/32",),
    ),
    "databases of apps": Spec(
        "us-east-1",
        databases=(
            OwnDatabase("postgresql-flat-1", "db.t4g.medium", 64),
            OwnDatabase(
                "postgresql-oval-2", "db.t4g.medium", 64, Origin(instance="postgresql-1", time="2026-11-30T12:00:00Z")
            ),
            OwnDatabase("postgresql-wavy-3", "db.t4g.medium", 64, Origin(snapshot="last-of-it")),
        ),
    ),
}
LOOKED_UP = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": {"names": ["zone-b", "zone-a", "zone-c"]},
    "aws:ssm/getParameter:getParameter": {"value": "ami-newest"},
    "aws:ec2/getAmi:getAmi": {"rootDeviceName": "/dev/xvda"},
}
PROOF = {
    "resourceRecordName": "_ab.example.com.",
    "resourceRecordType": "CNAME",
    "resourceRecordValue": "_cd.acm-validations.aws.",
}
MADE = {
    "aws:acm/certificate:Certificate": {"domainValidationOptions": [PROOF, PROOF]},
    "aws:autoscaling/group:Group": {"name": "group-1"},
    "aws:ec2/eip:Eip": {"publicIp": "203.0.113.9"},
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1},
    "aws:lb/loadBalancer:LoadBalancer": {"dnsName": "front.example.com", "zoneId": "Z1"},
    "aws:rds/instance:Instance": {"endpoint": "db:5432", "masterUserSecrets": [{"secretArn": "arn:secret"}]},
}


@dataclass(frozen=True)
class Made:
    """One resource that the program asked for, as Pulumi hands it to a provider."""

    kind: str
    name: str
    inputs: dict[str, Any]
    provider: str


class Recorder(pulumi.runtime.Mocks):
    """The engine's other end: keeps what is asked for, and answers with ids."""

    def __init__(self) -> None:
        self.made: list[Made] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        if args.typ.startswith("aws:"):
            self.made.append(Made(args.typ, args.name, args.inputs, args.provider))
        computed = {"arn": f"arn:aws:::{args.name}", "name": args.name, **MADE.get(args.typ, {})}
        return f"{args.name}-id", {**computed, **args.inputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:
        self.asked.append((args.token, args.args))
        return LOOKED_UP[args.token], []


def run(spec: Spec, **more: Any) -> Recorder:
    """Run the program to its end."""
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder, project="deployer", stack="production", preview=False)
    settings = Settings("production", spec, "#cloud-config\n", snapshot="production-1a2b3c", **more)
    pulumi.runtime.test(lambda: program(settings))()
    return recorder


def of(found: Recorder, kind: str) -> list[Made]:
    return [one for one in found.made if one.kind.endswith(f":{kind}")]


def only(found: Recorder, kind: str) -> dict[str, Any]:
    [one] = of(found, kind)
    return one.inputs
