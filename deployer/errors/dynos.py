"""What can go wrong with dynos on hosts. Raised by the agent as codes with these facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deployer.errors.base import Failure
from deployer.errors.host import words

SIGNALS = {134: "SIGABRT", 135: "SIGBUS", 136: "SIGFPE", 137: "SIGKILL", 139: "SIGSEGV", 143: "SIGTERM"}
KEPT = 20  # lines of the log in a message


class DynoFailure(Failure):
    """A dyno of a new release that did not come up. `lines` are the last ones that it printed."""

    host: str
    app: str
    dyno: str
    command: str
    lines: Sequence[str] = ()

    def facts(self) -> dict[str, Any]:
        """The fields, and `log`: the last lines as `logs` shows them."""
        shown = [f"app[{self.dyno}]: {line}" for line in self.lines[-KEPT:]]
        return {**super().facts(), "log": "\n".join(shown) or f"{self.dyno} printed nothing."}


@words("dyno-exited")
class DynoExited(DynoFailure):
    """`dyno-exited`: the process ended before it was healthy. `status` as a shell says it, `result` as systemd does."""

    status: int = 0
    result: str = ""

    headline = "{dyno} of {app} exited with status {how} on {host} before it was up: `{command}`"
    seen = "{log}"
    advice = "{why}"

    def facts(self) -> dict[str, Any]:
        """Also `how` it ended, and `why` that may be."""
        how = f"{self.status} ({SIGNALS[self.status]})" if self.status in SIGNALS else str(self.status)
        return {**super().facts(), "how": how, "why": self._why()}

    def _why(self) -> str:
        if self.result == "oom-kill" or self.status == 137:
            return f"It used more memory than its size has: `deployer ps:scale TYPE=1:Standard-2X -a {self.app}`."
        if self.status == 127:
            return "No such program in the slug. Is the package that has it among the app's requirements?"
        if self.status == 0:
            return "A process in the Procfile must keep running. Does it put itself into the background?"
        return f"Try the command with `deployer run -a {self.app} ...`, or look at the lines above for the cause."


@words("dyno-never-bound")
class DynoNeverBound(DynoFailure):
    """`dyno-never-bound`: nothing listened on `$PORT` within the boot timeout, in seconds."""

    port: int = 0
    seconds: float = 0.0

    headline = "{dyno} of {app} did not listen on $PORT within {seconds:g} seconds on {host}: `{command}`"
    seen = "{log}"
    advice = "A web process must listen on the port in the variable PORT, on all addresses (0.0.0.0)."


@words("dyno-bound-elsewhere")
class DynoBoundElsewhere(DynoFailure):
    """`dyno-bound-elsewhere`: the process listens, but not where routers look for it. `found` are ADDRESS:PORT."""

    port: int = 0
    seconds: float = 0.0
    found: Sequence[str] = ()

    headline = "{dyno} of {app} listens on {places}, not on 0.0.0.0:$PORT ({port}): `{command}`"
    seen = "{log}"
    advice = "{hint}"

    def facts(self) -> dict[str, Any]:
        """Also the `places` where it listens, and a `hint` at what to change."""
        return {**super().facts(), "places": " and ".join(self.found), "hint": self._hint()}

    def _hint(self) -> str:
        if any(place.endswith(f":{self.port}") for place in self.found):
            return "The port is right, but only this host itself reaches that address: listen on 0.0.0.0."
        return "Let the web process take its port from the variable PORT, as in `gunicorn --bind 0.0.0.0:$PORT ...`."


@words("dyno-unhealthy")
class DynoUnhealthy(DynoFailure):
    """`dyno-unhealthy`: it listens, but does not answer as an app in order does. `answer` is a status, or what came."""

    path: str = "/"
    answer: str = ""

    headline = "{dyno} of {app} is up but unhealthy on {host}: GET {path} gave {answer}."
    seen = "{log}"
    advice = "Any status below 500 is healthy. Another path can be named in app.json, under healthchecks."


class DynosNotUp(Failure):
    """Not every dyno runs the current release after all the time that was given, in seconds. `missing`: one a line."""

    app: str
    release: int
    seconds: float
    missing: str

    headline = "Not every dyno of ⬢ {app} runs v{release} after {seconds:g} seconds."
    seen = "{missing}"
    advice = "`deployer ps -a {app}` shows them, and `deployer logs -a {app}` why."


@words("no-memory")
class NoMemory(Failure):
    """`no-memory`: the new dynos do not fit beside what runs. All in MiB."""

    host: str
    needed: int
    available: int
    reserve: int

    headline = "Host {host} has too little memory for the new dynos beside those that serve."
    seen = "They need about {needed} MiB; {available} MiB are free, of which {reserve} MiB must stay."
    advice = "Scale down first, or take a larger host."


@words("no-ports")
class NoPorts(Failure):
    """`no-ports`: every port for dynos is in use."""

    host: str
    wanted: int
    free: int

    headline = "Host {host} has no ports left for {wanted} dynos: {free} of 3000 are free."
    advice = "Scale down, or add a host."


@words("missing-layers")
class MissingLayers(Failure):
    """`missing-layers`: the release's files are not on this host, or not any more."""

    host: str
    app: str
    layers: list[str]

    headline = "Host {host} does not have all files of this release of {app}."
    advice = "Deploy again: `deployer deploy -a {app}` sends what is missing."


@words("task-lost")
class TaskLost(Failure):
    """`task-lost`: a release command began, and nobody knows how it ended. It is never started a second time."""

    host: str
    app: str
    dyno: str

    headline = "The release command of {app} began on {host}, and the host went down before it ended."
    seen = "It is not started a second time for the same release: half of its work may be done."
    advice = "Look at what it did (`deployer releases:output -a {app}`), then deploy again: that is a new release."


@words("packages-missing")
class PackagesMissing(Failure):
    """`packages-missing`: apt-get could not install what a host needs. `lines` are its last ones."""

    host: str
    packages: list[str]
    lines: list[str]

    headline = "Host {host} lacks packages that could not be installed: {names}."
    seen = "{log}"
    advice = "Install them there by hand (`apt-get install {words}`), then run the command again."

    def facts(self) -> dict[str, Any]:
        """Also the packages as a list and as words, and the lines as text."""
        names = {"names": ", ".join(self.packages), "words": " ".join(self.packages)}
        return {**super().facts(), **names, "log": "\n".join(self.lines)}


@words("environment-too-large")
class EnvironmentTooLarge(Failure):
    """`environment-too-large`: the config vars together are more than systemd hands to a process. In bytes."""

    host: str
    size: int
    limit: int

    headline = "The config vars of this app are too large together: {size} bytes of at most {limit}."
    advice = "Put large values into files of the app or into an add-on, and `deployer config:unset` them."
