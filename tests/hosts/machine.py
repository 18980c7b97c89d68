"""One host of a sandbox as tests on hosts use it: calls to its agent, programs on it, small slugs shipped to it."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deployer.host.units import REPAIR, REPAIR_TIMER
from deployer.remote.agent import Session
from deployer.ship.ship import ship
from tests.ship.slugs import File, built, layer

_TOKENS = itertools.count(1)


class Machine:
    """A prepared host. Each app is one of its own uid; each call carries a newer token than the one before."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.events: list[dict[str, Any]] = []

    def call(self, call: str, app: str | None = None, **request: Any) -> dict[str, Any]:
        """Run a call; its events are in `events`."""
        self.events = []
        fenced = self.fence(app) if app else {}
        return self.session.call(call, {**fenced, **request}, lambda event, data: self.events.append(event))

    def fence(self, app: str) -> dict[str, Any]:
        """What makes a request one of the newest command for the app."""
        return {"app": app, "token": next(_TOKENS)}

    def forget(self, app: str) -> None:
        """Remove an app of this test with all traces, also the tokens, which the ledger knows nothing of."""
        self.call("remove", app)
        self.run(f"rm -rf /srv/deployer/apps/{app}")

    def run(self, script: str) -> str:
        """What a shell script prints on the host, as root; AssertionError where it fails."""
        pipe = self.session.connection.open(["bash", "-c", script])
        pipe.close_writing()
        printed = b"".join(iter(lambda: pipe.read(1 << 16), b""))
        status = pipe.wait()
        assert status == 0, f"{script} ended with {status}: {pipe.errors()}"
        return printed.decode(errors="surrogateescape")

    @contextmanager
    def unrepaired(self) -> Iterator[None]:
        """Its own timer mends nothing as long as the block takes."""
        self.run(f"systemctl stop {REPAIR_TIMER}; systemctl start {REPAIR}")  # which waits for one that is at work
        try:
            yield
        finally:
            self.run(f"systemctl start {REPAIR_TIMER}")

    def ship(self, app: str, uid: int, files: dict[str, File]) -> list[str]:
        """Send a slug of one layer; its digests."""
        with tempfile.TemporaryDirectory() as folder:
            made = built(layer(Path(folder), "app", files))
            ship([self.session], app, uid, next(_TOKENS), made, None)
        return [one.digest for one in made.slug.layers]

    def dynos(self, app: str) -> dict[str, dict[str, Any]]:
        """`ps`, by instance."""
        return {row["instance"]: row for row in self.call("ps", app=None)["dynos"] if row["app"] == app}

    def fetch(self, port: int, address: str = "127.0.0.1") -> Any:
        """The JSON that a dyno answers on its port, asked for on this host."""
        return json.loads(self.run(f"curl -sS --max-time 5 http://{address}:{port}/"))
