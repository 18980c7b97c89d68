"""Asking before something is destroyed, as Heroku does: by having its name typed."""

from __future__ import annotations

from deployer.cli.shell import Shell
from deployer.errors.apps import ConfirmationNeeded, NotConfirmed


def confirm(shell: Shell, name: str, flag: str | None, warning: str) -> None:
    """Pass where the flag or the answer is `name`. NotConfirmed otherwise; ConfirmationNeeded where nobody is there."""
    if flag is None:
        if shell.ask is None:
            shell.output.warn(warning)
            raise ConfirmationNeeded(name)
        shell.output.warn(f"{warning}\nTo proceed, type {name} or re-run this command with --confirm {name}")
        shell.output.say()
        flag = shell.ask("> ")
    if flag != name:
        raise NotConfirmed(name)
