"""The domain's records, where this account's Route 53 has its zone: they lead to the space, and prove the domain to
whoever issues its certificate."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.components.hosts import Hosts
from infra.components.load_balancer import LoadBalancer
from infra.components.noun import Noun

TTL = 300  # seconds


class Domain(Noun):
    """`*.DOMAIN` leads to the load balancer, or to the host where there is none. The domain itself is left alone:
    others may have a site there."""

    def __init__(
        self,
        space: str,
        domain: str,
        zone: str,
        hosts: Hosts,
        front: LoadBalancer | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(space, "domain", opts)
        self.of = zone
        apps = f"*.{domain}"  # AWS refuses it where somebody else has made one
        if front is None:
            self._record("apps", apps, "A", ttl=TTL, records=[hosts.address])
        else:
            target = {"name": front.dns, "zone_id": front.zone, "evaluate_target_health": False}
            self._record("apps", apps, "A", aliases=[target])
            self._prove(front.certificate)
        self.leave()

    def _prove(self, certificate: aws.acm.Certificate | None) -> None:
        """One record proves the domain and all names below it. Another certificate may have made the very same."""
        assert certificate
        one = certificate.domain_validation_options[0]
        record = one.resource_record_name.apply(lambda found: found.rstrip("."))
        values = [one.resource_record_value]
        self._record("proof", record, one.resource_record_type, ttl=TTL, records=values, allow_overwrite=True)

    def _record(self, logical: str, name: pulumi.Input[str], kind: pulumi.Input[str], **what: object) -> None:
        aws.route53.Record(logical, zone_id=self.of, name=name, type=kind, opts=self.inside, **what)
