"""Auto Scaling as AWS does it, over moto's groups: moto makes and ends their instances within the call, and its
lifecycle hooks do nothing.

States and their order: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.infra.moto_here import ACCOUNT

LAUNCHING, TERMINATING = "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"
LIVE = ("Pending", "Pending:Wait", "InService")
OVER = ("terminated", "shutting-down")
NAME_TAG = "aws:autoscaling:groupName"
ABANDONED = (
    "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token {token} was abandoned: {why}"
)
NO_ROOM = (
    "We currently do not have sufficient {size} capacity in the Availability Zone you requested ({zone}). Our system "
    "will be working on provisioning additional capacity. Launching EC2 instance failed."
)
RETRIES = 2.0  # seconds between two tries to launch one where there was no room
COMPLETED, TIMED_OUT = "Lifecycle Action Completed with ABANDON Result", "Heartbeat Timeout"


@dataclass(eq=False)
class Action:
    """A hook that an instance waits for until `deadline`, by the monotonic clock."""

    hook: Any
    seconds: float
    deadline: float
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    result: str = ""

    def beat(self) -> None:
        self.deadline = time.monotonic() + self.seconds

    def ended(self) -> tuple[str, str] | None:
        """Its result, and why where that is ABANDON; None while it is waited for."""
        if self.result:
            return self.result, COMPLETED
        return (self.hook.default_result, TIMED_OUT) if time.monotonic() > self.deadline else None


@dataclass
class Scaling:
    """`seconds` are those that a hook of that name waits, in the place of its own heartbeat. `full` are the zones in
    which AWS has no capacity, or which are gone."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    actions: dict[str, dict[str, Action]] = field(default_factory=dict)  # by instance and hook
    activities: list[dict[str, Any]] = field(default_factory=list)  # the newest first
    full: set[str] = field(default_factory=set)
    refused: float = 0.0  # when there was no room, by the monotonic clock
    lock: threading.RLock = field(default_factory=threading.RLock)

    def follow(self) -> None:
        """One step for each instance of each group."""
        for backend in backends("autoscaling"):
            for group in list(backend.autoscaling_groups.values()):
                with self.lock:
                    for state in list(group.instance_states):
                        self._step(group, state)
                    self._fit(group)

    def action(self, instance: str, hook: str) -> Action | None:
        return self.actions.get(instance, {}).get(hook)

    def send_away(self, state: Any, cause: str) -> None:
        """Begin to end an instance: its hooks are waited for."""
        with self.lock:
            if state.lifecycle_state.startswith("Terminating"):
                return
            was_serving = state.lifecycle_state == "InService"
            state.lifecycle_state = "Terminating"
            self._tell(state, f"Terminating EC2 instance: {state.instance_id}", cause)
            group = state.auto_scaling_group
            deregister(group, state.instance_id)
            if was_serving and state.instance.state not in OVER:
                self._meet(group, state, TERMINATING)

    def end(self, group: Any, state: Any) -> None:
        """End it at once."""
        deregister(group, state.instance_id)
        if state.instance.state not in OVER:
            group.ec2_backend.terminate_instances([state.instance_id])
        self.actions.pop(state.instance_id, None)
        group.instance_states = [one for one in group.instance_states if one is not state]
        self._close(state.instance_id, "Successful")

    def _step(self, group: Any, state: Any) -> None:
        if state.instance.state in OVER:
            self.send_away(state, "an instance was taken out of service in response to an EC2 health check")
            self.end(group, state)
        elif state.lifecycle_state == "Pending":
            self._meet(group, state, LAUNCHING)
            if state.lifecycle_state == "Pending":
                self._let_in(group, state)
        elif state.lifecycle_state == "Terminating":
            self.end(group, state)
        elif state.lifecycle_state.endswith(":Wait"):
            self._wait(group, state)
        elif _is_unhealthy(state) and not _is_suspended(group, "ReplaceUnhealthy"):
            self.send_away(state, "an instance was taken out of service in response to a user health-check")

    def _meet(self, group: Any, state: Any, transition: str) -> None:
        hooks = group.autoscaling_backend.describe_lifecycle_hooks(group.name)
        mine = [one for one in hooks if one.lifecycle_transition == transition]
        if mine:
            actions = {one.name: self._action(one) for one in mine}
            self.actions[state.instance_id] = actions
            state.lifecycle_state = f"{state.lifecycle_state}:Wait"

    def _action(self, hook: Any) -> Action:
        seconds = float(self.seconds.get(hook.name, hook.heartbeat_timeout))
        return Action(hook, seconds, time.monotonic() + seconds)

    def _wait(self, group: Any, state: Any) -> None:
        """Of several hooks the first that abandons decides, else the last that is completed."""
        actions = self.actions.get(state.instance_id, {})
        ended = [(one.token, one.ended()) for one in actions.values()]
        if state.lifecycle_state == "Terminating:Wait":
            if all(end for _, end in ended):
                self.end(group, state)
            return
        given_up = [(token, end[1]) for token, end in ended if end and end[0] == "ABANDON"]
        if given_up:
            token, why = given_up[0]
            self._close(state.instance_id, "Cancelled", ABANDONED.format(token=token, why=why))
            state.lifecycle_state = "Terminating"
            self.end(group, state)
        elif all(end for _, end in ended):
            self._let_in(group, state)

    def _let_in(self, group: Any, state: Any) -> None:
        self.actions.pop(state.instance_id, None)
        state.lifecycle_state = "InService"
        register(group, [state.instance_id])
        self._close(state.instance_id, "Successful")

    def _fit(self, group: Any) -> None:
        """As many instances as are desired."""
        live = [one for one in group.instance_states if one.lifecycle_state in LIVE]
        missing = (group.desired_capacity or 0) - len(live)
        if missing > 0 and not _is_suspended(group, "Launch"):
            for _ in range(missing):
                if not (room := [one for one in _subnets(group) if _zone(group, one) not in self.full]):
                    self._refuse(group)
                    return
                state = launch(group, room)
                cause = "an instance was started in response to a difference between desired and actual capacity"
                self._tell(state, f"Launching a new EC2 instance: {state.instance_id}", cause)
        if missing < 0 and not _is_suspended(group, "Terminate"):
            for state in _victims(live)[:-missing]:
                self.send_away(state, "an instance was taken out of service in response to a difference")

    def _refuse(self, group: Any) -> None:
        """Say that there is no room; now and then, as AWS does."""
        if time.monotonic() - self.refused < RETRIES:
            return
        self.refused = time.monotonic()
        version = group.ec2_launch_template.get_version(group.launch_template_version)
        why = NO_ROOM.format(size=version.instance_type, zone=_zone(group, _subnets(group)[0]))
        now = datetime.now(UTC)
        told = {
            "ActivityId": str(uuid.uuid4()),
            "AutoScalingGroupName": group.name,
            "Description": "Launching a new EC2 instance.  Status Reason: " + why,
            "Cause": f"At {now:%Y-%m-%dT%H:%M:%SZ} an instance was to be started.",
            "StartTime": now,
            "EndTime": now,
            "StatusCode": "Failed",
            "StatusMessage": why,
            "Progress": 100,
        }
        self.activities.insert(0, told)

    def _tell(self, state: Any, description: str, cause: str) -> None:
        now = datetime.now(UTC)
        told = {
            "ActivityId": str(uuid.uuid4()),
            "AutoScalingGroupName": state.auto_scaling_group_name,
            "Description": description,
            "Cause": f"At {now:%Y-%m-%dT%H:%M:%SZ} {cause}.",
            "StartTime": now,
            "StatusCode": "InProgress",
            "Progress": 50,
        }
        self.activities.insert(0, told)

    def _close(self, instance: str, status: str, message: str = "") -> None:
        for told in self.activities:
            if told["StatusCode"] == "InProgress" and told["Description"].endswith(instance):
                said = {"StatusMessage": message} if message else {}
                told.update(StatusCode=status, Progress=100, EndTime=datetime.now(UTC), **said)


def launch(group: Any, room: Sequence[str]) -> Any:
    """One more instance, in that of these subnets that has the fewest: moto would make all of them in the first."""
    from moto.autoscaling.models import InstanceState

    used = Counter(one.instance.subnet_id for one in group.instance_states)
    subnet = min(room, key=lambda one: used[one])
    version = group.ec2_launch_template.get_version(group.launch_template_version)
    made = group.ec2_backend.run_instances(
        version.image_id,
        1,
        version.user_data,
        version.security_groups,
        instance_type=version.instance_type,
        tags={"instance": {**group.get_propagated_tags(), **version.instance_tags, NAME_TAG: group.name}},
        launch_template={"LaunchTemplateId": group.ec2_launch_template.id, "Version": version.number},
        metadata_options=version.data.get("MetadataOptions") or {},
        is_instance_type_default=False,
        associate_public_ip=None,
        region_name=group.region,
        subnet_id=subnet,
    ).instances[0]
    profile = version.data.get("IamInstanceProfile") or {}
    if profile:
        group.ec2_backend.associate_iam_instance_profile(
            made.id, iam_instance_profile_name=profile.get("Name"), iam_instance_profile_arn=profile.get("Arn")
        )
    made.autoscaling_group = group
    state = InstanceState(made, "Pending", protected_from_scale_in=group.new_instances_protected_from_scale_in)
    group.instance_states.append(state)
    return state


def _subnets(group: Any) -> list[str]:
    return str(group.vpc_zone_identifier).split(",")


def _zone(group: Any, subnet: str) -> str:
    return str(group.ec2_backend.get_subnet(subnet).availability_zone)


def register(group: Any, instances: Iterable[str]) -> None:
    for found in _target_groups(group):
        targets = [{"Id": one, "Port": found.port} for one in instances]
        group.autoscaling_backend.elbv2_backend.register_targets(found.arn, targets)


def deregister(group: Any, instance: str) -> None:
    for found in _target_groups(group):
        if instance in found.targets:
            group.autoscaling_backend.elbv2_backend.deregister_targets(found.arn, [{"Id": instance}])


def states() -> Iterator[Any]:
    """All instances of groups."""
    for backend in backends("autoscaling"):
        for group in list(backend.autoscaling_groups.values()):
            yield from list(group.instance_states)


def _target_groups(group: Any) -> list[Any]:
    known = group.autoscaling_backend.elbv2_backend.target_groups
    return [known[arn] for arn in group.target_group_arns or [] if arn in known]


def _victims(live: list[Any]) -> list[Any]:
    """In the order of AWS's own policy, but for zones: those of old templates first, then those that are older."""
    free = [one for one in live if not one.protected_from_scale_in]
    return sorted(free, key=lambda one: (int(one.launch_template["Version"]), one.instance.launch_time))


def _is_unhealthy(state: Any) -> bool:
    return bool(state.health_status == "Unhealthy" or state.instance.state != "running")


def _is_suspended(group: Any, process: str) -> bool:
    return process in [one["ProcessName"] for one in group.suspended_processes]


def backends(service: str) -> list[Any]:
    """moto's models of a service, one for each region in which anything was asked."""
    from moto import backends as known

    found: Any = known
    return list(found.get_backend(service)[ACCOUNT].values())
