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
    waits for: its name, type and value; `is_secure` once apps have HTTPS at the space's own domain. `added` are the
    certificates of further domains."""

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
        self.certificate = self._certificate("certificate", spec.domain, f"*.{spec.domain}") if spec.domain else None
        self.added = {one: self._certificate(_logical(one), one) for one in spec.domains}
        self.proof = proof_of(self.certificate) if self.certificate else None

    def listen(self, *, secure: bool, proved: Sequence[str] = ()) -> None:
        """Take requests. `secure` once the certificate is issued, `proved` are the further domains whose ones are: AWS
        refuses a listener with one that is not. HTTP is led there by the routers: whether it is, each app says."""
        self.is_secure = secure
        forward = {"type": "forward", "target_group_arn": self.targets}
        self._listener("http", forward, port=80, protocol="HTTP")
        further = [name for name in self.added if name in proved]
        first = self.certificate if secure else self.added[further.pop(0)] if further else None
        if first:
            arn = first.arn
            https = self._listener("https", forward, port=443, protocol="HTTPS", ssl_policy=TLS, certificate_arn=arn)
            for one in further:
                self._show(https, one)
        self.leave(dns=self.dns, targets=self.targets)

    def _show(self, https: aws.lb.Listener, domain: str) -> None:
        aws.lb.ListenerCertificate(
            f"shown-{plain(domain)}",
            listener_arn=https.arn,
            certificate_arn=self.added[domain].arn,
            opts=self.inside,
        )

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

    def _listener(self, logical: str, action: object, **settings: object) -> aws.lb.Listener:
        return aws.lb.Listener(
            logical,
            load_balancer_arn=self.alb.arn,
            default_actions=[action],
            tags=self.tags(logical),
            opts=self.inside,
            **settings,
        )

    def _certificate(self, logical: str, domain: str, *others: str) -> aws.acm.Certificate:
        return aws.acm.Certificate(
            logical,
            domain_name=domain,
            subject_alternative_names=list(others) or None,
            validation_method="DNS",
            tags=self.tags(logical),
            # A new one first: the listener names the old one until then.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=False),
        )


def proof_of(certificate: aws.acm.Certificate) -> pulumi.Output[str]:
    """The record that proves its domain: name, type and value."""
    return certificate.domain_validation_options.apply(_proof)


def _logical(domain: str) -> str:
    return f"certificate-{plain(domain)}"


def plain(domain: str) -> str:
    """Tags have no asterisk."""
    return domain.replace("*", "_wildcard")


def _proof(options: Sequence[Any]) -> str:
    """The same record for all names of the certificate."""
    one = options[0]
    return f"{one.resource_record_name.rstrip('.')} {one.resource_record_type} {one.resource_record_value}"
