"""A dyno's name, and the name of its systemd instance."""

from __future__ import annotations

from dataclasses import dataclass

from deployer.model.names import INSTANCE


@dataclass(frozen=True, slots=True, order=True)
class Dyno:
    """One process of a release: `web.1` of v12 of the app `shop`."""

    app: str
    process_type: str
    number: int
    release: int

    @property
    def name(self) -> str:
        """As Heroku spells it: `web.1`."""
        return f"{self.process_type}.{self.number}"

    @property
    def instance(self) -> str:
        """The unit's instance: `shop.web.1.v12`. No part can hold a dot, so nothing is ever found by a prefix."""
        return f"{self.app}.{self.process_type}.{self.number}.v{self.release}"


def parse_instance(text: str) -> Dyno:
    """The dyno of an instance name; ValueError where it is none."""
    found = INSTANCE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return Dyno(found[1], found[2], int(found[3]), int(found[4]))
