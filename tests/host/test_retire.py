"""Dynos that go: what they are at comes to its end first."""

from __future__ import annotations

import socket
import threading

from deployer.host.dyno_files import Placed
from deployer.host.retire import drain
from deployer.model.dyno import Dyno


def test_connections_that_stay_are_counted_and_those_that_end_are_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        dynos = [
            Placed(Dyno("shop", "web", 1, 3), 20001, "basic", "serve", (), port),
            Placed(Dyno("shop", "worker", 1, 3), 20001, "basic", "work", ()),
        ]
        assert drain(dynos, 5) == (0, 0)
        with (
            socket.create_connection(("127.0.0.1", port)),
            socket.create_connection(("127.0.0.1", port)) as short,
            server.accept()[0],
            server.accept()[0] as other_end,
        ):
            assert drain(dynos, 0) == (2, 2)
            hangs_up = threading.Timer(0.1, lambda: (short.close(), other_end.close()))
            hangs_up.start()
            assert drain(dynos, 2) == (2, 1)
            hangs_up.join()
