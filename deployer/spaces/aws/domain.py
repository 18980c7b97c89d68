"""How far a space's domain is in AWS: its zone in Route 53, and the certificate that ACM issues once DNS proves it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.proof import Left, carries, pages
from infra.spec import Spec

ISSUED = "ISSUED"
# An expired certificate does not make a space that spoke HTTPS speak HTTP again.
PROVED = (ISSUED, "EXPIRED", "REVOKED")
GIVEN_UP = ("VALIDATION_TIMED_OUT", "FAILED")  # ACM waits 72 hours for the proof


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of Route 53 in this account; `servers` are the name servers that whoever sold the domain has to name."""

    id: str
    name: str
    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """`zone` is None where this account has none, or several of one name; `status` is the certificate's, in ACM's word:
    empty where there is none."""

    name: str
    zone: Zone | None
    status: str = ""

    @property
    def is_proved(self) -> bool:
        """Whether HTTPS can be spoken."""
        return self.status in PROVED


@dataclass(frozen=True, slots=True)
class Certificate:
    """One of ACM's."""

    arn: str
    domain: str
    status: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of DNS: `name` and `value` without a dot at their end. One that `leads` to a load balancer is an alias
    where Route 53 has it."""

    name: str
    kind: str
    value: str
    leads: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.kind} {self.value}"


def look(account: Account, space: str, spec: Spec) -> Domain | None:
    """The domain of a specification; None where it has none. Changes nothing."""
    if spec.domain is None:
        return None
    with asking():
        mine = [one for one in certificates(account, space) if one.domain == spec.domain]
        status = next((one.status for one in mine if one.status in PROVED), mine[0].status if mine else "")
        return Domain(spec.domain, _zone(account, spec.domain), status)


def proved(account: Account, space: str, spec: Spec) -> tuple[str, ...]:
    """Those of its further domains whose certificates a load balancer can show. Asks nobody where there are none."""
    if not spec.domains:
        return ()
    with asking():
        found = {one.domain for one in certificates(account, space) if one.status in PROVED}
    return tuple(one for one in spec.domains if one in found)


def certificates(account: Account, space: str) -> Iterator[Certificate]:
    """Those of the space. Use it inside `asking`."""
    client = account.client("acm")
    for one in pages(client, "list_certificates", "CertificateSummaryList"):
        arn = one["CertificateArn"]
        if carries(client.list_tags_for_certificate(CertificateArn=arn)["Tags"], space):
            found = client.describe_certificate(CertificateArn=arn)["Certificate"]
            yield Certificate(arn, found["DomainName"], found["Status"])


def status_of(account: Account, arn: str) -> str:
    """A certificate's, in ACM's word."""
    with asking():
        return str(account.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]["Status"])


def forget_given_up(account: Account, space: str) -> None:
    """Delete certificates that ACM waits for no more: the next one is a new one, and nothing is left behind."""
    with asking():
        for one in list(certificates(account, space)):
            if one.status in GIVEN_UP:
                account.client("acm").delete_certificate(CertificateArn=one.arn)


def entries(spec: Spec, outputs: Mapping[str, str]) -> list[Entry]:
    """The records that the space's domain needs: what leads to it, and what proves it to ACM."""
    if spec.domain is None:
        return []
    target = ("CNAME", outputs.get("dns")) if spec.load_balancer else ("A", outputs.get("address"))
    found = [Entry(f"*.{spec.domain}", target[0], target[1], leads=True)] if target[1] else []
    return [*found, proof_of(proof)] if (proof := outputs.get("proof")) else found


def proof_of(told: str) -> Entry:
    """The record that the program says to prove a domain."""
    name, kind, value = told.split()
    return Entry(name, kind, value.rstrip("."))


def still_there(account: Account, domain: str, wanted: Iterable[Entry]) -> Iterator[Left]:
    """Those of the records that this account's zone of the domain has. Use it inside `asking`."""
    if (zone := _zone(account, domain)) is None:
        return
    for one in wanted:
        if record(account, zone.id, one.name, "A" if one.leads else one.kind, one.value):
            yield Left("Route 53 record", one.name)


def record(account: Account, zone: str, name: str, kind: str, value: str) -> str | None:
    """Pulumi's id of such a record, if the zone has it. Use it inside `asking`."""
    first = {"StartRecordName": name, "StartRecordType": kind, "MaxItems": "1"}
    for one in account.client("route53").list_resource_record_sets(HostedZoneId=zone, **first)["ResourceRecordSets"]:
        alias = one.get("AliasTarget", {}).get("DNSName", "")
        values = [plain(alias), *(plain(each["Value"]) for each in one.get("ResourceRecords", []))]
        if (plain(one["Name"]), one["Type"]) == (name, kind) and plain(value) in values:
            return f"{zone}_{name}_{kind}"
    return None


def _zone(account: Account, domain: str) -> Zone | None:
    return zones(account, [domain]).get(domain)


def zones(account: Account, domains: Collection[str]) -> dict[str, Zone]:
    """The nearest public zone above each domain; none where two have that name: nobody can say which one is asked. Use
    it inside `asking`."""
    client, servers = account.client("route53"), {}
    listed = [one for one in pages(client, "list_hosted_zones", "HostedZones") if not one["Config"].get("PrivateZone")]
    found = {domain: one for domain in domains if (one := _nearest(listed, domain))}
    for number in {number for number, _ in found.values()}:
        servers[number] = tuple(client.get_hosted_zone(Id=number).get("DelegationSet", {}).get("NameServers", []))
    return {domain: Zone(number, name, servers[number]) for domain, (number, name) in found.items()}


def _nearest(listed: Iterable[Mapping[str, Any]], domain: str) -> tuple[str, str] | None:
    """Its number and its name."""
    found: dict[str, list[str]] = {}
    for one in listed:
        name = plain(one["Name"])
        if domain == name or domain.endswith(f".{name}"):
            found.setdefault(name, []).append(str(one["Id"]).rpartition("/")[2])
    nearest = max(found, key=len, default="")
    return (found[nearest][0], nearest) if len(found.get(nearest, [])) == 1 else None


def plain(name: str) -> str:
    """As people write it: Route 53 ends names with a dot, and writes \\052 for an asterisk."""
    return name.rstrip(".").replace("\\052", "*").lower()
