"""HAProxy's runtime socket: questions, and the parsers of its answers; changes that need no reload.

Answers are the same in HAProxy 2.6 and 3.0 but for the wording of confirmations, which nothing here reads.
"""

from __future__ import annotations

import csv
import io
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deployer.model.routes import Routes, Server

TIMEOUT = 10.0  # seconds; an answer takes under a millisecond
NO_SERVER = ("127.0.0.1", 1)  # the address of an empty slot


class RouterIsDown(OSError):
    """Nobody answers on the socket."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One server slot as HAProxy has it now. `in_use` is false in maintenance, which is how empty slots are kept."""

    name: str
    address: str
    port: int
    in_use: bool
    up: bool


@dataclass(frozen=True, slots=True)
class Counters:
    """What one slot did since HAProxy's last reload. `errors` are requests that the dyno did not answer,
    `server_errors` its own answers of 500 and above, `sessions` requests in flight, `latency` the mean in ms of the
    last 1,024."""

    requests: int
    errors: int
    server_errors: int
    sessions: int
    latency: int


def ask(path: Path, command: str) -> str:
    """One command's answer; RouterIsDown where nobody listens."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(TIMEOUT)
            connection.connect(str(path))
            connection.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: connection.recv(1 << 16), b"")).decode(errors="replace")
    except (FileNotFoundError, ConnectionError, TimeoutError) as error:
        raise RouterIsDown(str(error)) from error


def structure_in_force(path: Path) -> str:
    """Which configuration the process runs, as `router_config.structure` names it; empty for somebody else's."""
    found = ask(path, "show env DEPLOYER_STRUCTURE").strip().partition("=")
    return found[2] if found[0] == "DEPLOYER_STRUCTURE" else ""


def slots(path: Path, backend: str) -> dict[str, Slot]:
    """The slots of a backend by name; none where there is no such backend."""
    return {slot.name: slot for slot in parse_slots(ask(path, f"show servers state {backend}"))}


def parse_slots(text: str) -> Iterator[Slot]:
    """The answer to `show servers state`: a version, `# ` and the columns' names, one line a server."""
    lines = text.strip().splitlines()
    if len(lines) < 2 or not lines[1].startswith("# "):
        return
    columns = lines[1][2:].split()
    for line in lines[2:]:
        row = dict(zip(columns, line.split(), strict=False))
        if row["srv_name"] != "hold":
            in_use, up = row["srv_admin_state"] == "0", row["srv_op_state"] == "2"
            yield Slot(row["srv_name"], row["srv_addr"], int(row["srv_port"]), in_use, up)


def counters(path: Path, backend: str) -> dict[str, Counters]:
    """Counters of each slot of a backend, of `hold`, and of the whole as `BACKEND`."""
    return {name: counted for proxy, name, counted in parse_counters(ask(path, "show stat")) if proxy == backend}


def in_flight(path: Path) -> int:
    """How many requests the router is at, of all apps."""
    found = parse_counters(ask(path, "show stat"))
    return sum(counted.sessions for proxy, name, counted in found if name == "BACKEND" and proxy.startswith("be_"))


def parse_counters(text: str) -> Iterator[tuple[str, str, Counters]]:
    """(proxy, slot, counters) of the answer to `show stat`, CSV whose first line is `# ` and the columns' names."""
    for row in csv.DictReader(io.StringIO(text.removeprefix("# "))):
        answers = sum(int(row.get(f"hrsp_{kind}") or 0) for kind in ("1xx", "2xx", "3xx", "4xx", "5xx"))
        errors = sum(int(row.get(kind) or 0) for kind in ("econ", "eresp"))
        yield (
            row["pxname"],
            row["svname"],
            Counters(answers, errors, int(row["hrsp_5xx"] or 0), int(row["scur"] or 0), int(row.get("ttime") or 0)),
        )


def read_map(path: Path, map_file: Path) -> dict[str, str]:
    """What a map holds in the running process."""
    return parse_map(ask(path, f"show map {map_file}"))


def parse_map(text: str) -> dict[str, str]:
    """The answer to `show map`: `0xREFERENCE KEY VALUE` a line."""
    rows = (line.split(" ", 2) for line in text.splitlines() if line.startswith("0x"))
    return {key: value for _, key, value in rows}


def crt_list(path: Path, listed: Path) -> list[str]:
    """The files of the certificates that a list has in the running process; none where it has no such list."""
    answer = ask(path, f"show ssl crt-list {listed}")
    return [line.split()[0] for line in answer.splitlines() if line.startswith("/")]


def fingerprint(path: Path, certificate: Path) -> str | None:
    """The SHA-1 of a certificate in the running process, by its file; None where it knows none, empty where it has
    only its name."""
    answer = ask(path, f"show ssl cert {certificate}")
    if "Filename:" not in answer:
        return None
    return next((line.split()[-1] for line in answer.splitlines() if line.startswith("SHA1 FingerPrint:")), "")


def map_changes(map_file: Path, now: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """The commands that make a map what it should be; a name that moves never fails to answer."""
    added = [f"add map {map_file} {key} {value}" for key, value in wanted.items() if key not in now]
    moved = [f"set map {map_file} {key} {value}" for key, value in wanted.items() if now.get(key, value) != value]
    return added + moved + [f"del map {map_file} {key}" for key in now if key not in wanted]


def slot_changes(backend: str, now: dict[str, Slot], routes: Routes) -> list[str]:
    """The commands that point a backend's slots at the routes' servers; what takes traffic comes first."""
    wanted = {server.slot: server for server in routes.servers}
    commands = [command for server in routes.servers for command in _point(backend, now[server.slot], server)]
    leaving = (slot.name for slot in now.values() if slot.in_use and slot.name not in wanted)
    return commands + [f"set server {backend}/{name} state maint" for name in leaving]


def _point(backend: str, slot: Slot, server: Server) -> list[str]:
    name = f"{backend}/{slot.name}"
    same = (slot.address, slot.port) == (server.address, server.port)
    commands = [] if same else [f"set server {name} addr {server.address} port {server.port}"]
    # The dyno behind it is healthy, or it would not stand in the routes: no wait for the next check.
    up = [] if same and slot.up else [f"set server {name} health up"]
    return commands + ([] if slot.in_use else [f"set server {name} state ready"]) + up
