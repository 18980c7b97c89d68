"""An app that goes through a lot; and how it must look when all is over.

Its processes: `web` boots in 0.2 s and says its release, `worker` does nothing, `release` takes a moment.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deployer.model.lease import Lease
from deployer.operations import phases
from deployer.operations.session import OpenSpace, open_space
from deployer.remote.agent import Session
from deployer.spaces import pointers
from deployer.store import keys, record
from deployer.store.base import Get, Stored
from deployer.store.ledger import AppState
from tests.hosts.machine import Machine
from tests.hosts.outside import Outside
from tests.hosts.person import Person

SPACE = "hosts"
PROGRAM = Path(__file__).parent.parent / "host" / "router_app.py"
LAPTOP = Path(__file__).with_name("laptop.py")
PROCFILE = """\
web: python3 app.py $PORT $HEROKU_RELEASE_VERSION 0.2
worker: sleep 100000
release: sleep 0.3
"""
TRACES = r"""
shopt -s nullglob
cd /srv/deployer
for path in dynos/APP.* scratch/APP.*; do echo "$path"; done
for path in apps/APP/at-work/* apps/APP/incoming/* apps/APP/trash/*; do echo "half done: $path"; done
cd /etc/systemd/system
for path in deployer-*@APP.*.d; do echo "settings $path"; done
for path in multi-user.target.wants/deployer-dyno-v1@APP.*; do echo "boots ${path#*/}"; done
systemctl list-units --all --plain --no-legend 'deployer-*@APP.*' | while read unit loaded active rest; do
  [ "$active" = inactive ] || echo "$active $unit"  # that are known to systemd from the boot, where it was linked
done
nft -n list set inet deployer own | grep -oE "\bUID \. [0-9]+" | sed 's/.* /port /'
grep -oE "\bUID \. [0-9]+" /etc/deployer/firewall.nft | sed 's/.* /port after boot /'
awk '$2 ~ "/scratch/APP[.]" {print "mount " $2}' /proc/mounts | sort | uniq -d
true
"""


COPIES = ("store", "store-copy")  # where the first and the second host have the ledger
LEDGER = "cd /srv/deployer/NAME && find . -type f ! -name '.*' -exec sha256sum {} + | sort | sha256sum"


@dataclass
class Afflicted(Person):
    """A person whose app goes through a lot, in a space of that name."""

    space_name: str = SPACE

    @property
    def here(self) -> tuple[str, str]:
        """The words that say which app."""
        return "-a", f"{self.space_name}/{self.app}"

    def opens(self, web: int = 2, worker: int = 1) -> None:
        """Create, deploy and scale it."""
        self.furnishes()
        self.types("deployer", "create", self.app, "--space", self.space_name, "--no-remote")
        self.types("deployer", "deploy", *self.here)
        self.types("deployer", "ps:scale", f"web={web}", f"worker={worker}", *self.here)
        self.sees("v2 ")

    def furnishes(self) -> None:
        """Make the folder."""
        self.folder.mkdir(parents=True)
        shutil.copy(PROGRAM, self.folder / "app.py")
        (self.folder / "requirements.txt").touch()
        (self.folder / "Procfile").write_text(PROCFILE)

    def closes(self) -> None:
        """Destroy it."""
        self.types("deployer", "apps:destroy", *self.here, "--confirm", self.app)

    def changes_a_line(self) -> None:
        """Make a source that differs from all before."""
        program = self.folder / "app.py"
        program.write_text(PROGRAM.read_text() + f"# {time.monotonic_ns()}\n")

    def words(self, command: str, *, fewer: bool = False) -> list[str]:
        """What to type, so that this kind of command has something to do; `fewer` dynos, or more where it can be."""
        more = []
        if command == "ps:scale":
            web = self.state().app.formation["web"].quantity
            more = [f"web={web - 1 if fewer or web > 3 else web + 1}"]
        elif command == "config:set":
            more = [f"NOW={time.monotonic_ns()}"]
        elif command == "deploy":
            self.changes_a_line()
        return [command, *more, *self.here]

    def meets(self, point: str, signal: str, *words: str) -> list[str]:
        """The words that run a command which gets the signal at the point (tests/hosts/laptop.py)."""
        return [sys.executable, str(LAPTOP), point, signal, *words]

    @contextmanager
    def space(self) -> Iterator[OpenSpace]:
        """The space, open."""
        with open_space(pointers.load(self.space_name)) as space:
            yield space

    def state(self) -> AppState:
        """What the ledger says of the app."""
        with self.space() as space:
            state = space.ledger.state(self.app)
            assert state is not None
            return state

    @property
    def newest(self) -> int:
        """The number of the newest release, whatever became of it."""
        with self.space() as space:
            return space.ledger.releases(self.app, 1)[0].release.number

    def succeeded(self, number: int) -> bool | None:
        """What became of a release; None where there is none."""
        with self.space() as space:
            result = space.ledger.result(self.app, number)
            return result.status == "succeeded" if result else None

    def is_whole(self, patience: float = 5.0) -> AppState:
        """Whether hosts have exactly what the ledger says, nothing is pending and nobody holds the lease, at the latest
        after `patience` seconds: dynos that were restarted boot, calls that survive their callers end. What the ledger
        says."""
        deadline = time.monotonic() + patience
        while True:
            try:
                return self._looks_whole()
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _looks_whole(self) -> AppState:
        with self.space() as space:
            state = space.ledger.state(self.app)
            assert state is not None and state.current is not None
            assert state.operation is None, state.operation
            lease = _lease(space, self.app)
            assert lease.holder is None, f"still held: {lease}"
            pending = [e.release.name for e in space.ledger.releases(self.app, 5) if e.result is None]
            assert not pending, f"pending: {pending}"
            holders = [space.first, *(session for session in space.sessions if session is not space.first)]
            held = [Machine(s).run(LEDGER.replace("NAME", at)) for s, at in zip(holders, COPIES, strict=False)]
            assert held[0] == held[-1], "the second host does not hold what the first one does"
            survey = phases.survey(space, self.app).present
            running = sorted((p.dyno.name, p.dyno.release, p.state) for p in survey)
            assert running == sorted(_wanted(state)), f"{running}, wanted: {sorted(_wanted(state))}"
            for session in space.sessions:
                mine = [p for p in survey if p.session is session]
                traces, expected = _traces(session, self.app, state.app.uid), _expected(mine)
                left, missing = sorted(set(traces) - set(expected)), sorted(set(expected) - set(traces))
                assert not left and not missing, f"{session.host.id}: left {left}, missing {missing}"
        return state


@contextmanager
def living(folder: Path, port: int) -> Iterator[Afflicted]:
    """An app named like its folder in the space of these tests, for as long as the block takes."""
    person = Afflicted(folder, folder.name, port)
    person.opens()
    yield person
    person.closes()


@contextmanager
def all_served(person: Afflicted) -> Iterator[None]:
    """Users who ask for as long as the block takes, and lose nothing."""
    users = Outside(person.port, person.app)
    with users.asking():
        yield
    users.lost_nothing(at_least=20)


def _wanted(state: AppState) -> list[tuple[str, int, str]]:
    assert state.current is not None
    names = [(kind, n + 1) for kind, one in state.app.formation.items() for n in range(one.quantity)]
    return [(f"{kind}.{number}", state.current.release, "up") for kind, number in names if kind != "release"]


def _lease(space: OpenSpace, app: str) -> Lease:
    stored = space.ledger.store.batch([Get(keys.lease(f"app-{app}"))]).answers[0]
    assert isinstance(stored, Stored)
    return record.load(Lease, stored)


def _traces(session: Session, app: str, uid: int) -> list[str]:
    script = TRACES.replace("APP", app).replace("UID", str(uid))
    return sorted(Machine(session).run(script).splitlines())


def _expected(dynos: Sequence[phases.Placed]) -> list[str]:
    lines = []
    for placed in dynos:
        name = placed.dyno.instance
        lines += [f"dynos/{name}", f"scratch/{name}", f"boots deployer-dyno-v1@{name}.service"]
        lines += [f"settings deployer-dyno-v1@{name}.service.d"]
        lines += [f"active deployer-dyno-v1@{name}.service", f"active deployer-dyno-fs-v1@{name}.service"]
        lines += [f"port {placed.port}", f"port after boot {placed.port}"] if placed.port else []
    return sorted(lines)
