"""The functions of the provider that the program calls."""

from __future__ import annotations

from typing import Any

from tests.infra.standin.kind import Aws, Refused, plain
from tests.infra.standin.provider import Function, refuse_unknown
from tests.infra.standin.values import Values


def _filters(given: Values) -> list[dict[str, Any]]:
    return [{"Name": one["name"], "Values": one["values"]} for one in given.get("filters") or []]


def get_ami(aws: Aws, given: Values) -> Values:
    refuse_unknown(given, {**plain("mostRecent", "owners"), "filters": plain("name", "values")}, "getAmi")
    if given.get("mostRecent") and not given.get("owners"):
        raise Refused("most_recent without owners: anybody's newest image might be taken")
    found = aws.ec2.describe_images(Filters=_filters(given))["Images"]
    if len(found) != 1:
        raise Refused(f"Your query returned {len(found) or 'no'} results. Please change your search criteria.")
    known = {"id": found[0]["ImageId"], "imageId": found[0]["ImageId"], "name": found[0].get("Name", "")}
    return {**known, "rootDeviceName": found[0]["RootDeviceName"], "architecture": found[0]["Architecture"]}


def get_zones(aws: Aws, given: Values) -> Values:
    refuse_unknown(given, {"state": None, "filters": plain("name", "values")}, "getAvailabilityZones")
    found = aws.ec2.describe_availability_zones(Filters=[{"Name": "state", "Values": [given["state"]]}])
    wanted = {one["name"]: one["values"] for one in given.get("filters") or []}
    if set(wanted) - {"opt-in-status"}:
        raise Refused(f"the stand-in does not implement the filters {sorted(wanted)}")
    zones = [one for one in found["AvailabilityZones"] if one.get("OptInStatus", "opt-in-not-required") in
             wanted.get("opt-in-status", [one.get("OptInStatus")])]  # fmt: skip
    names, ids = [one["ZoneName"] for one in zones], [one["ZoneId"] for one in zones]
    return {"id": aws.region, "names": names, "zoneIds": ids, "groupNames": []}


def get_parameter(aws: Aws, given: Values) -> Values:
    refuse_unknown(given, plain("name", "withDecryption"), "getParameter")
    found = aws.ssm.get_parameter(Name=given["name"], WithDecryption=True)["Parameter"]
    return {"id": found["Name"], "name": found["Name"], "value": found["Value"], "type": found["Type"]}


FUNCTIONS: dict[str, Function] = {
    "aws:ec2/getAmi:getAmi": get_ami,
    "aws:index/getAvailabilityZones:getAvailabilityZones": get_zones,
    "aws:ssm/getParameter:getParameter": get_parameter,
}
