"""Records of domains, where this account's Route 53 has their zones: they lead to the space, and prove each domain to
whoever issues its certificate."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.hosts import Hosts
from infra.components.load_balancer import LoadBalancer, plain
from infra.components.noun import Noun
from infra.records import Records

TTL = 300  # seconds


class Domain(Noun):
    """The space's own domain, and further ones of its apps."""

    def __init__(self, space: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(space, "domain", opts)
        self._proved: set[str] = set()

    def own(self, domain: str, zone: str, hosts: Hosts, front: LoadBalancer | None) -> None:
        """`*.DOMAIN` leads to the load balancer, or to the host where there is none. The domain itself is left alone:
        others may have a site there."""
        apps = f"*.{domain}"  # AWS refuses it where somebody else has made one
        if front is None:
            self._record("apps", zone, apps, "A", ttl=TTL, records=[hosts.address])
        else:
            self._record("apps", zone, apps, "A", aliases=[_target(front)])
            assert front.certificate
            self._prove("proof", zone, domain, front.certificate)

    def further(self, one: Records, front: LoadBalancer) -> None:
        """The name itself leads to the load balancer. That it was there before matters when it is made alone."""
        name = one.domain
        if one.leads:
            taken = {"allow_overwrite": True} if one.there else {}
            opts = pulumi.ResourceOptions(parent=self, ignore_changes=["allowOverwrite"])
            logical = f"leads-{plain(name)}"
            aws.route53.Record(
                logical, zone_id=one.zone, name=name, type="A", aliases=[_target(front)], opts=opts, **taken
            )
        bare = name.removeprefix("*.")
        self._prove(f"proof-{bare}", one.zone, bare, front.added[name])

    def _prove(self, logical: str, zone: str, domain: str, certificate: aws.acm.Certificate) -> None:
        """One record proves the domain and all names below it. Another certificate may have made the very same."""
        if domain in self._proved:
            return
        self._proved.add(domain)
        one = certificate.domain_validation_options[0]
        record = one.resource_record_name.apply(lambda found: found.rstrip("."))
        values = [one.resource_record_value]
        self._record(logical, zone, record, one.resource_record_type, ttl=TTL, records=values, allow_overwrite=True)

    def _record(
        self, logical: str, zone: str, name: pulumi.Input[str], kind: pulumi.Input[str], **what: object
    ) -> None:
        aws.route53.Record(logical, zone_id=zone, name=name, type=kind, opts=self.inside, **what)


def _target(front: LoadBalancer) -> dict[str, Any]:
    return {"name": front.dns, "zone_id": front.zone, "evaluate_target_health": False}
