"""The words that an operation has with the hosts of a space about one app: one function a phase.

Every function here talks to all hosts at the same time and waits for all of them; each changing call carries the
lease's token, so that a host refuses a command whose lease somebody else has taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from deployer.errors.formation import NotEnoughMemory
from deployer.model.app import App
from deployer.model.codec import encode
from deployer.model.dyno import Dyno, parse_instance
from deployer.model.events import Detail, Output, Tell
from deployer.model.felt import Stayed
from deployer.model.formation import SIZES, Formation
from deployer.model.latency import Took, Window, decoded
from deployer.model.placement import NoRoom, Seat, place, room
from deployer.model.process import Process
from deployer.model.routes import Routes, Server
from deployer.operations.felt import Counts, counts
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.remote.fan_out import fan_out

ONE_OFF = ("run", "release")  # dynos that no formation asks for
DRAIN = 30.0  # seconds that requests in flight get before their dyno is stopped: Heroku's grace


@dataclass(frozen=True, slots=True)
class Placed:
    """A dyno on its host. `port` is None where it takes no requests, or has not booted yet."""

    dyno: Dyno
    session: Session
    size: str
    port: int | None = None
    state: str = "starting"


@dataclass(frozen=True, slots=True)
class Fence:
    """What makes a call refusable: the app, the lease's token, the space's epoch."""

    app: str
    token: int
    epoch: int

    def request(self, **facts: Any) -> dict[str, Any]:
        """A request with these facts."""
        return {"app": self.app, "token": self.token, "epoch": self.epoch, **facts}


@dataclass(frozen=True, slots=True)
class Switched:
    """What routers had `counted` when they switched, by host, and where they go on counting from: those that were
    reloaded for it begin anew."""

    counted: Counts
    base: Counts


@dataclass(frozen=True, slots=True)
class Fallen:
    """A new dyno that ended on its host, and `how`: `web.1 exited with status 1`."""

    dyno: str
    host: str
    how: str
    lines: list[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a host tells of new dynos: what its router has `answered` until now, the first dyno that ended, and how long
    requests `took`, where that was asked for and can be said."""

    host: str
    answered: dict[str, int] | None
    fallen: Fallen | None = None
    lines: list[str] = field(default_factory=list)
    took: Took | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What hosts say before a change: the app's dynos, in whatever state, and what each seat has left for them."""

    present: tuple[Placed, ...]
    seats: tuple[Seat, ...]


def survey(space: OpenSpace, app: str) -> Survey:
    """Ask every host once."""
    answers = fan_out(space.sessions, lambda session: _look(session, app))
    return Survey(tuple(placed for own, _ in answers for placed in own), tuple(seat for _, seat in answers))


def found_on(session: Session, app: str) -> list[Placed]:
    """The app's dynos on one host, which may be one that does not count."""
    return _look(session, app)[0]


def _look(session: Session, app: str) -> tuple[list[Placed], Seat]:
    answer = session.call("ps")
    own = [dyno for dyno in answer["dynos"] if dyno["app"] == app and dyno["type"] not in ONE_OFF]
    others = sum(SIZES[dyno["size"].lower()].memory for dyno in answer["dynos"] if dyno["app"] != app)
    free = room(answer["memory"]) - others
    return [_found(dyno, session) for dyno in own], Seat(session.host.seat, free)


def _found(dyno: dict[str, Any], session: Session) -> Placed:
    return Placed(parse_instance(dyno["instance"]), session, dyno["size"], dyno["port"], dyno["state"])


def place_dynos(
    space: OpenSpace, app: str, release: int, formation: Formation, survey: Survey, *, anew: tuple[str, ...] = ()
) -> list[Placed]:
    """The formation's dynos of a release, each on the host of its seat; one that runs already keeps its seat, but those
    of the types `anew`, which start beside the old ones wherever it may be. NotEnoughMemory where a host has no room
    for what falls to it."""
    # Where one stands twice, as after a change that was cut off, the one that serves counts.
    found = sorted(survey.present, key=lambda one: (one.dyno.release == release, one.state == "up"))
    present = {one.dyno.name: one.session.host.seat for one in found if one.dyno.process_type not in anew}
    by_seat = {session.host.seat: session for session in space.sessions}
    try:
        placements = place(app, formation, survey.seats, present)
    except NoRoom as none:
        raise NotEnoughMemory(none.dyno, none.memory, none.room) from none
    return [Placed(Dyno(app, p.process_type, p.number, release), by_seat[p.seat], p.size) for p in placements]


@dataclass(frozen=True, slots=True)
class Difference:
    """What runs against what should: what can stay, what is to start, and what is nowhere wanted. A dyno that is
    wanted on another host is both of the latter. `resized` are those of the kept ones that have to begin anew with the
    size that stands there."""

    kept: tuple[Placed, ...]
    missing: tuple[Placed, ...]
    extra: tuple[Placed, ...]
    resized: tuple[Placed, ...] = ()


def compare(present: Sequence[Placed], wanted: Sequence[Placed], *, crashed_anew: bool = False) -> Difference:
    """Tell them apart by dyno and host. With `crashed_anew` one that is wanted where it is and does not run starts
    again."""
    places = {_place(one) for one in wanted}
    stays = ("up", "starting") if crashed_anew else ("up", "starting", "crashed", "down")
    kept = tuple(one for one in present if _place(one) in places and one.state in stays)
    staying = {_place(one) for one in kept}
    missing = tuple(one for one in wanted if _place(one) not in staying)
    extra = tuple(one for one in present if _place(one) not in places)
    sizes = {_place(one): one.size for one in kept}
    resized = tuple(one for one in wanted if sizes.get(_place(one), one.size).lower() != one.size.lower())
    return Difference(kept, missing, extra, resized)


def _place(placed: Placed) -> tuple[Dyno, str]:
    return placed.dyno, placed.session.host.id


def boot(fence: Fence, process: Process, dynos: Sequence[Placed], health: dict[str, Any], tell: Tell) -> list[Placed]:
    """Start dynos with a port beside the old ones; return them, healthy, with their ports. What a host started is gone
    again when its call fails; what the others started is the caller's to retire."""
    return _start("boot", fence, process, dynos, tell, health=health)


def replace(fence: Fence, process: Process, dynos: Sequence[Placed], old: Sequence[Placed], tell: Tell) -> list[Placed]:
    """Stop the old dynos without a port, then start the new ones; the old start again where one does not survive."""
    return _start("replace", fence, process, dynos, tell, old=old)


def _start(
    call: str,
    fence: Fence,
    process: Process,
    dynos: Sequence[Placed],
    tell: Tell,
    *,
    health: dict[str, Any] | None = None,
    old: Sequence[Placed] = (),
) -> list[Placed]:
    def start(session: Session) -> list[Placed]:
        mine = [placed for placed in dynos if placed.session is session]
        facts = process.request(((placed.dyno, placed.size) for placed in mine), port=call == "boot")
        if health is not None:
            facts["health"] = health
        else:
            facts["old"] = [placed.dyno.instance for placed in old if placed.session is session]
        result = session.call(call, fence.request(**facts), _narrate(tell))["dynos"]
        return [_booted(placed, result[placed.dyno.name], tell) for placed in mine]

    sessions = _sessions(dynos, old)
    return [placed for answers in fan_out(sessions, start) for placed in answers]


def _booted(placed: Placed, answer: dict[str, Any], tell: Tell) -> Placed:
    tell(Detail(f"{placed.dyno.name} is up after {answer['seconds']:.1f} s"))
    return Placed(placed.dyno, placed.session, placed.size, answer.get("port"), "up")


def _narrate(tell: Tell) -> Callable[[dict[str, Any], bytes], None]:
    def hear(message: dict[str, Any], data: bytes) -> None:
        if message.get("event") == "output":
            tell(Output(message["line"]))

    return hear


def task(fence: Fence, process: Process, session: Session, size: str, tell: Tell) -> int:
    """Run the release command to its end on one host, once per release; return its exit status."""
    facts = {
        "uid": process.uid,
        "release": process.release,
        "type": "release",
        "number": 1,
        "layers": list(process.layers),
        "command": process.commands["release"],
        "env": process.env,
        "size": size,
    }
    status: int = session.call("task", fence.request(**facts), _narrate(tell))["status"]
    return status


def settle(space: OpenSpace, fence: Fence) -> None:
    """Wait for a release command that a dead command left running."""
    space.first.call("task_settle", fence.request())


def routes_to(dynos: Iterable[Placed], app: App, generation: int, domains: tuple[str, ...]) -> Routes:
    """The app's routes to these dynos. Without any the intent is `none`, so that the router says H14."""
    servers = tuple(
        Server(p.dyno.name, p.session.host.private_address, p.port, p.dyno.instance)
        for p in sorted(dynos, key=lambda placed: placed.dyno)
        if p.port is not None
    )
    intent = "maint" if app.maintenance else "running" if servers else "none"
    return Routes(app.name, generation, domains, intent, servers, redirect=app.redirect)


def stage(space: OpenSpace, fence: Fence, routes: Routes) -> None:
    """Have every router validate the routes before anything is committed; those of hosts, too, that have come meanwhile
    in the place of one that is gone."""
    if space.ended:
        space.newcomers()

    def validate(session: Session) -> None:
        session.call("stage", fence.request(routes=encode(_seen_by(space, session, routes))))

    fan_out(space.sessions, validate)


def _seen_by(space: OpenSpace, session: Session, routes: Routes) -> Routes:
    """The routes as one host's router gets them: all of them, or those to its own dynos."""
    return routes.local_to(session.host.private_address) if space.space.local_only else routes


def switch(space: OpenSpace, fence: Fence, routes: Routes, dynos: Sequence[Placed]) -> Switched:
    """Put the routes in force on every router; only `dynos` start at their hosts' boot from now on."""

    def turn(session: Session) -> tuple[str, dict[str, Any]]:
        links = [placed.dyno.instance for placed in dynos if placed.session is session]
        request = fence.request(routes=encode(_seen_by(space, session, routes)), links=links)
        return session.host.id, session.call("switch", request)

    turned = fan_out(space.sessions, turn)
    counted = counts((host, answer.get("answered")) for host, answer in turned)
    anew = {host for host, answer in turned if answer["reloaded"]}
    return Switched(counted, {host: found for host, found in counted.items() if host not in anew})


def watch(
    space: OpenSpace,
    app: str,
    dynos: Sequence[Placed],
    seconds: float,
    lines: int = 0,
    latency: Window | None = None,
) -> list[Seen]:
    """Look at new dynos for so long; a host tells at once of one that ends. `lines` of their logs come along, and how
    long the app's requests took in a window."""

    def see(session: Session) -> Seen:
        mine = [placed.dyno.instance for placed in dynos if placed.session is session]
        request = {"app": app, "instances": mine, "seconds": seconds, "lines": lines}
        answer = session.call("watch", {**request, "latency": asdict(latency)} if latency else request)
        host, printed = session.host.id, [line for found in answer.get("lines", {}).values() for line in found]
        return Seen(host, answer["answered"], _fallen(host, answer.get("fallen")), printed, decoded(answer.get("took")))

    return fan_out(space.sessions, see)


def _fallen(host: str, told: dict[str, Any] | None) -> Fallen | None:
    if told is None:
        return None
    how = "crashed" if told["status"] is None else f"exited with status {told['status']}"
    if told["result"] == "oom-kill":
        how = "used more memory than its size has"
    return Fallen(told["dyno"], host, f"{told['dyno']} {how}", told["lines"])


def retire(fence: Fence, dynos: Sequence[Placed], *, drain: float = DRAIN) -> Stayed:
    """Let the dynos finish their requests, for at most `drain` seconds, stop them and remove what they had."""

    def end(session: Session) -> dict[str, int]:
        mine = [placed.dyno.instance for placed in dynos if placed.session is session]
        return session.call("retire", fence.request(instances=mine, drain=drain))

    answers = fan_out(_sessions(dynos), end)
    stayed, cut = (sum(answer[what] for answer in answers) for what in ("open", "cut"))
    return Stayed(stayed, cut, drain)


def restart(fence: Fence, dynos: Sequence[Placed]) -> None:
    """Stop and start dynos in place, with the sizes that they have here; requests wait at the router meanwhile."""

    def again(session: Session) -> None:
        sizes = {placed.dyno.instance: placed.size for placed in dynos if placed.session is session}
        session.call("restart", fence.request(instances=list(sizes), sizes=sizes))

    fan_out(_sessions(dynos), again)


def prune(space: OpenSpace, fence: Fence, keep: Iterable[str]) -> None:
    """Remove the layers that no kept release has."""
    layers = sorted(set(keep))
    fan_out(space.sessions, lambda session: session.call("prune", fence.request(keep=layers)))


def _sessions(*groups: Sequence[Placed]) -> list[Session]:
    return list({id(placed.session): placed.session for group in groups for placed in group}.values())
