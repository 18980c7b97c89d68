"""From systemd's states to Heroku's."""

import ipaddress

import pytest

from deployer.host.dyno_files import Placed
from deployer.host.journal_reader import OUT_OF_MEMORY, PROCESS_EXIT
from deployer.host.ps import reason, state_of, unit_of
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


@pytest.mark.parametrize(
    ("process_type", "unit"),
    [
        ("web", "deployer-dyno-v1@shop.web.7.v12.service"),
        ("run", "deployer-run-shop.run.7.v12.service"),
        ("release", "deployer-task-v1@shop.release.7.v12.service"),
    ],
)
def test_each_kind_of_dyno_is_looked_for_under_its_own_unit(process_type, unit):
    assert unit_of(Placed(Dyno("shop", process_type, 7, 12), 20001, "Basic", "x", ())) == unit


def test_why_a_dyno_crashed_is_what_systemd_said_of_its_last_end():
    killed = {"MESSAGE_ID": PROCESS_EXIT, "EXIT_CODE": "killed", "EXIT_STATUS": "KILL"}
    assert reason([{"MESSAGE_ID": OUT_OF_MEMORY}, killed]) == "out of memory"
    assert reason([killed]) == "exit status 137"
    assert reason([]) is None
