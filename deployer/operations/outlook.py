"""What `up` would make of the folder's app: for its preview, before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deployer.addons.catalog import find
from deployer.model.app_json import AppJson
from deployer.model.formation import Formation
from deployer.operations.preview import App
from deployer.store.ledger import AppState


@dataclass(frozen=True, slots=True)
class Outlook:
    """`serving` is the number of the release that serves, None where nothing does. `given`, `secrets` and `asked` are
    the config vars that are set: those that somebody has a value for, that are made up, and that nobody gave. `addons`
    are to come, with `postdeploy` after the first release; `guessed`: the folder does not say its process types."""

    name: str
    is_new: bool
    serving: int | None
    given: tuple[str, ...]
    secrets: tuple[str, ...]
    asked: tuple[str, ...]
    addons: tuple[str, ...]
    formation: Formation
    guessed: bool
    postdeploy: str | None


@dataclass(frozen=True, slots=True)
class Folder:
    """What a folder says: the app's name, its app.json, its formation, and values given for its `env`."""

    name: str
    described: AppJson
    app: App
    given: Mapping[str, str] = field(default_factory=dict)


def foresee(folder: Folder, state: AppState | None = None, services: frozenset[str] = frozenset()) -> Outlook:
    """From what the folder declares and what the ledger knows, the services of the app's add-ons among it."""
    first = state is None or state.slug is None
    present = state.config if state else {}
    wanted = {key: env for key, env in folder.described.env.items() if first and key not in present}
    given = {key for key, env in wanted.items() if folder.given.get(key, env.value) is not None}
    secret = {key for key, env in wanted.items() if env.secret} - given
    asked = {key for key, env in wanted.items() if env.required} - given - secret
    return Outlook(
        folder.name,
        state is None,
        state.release.number if state and state.release and not first else None,
        tuple(sorted(given)),
        tuple(sorted(secret)),
        tuple(sorted(asked)),
        tuple(one.plan for one in folder.described.addons if find(one.plan)[0].service not in services),
        folder.app.formation if first or state is None else state.app.formation,
        folder.app.guessed and first,
        folder.described.postdeploy if first else None,
    )
