"""The ways in which a command is cut off, one value each: what tests/hosts/test_faults.py and test_faults_changes.py
try and docs/reliability.md lists."""

from __future__ import annotations

from dataclasses import dataclass

COMMITS = (
    *("before:switch", "during:switch", "after:put-current", "before:put-app"),
    *("before:retire", "during:retire", "after:retire", "before:prune"),
)
"""Points at or after the commit: what was begun is finished."""

NEW = "hosts-h3"
"""The host that comes and goes."""

POINTS = {
    "before:receive": "built, nothing shipped yet",
    "during:receive": "shipping",
    "during:task": "in the release command",
    "before:boot": "before the first new dyno starts",
    "during:boot": "as new dynos start",
    "after:boot": "new dynos are healthy on one host",
    "during:replace": "between the old worker and the new one",
    "after:stage": "routes are staged",
    "before:put-current": "on the point of committing",
    "after:put-current": "right behind the commit",
    "before:switch": "committed, no router switched",
    "during:switch": "as routers switch",
    "during:retire": "as old dynos go",
    "after:switch": "one router of two has switched",
    "before:retire": "all routers switched, old dynos there",
    "after:retire": "old dynos gone on one host",
    "before:prune": "released, old layers there",
    "during:restart": "as dynos restart",
    f"before:put-{NEW}": "its machine is there, the ledger does not know it",
    f"before:prepare:{NEW}": "in the ledger, not prepared",
    f"during:prepare:{NEW}": "as it is prepared",
    f"before:switch:{NEW}": "it has the layers, not the routes",
    f"after:roll:{NEW}": "it has just been told whether it counts",
    f"before:retire:{NEW}": "its dynos serve elsewhere",
    f"before:delete-{NEW}": "nothing of apps is on it any more",
    f"after:delete-{NEW}": "the ledger has forgotten it, its machine is there",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A command that gets a signal at a point; `CUT`: all its connections end, `AGENT`: an agent is killed. `then`
    is the next command that somebody types."""

    command: str
    signal: str
    point: str
    then: str = ""

    @property
    def is_committed(self) -> bool:
        """Whether the point lies behind the commit."""
        return self.point in COMMITS or self.point == "after:switch"

    @property
    def is_quick(self) -> bool:
        """Whether `make test` tries it too: one of each kind."""
        return (self.command, self.signal, self.point) in QUICK

    @property
    def id(self) -> str:
        """The name of its test."""
        return f"{self.command}-{self.signal}-{self.point.replace(':', '-')}"


QUICK = (
    ("deploy", "SIGKILL", "after:put-current"),
    ("deploy", "SIGINT", "during:replace"),
    ("deploy", "SIGINT", "after:stage"),
    ("deploy", "SIGHUP", "before:switch"),
    ("deploy", "AGENT", "during:replace"),
    ("rollback", "SIGTERM", "during:boot"),
    ("config:set", "CUT", "after:put-current"),
    ("ps:scale", "CUT", "during:boot"),
    ("ps:scale", "SIGKILL", "before:retire"),
    ("ps:restart", "SIGINT", "during:restart"),
    ("hosts:add", "SIGKILL", f"after:roll:{NEW}"),
    ("hosts:remove", "SIGTERM", "during:boot"),
)
THEN = ("config:set", "deploy", "ps:scale", "rollback", "ps:restart")


def _killed(command: str, *points: str) -> list[Case]:
    """By SIGKILL: the command can do nothing more, and the next one of any kind cleans up."""
    return [Case(command, "SIGKILL", point, THEN[at % len(THEN)]) for at, point in enumerate(points)]


def _cut(command: str, *points: str) -> list[Case]:
    """By the network: the command lives and can reach nobody, the next one cleans up."""
    return [Case(command, "CUT", point, THEN[at % len(THEN)]) for at, point in enumerate(points)]


def _without_agent(command: str, *points: str) -> list[Case]:
    """By the death of the agent on one host: the command undoes, or the next one finishes."""
    return [Case(command, "AGENT", point, THEN[at % len(THEN)]) for at, point in enumerate(points)]


def _asked(command: str, name: str, *points: str) -> list[Case]:
    """By a signal that can be heard: the command itself undoes, or finishes."""
    return [Case(command, name, point) for point in points]


CASES = (
    *_killed("deploy", "before:receive", "during:receive", "during:task", "before:boot", "during:boot", "after:boot"),
    *_killed("deploy", "after:stage", "during:replace", "after:put-current", "before:switch", "after:switch"),
    *_killed("deploy", "before:prune", "before:retire", "after:retire"),
    Case("deploy", "SIGINT", "during:task", "config:set"),
    *_asked("deploy", "SIGINT", "during:receive", "during:boot", "during:replace", "after:stage"),
    *_asked("deploy", "SIGINT", "before:switch", "before:retire"),
    *_asked("deploy", "SIGTERM", "during:boot", "before:switch"),
    *_asked("deploy", "SIGHUP", "during:boot", "before:switch"),
    *_killed("config:set", "during:boot", "after:put-current"),
    *_asked("config:set", "SIGINT", "during:boot"),
    *_killed("rollback", "during:boot", "before:switch"),
    *_asked("rollback", "SIGTERM", "during:boot"),
    *_killed("ps:scale", "during:boot", "after:put-current", "before:retire"),
    *_asked("ps:scale", "SIGINT", "during:boot", "before:switch"),
    *_killed("ps:restart", "during:restart"),
    *_cut("deploy", "during:receive", "during:task", "during:boot", "after:stage", "after:put-current"),
    *_cut("deploy", "before:switch", "before:retire"),
    *_cut("config:set", "during:boot", "after:put-current"),
    *_cut("ps:scale", "during:boot", "before:switch"),
    *_cut("rollback", "during:boot", "before:switch"),
    Case("deploy", "AGENT", "during:receive", "deploy"),
    *_without_agent("deploy", "during:task", "during:boot", "during:replace"),
    *_without_agent("deploy", "during:switch", "during:retire"),
    *_without_agent("ps:scale", "during:boot", "during:switch"),
    *_asked("ps:restart", "SIGINT", "during:restart"),
)


@dataclass(frozen=True, slots=True)
class HostCase(Case):
    """A host that comes or goes. What is begun is undone until the ledger has the host, or no longer has it."""

    @property
    def is_committed(self) -> bool:
        """Whether the next command finishes it."""
        if self.command == "hosts:add":
            return self.signal in ("SIGKILL", "CUT") and self.point != f"before:put-{NEW}"
        return self.then == "hosts:remove" or self.point == f"after:delete-{NEW}"

    @property
    def id(self) -> str:
        """The name of its test."""
        return "-".join(filter(None, (self.command, self.signal, self.point.replace(":", "-"), self.then)))


HOST_CASES = (
    HostCase("hosts:add", "SIGKILL", f"before:put-{NEW}", "hosts:add"),
    HostCase("hosts:remove", "SIGKILL", f"after:roll:{NEW}", "config:set"),
    HostCase("hosts:remove", "SIGTERM", "during:boot"),
    HostCase("hosts:remove", "SIGKILL", f"after:delete-{NEW}", "hosts:remove"),
    HostCase("hosts:add", "SIGKILL", f"before:prepare:{NEW}", "deploy"),
    HostCase("hosts:remove", "CUT", f"before:retire:{NEW}", "ps:scale"),
    HostCase("hosts:remove", "SIGKILL", f"before:delete-{NEW}", "hosts:remove"),
    HostCase("hosts:add", "SIGINT", f"during:prepare:{NEW}"),
    HostCase("hosts:add", "CUT", f"before:switch:{NEW}", "config:set"),
    HostCase("hosts:remove", "SIGKILL", f"after:delete-{NEW}", "hosts:add"),
    HostCase("hosts:add", "SIGKILL", f"after:roll:{NEW}", "config:set"),
)
