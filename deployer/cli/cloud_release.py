"""The release that `up` of a space in AWS ends with: shown with the preview of the cloud, built beside its making."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from deployer.cli.shell import Shell
from deployer.errors.base import Failure
from deployer.operations.outlook import Folder, Outlook, foresee

if TYPE_CHECKING:
    from deployer.operations.ahead import Ahead
    from deployer.operations.cloud_proposal import Proposal
    from deployer.operations.up import Declared
    from deployer.spaces.aws.account import Account
    from deployer.store.ledger import AppState


class Coming:
    """What the folder declares, until it is released."""

    def __init__(self, shell: Shell, space: str, declared: Declared) -> None:
        self._shell, self._space = shell, space
        self.declared = declared
        self._state: AppState | None = None
        self._ahead: Ahead | None = None

    def foresee(self, account: Account, found: Proposal) -> list[str]:
        """The lines of its preview; ValuesMissing where app.json wants values that nobody gave."""
        from deployer.operations.cloud_ledger import ledger_of
        from deployer.operations.preview import read
        from deployer.operations.up import values

        services: frozenset[str] = frozenset()
        if found.known and (ledger := ledger_of(account, found.known)):
            self._state = ledger.state(self.declared.name)
            services = frozenset(one.service for one in ledger.addons(self.declared.name))
        folder = Folder(self.declared.name, self.declared.described, read(self._shell.folder), self.declared.given)
        outlook = foresee(folder, self._state, services)
        # What is made up is so once: the build beside the cloud and the release have the same.
        config = values(self.declared, dict(self._state.config) if self._state else {})
        self.declared = replace(self.declared, given={**self.declared.given, **config})
        return lines(outlook, self._space)

    def begin(self, found: Proposal) -> None:
        """Begin to build, where this machine can: the cloud takes minutes, and the build is none of its business."""
        from deployer.build import elsewhere
        from deployer.model.platforms import DEFAULT_SYSTEM, Platform
        from deployer.operations.ahead import Ahead
        from deployer.operations.up import values
        from infra.sizes import HOSTS

        platform = Platform(DEFAULT_SYSTEM, HOSTS[found.after.hosts.size].architecture)
        if self.declared.order.on_host or elsewhere.why_not_here(platform):
            return
        present = dict(self._state.config) if self._state else {}
        buildpacks = self._state.app.buildpacks if self._state else self.declared.described.buildpacks
        order = elsewhere.Order(
            self.declared.order.source,
            f"{self._space}/{self.declared.name}",
            platform,
            buildpacks,
            {**present, **values(self.declared, present)},
        )
        self._ahead = Ahead(order, self.declared.name, self._shell.tell)

    def wait(self) -> None:
        """Until it is built; a failure of the build says how to go on."""
        if self._ahead is None:
            return
        try:
            self._ahead.wait()
        except Failure as failure:
            failure.add_note(f"{self._space} is there. `deployer up --space {self._space}` builds and releases again.")
            raise

    def end(self) -> None:
        """Nobody waits for it any more."""
        if self._ahead:
            self._ahead.end()


@contextmanager
def coming(shell: Shell, space: str, declared: Declared | None) -> Iterator[Coming | None]:
    """For the time in which the cloud is made: whatever ends that ends the build, too."""
    if declared is None:
        yield None
        return
    release = Coming(shell, space, declared)
    try:
        yield release
    finally:
        with suppress(KeyboardInterrupt):  # a second one changes nothing: it is being ended
            release.end()


def lines(found: Outlook, space: str) -> list[str]:
    """What would be made of the app, as the preview of the cloud says it."""
    processes = " ".join(f"{name}={one.quantity}:{one.size}" for name, one in found.formation.items())
    config = [
        *found.given,
        *(f"{key} (made up)" for key in found.secrets),
        *(f"{key} (asked for: --set {key}=VALUE)" for key in found.asked),
    ]
    release = f"~ a release after v{found.serving}, if anything has changed" if found.serving else "+ its first release"
    return [
        f"=== {found.name} in {space}",
        *([f"+ the app {found.name}"] if found.is_new else []),
        *([f"+ config vars: {', '.join(config)}"] if config else []),
        *(f"+ the add-on {one}" for one in found.addons),
        f"{release}: {processes or 'no process'}{' (the folder has no Procfile)' if found.guessed else ''}",
        *([f"+ once after it: {found.postdeploy}"] if found.postdeploy else []),
    ]
