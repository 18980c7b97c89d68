"""Make everything true that a folder declares: the app, its config vars, its add-ons, a release. Run again it deploys.

`env`, `addons`, `formation` and `scripts.postdeploy` of app.json count until the first release with a slug; add-ons
that are declared and missing are created at any time.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from deployer.addons.catalog import find
from deployer.errors.deploy import PostdeployFailed
from deployer.errors.up import ValuesMissing
from deployer.model.app_json import AppJson
from deployer.model.events import Detail, Output, Step, Tell
from deployer.model.release import Release
from deployer.operations import addons, apps, own_databases, own_declared, run
from deployer.operations.deploy import Order, deploy
from deployer.operations.release import change_config
from deployer.operations.scale import scale
from deployer.operations.session import OpenSpace


@dataclass(frozen=True, slots=True)
class Declared:
    """What a folder declares: the app's name, its app.json, what to deploy, and values given for its `env`."""

    name: str
    described: AppJson
    order: Order
    given: Mapping[str, str]


def up(space: OpenSpace, declared: Declared, tell: Tell) -> Release | None:
    """Make it true; None where it was already. ValuesMissing, before anything is made, where app.json wants values that
    nobody gave."""
    state = space.ledger.state(declared.name)
    config = values(declared, dict(state.config) if state else {})
    if state is None:
        apps.create(space, declared.name, declared.described.buildpacks)
        tell(Step(f"Created the app {declared.name} in {space.space.name}"))
    first = state is None or state.slug is None
    if first and config:
        change_config(space, declared.name, config, tell)
        tell(Detail(f"Set {', '.join(sorted(config))}"))
    own_databases.meet(space, declared.name, tell)
    _create_addons(space, declared, tell)
    release = deploy(space, declared.name, declared.order, tell)
    if first:
        _finish_first(space, declared, tell)
    return release


def values(declared: Declared, present: Mapping[str, str]) -> dict[str, str]:
    """The config vars that `env` of app.json asks for and the app does not have; secrets are made up: 64 hex digits."""
    wanted = {key: env for key, env in declared.described.env.items() if key not in present}
    found = {key: declared.given.get(key, env.value) for key, env in wanted.items()}
    found |= {key: secrets.token_hex(32) for key, env in wanted.items() if env.secret and found[key] is None}
    missing = [key for key, env in wanted.items() if env.required and found[key] is None]
    if missing:
        raise ValuesMissing("\n".join(_asked(key, wanted[key].description) for key in sorted(missing)), missing[0])
    return {key: value for key, value in found.items() if value is not None}


def _asked(key: str, description: str) -> str:
    return f"{key}: {description}" if description else key


def _create_addons(space: OpenSpace, declared: Declared, tell: Tell) -> None:
    for request in declared.described.addons:
        provider, plan = find(request.plan)
        if addons.has(space, declared.name, provider.service):
            continue
        if plan.size:
            own_declared.have(space, declared.name, request.plan, request.name, tell)
        else:
            addons.create(space, declared.name, request.plan, tell, alias=request.name)


def _finish_first(space: OpenSpace, declared: Declared, tell: Tell) -> None:
    """What happens once, after the first release: the declared formation, and the postdeploy script."""
    if declared.described.formation:
        scale(space, declared.name, lambda formation: {**formation, **declared.described.formation}, tell)
    if declared.described.postdeploy:
        tell(Step(f"Running postdeploy: {declared.described.postdeploy}"))
        status = run.captured(space, declared.name, declared.described.postdeploy, lambda line: tell(Output(line)))
        if status != 0:
            raise PostdeployFailed(declared.name, declared.described.postdeploy, status)
