"""What the engine tells, as changes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from infra.changes import STEPS, VERBS, Field, change, changes, place

TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
URN = f"urn:pulumi:production::deployer::deployer:aws:hosts${TEMPLATE}::deployer-production-host"


def step(op: str, urn: str = URN, kind: str = TEMPLATE, **more: Any) -> Any:
    """As the Automation API has it."""
    facts = {"old": None, "new": None, "detailed_diff": None, **more}
    return SimpleNamespace(op=op, urn=urn, type=kind, **facts)


def state(**inputs: Any) -> Any:
    return SimpleNamespace(inputs=inputs)


def diff(**paths: str) -> dict[str, Any]:
    return {path.replace("__", "."): SimpleNamespace(diff_kind=kind) for path, kind in paths.items()}


def test_a_thing_is_named_after_its_component() -> None:
    assert place(URN) == ("hosts", "deployer-production-host")
    assert place("urn:pulumi:p::deployer::aws:ec2/vpc:Vpc::a::b") == ("", "a::b")


@pytest.mark.parametrize("op", ["same", "read", "refresh", "create-replacement", "delete-replaced"])
def test_what_changes_nothing_is_no_change(op: str) -> None:
    assert change(step(op), VERBS) is None


def test_the_steps_of_a_replacement_are_told_while_they_are_done() -> None:
    told = [change(step(op), STEPS) for op in ("create-replacement", "replace", "delete-replaced")]
    assert [one.verb for one in told if one] == ["create", "delete"]


def test_components_and_providers_are_no_things() -> None:
    assert change(step("create", kind="deployer:aws:hosts"), VERBS) is None
    assert change(step("create", kind="pulumi:providers:aws"), VERBS) is None


def test_what_changes_in_a_thing_is_told_setting_by_setting() -> None:
    found = change(
        step(
            "update",
            old=state(instanceType="t4g.small", metadataOptions={"httpTokens": "optional"}, disks=[{"size": 8}]),
            new=state(instanceType="t4g.medium", metadataOptions={"httpTokens": "required"}, userData="x" * 100),
            detailed_diff={
                **diff(instanceType="update", metadataOptions__httpTokens="update-replace", userData="add"),
                "disks[0].size": SimpleNamespace(diff_kind="delete"),
            },
        ),
        VERBS,
    )
    assert found
    assert found.fields == (
        Field("disks[0].size", "8", "", replaces=False),
        Field("instanceType", "t4g.small", "t4g.medium", replaces=False),
        Field("metadataOptions.httpTokens", "optional", "required", replaces=True),
        Field("userData", "", "x" * 59 + "…", replaces=False),
    )


def test_of_tables_and_lists_what_differs_is_told() -> None:
    """The real provider names the setting inside, the engine of others the whole."""
    found = change(
        step(
            "update",
            old=state(
                template={"id": "lt-1", "version": "1"}, actions=[{"type": "forward", "group": "arn"}], zones=["a"]
            ),
            new=state(template={"id": "lt-1", "version": "2"}, actions=[{"type": "redirect"}], zones=["a", "b"]),
            detailed_diff=diff(template="update", actions="update", zones="update"),
        ),
        VERBS,
    )
    assert found
    assert found.fields == (
        Field("actions[0].group", "arn", "", replaces=False),
        Field("actions[0].type", "forward", "redirect", replaces=False),
        Field("template.version", "1", "2", replaces=False),
        Field("zones", '["a"]', '["a", "b"]', replaces=False),
    )


def test_changes_stand_by_noun_and_name_whatever_the_order_of_the_engine() -> None:
    urns = [URN.replace(":hosts", ":budget"), URN.replace("-host", "-other"), URN, URN.replace(":hosts", ":network")]
    told = [(one.noun, one.name) for one in changes(step("create", urn) for urn in urns)]
    assert told == [
        ("network", "deployer-production-host"),
        ("hosts", "deployer-production-host"),
        ("hosts", "deployer-production-other"),
        ("budget", "deployer-production-host"),
    ]
