"""A laptop on which `deployer` meets its fate at a chosen point: `laptop.py POINT SIGNAL [WORD...]`.

POINT is `MOMENT:CALL[:HOST]`: `before`, `during` or `after` a call to the agent of a host (of whichever comes first,
where none is named), like `during:boot` or `after:switch:hosts-h2`. For writes to the ledger the call is `put-` or
`delete-` and the last part of the key: `after:put-current` is right behind the commit. SIGNAL is a signal's name, which
the process sends to itself, once; `CUT` ends all its connections, `AGENT` kills the agent that is at work on the host.
In the environment, LEASE is the lease's time to live in seconds, LINKS a port on loopback for each host, to dial
instead.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from deployer.cli.main import run
from deployer.cli.shell import this_shell
from deployer.model.lease import TIME_TO_LIVE
from deployer.model.space import Host, Pointer
from deployer.operations.session import Connect, OpenSpace, open_space
from deployer.remote import ssh
from deployer.remote.agent import Exchange, Session

KILL = """
for turn in $(seq 100); do
  for at in /srv/deployer/apps/*/at-work/*; do
    [ -e "$at" ] && at=${at##*/} && kill -KILL ${at%%.*} && exit
  done
  sleep 0.02  # on a busy machine the agent has not begun yet
done
"""
MIDDLE = 0.12  # seconds after its start that a call is in the middle of its work: a boot takes 0.4


class Fate:
    """Sends the signal at the chosen point, once."""

    def __init__(self, point: str, name: str) -> None:
        self.moment, self.call, self.host = (*point.split(":"), "")[:3]
        self.name = name
        self.sockets: list[socket.socket] = []
        self.sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        self._done = False

    def meets(self, moment: str, calls: set[str], host: str) -> None:
        """Strike, where this is the point."""
        if moment == self.moment and self.call in calls and self.host in ("", host):
            with self._lock:  # also for the signal: the command must not get past this point before it comes
                done, self._done = self._done, True
                if not done:
                    self._strike(host)

    def _strike(self, host: str) -> None:
        if self.name == "CUT":
            for connected in self.sockets:
                connected.shutdown(socket.SHUT_RDWR)
        elif self.name == "AGENT":
            self.sessions[host].connection.open(["sh", "-c", KILL]).wait()
        else:
            os.kill(os.getpid(), signal.Signals[self.name])


class Watched(Exchange):
    """A call on whose way fate may strike."""

    def __init__(self, session: Session, call: str, names: set[str], fate: Fate) -> None:
        self._names, self._fate, self._host = names, fate, session.host.id
        self._timer = threading.Timer(MIDDLE, fate.meets, ("during", names, self._host))
        super().__init__(session, call)

    def in_the_middle(self) -> None:
        """Let it strike in a moment."""
        self._timer.start()

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """A shipment is in its middle when the host has said what it lacks."""
        message = super().receive()
        if "receive" in self._names:
            self._fate.meets("during", self._names, self._host)
        return message

    def __exit__(self, *about: Any) -> None:
        super().__exit__(*about)
        self._timer.cancel()
        for moment in ("during", "after"):  # a call may be over before its middle
            self._fate.meets(moment, self._names, self._host)


class Watching(Session):
    """A session on whose calls fate has an eye."""

    fate: Fate

    def exchange(self, call: str, request: Mapping[str, Any] = {}) -> Exchange:
        """As every session's."""
        written = [(kind, op[kind]) for op in request.get("ops", []) for kind in ("put", "delete") if kind in op]
        names = {call} | {f"{kind}-{key.rpartition('/')[2]}" for kind, key in written}
        self.fate.meets("before", names, self.host.id)
        exchange = Watched(self, call, names, self.fate)
        exchange.send(self.message(call, request))
        if call != "receive":
            exchange.in_the_middle()
        return exchange


def opened(pointer: Pointer, fate: Fate) -> AbstractContextManager[OpenSpace]:
    """The space, with sessions that fate watches."""
    return open_space(pointer, watching(pointer, fate), float(os.environ.get("LEASE", TIME_TO_LIVE)))


def watching(pointer: Pointer, fate: Fate) -> Connect:
    """The way to hosts, with sessions that fate watches."""

    links = json.loads(os.environ.get("LINKS", "{}"))

    def plug(host: Host) -> socket.socket:
        fate.sockets.append(ssh.dial(replace(host, address="127.0.0.1", port=links[host.id]) if links else host))
        return fate.sockets[-1]

    def dial(host: Host) -> Session:
        session = Watching(host, ssh.connect(host, Path(pointer.identity), plug))
        session.fate = fate
        fate.sessions[host.id] = session
        return session

    return dial


def main(point: str, name: str, *words: str) -> int:
    """Type the words."""
    fate = Fate(point, name)
    shell = replace(
        this_shell(),
        open_space=lambda pointer: opened(pointer, fate),
        dialler=lambda pointer: watching(pointer, fate),
    )
    return run(words, shell)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
