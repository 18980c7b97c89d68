"""The end that AWS itself brings: hosts go, and the database stops, at a time that is set as soon as they are there.

Neither needs the laptop: the group has a scheduled action, and EventBridge Scheduler calls `rds:StopDBInstance`, once a
day from then on, since RDS starts a stopped database again after seven days. The Scheduler's role may do that alone,
with databases of this space alone. All of it is named after the space and carries the tag `deployer:smoke`; not
`deployer:space`, so that it outlives `deployer down`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import Event, Thread
from typing import Any

from deployer.errors.base import Failure
from deployer.spaces.aws.account import Account, asking, unless
from deployer.spaces.aws.proof import PATH, Left, pages
from infra.names import PREFIX

TAG = "deployer:smoke"
STOP = "arn:aws:scheduler:::aws-sdk:rds:stopDBInstance"
SLOW_ROLE = 60.0  # seconds until AWS lets a service take a role that is new
NOT_YET = ("ValidationException",)
GONE = ("NoSuchEntity", "ResourceNotFoundException", "ValidationError")


@dataclass(frozen=True, slots=True)
class End:
    """Of a space, at a time in UTC, less than a day from now."""

    space: str
    at: datetime

    @property
    def name(self) -> str:
        """Of the action, the role and the group of schedules."""
        return called(self.space)

    @property
    def daily(self) -> str:
        """The schedule: at this time, and each day after it."""
        at = self.at.astimezone(UTC)
        return f"cron({at.minute} {at.hour} * * ? *)"


def called(space: str) -> str:
    """How the ends of a space are called."""
    return f"{PREFIX}-{space}-end"


def trust(account: str) -> str:
    """Who may take the role: the Scheduler, for this account."""
    mine = {"StringEquals": {"aws:SourceAccount": account}}
    who = {"Service": "scheduler.amazonaws.com"}
    return _policy({"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole", "Condition": mine})


def rights(account: str, region: str, space: str) -> str:
    """What the role may do."""
    databases = f"arn:aws:rds:{region}:{account}:db:{PREFIX}-{space}-*"
    return _policy({"Effect": "Allow", "Action": "rds:StopDBInstance", "Resource": databases})


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def prepare(account: Account, end: End) -> None:
    """What has to be there before anything that costs; it costs nothing itself. Can be repeated."""
    with asking():
        number, tags = account.number(), [{"Key": TAG, "Value": end.space}]
        iam, scheduler = account.client("iam"), account.client("scheduler")
        unless(
            ("EntityAlreadyExists",),
            lambda: iam.create_role(Path=PATH, RoleName=end.name, AssumeRolePolicyDocument=trust(number), Tags=tags),
        )
        iam.put_role_policy(
            RoleName=end.name, PolicyName="stop", PolicyDocument=rights(number, account.region, end.space)
        )
        unless(("ConflictException",), lambda: scheduler.create_schedule_group(Name=end.name, Tags=tags))


def put(account: Account, end: End) -> None:
    """Give an end to the group and to the database, where they are there and have none."""
    with asking():
        ending = {one["AutoScalingGroupName"] for one in _actions(account, end.name)}
        for one in _groups(account, end.space):
            if one not in ending:
                none = dict.fromkeys(("MinSize", "MaxSize", "DesiredCapacity"), 0)
                account.client("autoscaling").put_scheduled_update_group_action(
                    AutoScalingGroupName=one, ScheduledActionName=end.name, StartTime=end.at, **none
                )
        scheduled = {one["Name"] for one in _schedules(account, end.name)}
        for one in _databases(account, end.space):
            if one not in scheduled:
                _schedule(account, end, one)


def _schedule(account: Account, end: End, database: str) -> None:
    role = f"arn:aws:iam::{account.number()}:role{PATH}{end.name}"
    target = {"Arn": STOP, "RoleArn": role, "Input": json.dumps({"DbInstanceIdentifier": database})}
    deadline = time.monotonic() + SLOW_ROLE
    made = None
    while made is None:
        codes = NOT_YET if time.monotonic() < deadline else ()
        made = unless(
            codes,
            lambda: account.client("scheduler").create_schedule(
                Name=database,
                GroupName=end.name,
                ScheduleExpression=end.daily,
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                Target=target,
            ),
        )
        if made is None:
            time.sleep(2)


@contextmanager
def watching(account: Account, end: End, pace: float) -> Iterator[None]:
    """While the block makes things, give them their end as soon as AWS has them, and once more when it has ended. What
    fails in between is tried again."""
    over = Event()

    def look() -> None:
        while not over.wait(pace):
            try:
                put(account, end)
            except Failure:
                continue

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        put(account, end)


def look(account: Account, space: str) -> list[Left]:
    """What is there of it. Use it inside `asking`."""
    name = called(space)
    schedules = [one["Name"] for one in _schedules(account, name)]
    roles = pages(account.client("iam"), "list_roles", "Roles", PathPrefix=PATH)
    return [
        *(Left("scheduled action", one["AutoScalingGroupName"]) for one in _actions(account, name)),
        *(Left("schedule", one) for one in schedules),
        *(Left("group of schedules", one) for one in _schedule_groups(account) if one == name),
        *(Left("role of the end", one["RoleName"]) for one in roles if one["RoleName"] == name),
    ]


def remove(account: Account, space: str) -> None:
    """Take it all away; the schedules go with their group. Can be repeated. Use it inside `asking`."""
    name, iam, scaling = called(space), account.client("iam"), account.client("autoscaling")
    for one in _actions(account, name):
        group = {"AutoScalingGroupName": one["AutoScalingGroupName"]}
        unless(GONE, partial(scaling.delete_scheduled_action, ScheduledActionName=name, **group))
    if name in _schedule_groups(account):
        unless(GONE, lambda: account.client("scheduler").delete_schedule_group(Name=name))
    unless(GONE, lambda: iam.delete_role_policy(RoleName=name, PolicyName="stop"))
    unless(GONE, lambda: iam.delete_role(RoleName=name))


def _actions(account: Account, name: str) -> list[dict[str, Any]]:
    found = pages(account.client("autoscaling"), "describe_scheduled_actions", "ScheduledUpdateGroupActions")
    return [one for one in found if one["ScheduledActionName"] == name]


def _groups(account: Account, space: str) -> list[str]:
    found = pages(account.client("autoscaling"), "describe_auto_scaling_groups", "AutoScalingGroups")
    begin = f"{PREFIX}-{space}-"
    return [one["AutoScalingGroupName"] for one in found if one["AutoScalingGroupName"].startswith(begin)]


def _databases(account: Account, space: str) -> list[str]:
    found = pages(account.client("rds"), "describe_db_instances", "DBInstances")
    begin = f"{PREFIX}-{space}-"
    return [one["DBInstanceIdentifier"] for one in found if one["DBInstanceIdentifier"].startswith(begin)]


def _schedule_groups(account: Account) -> list[str]:
    found = pages(account.client("scheduler"), "list_schedule_groups", "ScheduleGroups", NamePrefix=f"{PREFIX}-")
    return [one["Name"] for one in found if one.get("State") != "DELETING"]


def _schedules(account: Account, group: str) -> list[dict[str, Any]]:
    if group not in _schedule_groups(account):
        return []
    return list(pages(account.client("scheduler"), "list_schedules", "Schedules", GroupName=group))
