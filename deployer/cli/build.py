"""`deployer build` and `builds:cache:purge`: builds without a release."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli import options
from deployer.cli.deploy import NoCache, order_of
from deployer.cli.output import size
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.cli.up import folder_name
from deployer.errors.apps import NoApp, NoSpace
from deployer.model import platforms
from deployer.operations.apps import state_of

if TYPE_CHECKING:
    from buildpacks.plan import BuildPlan, Run, Step


def build(
    ctx: typer.Context,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print what would be done; do nothing.", show_default=False)
    ] = False,
    commit: Annotated[str | None, typer.Option("--commit", metavar="REF", help="This commit, not the folder.")] = None,
    no_cache: NoCache = False,
    app: options.App = None,
    remote: options.Remote = None,
    as_json: options.Json = False,
) -> None:
    """Build the folder without releasing it.

    With the app's platform, buildpacks and config vars where there is an app, else with none."""
    from deployer.build import build as operation

    shell: Shell = ctx.obj
    name, platform, buildpacks, config = _surroundings(shell, app, remote)
    source = order_of(shell, commit).source
    if plan:
        plans = operation.plan(
            source, app=name, platform=platform, buildpacks=buildpacks, config=config, tell=shell.tell.quietly
        )
        shell.output.json(plans) if as_json else _print(shell, plans)
        return
    built = operation.build(
        source, app=name, platform=platform, buildpacks=buildpacks, config=config, tell=shell.tell, no_cache=no_cache
    )
    if as_json:
        shell.output.json(built.slug)
    else:
        rows = [(layer.name, layer.digest[:12], str(layer.files), size(layer.size)) for layer in built.slug.layers]
        shell.output.table(("Layer", "Digest", "Files", "Size"), rows)


def purge(ctx: typer.Context, app: options.App = None, remote: options.Remote = None) -> None:
    """Delete the build cache of an app on this machine."""
    from deployer.build.build import purge as operation

    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        state_of(space, name)
        with shell.doing(f"Purging the build cache of {shell.output.app_err(name)} ({space.space.name})"):
            operation(f"{space.space.name}/{name}")


def plan_lines(plan: BuildPlan) -> Iterator[str]:
    """A plan for people: what happens, in order, and the programs that it runs."""
    yield f"=== {plan.buildpack}: {plan.language}"
    for number, step in enumerate(plan.steps, 1):
        yield from _step_lines(number, step)
    if plan.process_types:
        yield "Process types, where the Procfile has none:"
        yield from (f"     {name}: {command}" for name, command in plan.process_types.items())


def _step_lines(number: int, step: Step) -> Iterator[str]:
    from buildpacks.plan import Derived, Layer, Remembered, Run, Say

    label = f"{number:>3}."
    if isinstance(step, Say):
        yield f"{label} say: {step.text}"
    elif isinstance(step, Run):
        yield f"{label} run: {_command(step)}"
    elif isinstance(step, Layer):
        since = ", ".join(
            [
                *([f"the layer {step.starts_from}"] if step.starts_from else []),
                *(name or "all files" for name in step.inputs),
                *(f"{k} {v}" for k, v in step.facts.items()),
            ]
        )
        yield f"{label} layer {step.name} at {step.path}, kept until a change of: {since or 'nothing'}"
        yield from (f"       run: {_command(run)}" for run in step.steps)
    elif isinstance(step, Remembered):
        yield f"{label} {step.name}, repeated when what it read has changed: {_command(step.run)}"
    elif isinstance(step, Derived):
        yield f"{label} {step.name}: {step.product} from each *{step.suffix}"


def _command(run: Run) -> str:
    return shlex.join(run.command)


def _print(shell: Shell, plans: Sequence[BuildPlan]) -> None:
    for one in plans:
        for line in plan_lines(one):
            shell.output.print(line)


def _surroundings(
    shell: Shell, app: str | None, remote: str | None
) -> tuple[str, platforms.Platform, tuple[str, ...], dict[str, str]]:
    try:
        with opened(shell, app, remote) as (space, name):
            state = state_of(space, name)
            key = f"{space.space.name}/{name}"
            return key, platforms.parse(space.space.platform), state.app.buildpacks, dict(state.config)
    except (NoApp, NoSpace):
        return folder_name(shell.folder.resolve().name), platforms.parse(platforms.DEFAULT_SYSTEM), (), {}
