"""What the table says of one command."""

from __future__ import annotations

from dataclasses import dataclass

CHANGES_DYNOS = (
    "addons:create",
    "addons:destroy",
    "apps:destroy",
    "certs:redirect",
    "config:set",
    "config:unset",
    "deploy",
    "domains:add",
    "domains:clear",
    "domains:remove",
    "hosts:add",
    "hosts:promote",
    "hosts:remove",
    "maintenance:off",
    "maintenance:on",
    "ps:restart",
    "ps:scale",
    "ps:stop",
    "ps:type",
    "releases:retry",
    "releases:rollback",
    "up",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One command. `at` is `module:function` in deployer.cli; `daily` ones stand in `--help` itself."""

    name: str
    at: str
    help: str
    examples: tuple[str, ...]
    daily: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def changes_dynos(self) -> bool:
        """Whether it needs every host: it takes `--leave-out` and `--wait`."""
        return self.name in CHANGES_DYNOS

    @property
    def topic(self) -> str:
        """`ps` for `ps:scale`."""
        return self.name.partition(":")[0]
