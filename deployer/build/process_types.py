"""What a slug runs: the Procfile's types over the defaults of the last buildpack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deployer.build import plain_files
from deployer.model import procfile
from deployer.model.events import Detail, Step, Tell, Warn


def discover(app: Path, defaults: Mapping[str, str], tell: Tell) -> dict[str, str]:
    """The process types of a built app. Raises ProcfileBroken."""
    tell(Step("Discovering process types"))
    declared = _declared(app, tell)
    others = {name: command for name, command in defaults.items() if name not in declared}
    tell(Detail(f"Procfile declares types     -> {_listed(declared)}"))
    tell(Detail(f"Default types for buildpack -> {_listed(others)}"))
    if not declared and not others:
        tell(Warn("There is nothing to run: a Procfile says what, like `web: gunicorn mysite.wsgi`."))
    return {**declared, **others}


def _declared(app: Path, tell: Tell) -> dict[str, str]:
    content = plain_files.read(app / procfile.NAME)
    if content is None:
        meant = procfile.lookalike([path.name for path in app.iterdir()])
        if meant:
            tell(Warn(f"There is a file `{meant}`, but only one named `Procfile` counts."))
        return {}
    found = procfile.parse(content)
    for warning in found.warnings:
        tell(Warn(f"Procfile: {warning}"))
    return found.types


def _listed(types: Mapping[str, str]) -> str:
    return ", ".join(sorted(types)) or "(none)"
