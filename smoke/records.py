"""Records of DNS that a run has made: they carry no tag, but the certificate does that they are for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deployer.spaces.aws.account import Account
from deployer.spaces.aws.domain import certificates, look
from deployer.spaces.aws.proof import pages
from infra.names import PREFIX
from infra.spec import Spec


def find(account: Account, space: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The zone's id and Route 53's record: what leads to the space's load balancer, and what proves the domain. Use it
    inside `asking`."""
    for one in list(certificates(account, space)):
        found = look(account, space, Spec(account.region, domain=one.domain, load_balancer=True))
        if found is None or found.zone is None:
            continue
        proofs = set(_proofs(account, one.arn))
        mine = {"HostedZoneId": found.zone.id}
        for record in pages(account.client("route53"), "list_resource_record_sets", "ResourceRecordSets", **mine):
            leads = record.get("AliasTarget", {}).get("DNSName", "")
            if f"{PREFIX}-{space}-" in leads or _plain(record["Name"]) in proofs:
                yield found.zone.id, record


def delete(account: Account, space: str, name: str) -> None:
    """Delete those of this name."""
    for zone, record in list(find(account, space)):
        if record["Name"] == name:
            change = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": record}]}
            account.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change)


def _proofs(account: Account, arn: str) -> Iterator[str]:
    found = account.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    for one in found.get("DomainValidationOptions", []):
        if "ResourceRecord" in one:
            yield _plain(one["ResourceRecord"]["Name"])


def _plain(name: str) -> str:
    return name.rstrip(".").lower()
