"""From systemd's states to Heroku's."""

import ipaddress

import pytest

from deployer.host.dyno_files import Placed
from deployer.host.ps import state_of
from deployer.host.sockets import Listener
from deployer.model.dyno import Dyno

WEB = Placed(Dyno("shop", "web", 1, 12), 20001, "Basic", "x", (), 7001)
WORKER = Placed(Dyno("shop", "worker", 1, 12), 20001, "Basic", "x", ())
ANY = ipaddress.ip_address("0.0.0.0")
OWN = Listener(ANY, 7001, 20001, 1)
SQUATTER = Listener(ANY, 7001, 20002, 2)
ONLY_LOCAL = Listener(ipaddress.ip_address("127.0.0.1"), 7001, 20001, 3)


@pytest.mark.parametrize(
    ("active", "sub", "placed", "found", "cooling", "state"),
    [
        ("active", "running", WEB, [OWN], -5, "up"),
        ("active", "running", WEB, [], -5, "starting"),
        ("active", "running", WEB, [SQUATTER], -5, "starting"),
        ("active", "running", WEB, [ONLY_LOCAL], -5, "starting"),
        ("active", "running", WORKER, [], -5, "up"),
        ("active", "running", WORKER, [], 16, "crashed"),
        ("activating", "start", WORKER, [], -5, "starting"),
        ("activating", "auto-restart", WORKER, [], -5, "crashed"),
        ("failed", "failed", WEB, [], 0, "crashed"),
        ("inactive", "dead", WEB, [], 0, "down"),
        ("deactivating", "stop-sigterm", WEB, [OWN], 0, "down"),
    ],
)
def test_states_are_herokus(active, sub, placed, found, cooling, state):
    assert state_of({"ActiveState": active, "SubState": sub}, placed, found, cooling) == state
