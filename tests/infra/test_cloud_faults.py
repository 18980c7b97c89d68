"""What goes wrong while a space is made: afterwards `up` converges, and `down` leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from deployer.spaces.aws.account import Account
from deployer.spaces.aws.found import LOOKS, find
from infra import engine
from infra.engine import Engine
from infra.kinds import WORDS
from tests.infra.cloud_here import ROOT, Cloud
from tests.infra.moto_here import REGION
from tests.infra.standin.kind import Refused
from tests.infra.standin.provider import Call
from tests.infra.test_cloud import SETTINGS, changing

pytestmark = pytest.mark.edge
DATABASE, BALANCER = "rds/instance:Instance", "lb/loadBalancer:LoadBalancer"
# Where there is a load balancer, and no zone of the domain in Route 53: tests/spaces/test_aws_domain.py finds records.
NOT_THERE = ("aws:ec2/eip:Eip", "aws:route53/record:Record")
QUIET = 3.0  # seconds in which nothing more comes to AWS: all waits for what has been made
LONGEST = 200.0  # seconds that a command may take on a machine that does much else
HARMLESS = "aws:s3/bucket"  # its settings, which may be made twice


@pytest.fixture
def here(shared: Cloud) -> Iterator[Cloud]:
    yield shared
    shared.provider.fault = lambda call: None
    shared.provider.calls.clear()
    assert not shared.asked


def once(what: str, kind: str, *, done: bool, do: Callable[[], None]) -> Callable[[Call], None]:
    """At the first such call, before or after AWS has done it."""
    left = [do]

    def fault(call: Call) -> None:
        if (call.what, call.kind, call.done) == (what, f"aws:{kind}", done) and left:
            left.pop()()

    return fault


def refuse() -> None:
    raise Refused("api error LimitExceeded: there are enough of them")


def finder(here: Cloud) -> engine.Find:
    return partial(find, Account(REGION, here.endpoint))


def gone(here: Cloud, run: Engine, before: dict[str, set[str]]) -> None:
    """Take it down; nothing is left."""
    leaving = replace(SETTINGS, leaving=True, keep=False)
    engine.release(run, leaving, lambda progress: None, finder(here))
    engine.down(run, leaving, find=finder(here))
    assert here.there() == before


# What a laptop does whose power goes in the middle of it.
ELSEWHERE = """
import sys
from functools import partial
from pathlib import Path
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.found import find
from infra import engine
from tests.infra.test_cloud import SETTINGS
root, backend, secret, home, what, endpoint, *env = sys.argv[1:]
run = engine.Engine(Path(root), backend, secret, Path(home), dict(one.split("=", 1) for one in env))
getattr(engine, what)(run, SETTINGS, find=partial(find, Account(SETTINGS.spec.region, endpoint)))
"""


def elsewhere(here: Cloud, run: Engine, what: str) -> subprocess.Popen[str]:
    """An `up` or a `down` of another process; here, its failure would leave Pulumi's loops and sockets open."""
    variables = [f"{name}={value}" for name, value in run.env.items()]
    words = [str(run.root), run.backend, run.passphrase, str(run.home), what, here.endpoint, *variables]
    return subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE, *words], cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE, text=True
    )


def kill_session(session: int) -> None:
    """The command has a process group of its own, and goes first: else it would note what it was doing."""
    found = [int(one.name) for one in Path("/proc").glob("[0-9]*")]
    for pid in sorted(found, reverse=True):
        with suppress(ProcessLookupError):
            if os.getsid(pid) == session:
                os.kill(pid, signal.SIGKILL)


def cut_off(here: Cloud, run: Engine, what: str, kind: str) -> bool:
    """Kill the process and its engine when AWS has made or deleted such a thing and nothing has been noted of it.
    Whether it came to that: there may have been one before."""
    call = {"up": "create", "down": "delete"}[what]
    with elsewhere(here, run, what) as other:
        here.provider.fault = once(call, kind, done=True, do=lambda: kill_session(other.pid))
        _, said = other.communicate(timeout=LONGEST)
    here.provider.fault = lambda call: None
    assert other.returncode in (0, -signal.SIGKILL), said
    if was_killed := other.returncode != 0:
        engine.unlock(run, SETTINGS)
    return was_killed


def refused(here: Cloud, run: Engine, kind: str) -> str:
    """What an `up` says when AWS refuses such a thing."""
    here.provider.fault = once("create", kind, done=False, do=refuse)
    with elsewhere(here, run, "up") as other:
        _, said = other.communicate(timeout=LONGEST)
    assert other.returncode == 1
    here.provider.fault = lambda call: None
    return str(said)


def test_after_each_mishap_up_converges_and_down_leaves_nothing(here: Cloud, tmp_path: Path) -> None:
    """AWS refuses the database; the laptop dies when AWS has made it; somebody deletes the listener; the laptop dies
    when AWS has deleted the load balancer."""
    before, run = here.there(), here.engine(tmp_path)
    said = refused(here, run, DATABASE)
    assert "RDS for PostgreSQL deployer-production:" in said
    assert "This account has reached one of its quotas." in said and "there are enough of them" in said
    assert cut_off(here, run, "up", DATABASE)
    outputs = engine.up(run, SETTINGS, find=finder(here))
    there = here.there()
    assert [len(there[kind]) for kind in ("VPC", "role", "database", "bucket", "load balancer")] == [1] * 5
    delete_listener(here)
    assert [(one.verb, one.kind) for one in engine.preview(run, SETTINGS)] == [("create", "listener")]
    changing(here)
    assert engine.up(run, SETTINGS) == outputs
    assert changing(here) == {"create": 1}
    engine.release(run, replace(SETTINGS, leaving=True, keep=False), lambda progress: None, finder(here))
    assert cut_off(here, run, "down", BALANCER)
    gone(here, run, before)


def delete_listener(here: Cloud) -> None:
    elbv2 = here.client("elbv2")
    [balancer] = elbv2.describe_load_balancers()["LoadBalancers"]
    [listener] = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    elbv2.delete_listener(ListenerArn=listener["ListenerArn"])


def test_every_type_can_be_found_or_made_twice() -> None:
    missing = {kind for kind in WORDS.keys() - LOOKS.keys() if not kind.startswith(HARMLESS)}
    # A put; and AddListenerCertificates adds none a second time (Elastic Load Balancing API Reference).
    assert missing == {"aws:iam/rolePolicy:RolePolicy", "aws:lb/listenerCertificate:ListenerCertificate"}


def cut_off_all(here: Cloud, run: Engine, left: set[str]) -> set[str]:
    """Kill the process and its engine when AWS has made things of some of these types, all that it comes to before it
    hears of one of them, and nothing has been noted of them. The types."""
    made: set[str] = set()
    dead = threading.Event()

    def hold(call: Call) -> None:
        if call.what == "create" and call.kind in left and call.done:
            made.add(call.kind)
            dead.wait(LONGEST)
            raise Refused("nobody hears this")

    here.provider.fault = hold
    with elsewhere(here, run, "up") as other:
        seen = -1
        while other.poll() is None and (not made or seen != len(here.provider.calls)):
            seen = len(here.provider.calls)
            time.sleep(QUIET)
        kill_session(other.pid)
        dead.set()
        _, said = other.communicate(timeout=LONGEST)
    here.provider.fault = lambda call: None
    assert other.returncode in (0, -signal.SIGKILL), said
    engine.unlock(run, SETTINGS)
    return made


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_every_type_that_is_cut_off_is_taken_over(here: Cloud, tmp_path: Path) -> None:
    """With those that are made beside it: as many runs as the longest way from one thing to another that needs it."""
    before, run = here.there(), here.engine(tmp_path)
    left = {kind for kind in WORDS if kind not in NOT_THERE}
    here.provider.calls.clear()
    while left:
        cut = cut_off_all(here, run, left)
        assert cut, f"none of {left} was made"
        left -= cut
    engine.up(run, SETTINGS, find=finder(here))
    made = Counter((call.kind, call.name) for call in here.provider.calls if call.what == "create" and call.done)
    twice = {kind for (kind, _), times in made.items() if times > 1}
    assert twice <= WORDS.keys() - LOOKS.keys()
    gone(here, run, before)
