"""Where the records of further domains go: into zones of Route 53 that this account has, beside what others have made
there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deployer.spaces.aws import domain
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.domain import Entry, Zone
from deployer.spaces.aws.proof import Look
from deployer.spaces.aws.record import Record
from infra.names import ADDED, name
from infra.records import Records

# Records that lead a name elsewhere: beside none of them there can be an address of ours. NS, below a zone's own name,
# says that others answer for it.
LEADING = ("A", "AAAA", "CNAME", "NS")


@dataclass(frozen=True, slots=True)
class Place:
    """The zone that a further domain is in, and the record of its name there that somebody else has made: it stays.
    `there`: one that leads to the space's load balancer is there already."""

    domain: str
    zone: Zone
    taken: Entry | None = None
    there: bool = False

    @property
    def records(self) -> Records:
        """What the program makes there."""
        return Records(self.domain, self.zone.id, leads=self.taken is None, there=self.there)


def places(account: Account, known: Record) -> tuple[Place, ...]:
    """Of the specification's further domains, those that Route 53 has zones for. Asks nobody where there are none."""
    spec = known.spec
    # What the space's own record leads here needs none of its own.
    wanted = [one for one in spec.domains if one != f"*.{spec.domain}"] if spec.load_balancer else []
    if not wanted:
        return ()
    with asking():
        zones = domain.zones(account, wanted)
        return tuple(_place(account, known, one, zones[one]) for one in wanted if one in zones)


def _place(account: Account, known: Record, wanted: str, zone: Zone) -> Place:
    found = list(_leading(account, zone, wanted))
    addresses = [one for one in found if one.kind == "A"]
    if addresses and _made(known).get(wanted, {}).get("leads"):
        return Place(wanted, zone, there=True)  # what somebody has changed on it by hand `up` puts right
    others = [one for one in found if one not in addresses or not is_ours(known, one.value)]
    return Place(wanted, zone, others[0] if others else None, there=bool(found))


def is_ours(known: Record, target: str) -> bool:
    """Whether a record leads to the space's load balancer, also to one that a run has made which was cut off: names of
    such begin with the load balancer's (Elastic Load Balancing User Guide, `DNS name`)."""
    begin = rf"(dualstack\.)?{re.escape(name(known.name, 'load-balancer'))}-[0-9a-f]{{{ADDED - 1}}}-"
    return target == known.outputs.get("dns", "").lower() or re.match(begin, target) is not None


def _leading(account: Account, zone: Zone, wanted: str) -> Iterator[Entry]:
    """The records of a name that say where it leads. Route 53 lists them in the order of their names."""
    asked = {"HostedZoneId": zone.id, "StartRecordName": wanted}
    for one in account.client("route53").list_resource_record_sets(**asked)["ResourceRecordSets"]:
        if domain.plain(one["Name"]) != wanted:
            continue
        if one["Type"] in LEADING and not (one["Type"] == "NS" and wanted == zone.name):
            yield Entry(wanted, one["Type"], domain.plain(_value(one)))


def _value(one: dict[str, Any]) -> str:
    alias = one.get("AliasTarget", {}).get("DNSName")
    return str(alias or next((each["Value"] for each in one.get("ResourceRecords", [])), ""))


def still_there(known: Record) -> list[Look]:
    """What looks for the records of further domains that runs have made: they carry no tag."""
    return [_look(name, list(_entries(known, name, one))) for name, one in _made(known).items() if one.get("zone")]


def _made(known: Record) -> dict[str, dict[str, Any]]:
    """What the last run that ended well says of further domains."""
    found: dict[str, dict[str, Any]] = json.loads(known.outputs.get("domains", "{}"))
    return found


def _entries(known: Record, name: str, one: Mapping[str, Any]) -> Iterator[Entry]:
    if one["leads"] and "dns" in known.outputs:
        yield Entry(name, "A", known.outputs["dns"], leads=True)
    yield domain.proof_of(one["proof"])


def _look(of: str, wanted: Iterable[Entry]) -> Look:
    return lambda account, space: domain.still_there(account, of, wanted)
