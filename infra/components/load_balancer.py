"""The load balancer: an ALB before the routers, HTTP at once and HTTPS when its certificate is issued."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.hosts import ROUTER, WEB
from infra.components.network import EVERYWHERE, Network
from infra.components.noun import Noun
from infra.components.rules import allow_in, allow_out, group
from infra.names import name
from infra.spec import Spec

READY = "/-/ready"  # of the router: 503 until its host has joined
DRAIN = 30  # seconds that requests have to end when a host goes; AWS's own is 300
TLS = "ELBSecurityPolicy-TLS13-1-2-2021-06"


class LoadBalancer(Noun):
    """`targets` is the ARN of the target group, `dns` where it answers. `proof` is the record that the certificate
    waits for: its name, type and value; `is_secure` once it speaks HTTPS."""

    def __init__(
        self,
        space: str,
        spec: Spec,
        network: Network,
        hosts: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(space, "load-balancer", opts)
        own = group(self, "front", "The load balancer of the space", network.vpc.id)
        for logical, ports in WEB.items():
            allow_in(self, f"front-{logical}", own.id, ports, cidr_ipv4=EVERYWHERE)
        allow_out(self, "front-out", own.id, ROUTER, referenced_security_group_id=hosts)
        allow_in(self, "hosts-front", hosts, ROUTER, referenced_security_group_id=own.id)
        self.alb = aws.lb.LoadBalancer(
            name(space, "load-balancer"),
            load_balancer_type="application",
            security_groups=[own.id],
            subnets=network.public,
            drop_invalid_header_fields=True,
            idle_timeout=60,
            tags=self.tags("front"),
            opts=self.inside,
        )
        self.dns, self.zone = self.alb.dns_name, self.alb.zone_id
        self.is_secure = False
        self.group = self._targets(network)
        self.targets = self.group.arn
        self.certificate = self._certificate(spec.domain) if spec.domain else None
        self.proof = self.certificate.domain_validation_options.apply(_proof) if self.certificate else None

    def listen(self, *, secure: bool) -> None:
        """Take requests. `secure` once the certificate is issued: AWS refuses a listener with one that is not."""
        self.is_secure = secure
        forward = {"type": "forward", "target_group_arn": self.targets}
        to_https = {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "status_code": "HTTP_301"}}
        self._listener("http", to_https if secure else forward, port=80, protocol="HTTP")
        if secure:
            assert self.certificate
            self._listener(
                "https",
                forward,
                port=443,
                protocol="HTTPS",
                ssl_policy=TLS,
                certificate_arn=self.certificate.arn,
            )
        self.leave(dns=self.dns, targets=self.targets)

    def _targets(self, network: Network) -> aws.lb.TargetGroup:
        check = {"path": READY, "matcher": "200", "interval": 10, "timeout": 5}
        return aws.lb.TargetGroup(
            name(self.space, "target-group"),
            port=ROUTER[0],
            protocol="HTTP",
            vpc_id=network.vpc.id,
            deregistration_delay=DRAIN,
            health_check={**check, "healthy_threshold": 2, "unhealthy_threshold": 2},
            tags=self.tags("targets"),
            opts=self.inside,
        )

    def _listener(self, logical: str, action: object, **settings: object) -> None:
        aws.lb.Listener(
            logical,
            load_balancer_arn=self.alb.arn,
            default_actions=[action],
            tags=self.tags(logical),
            opts=self.inside,
            **settings,
        )

    def _certificate(self, domain: str) -> aws.acm.Certificate:
        return aws.acm.Certificate(
            "certificate",
            domain_name=domain,
            subject_alternative_names=[f"*.{domain}"],
            validation_method="DNS",
            tags=self.tags("certificate"),
            # A new one first: the listener names the old one until then.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=False),
        )


def _proof(options: Sequence[Any]) -> str:
    """The same record for all names of the certificate."""
    one = options[0]
    return f"{one.resource_record_name.rstrip('.')} {one.resource_record_type} {one.resource_record_value}"
