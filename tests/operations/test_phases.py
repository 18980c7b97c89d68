"""What stays, what starts and what goes, by dyno and host."""

from __future__ import annotations

from pathlib import Path

from deployer.model.dyno import Dyno
from deployer.model.formation import Quantity
from deployer.model.placement import Seat
from deployer.model.space import Host, Space
from deployer.operations import phases
from deployer.operations.phases import Placed, Survey
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.store.folder import FolderStore
from deployer.store.ledger import Ledger
from tests.remote.agents_here import HereConnection


def session(seat: int) -> Session:
    return Session(Host(f"h{seat}", seat, "127.0.0.1", "127.0.0.1", "none"), HereConnection())


H1, H2, H3 = session(1), session(2), session(3)


def at(session: Session, name: str, release: int = 4, state: str = "up") -> Placed:
    kind, _, number = name.partition(".")
    return Placed(Dyno("shop", kind, int(number), release), session, "Basic", state=state)


def test_a_dyno_that_stands_on_two_hosts_is_kept_on_one() -> None:
    present = [at(H1, "worker.1"), at(H2, "worker.1"), at(H1, "web.1")]
    found = phases.compare(present, [at(H1, "worker.1"), at(H1, "web.1")])
    assert (found.kept, found.missing, found.extra) == ((present[0], present[2]), (), (present[1],))


def test_a_dyno_that_moves_starts_there_and_goes_here() -> None:
    old, new = at(H1, "web.1"), at(H2, "web.1", state="starting")
    assert phases.compare([old], [new]) == phases.Difference((), (new,), (old,))


def test_a_crashed_dyno_starts_again_where_that_is_wanted_and_is_never_extra() -> None:
    crashed = at(H1, "web.1", state="crashed")
    assert phases.compare([crashed], [at(H1, "web.1")]).kept == (crashed,)
    found = phases.compare([crashed], [at(H1, "web.1")], crashed_anew=True)
    assert (found.kept, found.missing, found.extra) == ((), (at(H1, "web.1"),), ())


def test_a_deploy_spreads_web_dynos_anew_and_leaves_workers_where_they_are() -> None:
    """The new web dynos start beside the old ones anyway: a host that was added gets its share without a move."""
    space = three_hosts()
    present = (at(H1, "web.1"), at(H1, "web.2"), at(H1, "web.3"), at(H1, "worker.1"), at(H1, "worker.2"))
    survey = Survey(present, tuple(Seat(n, 10_000) for n in (1, 2, 3)))
    formation = {"web": Quantity(3), "worker": Quantity(2)}
    moved = phases.place_dynos(space, "shop", 5, formation, survey, anew=("web",))
    assert sorted(p.session.host.seat for p in moved if p.dyno.process_type == "web") == [1, 2, 3]
    assert [p.session.host.seat for p in moved if p.dyno.process_type == "worker"] == [1, 1]
    assert {p.session.host.seat for p in phases.place_dynos(space, "shop", 4, formation, survey)} == {1}


def three_hosts() -> OpenSpace:
    """A space whose sessions are open; its ledger is never asked."""
    described = Space("sandbox", "sandbox", "debian-13-amd64", "http://{app}.localhost:8080/", "2026", "1")
    ledger = Ledger(FolderStore(Path("/nonexistent")), "test")
    return OpenSpace(
        described,
        ledger,
        H1,
        connect=lambda host: H1,
        hosts=tuple(one.host for one in (H1, H2, H3)),
        _open={one.host.id: one for one in (H1, H2, H3)},
    )
