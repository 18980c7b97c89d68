"""A build plan as text, for `deployer build --plan`: what would happen, in order, and why it may be left out."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from buildpacks.plan import BuildPlan, Derived, Layer, Remembered, Run, Say, Step

WHOLE = "the whole source"


def describe(plan: BuildPlan) -> str:
    """The plan, one step after the other. No value of a config var is in it."""
    lines = [f"{plan.buildpack} ({plan.language})"]
    lines += [f"  {line}" for number, step in enumerate(plan.steps, 1) for line in _numbered(number, _step(step))]
    lines += _table("environment of the build", plan.environment)
    lines += _table("default process types", plan.process_types)
    lines += [f"  writes .profile.d/{name}" for name in plan.profile]
    return "\n".join(lines) + "\n"


def _numbered(number: int, lines: list[str]) -> list[str]:
    return [f"{number:2}. {lines[0]}", *(f"    {line}" for line in lines[1:])]


def _step(step: Step) -> list[str]:
    match step:
        case Say():
            return [f"{step.kind}: {step.text}"]
        case Run():
            return [f"run {_command(step)}", *_about(step)]
        case Layer():
            return _layer(step)
        case Remembered():
            decided = "the files that it reads, the set of all paths, all config vars, the layers"
            return [f"run {_command(step.run)}", *_about(step.run), f"skipped while these are the same: {decided}"]
        case Derived():
            return [f"{step.name}: {step.product} for each *{step.suffix}, kept by path and content"]


def _layer(step: Layer) -> list[str]:
    lines = [f"layer {step.name} at {step.path}{'' if step.ships else ', for the build only'}"]
    lines += [f"starts from the layer {step.starts_from}"] if step.starts_from else []
    lines += [f"run {_command(run)}" for run in step.steps]
    decided = [f"the layer {step.starts_from}"] if step.starts_from else []
    decided += [*(path or WHOLE for path in step.inputs), *(f"{name} = {value}" for name, value in step.facts.items())]
    decided += [f"config var {name}" for name in step.config_vars]
    lines += [f"kept while these are the same: {', '.join(decided)}"] if not step.volatile else []
    return lines + [f"never kept: {reason}" for reason in step.volatile]


def _command(step: Run) -> str:
    return shlex.join(step.command)


def _about(step: Run) -> list[str]:
    about = ["sees all config vars"] if step.config else []
    return about + (["may change the layers: it gets copies of them"] if step.changes_layers else [])


def _table(title: str, values: Mapping[str, str]) -> list[str]:
    return [f"  {title}:", *(f"    {key}={value}" for key, value in values.items())] if values else []
