"""`hosts:roll`: which hosts are replaced by what, and what users notice, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deployer.cli.cloud import agree, described, region_of, tools_of
from deployer.cli.shell import Shell
from deployer.operations import cloud_roll
from deployer.operations.cloud_roll import Roll, Turn

HOW = """\
One after the other: a new host comes and serves, then the old one hands its dynos over and goes. No request is lost."""
ALONE = """\
A new host comes and serves, the space's address moves to it, then the old one hands its dynos over and goes.
That holds for new requests only: connections that are open when the address moves break."""
COSTS = "It takes some minutes for each. Meanwhile AWS bills one host more, and the account must be allowed to have it."
SPARE = "There is a host too many, as of a roll that was cut off: AWS takes one away, which hands its dynos over first."
SAME = "another like it"  # of the same image and size, by a newer template


def roll(shell: Shell, name: str, chosen: Sequence[str], *, yes: bool) -> None:
    """Show what is replaced, ask, and do it."""
    tools, region = tools_of(shell), region_of(shell, name, described(shell, name))
    found = cloud_roll.look(tools, name, region, chosen)
    for line in lines(found):
        shell.output.say(line)
    if found.is_nothing:
        return
    agree(shell, name, "Replace them?" if found.turns else "Do this?", yes=yes)
    cloud_roll.roll(tools, name, region, chosen, shell.tell)
    shell.output.say(f"All hosts of {name} are as they should be.")


def offer(shell: Shell, name: str, *, yes: bool) -> None:
    """After what hosts are made of has moved: replace those that run, or say how."""
    tools, region = tools_of(shell), region_of(shell, name, described(shell, name))
    found = cloud_roll.look(tools, name, region)
    if found.is_nothing:
        return
    shell.output.say()
    for line in lines(found):
        shell.output.say(line)
    if not yes and (shell.ask is None or shell.ask("Replace them now? (yes/no) ").lower() != "yes"):
        shell.output.say(f"They stay as they are: `deployer hosts:roll --space {name}` replaces them.")
        return
    cloud_roll.roll(tools, name, region, (), shell.tell)
    shell.output.say(f"All hosts of {name} are as they should be.")


def lines(found: Roll) -> list[str]:
    """The screen."""
    known = found.known
    head = f"=== {known.name} in AWS, {known.spec.region}, account {known.account}"
    return [head, *_gone(found), *_what(found)]


def _gone(found: Roll) -> Iterator[str]:
    for one in found.gone:
        yield f"{one} is gone already."


def _what(found: Roll) -> Iterator[str]:
    if found.is_nothing:
        yield f"Nothing to do: its hosts are what new ones would be, {found.wanted}. --host replaces one all the same."
        return
    for turn in found.turns:
        yield turn.host
        yield f"  {turn.made} -> {_after(turn, found)}"
    if found.turns:
        yield HOW if found.known.spec.load_balancer else ALONE
        yield COSTS
    else:
        yield SPARE


def _after(turn: Turn, found: Roll) -> str:
    is_same = (turn.made.image, turn.made.size) == (found.wanted.image, found.wanted.size)
    return SAME if is_same else str(found.wanted)
