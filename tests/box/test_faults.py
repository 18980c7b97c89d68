"""What fails a space in AWS while people outside ask and count: hosts, zones, stores, databases, credentials, laptops.

What was acknowledged stands, hosts that can serve are left alone, and what is left is told and repaired."""

from __future__ import annotations

import random
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.box.acknowledged import APP, CRASHES, PROGRAM, Users, became, current, furnish, held_by, is_whole, there
from tests.box.box import Box
from tests.box.laptop import Command, Laptop
from tests.box.person import Person, at_work
from tests.infra.gate import CUT, DENIED, EXPIRED, SLOW_DOWN, Asked, Says
from tests.infra.moto_here import REGION
from tests.spaces.instance_connect import KEY

pytestmark = [pytest.mark.hosts, pytest.mark.faults, pytest.mark.timeout(600)]
LARGE = 3 << 20  # bytes
CONVERGES = 10.0  # seconds between two looks of a host
BACK = 120.0  # seconds until all is as before
MOVED = 180.0  # seconds until dynos move back: a minute of calm, and some looks of each host
MORE = 'load-balancer = true\ndatabase = { size = "db.t4g.micro" }'
WITH_THE_DEAD = 8  # requests at most that were with a host as it died


@pytest.fixture(scope="module")
def person(here: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """An app with a dyno on each of two hosts, and a database."""
    folder = tmp_path_factory.mktemp("ada")
    furnish(folder / APP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGNAME", "ada")
        with at_work(here, folder, APP, None) as person:
            person.describes(2, MORE)
            person.does("git init -qb main . && git add . && git commit -qm first")
            person.brings_up()
            person.types("ps:scale", "web=2")
            yield person


@pytest.fixture(scope="module")
def users(person: Person) -> Users:
    return Users(person)


@pytest.fixture(scope="module")
def ada(person: Person) -> Laptop:
    return Laptop("ada", person.folder, person.folder.parent / "home-of-deployer")


@pytest.fixture(scope="module")
def bob(here: Box, person: Person, tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    """A colleague, who gets to know the space by the same deployer.toml."""
    folder = tmp_path_factory.mktemp("bob")
    shutil.copytree(person.folder, folder / APP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGNAME", "bob")
        with at_work(here, folder, APP, None) as bob:
            bob.types("up", "--space", "production", "--yes")
            assert "Nothing to do: production is as it should be." in bob.err
    return Laptop("bob", folder / APP, folder / "home-of-deployer")


@pytest.fixture(autouse=True)
def whole(here: Box, person: Person) -> Iterator[None]:
    """After each of them nothing is left half done."""
    yield
    here.cloud.gate.open()
    here.scaling.full.clear()
    last = ""

    def looks() -> bool:
        nonlocal last
        last = is_whole(person)
        return not last and serving(here) == 2

    try:
        here.wait(looks, BACK)
    except AssertionError as error:
        raise AssertionError(last) from error


def serving(here: Box) -> int:
    return list(states(here).values()).count("InService")


def states(here: Box) -> dict[str, str]:
    """Of those in the group."""
    scaling = here.cloud.client("autoscaling", REGION)
    found = scaling.describe_auto_scaling_instances()["AutoScalingInstances"]
    return {one["InstanceId"]: one["LifecycleState"] for one in found}


def seat(person: Person, number: int) -> str:
    """The host that holds it."""
    found = re.search(rf"^(i-\w+) +{number}\b", person.types("hosts", "--space", "production"), re.MULTILINE)
    assert found, person.out
    return found[1]


def changes_a_line(laptop: Laptop) -> None:
    (laptop.folder / "web.py").write_text(PROGRAM.replace("CRASHES", CRASHES) + f"# {time.monotonic_ns()}\n")


def is_put(asked: Asked, what: str) -> bool:
    """Whether somebody, not a host, writes there into a bucket."""
    return asked.key == KEY and asked.service == "s3" and re.search(f"^PUT .*/{what}$", asked.operation) is not None


def of_s3(asked: Asked) -> bool:
    return asked.service == "s3"


@contextmanager
def failing(here: Box, which: Callable[[Asked], bool], says: Says) -> Iterator[None]:
    """AWS answers so, where it is asked for such."""
    here.cloud.gate.answer = lambda asked: says if which(asked) else None
    try:
        yield
    finally:
        here.cloud.gate.open()


@contextmanager
def failing_from(
    here: Box, what: str, which: Callable[[Asked], bool], says: Says, *, after: bool = False, seconds: float = 1e6
) -> Iterator[None]:
    """The same from the moment on at which somebody writes `what`, or right `after` that, for some seconds."""
    began: list[float] = []

    def answer(asked: Asked) -> Says | None:
        if not began and is_put(asked, what):
            began.append(time.monotonic())
            if after:
                return None
        return says if began and which(asked) and time.monotonic() < began[0] + seconds else None

    here.cloud.gate.answer = answer
    try:
        yield
    finally:
        here.cloud.gate.open()
    assert began, f"nobody wrote {what}"


def dies_at(here: Box, command: Command, what: str, times: int, pause: float) -> None:
    """Have a command's laptop die as it writes `what` so often, or some seconds later; what it wrote stands then."""
    left = [times]

    def answer(asked: Asked) -> Says | None:
        if not is_put(asked, what) or command.was_killed:
            return None
        left[0] -= 1
        if left[0] == 0 and pause:
            threading.Timer(pause, command.dies).start()
        elif left[0] == 0:
            command.dies()
            return CUT
        return None

    here.cloud.gate.answer = answer
    command.ends(None)
    here.cloud.gate.open()
    assert command.was_killed and command.process.returncode != 0


def test_the_host_of_seat_1_ends_and_another_serves_on_it(here: Box, person: Person, users: Users) -> None:
    first, second = seat(person, 1), seat(person, 2)
    with users.asking() as seen:
        time.sleep(1)
        here.terminate(first, hard=True)
        here.wait(lambda: first not in states(here) and serving(here) == 2 and not is_whole(person), BACK)
        time.sleep(1)
    assert seen[200] > 50 and users.lost() <= WITH_THE_DEAD, seen
    assert seat(person, 2) == second and seat(person, 1) not in (first, second)


def test_a_host_dies_as_a_dyno_moves_back_to_it(here: Box, person: Person, users: Users) -> None:
    first = seat(person, 1)
    here.terminate(first, hard=True)
    here.wait(lambda: first not in states(here) and serving(here) == 2 and not is_whole(person), BACK)
    newcomer = seat(person, 1)
    with users.asking() as seen:
        here.wait(lambda: is_twice(person), MOVED)
        here.terminate(newcomer, hard=True)
        here.wait(lambda: newcomer not in states(here) and serving(here) == 2 and not is_whole(person), BACK)
        time.sleep(1)
    assert seen[200] > 50 and users.lost() <= WITH_THE_DEAD, seen


def is_twice(person: Person) -> bool:
    """Whether a dyno stands on both hosts."""
    names = [one.split()[-1] for one in there(person) if "deployer-dyno" in one]
    return len(names) > len(set(names))


def test_a_release_whose_dynos_end_is_refused_and_the_one_before_serves_on(
    here: Box, person: Person, ada: Laptop, users: Users
) -> None:
    before, release = states(here), current(person)
    with users.asking() as seen:
        said = ada.types("config:set", "BROKEN=1", "-a", f"production/{APP}", status=1)
        time.sleep(1)
    assert "this release is broken" in said or "status 1" in said, said
    assert seen.keys() == {200} and current(person) == release
    assert states(here) == before


def test_apps_that_crash_again_and_again_cost_no_host(here: Box, person: Person, users: Users) -> None:
    """Health checks of the box come ten times as often as AWS's: a host would be replaced after seconds."""
    before = states(here)
    for one in before:
        here.run(one, "touch", CRASHES)
    here.wait(lambda: person.asks()[0] == 503, 60)
    end = time.monotonic() + 40
    while time.monotonic() < end:
        time.sleep(1)
        assert states(here) == before
    for one in before:
        here.run(one, "rm", CRASHES)
    person.types("ps:restart")
    here.wait(lambda: person.asks()[0] == 200, 60)
    with users.asking() as seen:
        time.sleep(2)
    assert seen.keys() == {200} and states(here) == before


@pytest.mark.parametrize("says", [SLOW_DOWN, CUT], ids=["503", "cut"])
def test_a_deploy_outlives_seconds_without_s3(here: Box, person: Person, ada: Laptop, users: Users, says: Says) -> None:
    release = current(person)
    changes_a_line(ada)
    with users.asking() as seen, failing_from(here, f"apps/{APP}/operation", of_s3, says, seconds=1.5):
        ada.types("deploy", "-a", f"production/{APP}")
    assert seen.keys() == {200} and current(person) > release


@pytest.mark.parametrize(
    ("what", "after", "says"),
    [("layers/.*", False, CUT), ("operation", False, SLOW_DOWN), ("current", True, CUT), ("current", True, SLOW_DOWN)],
    ids=["as-layers-are-shipped-cut", "as-it-begins-503", "behind-the-commit-cut", "behind-the-commit-503"],
)
def test_s3_goes_in_a_deploy_and_the_next_command_goes_on(
    here: Box, person: Person, ada: Laptop, users: Users, what: str, after: bool, says: Says
) -> None:
    release = current(person)
    changes_a_line(ada)
    with users.asking() as seen:
        with failing_from(here, what, of_s3, says, after=after):
            said = ada.types("deploy", "-a", f"production/{APP}", status=1)
        assert "s3://" in said or "bucket" in said.lower(), said
        ada.types("deploy", "-a", f"production/{APP}")
    assert seen.keys() == {200} and current(person) > release


@pytest.mark.parametrize("says", [DENIED, CUT], ids=["denied", "cut"])
def test_s3_answers_people_and_no_host(here: Box, person: Person, ada: Laptop, users: Users, says: Says) -> None:
    """A small change comes by SSH; what is larger waits for the store."""
    release, before = current(person), states(here)
    with users.asking() as seen:
        with failing(here, lambda asked: of_s3(asked) and asked.key != KEY, says):
            changes_a_line(ada)
            ada.types("deploy", "-a", f"production/{APP}")
            (ada.folder / "large").write_bytes(random.randbytes(LARGE))
            said = ada.types("deploy", "-a", f"production/{APP}", status=1)
            assert f"v{release + 1} still serving" in said and "reading layers/" in said, said
            time.sleep(2 * CONVERGES)
        ada.types("deploy", "-a", f"production/{APP}")
    (ada.folder / "large").unlink()
    assert seen.keys() == {200} and current(person) > release + 1
    assert states(here) == before


def test_credentials_end_in_a_deploy_and_the_same_command_goes_on(
    here: Box, person: Person, ada: Laptop, users: Users
) -> None:
    release = current(person)
    changes_a_line(ada)
    with users.asking() as seen:
        with failing_from(here, "operation", lambda asked: asked.key == KEY, EXPIRED):
            said = ada.types("deploy", "-a", f"production/{APP}", status=1)
        assert "expired" in said, said
        ada.types("deploy", "-a", f"production/{APP}")
    assert seen.keys() == {200} and current(person) > release


def test_two_laptops_deploy_at_the_same_time(here: Box, person: Person, ada: Laptop, bob: Laptop, users: Users) -> None:
    release = current(person)
    changes_a_line(ada)
    changes_a_line(bob)
    with users.asking() as seen:
        first = ada.begins("deploy", "-a", f"production/{APP}")
        here.wait(lambda: first.process.poll() is not None or held_by(person) == "ada")
        other = replace(bob, apart=True)
        said = other.types("deploy", "-a", f"production/{APP}", status=1)
        assert "ada" in said and "deploy" in said, said
        second = other.begins("deploy", "-a", f"production/{APP}", "--wait", "120")
        first.ends()
        second.ends()
    assert seen.keys() == {200} and current(person) == release + 2


UNDONE = ("in-the-release-command", "as-dynos-boot", "on-the-point-of-committing")
PHASES = {
    "as-layers-are-shipped": ("layers/.*", 1, 0.0),
    "in-the-release-command": ("operation", 1, 0.4),
    "as-dynos-boot": ("operation", 2, 0.3),
    "on-the-point-of-committing": ("current", 1, 0.0),
    "right-behind-the-commit": ("current", 1, 0.05),
    "as-old-dynos-go": ("current", 1, 3.0),
}


@pytest.mark.parametrize("phase", PHASES)
def test_a_laptop_dies_in_a_deploy_and_anothers_next_command_clears_up(
    here: Box, person: Person, ada: Laptop, bob: Laptop, users: Users, phase: str
) -> None:
    release, (what, times, pause) = current(person), PHASES[phase]
    changes_a_line(ada)
    with users.asking() as seen:
        dying = replace(ada, apart=phase == "as-dynos-boot").begins("deploy", "-a", f"production/{APP}")
        dies_at(here, dying, what, times, pause)
        said = bob.types("config:set", f"NOW={time.monotonic_ns()}", "-a", f"production/{APP}", "--wait", "90")
        assert not is_whole(person), said
    assert seen.keys() == {200}, seen
    assert current(person) == release + (1 if what == "layers/.*" else 2)
    assert became(person, release + 1) == ("failed" if phase in UNDONE else "succeeded")


def test_the_database_goes_for_seconds_and_no_host_for_it(here: Box, person: Person, users: Users) -> None:
    before = states(here)
    [server] = here.rds.servers.values()
    with users.asking() as seen:
        time.sleep(1)
        server.halt()
        time.sleep(15)
        assert person.asks()[0] == 200, "what needs no database is answered"
        server.start()
        here.wait(lambda: person.asks("/all")[0] == 200)
        time.sleep(1)
    assert seen.keys() == {200, 500} and seen[500] > 5, seen
    assert states(here) == before and not is_whole(person)


@pytest.mark.parametrize("says", [SLOW_DOWN, CUT], ids=["503", "cut"])
def test_a_host_joins_when_s3_is_back(here: Box, person: Person, users: Users, says: Says) -> None:
    victim = seat(person, 2)
    before = set(states(here))
    with users.asking() as seen:
        with failing(here, of_s3, says):
            here.terminate(victim, hard=True)
            (newcomer,) = here.wait(lambda: set(states(here)) - before, 60)
            here.wait(lambda: here.console(newcomer).count("deployer: agent: ") >= 2, 90)
        here.wait(lambda: serving(here) == 2 and not is_whole(person), BACK)
        assert states(here)[newcomer] == "InService"
    assert users.lost() <= WITH_THE_DEAD, seen


def test_a_zone_goes_and_another_has_no_room_at_first(here: Box, person: Person, users: Users) -> None:
    person.types("config:set", "ANEW=1")  # a release places dynos anew: after a host's death they may be on one alone
    ec2 = here.cloud.client("ec2", REGION)
    zones = {one["AvailabilityZone"] for one in ec2.describe_subnets()["Subnets"]}
    told = ec2.describe_instances(InstanceIds=list(states(here)))["Reservations"]
    by_zone: dict[str, list[str]] = {}
    for one in (each for group in told for each in group["Instances"]):
        by_zone.setdefault(one["Placement"]["AvailabilityZone"], []).append(one["InstanceId"])
    gone, victims = next(iter(by_zone.items()))
    assert len(by_zone) == 2, "hosts are in several zones"
    with users.asking() as seen:
        here.scaling.full |= zones
        for one in victims:
            here.terminate(one, hard=True)
        here.wait(lambda: serving(here) == 1, 60)
        person.arrival = 6.0
        person.types("up", "--space", "production", "--yes", status=1)
        assert "AWS: We currently do not have sufficient t3.small capacity" in person.err
        here.scaling.full = {gone}
        person.arrival = BACK
        person.types("up", "--space", "production", "--yes")
        here.wait(lambda: not is_whole(person), BACK)
    assert users.lost() <= WITH_THE_DEAD, seen
    told = ec2.describe_instances(InstanceIds=list(states(here)))["Reservations"]
    assert gone not in {one["Placement"]["AvailabilityZone"] for group in told for one in group["Instances"]}
