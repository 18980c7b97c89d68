"""The machines of a space: who does not answer, who may come and go."""

from __future__ import annotations

from dataclasses import dataclass

from deployer.errors.base import Failure


@dataclass(eq=False)
class HostsDoNotAnswer(Failure):
    """Hosts that count do not answer, and nobody said what to do about it. `seen_of_each` is a line for each,
    `options` the words that leave them out, `names` them with commas."""

    hosts: str
    seen_of_each: str
    options: str
    names: str

    headline = "No answer from {hosts}. Nothing was changed."
    seen = "{seen_of_each}"
    advice = """
        Choose, and type the same command again:
          with `--wait SECONDS`          to give it that long to answer
          with `{options}`
                                         to go on without: its dynos start on the other hosts, its router tells the
                                         front to send it nothing, and it catches up when it answers again
        `git push` takes the same from the environment: DEPLOYER_LEAVE_OUT={names}. A sandbox's hosts boot with
        `deployer spaces:start`.
        """


@dataclass(eq=False)
class RollChanged(Failure):
    """While a command waited for its turn, hosts were left out, taken back, added or removed."""

    space: str

    headline = "The hosts of {space} have changed since this command looked at them. It changed nothing."
    advice = "Run the command again."


@dataclass(eq=False)
class FirstHostStays(Failure):
    """The host that is to be removed has what there is once in the space."""

    host: str
    space: str

    headline = "{host} is the first host of {space}: the ledger lies there, and the databases of its apps. It stays."
    advice = "Other hosts can be removed; `deployer hosts` lists them."
