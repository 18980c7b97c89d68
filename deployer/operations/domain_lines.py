"""What `domains` shows: each domain of an app, how DNS leads it here, and how far its certificate is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deployer.model.app import App
from deployer.model.certificate import Certificate
from deployer.model.domains import Pointing, pointing
from deployer.model.space import Space
from deployer.model.tls import Standing, standing
from deployer.operations.apps import state_of
from deployer.operations.session import OpenSpace


@dataclass(frozen=True, slots=True)
class DomainLine:
    """A domain: the one of the space, or one that was added."""

    name: str
    added: bool
    pointing: Pointing
    standing: Standing


def of_app(space: OpenSpace, app: str) -> tuple[App, list[DomainLine]]:
    """The app and its domains, that of the space first."""
    found = state_of(space, app).app
    return found, lines(space.space, found, space.ledger.certificates(space.space.domains(found)))


def lines(space: Space, app: App, certificates: Mapping[str, Certificate]) -> list[DomainLine]:
    """A line for each domain."""
    own = space.app_host(app.name)
    return [
        DomainLine(name, name != own, pointing(name, own, space.kind), standing(space, name, certificates.get(name)))
        for name in space.domains(app)
    ]
