"""What keeps a change of config vars from being made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deployer.errors.config import BadConfigVars
from deployer.model.addon import Addon
from deployer.model.config_vars import problems
from deployer.operations.addons import attached_vars
from deployer.store.ledger import AppState

Changes = Mapping[str, str | None]  # None unsets


def refuse_bad(state: AppState, addons: Iterable[Addon], changes: Changes) -> None:
    """BadConfigVars with all that is wrong: names and sizes, and vars that belong to an add-on."""
    wanted = {key: value for key, value in {**state.config, **changes}.items() if value is not None}
    attached = attached_vars(state.app, addons)
    wrong = [
        f"{key} is given by an add-on; only detaching or destroying it changes that"
        for key in changes
        if key in attached
    ]
    wrong += problems(wanted)
    if wrong:
        raise BadConfigVars("\n".join(wrong))
