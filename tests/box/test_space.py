"""A space as the Pulumi program makes it, in the box: its hosts boot, are let in by its hooks, walls and load balancer,
and go with it."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any

import pytest

from infra import engine
from infra.program import Settings
from infra.spec import Hosts, Spec
from tests.box.box import Box, box
from tests.infra.moto_here import ACCOUNT, REGION

pytestmark = pytest.mark.hosts
WEB = """#!/bin/sh
mkdir -p /srv/www/-
hostname | tee /srv/www/index.html > /srv/www/-/ready
systemd-run --quiet --unit=web --working-directory=/srv/www python3 -m http.server 80
"""


def test_a_space_is_made_and_goes(tmp_path: Path) -> None:
    with box(hooks={"drain": 1}) as here:
        before = here.cloud.there()
        spec = Spec(REGION, Hosts("t4g.small", 2), load_balancer=True, account=ACCOUNT, network=here.network)
        run, settings = here.cloud.engine(tmp_path), Settings("production", spec, WEB, "")
        engine.up(run, settings)
        here.wait(lambda: len(waiting(here)) == 2)
        for one in waiting(here):
            here.wait(lambda: "user data ended with status 0" in here.console(one["InstanceId"]))  # noqa: B023
            let_in(here, one)
        here.wait(lambda: healthy(here) == 2)
        with urllib.request.urlopen(f"{here.front_url()}/", timeout=5) as answer:
            assert answer.read().decode().strip() in {f"ip-{one.address.replace('.', '-')}" for one in here.instances()}
        engine.down(run, settings)
        here.wait(lambda: not here.instances())
        assert here.cloud.there() == before
        assert here.cloud.asked == []


def waiting(here: Box) -> list[dict[str, Any]]:
    """Those that their group waits for."""
    found = here.cloud.client("autoscaling").describe_auto_scaling_instances()["AutoScalingInstances"]
    return [one for one in found if one["LifecycleState"] == "Pending:Wait"]


def let_in(here: Box, one: dict[str, Any]) -> None:
    here.cloud.client("autoscaling").complete_lifecycle_action(
        AutoScalingGroupName=one["AutoScalingGroupName"],
        LifecycleHookName="join",
        InstanceId=one["InstanceId"],
        LifecycleActionResult="CONTINUE",
    )


def healthy(here: Box) -> int:
    elb = here.cloud.client("elbv2")
    group = elb.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
    told = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return [one["TargetHealth"]["State"] for one in told].count("healthy")
