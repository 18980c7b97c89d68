"""Many deploys in a row, something else going wrong in each; run by `make soak`.

Users ask all the while. Each mishap is drawn by a seed, which is printed; whatever it is, the app serves on, the next
command of whatever kind goes through, and hosts then have exactly what the ledger says.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from deployer.model.space import Host, Pointer
from deployer.remote.agent import connect
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.afflicted import Afflicted
from tests.hosts.cases import CASES, THEN
from tests.hosts.machine import Machine
from tests.hosts.outside import Outside
from tests.hosts.processes import IN_FLIGHT, end, frozen, kill_host

pytestmark = [pytest.mark.hosts, pytest.mark.faults, pytest.mark.soak]
ROUNDS = int(os.environ.get("DEPLOYER_SOAK", "200"))
SEED = int(os.environ.get("DEPLOYER_SEED", str(time.time_ns() % 1_000_000)))
WATCH = ("--watch", "1")  # seconds; the usual three would be a third of the time that this takes
SIGNALS = ("SIGKILL", "SIGINT", "SIGTERM", "SIGHUP")
CUTS = sorted({case.point for case in CASES if case.command == "deploy"})
MOMENTS = ("before:boot", "after:boot", "after:stage", "before:switch", "after:switch", "before:retire")
ROUTER = "systemctl kill -s KILL haproxy"
DYNO = "systemctl kill -s KILL 'deployer-dyno-v1@APP.web.*'"
AGENT = "pkill -KILL -f '^/usr/bin/python3 -I /srv/deployer/agent/' || true"
CONNECTION = "pkill -KILL -f '^sshd(-session)?: root' || true"


@dataclass
class Soak:
    """The app, its users and the hosts that they are on."""

    job: Afflicted
    sandbox: Sandbox
    users: Outside
    chance: random.Random

    def cuts_a_command(self) -> str:
        """A signal at some point of a deploy."""
        point, name = self.chance.choice(CUTS), self.chance.choice(SIGNALS)
        self.job.types(*self.job.meets(point, name, *self.job.words("deploy"), *WATCH), status=None)
        return f"{name} {point}"

    def strikes_a_host(self, what: str, blow: Callable[[Host], None]) -> str:
        """Do something to a host while a deploy has stopped at some moment."""
        host, moment = self.chance.choice(self.sandbox.hosts), self.chance.choice(MOMENTS)
        deploy = frozen(self.job, moment, *self.job.words("deploy"), *WATCH)
        blow(host)
        deploy.send_signal(signal.SIGCONT)
        end(deploy, None)
        return f"{what} of {host.id}, {moment}"

    def runs_on(self, host: Host, script: str) -> None:
        """As root; the connection may be what dies of it."""
        with connect(host, self.sandbox.identity) as session:
            detached = f'setsid sh -c "sleep 0.2; {script}" > /dev/null 2>&1 < /dev/null &'
            Machine(session).run(detached.replace("APP", self.job.app))
        time.sleep(0.4)

    def a_minute_passes(self) -> None:
        """What hosts do by themselves once a minute: of release dynos that outlived their commands nothing stays."""
        for host in self.sandbox.hosts:
            with connect(host, self.sandbox.identity) as session:
                Machine(session).run("systemctl start deployer-repair-v1.service")

    def draws(self) -> tuple[str, int]:
        """Let something happen; what it was, and how many requests it may have carried down."""
        kind = self.chance.choice(("cut", "cut", "cut", "router", "dyno", "agent", "connection", "host"))
        if kind == "cut":
            return self.cuts_a_command(), 0
        if kind == "host":
            said = self.strikes_a_host("death", lambda host: kill_host(self.sandbox, host.id))
            self.sandbox.start()
            return said, IN_FLIGHT
        script = {"router": ROUTER, "dyno": DYNO, "agent": AGENT, "connection": CONNECTION}[kind]
        carried = IN_FLIGHT if kind in ("router", "dyno") else 0
        return self.strikes_a_host(f"{kind} killed", lambda host: self.runs_on(host, script)), carried


@pytest.fixture
def soak(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Soak]:
    job = Afflicted(tmp_path_factory.mktemp("soak") / "tank", "tank", sandbox.record.port)
    job.opens(web=3)
    job.types("deployer", *job.words("deploy"))  # a release that a rollback in the first round can go to
    yield Soak(job, sandbox, Outside(job.port, job.app), random.Random(SEED))
    job.closes()


@pytest.mark.timeout(0)
def test_deploys_with_a_random_mishap_in_each_lose_nothing_that_it_did_not_carry(soak: Soak) -> None:
    print(f"\n{ROUNDS} deploys on {len(soak.sandbox.hosts)} hosts, DEPLOYER_SEED={SEED}")
    kinds: Counter[str] = Counter()
    with soak.users.asking():
        for number in range(ROUNDS):
            lost, began = len(soak.users.failures), time.monotonic()
            said, carried = soak.draws()
            then = soak.chance.choice(THEN)
            soak.job.types("deployer", *soak.job.words(then))
            soak.a_minute_passes()
            after = soak.job.is_whole(15)
            assert after.current is not None
            soak.job.sees(f"v{after.current.release} ")
            failures = soak.users.failures[lost:]
            took = time.monotonic() - began
            print(f"{number + 1:>4} {said}, then {then}: {len(failures)} lost, {took:.0f} s", flush=True)
            assert len(failures) <= carried, f"{said}: {failures}"
            kinds[said.partition(" of ")[0].partition(" ")[0]] += 1
    print(f"{soak.users.count} requests answered, {len(soak.users.failures)} lost with what was killed; {dict(kinds)}")
