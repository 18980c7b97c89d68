"""What is done about hosts that do not answer: `--leave-out`, DEPLOYER_LEAVE_OUT, or a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deployer.cli.shell import Shell
from deployer.model.events import Warn
from deployer.operations.session import Absence, Missing, OpenSpace, failure_of

QUESTION = """\
wait          until they answer
leave out     go on without: their dynos start on the other hosts, their routers tell the front to send them
              nothing, and they catch up when they answer again
abort         change nothing"""
ANSWERS = {"w": "wait", "l": "leave out", "a": "abort", "": "abort"}


def absence_of(shell: Shell) -> Absence:
    """As this command was told."""
    from_env = shell.env.get("DEPLOYER_LEAVE_OUT", "").replace(",", " ").split()
    return Absence((*shell.leave_out, *from_env), shell.wait, _asking(shell))


def say_who_is_missing(shell: Shell, space: OpenSpace) -> None:
    """On standard error, the hosts of which a listing shows nothing; of one of AWS also what that says of it."""
    for one in space.missing:
        if one.said:
            shell.output.warn(f"{one.host.id} does not answer ({one.said}): nothing of it stands here.")
    names = [one.host.id for one in space.missing if not one.said] + [host.id for host in space.hosts if host.out]
    if names:
        verb = "do not answer or are" if len(names) > 1 else "does not answer or is"
        shell.output.warn(f"{', '.join(names)} {verb} left out: nothing of it stands here.")


def _asking(shell: Shell) -> Callable[[Sequence[Missing]], str] | None:
    if shell.ask is None:
        return None
    ask = shell.ask

    def choose(missing: Sequence[Missing]) -> str:
        failure = failure_of(missing)
        shell.tell(Warn("\n\n".join([*failure.paragraphs()[:2], QUESTION])))
        while (answer := ANSWERS.get(ask("wait, leave out or abort? ").lower()[:1])) is None:
            continue
        return answer

    return choose
