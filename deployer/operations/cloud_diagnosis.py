"""What is wrong with the hosts of a space in AWS, told from what its group and its store say alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from deployer.errors.base import Failure
from deployer.model.joining import JoinFailure
from deployer.operations.cloud_group import FAILED, HOUR, SERVING, Activity, Instance, Seen
from deployer.operations.diagnosis import Finding
from deployer.remote.bundle import bundle
from deployer.version import VERSION, is_older
from infra.quotas import quota

THERE = "AWS"
LATE = 900.0  # seconds in which a host that starts has joined, or has given up
GIVEN_UP, TOO_MANY = "was abandoned", 3  # in an hour
ROOM, QUOTA = "capacity in the Availability Zone", ("vCPU", "limit", "quota")
CONSOLE = "aws ec2 get-console-output --latest --output text --region {region} --instance-id {host}"
ILL = "aws autoscaling set-instance-health --health-status Unhealthy --region {region} --instance-id {host}"


def of_group(seen: Seen, space: str, region: str) -> list[Finding]:
    """What is well and what is not, the space's own first, then a check for each host."""
    return [
        _agent(seen, space),
        *_count(seen, space),
        *_activities(seen, region),
        *_given_up(seen, region),
        *_gone(seen, region),
        *(_host(seen, one, region) for one in seen.instances),
    ]


def problem(where: str, check: str, failure: Failure) -> Finding:
    """A failure in a line, with its advice."""
    *said, advice = failure.paragraphs()
    return Finding(where, check, " ".join(" ".join(said).split()), advice)


def _agent(seen: Seen, space: str) -> Finding:
    """Which agent hosts take as they join."""
    up = f"deployer up --space {space}   (it writes this one's; hosts follow within a minute)"
    if (found := seen.agent) is None:
        return Finding(THERE, "agent", "there is none in the store yet: no host can join", up)
    if is_older(VERSION, found.tool):
        wrong = f"the one in the store is of deployer {found.tool}, and this is {VERSION}"
        return Finding(THERE, "agent", wrong, "Install that version, or a later one.")
    if is_older(found.tool, VERSION):
        return Finding(THERE, "agent", f"the one in the store is of deployer {found.tool}, and this is {VERSION}", up)
    if found.name != bundle().name:
        return Finding(THERE, "agent", f"the one in the store is another one of deployer {VERSION}", up)
    return Finding(THERE, "agent", note=f"of deployer {VERSION}")


def _count(seen: Seen, space: str) -> Iterator[Finding]:
    there = len([one for one in seen.counting if _state(seen, one.id) == SERVING])
    if there >= seen.wanted:
        yield Finding(THERE, "hosts", note=f"{there} of {seen.wanted} serve")
        return
    coming = [one for one in seen.instances if one.state.startswith("Pending")]
    advice = f"the group starts more by itself; `deployer up --space {space}` waits for them"
    if len([one for one in seen.instances if one.is_alive]) >= seen.wanted:
        advice = f"below stands what keeps the others; `deployer up --space {space}` waits for them"
    if not coming and not seen.instances:
        yield Finding(THERE, "hosts", f"none of {seen.wanted} is there", advice)
        return
    more = f", {len(coming)} on the way" if coming else ""
    yield Finding(THERE, "hosts", f"{there} of {seen.wanted} serve{more}", advice)


def _state(seen: Seen, instance: str) -> str:
    return next((one.state for one in seen.instances if one.id == instance), "")


def _activities(seen: Seen, region: str) -> Iterator[Finding]:
    """What AWS has refused the group since a host last came: it waits in silence where there is no room, or where the
    account may have no more."""
    if seen.untold is not None:
        yield problem(THERE, "group", seen.untold)
        return
    came = max((one.began for one in seen.activities if one.is_launch and one.status == "Successful"), default=0.0)
    failed = [
        one
        for one in seen.activities
        if one.status in FAILED and one.message and GIVEN_UP not in one.message
        if one.began > came and seen.now - one.began < HOUR
    ]
    told = dict.fromkeys(one.message for one in failed)
    yield from (Finding(THERE, "group", " ".join(one.split()), _advice(one, region)) for one in told)
    if not told:
        yield Finding(THERE, "group")


def _advice(message: str, region: str) -> str:
    if ROOM in message:
        return "it tries again by itself; another `size` of hosts in deployer.toml, and `deployer up`, may find room"
    if any(word in message for word in QUOTA):
        name, line = quota("VcpuLimitExceeded")
        return f"{line.replace('REGION', region)}   ({name}), or fewer or smaller hosts in deployer.toml"
    return "it tries again by itself, once that is mended"


def _given_up(seen: Seen, region: str) -> Iterator[Finding]:
    """Hosts that start, do not join and are replaced, again and again, cost money and are of no use."""
    found = _recently_given_up(seen)
    if len(found) >= TOO_MANY:
        look = f"{CONSOLE.format(region=region, host=found[0].instance)}   (what the last one said as it booted)"
        yield Finding(THERE, "launches", f"{len(found)} were given up in the last hour", look)


def _recently_given_up(seen: Seen) -> list[Activity]:
    """The newest first."""
    return [one for one in seen.activities if GIVEN_UP in one.message and seen.now - one.began < HOUR]


def _gone(seen: Seen, region: str) -> Iterator[Finding]:
    """Why hosts could not join that have been replaced, as long as there are not as many as there should be."""
    if len(seen.counting) >= seen.wanted:
        return
    there = {one.id for one in seen.instances}
    latest = {(one.step, one.reason): one for one in seen.failures if one.host not in there and _is_news(one, seen.now)}
    for one in latest.values():
        look = CONSOLE.format(region=region, host=one.host)
        yield Finding(THERE, "joining", f"{one.host} could not ({one.step}): {one.reason}, at {one.at}", look)


def _is_news(failure: JoinFailure, now: float) -> bool:
    try:
        at = datetime.strptime(failure.at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return now - at.timestamp() < HOUR


def _host(seen: Seen, one: Instance, region: str) -> Finding:
    seat, since = seen.seat_of(one.id), seen.launched(one.id)
    console = CONSOLE.format(region=region, host=one.id)
    for_long = "" if since is None else f", for {_minutes(seen.now - since)}"
    if one.state.startswith("Terminat"):
        return Finding(one.id, "group", note=one.word)
    if not one.is_well:
        return Finding(one.id, "group", f"it {one.word}", "nothing: another one comes in its place")
    failure = next((told for told in reversed(seen.failures) if told.host == one.id), None)
    if seat is not None and one.state == SERVING:
        return Finding(one.id, "group", note=f"seat {seat}")
    if failure is not None and seat is None:
        wrong = f"it could not join ({failure.step}): {failure.reason}, at {failure.at}"
        return Finding(one.id, "group", wrong, console)
    if one.state == SERVING:
        return Finding(one.id, "group", "it serves, as AWS sees it, and has no seat", _renew(one.id, region))
    seated = "" if seat is None else f", on seat {seat}"
    waits = f"{one.state}{for_long}: it {one.word}{seated}"
    if since is not None and seen.now - since > LATE:
        return Finding(one.id, "group", waits, console)
    return Finding(one.id, "group", note=waits)


def _renew(host: str, region: str) -> str:
    return f"{ILL.format(region=region, host=host)}   (another one comes in its place)"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{max(0.0, seconds):.0f} s"
