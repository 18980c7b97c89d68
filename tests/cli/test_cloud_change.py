"""Commands on apps that change what a space in AWS consists of: what they add every later `up` keeps."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.errors.cloud import OwnersAlone
from deployer.model.events import Event
from deployer.operations import cloud_change
from deployer.operations.cloud_proposal import Alter
from deployer.spaces.aws import databases
from deployer.spaces.aws.record import Record
from infra.spec import OwnDatabase, Spec
from tests.cli.test_cloud import SPACE, Laptop, at_work
from tests.infra.cloud_here import ROOT, Cloud, cloud
from tests.infra.gate import Says
from tests.infra.moto_here import REGION
from tests.infra.standin.provider import Call
from tests.infra.test_cloud_faults import kill_session, once

pytestmark = [pytest.mark.edge, pytest.mark.timeout(600)]
WITHOUT = "\n".join(line for line in SPACE.splitlines() if not line.startswith("database"))
INSTANCE = "aws:rds/instance:Instance"
ADDON = "postgresql-flat-1"
UP = ("up", "--space", "production", "--yes")
PATIENCE = 120.0  # seconds


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    with cloud() as here, at_work(here, tmp_path, monkeypatch) as one:
        one.says(WITHOUT)
        assert one.run(*UP) == 0, one.err
        yield one


def with_database(spec: Spec) -> Spec:
    return spec.having(OwnDatabase(ADDON, "db.t4g.medium", 64))


def without_databases(spec: Spec) -> Spec:
    return replace(spec, databases=())


def changes(laptop: Laptop, alter: Alter, *, keep: bool = True, at_once: bool = False) -> Record:
    """What a command does that somebody has agreed to; `at_once`: it does not wait for the database."""
    told: list[Event] = []
    tools = laptop.here.tools(laptop.folder.parent)
    found = cloud_change.propose(tools, "production", REGION, "addons:create postgresql", alter, keep=keep)
    leave = (lambda: databases.of_addon(tools.account(REGION), "production", ADDON) is not None) if at_once else None
    return cloud_change.carry_out(tools, found, told.append, leave)


def names(here: Cloud) -> list[str]:
    return [one["DBInstanceIdentifier"] for one in here.client("rds").describe_db_instances()["DBInstances"]]


def kept(here: Cloud) -> list[str]:
    found = here.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    return [one["DBSnapshotIdentifier"] for one in found]


def test_what_a_command_adds_stays_until_a_command_takes_it_away(laptop: Laptop) -> None:
    here = laptop.here
    known = changes(laptop, with_database)
    [name] = names(here)
    assert name.startswith("deployerdb-production-") and known.spec.addons == (ADDON,)
    assert laptop.run(*UP) == 0 and "Nothing to do" in laptop.err
    assert f"Databases of apps: {ADDON}: db.t4g.medium, 64 GB" in laptop.out
    assert laptop.run("preview", "--space", "production", "--detailed-exitcode") == 0, laptop.out
    assert f"{ADDON} (RDS): db.t4g.medium" in laptop.out
    assert laptop.run("spaces:refresh", "production", "--detailed-exitcode") == 0, laptop.out
    laptop.says(SPACE)
    assert laptop.run(*UP) == 0, laptop.err
    assert len(names(here)) == 2

    laptop.says(WITHOUT)  # the shared one goes, with that of the add-on beside it
    assert laptop.run("up", "--space", "production", "--confirm", "production") == 0, laptop.err
    assert names(here) == [name] and len(kept(here)) == 1
    [left] = here.client("rds").describe_db_instances()["DBInstances"]
    assert left["DeletionProtection"]

    changes(laptop, without_databases, keep=False)
    assert (names(here), len(kept(here))) == ([], 1)
    assert laptop.run(*UP) == 0 and "Nothing to do" in laptop.err


def test_who_does_not_own_the_space_gets_to_know_who_can(laptop: Laptop) -> None:
    denied = Says(400, "AccessDeniedException", "User: ana is not authorized to perform: ssm:GetParameter")
    laptop.here.gate.refuse("ssm", "GetParameter", denied)
    with pytest.raises(OwnersAlone, match="Whoever owns production may"):
        changes(laptop, with_database)
    laptop.here.gate.open()
    assert not names(laptop.here)


def test_down_names_each_and_proves_it_gone(laptop: Laptop) -> None:
    changes(laptop, with_database)
    assert laptop.run("down", "production") == 2
    assert f"These databases go with it: {ADDON} (64 GB). A last snapshot of each stays." in laptop.err
    assert laptop.run("down", "production", "--confirm", "production") == 0, laptop.err
    [snapshot] = kept(laptop.here)
    assert snapshot.startswith("deployerdb-production-") and f"Kept: last snapshot {snapshot}, 64 GB" in laptop.err


# The same, by a process that can be killed.
KILLED = """
import sys
from pathlib import Path
from deployer.operations import cloud_change
from deployer.spaces.aws.tools import Tools
from tests.cli.test_cloud_change import REGION, with_database
root, home, endpoint, *env = sys.argv[1:]
tools = Tools(Path(root), Path(home), endpoint, dict(one.split("=", 1) for one in env), patience=0.0, arrival=0.0)
found = cloud_change.propose(tools, "production", REGION, "addons:create postgresql", with_database)
cloud_change.carry_out(tools, found, print)
"""


def test_one_that_was_cut_off_between_aws_and_the_note_of_it_is_taken_over(laptop: Laptop) -> None:
    here, tools = laptop.here, laptop.here.tools(laptop.folder.parent)
    words = [str(tools.root), str(tools.home), here.endpoint, *(f"{name}={value}" for name, value in tools.env.items())]
    with subprocess.Popen([sys.executable, "-c", KILLED, *words], cwd=ROOT, start_new_session=True) as other:
        here.provider.fault = once("create", "rds/instance:Instance", done=True, do=lambda: kill_session(other.pid))
        other.communicate(timeout=PATIENCE)
    here.provider.fault = lambda call: None
    assert other.returncode == -signal.SIGKILL
    [name] = names(here)
    here.provider.calls.clear()
    assert laptop.run("preview", "--space", "production") == 0, laptop.err
    assert "would be made" not in laptop.out
    known = changes(laptop, with_database)
    assert (names(here), known.spec.addons) == ([name], (ADDON,))
    assert not [call for call in here.provider.calls if (call.what, call.kind) == ("create", INSTANCE)]
    changes(laptop, without_databases, keep=False)
    assert not names(here)


def test_a_database_that_aws_makes_is_not_waited_for_and_made_once(laptop: Laptop) -> None:
    here, goes_on = laptop.here, threading.Event()

    def slow(call: Call) -> None:
        if (call.what, call.kind, call.done) == ("create", INSTANCE, True):
            goes_on.wait(PATIENCE)

    here.provider.fault = slow
    known = changes(laptop, with_database, at_once=True)
    assert not goes_on.is_set() and known.spec.addons == (ADDON,)
    assert len(names(here)) == 1
    goes_on.set()
    here.provider.fault = lambda call: None
    here.provider.calls.clear()
    assert laptop.run(*UP) == 0, laptop.err
    assert not [call for call in here.provider.calls if (call.what, call.kind) == ("create", INSTANCE)]
    assert laptop.run(*UP) == 0 and "Nothing to do" in laptop.err
    assert laptop.run("down", "production", "--confirm", "production", "--delete-data") == 0, laptop.err
    assert not names(here)
