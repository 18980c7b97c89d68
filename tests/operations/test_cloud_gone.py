"""Hosts of AWS that do not answer: who is passed over because it is gone, and who is not. What AWS says is a table,
hosts answer from tables over a real ledger."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from deployer.cli.absent import say_who_is_missing
from deployer.cli.output import Output
from deployer.cli.shell import Shell
from deployer.errors.aws import AwsUnreachable
from deployer.errors.base import Failure
from deployer.errors.hosts import HostsOfAwsDoNotAnswer, NoHostLeft
from deployer.errors.remote import HostUnreachable
from deployer.model.events import Event, Warn
from deployer.model.routes import Routes
from deployer.model.space import Host, Space, StoreAddress
from deployer.operations import phases
from deployer.operations.attendance import attend
from deployer.operations.cloud_gone import Fates, judged, look
from deployer.operations.cloud_group import Instance
from deployer.operations.doctor import examine_hosts
from deployer.operations.phases import Fence
from deployer.operations.session import Absence, OpenSpace
from deployer.remote.agent import Session
from deployer.spaces.aws import record
from deployer.spaces.aws.record import Record
from deployer.store.folder import FolderStore
from deployer.store.ledger import Ledger
from deployer.store.s3 import S3Store
from deployer.version import VERSION
from infra.spec import Spec
from tests.cli.conftest import FakeHost
from tests.host.aws_here import BUCKET, GROUP, region
from tests.infra.moto_here import ACCOUNT, REGION

SPACE = Space(
    "production", "aws", "debian-13-amd64", "http://{app}.example/", "2026", VERSION, roll=1, called=1, seats=3
)
SERVES, NEW = Instance("i-2", "InService", True), Instance("i-3", "Pending:Wait", True)
PATIENCE = 20.0  # seconds of a test that would hang


@dataclass
class Aws:
    """A space with hosts i-1 on seat 1 and i-2 on seat 2. `silent` fail to be dialled, `slow` take until that is set.
    Its group has `there`, `states` are EC2's; `says_nothing` is why AWS does not answer."""

    ledger: Ledger
    there: list[Instance] = field(default_factory=lambda: [SERVES, NEW])
    states: dict[str, str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=lambda: {"i-1"})
    slow: dict[str, threading.Event] = field(default_factory=dict)
    says_nothing: Failure | None = None
    asked: list[list[str]] = field(default_factory=list)
    dialled: list[FakeHost] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)

    def open(self, doubt: float = 0.2) -> OpenSpace:
        opened = OpenSpace(self.ledger.space(), self.ledger, None, self._dial, asks=self._asks, notice=self.told.append)
        opened.doubt = doubt
        return opened

    def warnings(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, Warn)]

    def _dial(self, host: Host) -> Session:
        if host.id in self.slow:
            assert self.slow[host.id].wait(PATIENCE)
        if host.id in self.silent:
            raise HostUnreachable(host.id, "10.0.0.1", 22, "no word")
        self.dialled.append(FakeHost(host=host))
        return cast(Session, self.dialled[-1])

    def _asks(self, silent: Sequence[Host], known: Sequence[Host]) -> Fates:
        self.asked.append([host.id for host in silent])
        if self.says_nothing:
            raise self.says_nothing
        return judged([one.id for one in silent], [one.id for one in known], 2, self.there, self.states)


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Aws]:
    ledger = Ledger(FolderStore(tmp_path), "ada")
    ledger.save_space(SPACE)
    for name in ("i-1", "i-2"):
        seat = ledger.take_seat(name)
        ledger.save_host(Host(name, seat, "", f"10.0.0.{seat}", "ssh-ed25519 AAAA"))
    made = Aws(ledger)
    yield made
    for one in made.slow.values():
        one.set()


ILL, LEAVING = Instance("i-1", "InService", False), Instance("i-1", "Terminating:Wait", True)
GONE = {
    "ended by hand, and its group has not seen it yet": ("terminated", Instance("i-1", "InService", True)),
    "ending": ("shutting-down", None),
    "sent away, and as ill as a host with a kernel that hangs": ("running", Instance("i-1", "Terminating:Wait", False)),
    "its hooks are over": ("running", Instance("i-1", "Terminating:Proceed", True)),
    "forgotten": (None, None),
}
NOT_GONE = {
    "well": ("running", Instance("i-1", "InService", True)),
    "ill, and in service": ("running", ILL),
    "stopped: it can be started": ("stopped", Instance("i-1", "InService", False)),
    "stopping": ("stopping", Instance("i-1", "InService", True)),
    "taken out of its group, and it lives": ("running", None),
    "on the way": ("pending", Instance("i-1", "Pending:Wait", True)),
}


@pytest.mark.parametrize("case", [*GONE, *NOT_GONE])
def test_gone_is_who_does_not_come_back(case: str) -> None:
    state, member = {**GONE, **NOT_GONE}[case]
    there = [SERVES, *([member] if member else [])]
    fates = judged(["i-1"], ["i-1", "i-2"], 2, there, {"i-1": state} if state else {})
    assert (set(fates.gone({"i-1"})) == {"i-1"}) == (case in GONE)


@pytest.mark.parametrize(
    ("there", "coming"),
    [
        ([SERVES, NEW], "i-3 boots, and joins"),
        ([SERVES], "its group starts another one"),
        ([SERVES, Instance("i-3", "InService", True)], "i-3 serves"),
        ([SERVES, Instance("i-1", "InService", True)], "its group starts another one"),
    ],
)
def test_what_comes_in_its_place_is_said(there: list[Instance], coming: str) -> None:
    fates = judged(["i-1"], ["i-1", "i-2"], 2, there, {"i-1": "terminated"})
    assert fates.gone(()) == {"i-1": f"it is gone (EC2: terminated); {coming}"}
    assert judged(["i-1"], ["i-1", "i-2"], 1, [SERVES], {"i-1": "terminated"}).coming == "", "no more are wanted"


@pytest.mark.edge
def test_aws_is_asked_by_the_record_of_the_space() -> None:
    with region(2) as here:
        state = StoreAddress(BUCKET, "state/", here.endpoint, REGION)
        known = Record("production", Spec(REGION), ACCOUNT, "0.1.0", outputs={"group": GROUP}, bucket=BUCKET)
        record.save(S3Store(state), known)
        first, second = (Host(name, 1, "", "", "") for name in sorted(here.states()))
        here.set_state(first.id, "Terminating:Wait", healthy=False)
        here.set_state(second.id, "InService")
        lost = Host("i-0123456789abcdef0", 3, "", "", "")
        fates = look(state, [first, second, lost], [first, second, lost])
        assert fates.gone({first.id, second.id}).keys() == {first.id, lost.id}
        assert [one.said for one in fates.of] == [
            "EC2: running; its group: Terminating:Wait, unhealthy",
            "EC2: running; its group: InService, healthy",
            "AWS has it no more",
        ]
        record.save(S3Store(state), replace(known, outputs={}))
        assert look(state, [first], [first]) == Fates(), "no group is made yet"


def test_one_that_is_gone_is_passed_over_and_named_once(aws: Aws) -> None:
    aws.states = {"i-1": "terminated"}
    space = aws.open()
    attend(space, aws.told.append)
    assert [one.host.id for one in space.sessions] == ["i-2"] and space.first.host.id == "i-2"
    space.dial()
    assert aws.warnings() == ["Going on without i-1: it is gone (EC2: terminated); i-3 boots, and joins"]
    assert aws.asked == [["i-1"]] and aws.ledger.space() == SPACE


def test_nobody_waits_for_one_that_is_gone(aws: Aws) -> None:
    aws.states, aws.slow = {"i-1": "shutting-down"}, {"i-1": threading.Event()}
    began = time.monotonic()
    assert [one.host.id for one in aws.open().sessions] == ["i-2"]
    assert time.monotonic() - began < 2


def test_whoever_needs_any_host_takes_the_first_that_answers(aws: Aws) -> None:
    """And nobody is left connected to one that answers when all is over."""
    late = aws.slow["i-1"] = threading.Event()
    aws.silent = set()
    space = aws.open(doubt=PATIENCE)
    assert space.first.host.id == "i-2" and not aws.asked
    space.close()
    late.set()
    deadline = time.monotonic() + PATIENCE
    while ("close", {}) not in [one for host in aws.dialled for one in host.asked if host.host.id == "i-1"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_that_hands_over_is_waited_for_and_takes_part(aws: Aws) -> None:
    aws.there, aws.silent, aws.slow = [LEAVING, SERVES, NEW], set(), {"i-1": threading.Event()}
    threading.Timer(0.5, aws.slow["i-1"].set).start()
    space = aws.open()
    assert [one.host.id for one in space.sessions] == ["i-1", "i-2"]
    assert aws.asked == [["i-1"]] and not aws.warnings()


def test_one_that_is_sent_away_and_does_not_answer_is_gone(aws: Aws) -> None:
    aws.there, aws.slow, aws.states = [LEAVING, SERVES, NEW], {"i-1": threading.Event()}, {"i-1": "running"}
    threading.Timer(0.5, aws.slow["i-1"].set).start()
    space = aws.open()
    assert [one.host.id for one in space.sessions] == ["i-2"]
    seen = "EC2: running; its group: Terminating:Wait, healthy"
    assert aws.warnings() == [f"Going on without i-1: it is gone ({seen}); i-3 boots, and joins"]


def test_one_that_merely_does_not_answer_stops_a_change_and_no_reader(
    aws: Aws, golden: Callable[[str, str], None]
) -> None:
    aws.there, aws.states = [ILL, SERVES], {"i-1": "running"}
    space = aws.open()
    assert [one.host.id for one in space.answering] == ["i-2"]
    with pytest.raises(HostsOfAwsDoNotAnswer) as refused:
        attend(space, aws.told.append)
    golden("errors/hosts/of-aws-do-not-answer.txt", f"{refused.value}\n")
    assert not aws.warnings() and aws.ledger.space() == SPACE


def test_a_listing_says_what_aws_says_of_one_that_does_not_answer(aws: Aws, tmp_path: Path) -> None:
    aws.there, aws.states, err = [ILL, SERVES], {"i-1": "running"}, io.StringIO()
    nothing = cast(Any, None)
    shell = Shell(Output(io.StringIO(), err, False, False), {}, tmp_path, nothing, nothing)
    say_who_is_missing(shell, aws.open())
    said = "i-1 does not answer (EC2: running; its group: InService, unhealthy): nothing of it stands here."
    assert err.getvalue().strip().endswith(said)


def test_who_waits_goes_on_as_soon_as_its_group_sends_it_away(aws: Aws) -> None:
    aws.there, aws.states = [ILL, SERVES], {"i-1": "running"}
    space = aws.open()
    space.absence = Absence(wait=PATIENCE)

    def pause(seconds: float) -> None:
        aws.there = [Instance("i-1", "Terminating:Wait", False), SERVES]

    attend(space, aws.told.append, pause=pause)
    assert [one.host.id for one in space.sessions] == ["i-2"]
    assert [text.partition(":")[0] for text in aws.warnings()] == [
        "Waiting for i-1 to answer",
        "Going on without i-1",
    ]


def test_where_aws_says_nothing_nobody_is_gone(aws: Aws) -> None:
    aws.states, aws.says_nothing = {"i-1": "terminated"}, AwsUnreachable("no route")
    with pytest.raises(HostsOfAwsDoNotAnswer, match="AWS does not say what became of it"):
        attend(aws.open(), aws.told.append)


def test_who_has_come_meanwhile_in_its_place_is_told_of_routes_too(aws: Aws) -> None:
    aws.states = {"i-1": "terminated"}
    space = aws.open()
    assert [one.host.id for one in space.sessions] == ["i-2"] and space.newcomers() == ()
    aws.ledger.free_seat(1)
    aws.ledger.save_host(Host("i-3", aws.ledger.take_seat("i-3"), "", "10.0.0.1", "ssh-ed25519 AAAA"))
    phases.stage(space, Fence("shop", 1, 1), Routes("shop", 2, ("shop.example",), "none", ()))
    assert [one.host.id for one in space.sessions] == ["i-3", "i-2"]
    assert {one.host.id for one in aws.dialled if one.asked and one.asked[0][0] == "stage"} == {"i-2", "i-3"}


def test_a_space_without_any_host_left_says_so(aws: Aws, golden: Callable[[str, str], None]) -> None:
    aws.silent, aws.there, aws.states = {"i-1", "i-2"}, [NEW], {"i-1": "terminated", "i-2": "shutting-down"}
    with pytest.raises(NoHostLeft) as refused:
        _ = aws.open().first
    golden("errors/hosts/none-left.txt", f"{refused.value}\n")


def test_doctor_names_one_that_is_gone(aws: Aws) -> None:
    aws.states, aws.silent = {"i-1": "terminated", "i-2": "running"}, {"i-1", "i-2"}
    findings = {one.where: one for one in examine_hosts(aws.open()) if one.check == "reach"}
    assert findings["i-1"].problem == "it is gone (EC2: terminated); i-3 boots, and joins"
    assert findings["i-2"].problem == "Could not reach host i-2."
