"""moto's calls of Auto Scaling, led to tests/box/scaling.py."""

from __future__ import annotations

from typing import Any

from tests.box.scaling import OVER, Scaling, register
from tests.infra.moto_here import Mend

NO_ACTION = "No active Lifecycle Action found with instance ID {}"
IN_USE = (
    "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the "
    "group."
)


def mends(scaling: Scaling) -> list[Mend]:
    """Group sizes are wishes that `scaling` follows; hooks are waited for, and completed by calls."""
    from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState
    from moto.autoscaling.responses import AutoScalingResponse

    return [
        (FakeAutoScalingGroup, "set_desired_capacity", _wish),
        (AutoScalingBackend, "notify_terminate_instances", lambda backend, ids: None),
        (AutoScalingBackend, "update_attached_target_groups", _register_those_in_service),
        (AutoScalingBackend, "terminate_instance", _terminating(scaling)),
        (InstanceState, "launch_template", property(_template)),
        (AutoScalingResponse, "complete_lifecycle_action", _completing(scaling)),
        (AutoScalingResponse, "record_lifecycle_action_heartbeat", _beating(scaling)),
        (AutoScalingResponse, "describe_scaling_activities", _telling(scaling)),
        (AutoScalingResponse, "delete_auto_scaling_group", _deleting(scaling)),
    ]


def _wish(group: Any, capacity: int | None) -> None:
    group.desired_capacity = group.min_size if capacity is None else capacity


def _register_those_in_service(backend: Any, name: str) -> None:
    group = backend.autoscaling_groups[name]
    register(group, [one.instance_id for one in group.instance_states if one.lifecycle_state == "InService"])


def _template(state: Any) -> dict[str, Any]:
    """What the instance was made of, not what the group would make now."""
    template = state.auto_scaling_group.ec2_launch_template
    tags = {one["key"]: one["value"] for one in state.instance.get_tags()}
    version = tags.get("aws:ec2launchtemplate:version", str(template.default_version_number))
    return {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "Version": version}


def _terminating(scaling: Scaling) -> Any:
    def terminate(backend: Any, instance: str, should_decrement: bool) -> Any:
        from moto.autoscaling.models import TerminateInstanceActivity

        found = _found(backend, instance)
        group = found.auto_scaling_group
        before = group.desired_capacity
        if should_decrement:
            group.desired_capacity = before - 1
        scaling.send_away(found, "an instance was taken out of service in response to a user request")
        return TerminateInstanceActivity(found.instance, before)

    return terminate


def _found(backend: Any, instance: str) -> Any:
    from moto.autoscaling.exceptions import ValidationError

    found = [one for one in backend.describe_auto_scaling_instances([instance]) if one.instance.state not in OVER]
    if not found:
        raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance}")
    return found[0]


def _completing(scaling: Scaling) -> Any:
    def complete_lifecycle_action(asked: Any) -> Any:
        from moto.core.responses import EmptyResult

        action = _action(scaling, asked)
        action.result = asked._get_param("LifecycleActionResult")
        return EmptyResult()

    return complete_lifecycle_action


def _beating(scaling: Scaling) -> Any:
    def record_lifecycle_action_heartbeat(asked: Any) -> Any:
        from moto.core.responses import EmptyResult

        _action(scaling, asked).beat()
        return EmptyResult()

    return record_lifecycle_action_heartbeat


def _action(scaling: Scaling, asked: Any) -> Any:
    from moto.autoscaling.exceptions import ValidationError

    instance = asked._get_param("InstanceId")
    action = scaling.action(instance, asked._get_param("LifecycleHookName"))
    if action is None or action.hook.auto_scaling_group_name != asked._get_param("AutoScalingGroupName"):
        raise ValidationError(NO_ACTION.format(instance))
    return action


def _telling(scaling: Scaling) -> Any:
    def describe_scaling_activities(asked: Any) -> Any:
        from moto.core.responses import ActionResult

        name = asked._get_param("AutoScalingGroupName")
        told = [one for one in list(scaling.activities) if name in (None, one["AutoScalingGroupName"])]
        return ActionResult({"Activities": told})

    return describe_scaling_activities


def _deleting(scaling: Scaling) -> Any:
    def delete_auto_scaling_group(asked: Any) -> Any:
        from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
        from moto.core.responses import EmptyResult

        name, groups = asked._get_param("AutoScalingGroupName"), asked.autoscaling_backend.autoscaling_groups
        if name not in groups:
            raise ValidationError("AutoScalingGroup name not found - null")
        with scaling.lock:
            if groups[name].instance_states and not asked._get_bool_param("ForceDelete", False):
                raise AutoscalingClientError("ResourceInUse", IN_USE)
            for state in list(groups[name].instance_states):
                scaling.end(groups[name], state)
            del groups[name]
        return EmptyResult()

    return delete_auto_scaling_group
