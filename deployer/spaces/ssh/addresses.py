"""Private addresses between the hosts of a space: tried out, not believed. Two networks may use the same numbers."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from deployer.model.space import Host
from deployer.remote.agent import Session
from deployer.remote.connection import Pipe
from deployer.remote.fan_out import fan_out

PYTHON = ["/usr/bin/python3", "-I", "-c"]
# Says its nonce to whoever connects, on a port where dynos will listen, until its input ends.
SERVE = """\
import select, socket, sys
for port in range(9990, 10000):
    try:
        server = socket.create_server(("", port))
        break
    except OSError:
        continue
print(port, flush=True)
while True:
    ready, _, _ = select.select([server, sys.stdin], [], [], 120)
    if server not in ready:
        break
    peer, _ = server.accept()
    peer.sendall(sys.argv[1].encode())
    peer.close()
"""
TRY = """\
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def hears(place):
    address, port, nonce = place
    try:
        with socket.create_connection((address, port), 3) as stream:
            stream.settimeout(3)
            return stream.makefile("rb").read(64).decode() == nonce
    except OSError:
        return False
places = json.loads(sys.argv[1])
with ThreadPoolExecutor(32) as threads:
    print(json.dumps(list(threads.map(hears, places))))
"""
Places = list[tuple[str, str]]  # hosts' ids, each with one of its addresses


def choose(sessions: Sequence[Session], candidates: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """For each host the first of its `candidates` at which all others reach it; empty where one host has none."""
    if len(sessions) == 1:
        return {host: addresses[0] for host, addresses in candidates.items() if addresses}
    heard = _heard(sessions, sessions, _places(candidates))
    chosen: dict[str, str] = {}
    for host, addresses in candidates.items():
        others = [session.host.id for session in sessions if session.host.id != host]
        fit = [a for a in addresses if all((host, a) in heard[other] for other in others)]
        if not fit:
            return {}
        chosen[host] = fit[0]
    return chosen


def choose_for(newcomer: Session, others: Sequence[Session], candidates: Sequence[str]) -> str | None:
    """The first of the newcomer's `candidates` at which all others reach it. They have firewalls that do not let it in
    yet, so that the other direction is not tried."""
    heard = _heard([newcomer], others, _places({newcomer.host.id: candidates}))
    reached = set.intersection(*heard.values())
    return next((address for address in candidates if (newcomer.host.id, address) in reached), None)


def unreached(sessions: Sequence[Session]) -> list[tuple[Host, Host]]:
    """Which hosts do not reach which others at their private addresses."""
    places = {session.host.id: [session.host.private_address] for session in sessions}
    heard = _heard(sessions, sessions, _places(places))
    hosts = [session.host for session in sessions]
    return [(a, b) for a in hosts for b in hosts if a != b and (b.id, b.private_address) not in heard[a.id]]


def _places(candidates: Mapping[str, Sequence[str]]) -> Places:
    return [(host, address) for host, addresses in candidates.items() for address in addresses]


def _heard(serve: Sequence[Session], ask: Sequence[Session], wanted: Places) -> dict[str, set[tuple[str, str]]]:
    """Which of the `wanted` places each host that asks reaches, by its id; its own are not tried."""
    with ExitStack() as stack:
        serving = {}
        for session in serve:
            nonce = secrets.token_hex(16)
            pipe = session.connection.open([*PYTHON, SERVE, nonce])
            stack.callback(pipe.close)
            serving[session.host.id] = (int(_line(pipe)), nonce)

        def hears(session: Session) -> set[tuple[str, str]]:
            mine = [place for place in wanted if place[0] != session.host.id]
            places = json.dumps([[address, *serving[host]] for host, address in mine])
            # As root: a host's firewall lets nobody else ask for other hosts' dynos.
            answers = json.loads(session.run([*PYTHON, TRY, places]).printed or "[]")
            return {place for place, reached in zip(mine, answers, strict=False) if reached}

        answers = fan_out(ask, hears)
    return {session.host.id: reached for session, reached in zip(ask, answers, strict=True)}


def _line(pipe: Pipe) -> bytes:
    line = b""
    while not line.endswith(b"\n") and (got := pipe.read(64)):
        line += got
    return line
