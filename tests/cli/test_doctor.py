"""`doctor` as a person reads it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.cli.conftest import HOST, Machine
from tests.operations.test_diagnosis import WELL, row

Golden = Callable[[str, str], None]


def with_facts(machine: Machine, **changed: Any) -> Machine:
    """Its host is well but for these facts."""
    ends = {"certificates": {}, "time": time.time(), "routes": {"shop": 2}, "dynos": [row("web.1")]}
    machine.host.answers["doctor"] = {**WELL, **ends, **changed}
    return machine


def hosts_lines(machine: Machine) -> str:
    """What was said of hosts and apps: this machine's own lines differ from machine to machine."""
    return "".join(line + "\n" for line in machine.out.splitlines() if "this machine" not in line)


def test_a_space_that_is_well_is_a_line_for_each_thing(deployed: Machine, golden: Golden) -> None:
    with_facts(deployed).run("doctor", "--deep")
    golden("commands/doctor.txt", hosts_lines(deployed))
    assert ("doctor", {"deep": True}) in deployed.host.asked


def test_a_problem_is_a_line_with_what_to_type(deployed: Machine, golden: Golden) -> None:
    assert with_facts(deployed, firewall=False, dynos=[], reboot="an upgrade").run("doctor") == 1
    golden("commands/doctor-problems.txt", hosts_lines(deployed))


def test_programs_read_findings_as_json(deployed: Machine) -> None:
    assert with_facts(deployed, router="failed").run("doctor", "--json", "-a", "shop") == 1
    (wrong,) = [one for one in json.loads(deployed.out) if not one["ok"] and one["where"] != "this machine"]
    assert wrong["check"] == "router" and wrong["advice"].startswith("deployer doctor --repair")


def test_a_host_that_is_left_out_is_named(deployed: Machine) -> None:
    deployed.ledger().save_host(replace(HOST, id="host-2", seat=2, out=1))
    assert with_facts(deployed).run("doctor") == 1
    assert " !  host-2        reach: it is left out" in deployed.out
