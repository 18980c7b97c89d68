"""What is wrong with a space, told from facts alone: what hosts said, and what the ledger says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deployer.model.lease import TIME_TO_LIVE, Lease
from deployer.store.ledger import AppState

NARROW = 0.1  # of a disk, or of its inodes, that must be free
CLOCKS = 5.0  # seconds that two clocks may differ
CERTIFICATE_DAYS = 30
ONE_OFF = ("run", "release")
REPAIR = "deployer doctor --repair --space {space}"

Facts = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one thing. Well where `problem` is empty; then `note` may say more. `advice` is what to type, or to
    do on the host."""

    where: str
    check: str
    problem: str = ""
    advice: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """What one host said, and the laptop's clock when it did (seconds since 1970)."""

    host: str
    facts: Facts
    now: float


@dataclass(frozen=True, slots=True)
class Kept:
    """What the ledger says of one app. `now` is by the store's clock."""

    state: AppState
    lease: Lease
    now: float

    @property
    def is_changing(self) -> bool:
        """Whether a command is at work on it."""
        return self.lease.is_held(self.now)


def of_host(examined: Examined, space: str) -> list[Finding]:
    """What is well and what is not with a host, apps apart."""
    host, facts, repair = examined.host, examined.facts, REPAIR.format(space=space)
    checks = {
        "disk": _narrow(facts, "total", "free", "of {path} is full"),
        "inodes": _narrow(facts, "inodes", "left", "of the inodes of {path} are taken"),
        "memory": _killed(facts["killed"]),
        "units": [(f"{unit} has failed", f"systemctl status {unit}   (on {host})") for unit in facts["failed"]],
        "clock": _clock(facts["time"] - examined.now, host),
        "reboot": _reboot(facts["reboot"], host, space),
        "certificates": _certificates(facts, host),
        "files": _files(facts["blobs"]["bad"], host),
        "firewall": _firewall(facts, repair),
        "router": [] if facts["router"] == "active" else [(f"HAProxy is {facts['router']}", repair)],
    }
    blobs = facts["blobs"]
    notes = {"files": f"{blobs['checked']} of {blobs['total']} hashed again"}
    return [found for check, wrong in checks.items() for found in _findings(host, check, wrong, notes.get(check, ""))]


def of_app(kept: Kept, examined: Sequence[Examined], space: str) -> list[Finding]:
    """Whether what runs of an app, and where routers send its requests, is what the ledger says."""
    app, lease = kept.state.app.name, kept.lease
    if kept.is_changing:
        told = f"{lease.user} on {lease.host} is changing it: `{lease.command}`"
        return [Finding(app, "lease", note=f"{told}, renewed {_seconds(kept)} s ago")]
    operation, repair = kept.state.operation, REPAIR.format(space=space)
    cut_off = []
    if operation is not None:
        what = f"a {operation.kind} of v{operation.release} was cut off in its phase {operation.phase}"
        by = f" (by {lease.user} on {lease.host}, {_seconds(kept)} s ago)" if lease.holder else ""
        cut_off = [(what + by, repair)]
    checks = {
        "lease": cut_off,
        "dynos": [(wrong, repair) for wrong in _dynos(kept.state, examined)],
        "routes": [(wrong, repair) for wrong in _routes(kept.state, examined)],
    }
    return [found for check, wrong in checks.items() for found in _findings(app, check, wrong)]


def foreign(known: Sequence[str], examined: Sequence[Examined], space: str) -> list[Finding]:
    """Apps that hosts have dynos of and the ledger does not know."""
    rows = [(one.host, row["app"]) for one in examined for row in one.facts["dynos"] if row["app"] not in known]
    counts = Counter(rows)
    return [
        Finding(
            host,
            "dynos",
            f"{_count(number, 'dyno')} of {app}, which the ledger does not know",
            REPAIR.format(space=space),
        )
        for (host, app), number in sorted(counts.items())
    ]


def _findings(where: str, check: str, wrong: Sequence[tuple[str, str]], note: str = "") -> list[Finding]:
    return [Finding(where, check, problem, advice) for problem, advice in wrong] or [Finding(where, check, note=note)]


def _narrow(facts: Facts, whole: str, left: str, text: str) -> list[tuple[str, str]]:
    narrow = [disk for disk in facts["disks"] if disk[whole] and disk[left] < NARROW * disk[whole]]
    return [(f"{_percent(disk, whole, left)} {text.format(**disk)}", _room(disk["path"])) for disk in narrow]


def _percent(disk: Row, whole: str, left: str) -> str:
    return f"{100 - 100 * disk[left] / disk[whole]:.0f}%"


def _room(path: str) -> str:
    if path.endswith("/scratch"):
        return "deployer ps:restart -a APP   (what a dyno wrote goes with it)"
    return f"du -xh --max-depth=3 {path} | sort -h | tail   (on the host), or take a larger disk"


def _killed(killed: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    counts = Counter((app, name) for app, name in killed)
    return [
        (f"{_named(app, name)} ran out of memory {_count(number, 'time')} in the last day", _larger(app, name))
        for (app, name), number in sorted(counts.items())
    ]


def _named(app: str, name: str) -> str:
    return f"{name} of {app}" if app else name


def _larger(app: str, name: str) -> str:
    kind = name.partition(".")[0]
    if not app or kind in ONE_OFF:
        return "take a larger size, or a larger host"
    return f"deployer ps:scale {kind}+0:Standard-2X -a {app}"


def _clock(ahead: float, host: str) -> list[tuple[str, str]]:
    if abs(ahead) <= CLOCKS:
        return []
    side = "ahead of" if ahead > 0 else "behind"
    return [
        (f"its clock is {abs(ahead):.0f} s {side} this machine's", f"timedatectl set-ntp true   (on {host}, or here)")
    ]


def _reboot(waiting: str, host: str, space: str) -> list[tuple[str, str]]:
    return [(f"{waiting} waits for a reboot", f"deployer hosts:reboot {host} --space {space}")] if waiting else []


def _certificates(facts: Facts, host: str) -> list[tuple[str, str]]:
    days = {path: (end - facts["time"]) / 86400 for path, end in facts["certificates"].items()}
    return [
        (
            f"{path} ends in {left:.0f} days" if left > 0 else f"{path} has ended",
            f"rm {path}   (on {host}); the next `deployer addons:create` makes it anew",
        )
        for path, left in days.items()
        if left < CERTIFICATE_DAYS
    ]


def _files(bad: Sequence[Sequence[str]], host: str) -> list[tuple[str, str]]:
    advice = f"they changed by hand or by a failing disk: look at {host}'s disk, and make the host anew"
    counts = Counter(app for app, _ in bad)
    return [(f"{_count(number, 'file')} of {app} are not what was shipped", advice) for app, number in counts.items()]


def _firewall(facts: Facts, repair: str) -> list[tuple[str, str]]:
    if not facts["firewall"]:
        return [("the rules that keep dynos apart are not loaded", repair)]
    ports = ", ".join(map(str, facts["closed"]))
    return [(f"its rules do not give dynos their ports {ports}", repair)] if ports else []


def _dynos(state: AppState, examined: Sequence[Examined]) -> Iterator[str]:
    app, current = state.app.name, state.current
    rows = [
        (one.host, row)
        for one in examined
        for row in one.facts["dynos"]
        if row["app"] == app and row["type"] not in ONE_OFF
    ]
    wanted = {
        f"{kind}.{n}" for kind, q in state.app.formation.items() if kind != "release" for n in range(1, q.quantity + 1)
    }
    if current is None or state.slug is None:
        wanted = set()
    right: set[str] = set()
    for host, row in rows:
        name = f"{row['type']}.{row['number']}"
        if name not in wanted or name in right:
            yield f"{name} of v{row['release']} is on {host}, and should not be"
        elif current is not None and row["release"] != current.release:
            yield f"{name} on {host} is of v{row['release']}, and v{current.release} is in force"
        else:
            right.add(name)
            if row["state"] not in ("up", "starting"):
                yield f"{name} is {row['state']} on {host}"
    found = {f"{row['type']}.{row['number']}" for _, row in rows}
    for name in sorted(wanted - found):
        yield f"{name} runs nowhere"


def _routes(state: AppState, examined: Sequence[Examined]) -> Iterator[str]:
    if state.current is None or state.slug is None:
        return
    for one in examined:
        generation = one.facts["routes"].get(state.app.name)
        if generation is None:
            yield f"the router of {one.host} does not know it"
        elif generation < state.current.generation:
            yield f"the router of {one.host} is behind ({generation}, and {state.current.generation} is in force)"


def _seconds(kept: Kept) -> int:
    return max(0, round(kept.now - (kept.lease.expires - TIME_TO_LIVE)))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
