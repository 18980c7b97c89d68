"""Records of Route 53. Ids, replace rules and what is refused: internal/service/route53/record.go of the provider."""

from __future__ import annotations

from typing import Any

from tests.infra.standin.kind import Aws, Kind, Refused, gone, plain
from tests.infra.standin.values import Values


def _found(aws: Aws, zone: str, name: str, kind: str) -> dict[str, Any] | None:
    first = {"StartRecordName": name, "StartRecordType": kind, "MaxItems": "1"}
    for one in aws.route53.list_resource_record_sets(HostedZoneId=zone, **first)["ResourceRecordSets"]:
        if (_plain(one["Name"]), one["Type"]) == (name, kind):
            return dict(one)
    return None


def _plain(name: str) -> str:
    return name.rstrip(".").replace("\\052", "*")


def _put(aws: Aws, new: Values, action: str) -> None:
    what: dict[str, Any] = {"Name": new["name"], "Type": new["type"]}
    if aliases := new.get("aliases"):
        [alias] = aliases
        healthy = {"EvaluateTargetHealth": alias["evaluateTargetHealth"]}
        what["AliasTarget"] = {"DNSName": alias["name"], "HostedZoneId": alias["zoneId"], **healthy}
    else:
        what |= {"TTL": new["ttl"], "ResourceRecords": [{"Value": one} for one in new["records"]]}
    changes = [{"Action": action, "ResourceRecordSet": what}]
    aws.route53.change_resource_record_sets(HostedZoneId=new["zoneId"], ChangeBatch={"Changes": changes})


def create(aws: Aws, new: Values) -> str:
    """moto makes one a second time; AWS does not."""
    name, kind = new["name"], new["type"]
    if name.endswith("."):
        raise Refused(f"{name}: the provider cuts the dot, and what is read differs from what was asked for")
    if not new.get("allowOverwrite") and _found(aws, new["zoneId"], name, kind):
        what = f"resource record set [name='{name}.', type='{kind}']"
        raise Refused(f"InvalidChangeBatch: Tried to create {what} but it already exists")
    _put(aws, new, "UPSERT")
    return f"{new['zoneId']}_{name}_{kind}"


@gone("NoSuchHostedZone")
def read(aws: Aws, resource: str, state: Values) -> Values | None:
    zone, rest = resource.split("_", 1)
    name, kind = rest.rsplit("_", 1)
    found = _found(aws, zone, name, kind)
    if found is None:
        return None
    known: Values = {"zoneId": zone, "name": name, "type": kind, "fqdn": name}
    if alias := found.get("AliasTarget"):
        target = {"name": alias["DNSName"].rstrip("."), "zoneId": alias["HostedZoneId"]}
        return {**known, "aliases": [{**target, "evaluateTargetHealth": alias["EvaluateTargetHealth"]}]}
    return {**known, "ttl": found["TTL"], "records": [one["Value"] for one in found["ResourceRecords"]]}


def delete(aws: Aws, resource: str, state: Values) -> None:
    there = read(aws, resource, state)
    assert there
    _put(aws, there, "DELETE")


RECORD = Kind(
    {
        **plain("zoneId", "name", "type", "ttl", "records", "allowOverwrite"),
        "aliases": plain("name", "zoneId", "evaluateTargetHealth"),
    },
    create,
    read,
    delete,
    lambda aws, resource, old, new: _put(aws, new, "UPSERT"),
    required=("zoneId", "name", "type"),
    replaces=frozenset({"zoneId", "name"}),
    sets=frozenset({"records"}),
    computed=("fqdn",),
)
