"""An app that writes down what it acknowledges, in its database; people outside who ask it on and on; how all must look
when what happened is over."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CalledProcessError

from deployer.model.lease import Lease
from deployer.operations.session import OpenSpace, open_space
from deployer.spaces import pointers
from deployer.store import keys, record
from deployer.store.base import Get, Stored
from tests.box.person import PAUSE, Person

APP = "book"
CRASHES = "/etc/deployer-test-crashes"  # on a host: as long as it is there, dynos end
PROGRAM = """\
import http.server, os, threading, time
import psycopg

URL, RELEASE = os.environ["DATABASE_URL"], os.environ.get("HEROKU_RELEASE_VERSION", "")


class Book(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            self.say(200, self.answer())
        except psycopg.Error as error:
            self.say(500, str(error))

    def answer(self):
        _, what, *entry = self.path.split("/")
        if not what:
            return RELEASE
        with psycopg.connect(URL, connect_timeout=3) as database:
            if what == "add":
                database.execute("INSERT INTO book VALUES (%s)", entry)
                return "added"
            return " ".join(row[0] for row in database.execute("SELECT entry FROM book"))

    def say(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *about):
        pass


def crash():
    while not os.path.exists("CRASHES"):
        time.sleep(0.1)
    os._exit(1)


if __name__ == "__main__":
    if "BROKEN" in os.environ:
        raise SystemExit("this release is broken")
    threading.Thread(target=crash, daemon=True).start()
    http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Book).serve_forever()
"""
TABLE = """\
import os, time
import psycopg

with psycopg.connect(os.environ["DATABASE_URL"]) as database:
    database.execute("CREATE TABLE IF NOT EXISTS book (entry TEXT PRIMARY KEY)")
time.sleep(0.5)
"""
FILES = {
    "web.py": PROGRAM.replace("CRASHES", CRASHES),
    "table.py": TABLE,
    "requirements.txt": "psycopg[binary]\n",
    "Procfile": "release: python table.py\nweb: python web.py\n",
    "app.json": '{"addons": ["heroku-postgresql:essential-0"]}',
}
FOUND = """
shopt -s nullglob
systemctl list-units --no-legend --plain --all 'deployer-dyno-v1@*' | while read unit loaded active rest; do
  [ "$active" = inactive ] || echo "$active ${unit%.service}"
done
cd /srv/deployer
for path in apps/*/at-work/* apps/*/incoming/* apps/*/trash/*; do echo "half done: $path"; done
true
"""


def furnish(folder: Path) -> None:
    """Make its folder."""
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)


@dataclass
class Users:
    """`seen` by the status of an answer; `acknowledged` are the entries of which the app said that they are in."""

    person: Person
    seen: Counter[int] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def asking(self) -> Iterator[Counter[int]]:
        """They ask for as long as the block takes; afterwards all that was acknowledged is there."""
        self.seen = Counter()
        over = threading.Event()
        works = [self._read, self._read, self._write, self._write]
        threads = [threading.Thread(target=one, args=(over,), daemon=True) for one in works]
        for thread in threads:
            thread.start()
        try:
            yield self.seen
        finally:
            over.set()
            for thread in threads:
                thread.join()
            print(f"seen: {dict(self.seen)}, acknowledged so far: {len(self.acknowledged)}")
        self.check()

    def check(self) -> None:
        """What was acknowledged stands."""
        status, text = self.person.asks("/all")
        assert status == 200, text
        assert self.acknowledged <= set(text.split()), self.acknowledged - set(text.split())

    def lost(self) -> int:
        """How many requests got no answer of the app's."""
        return self.seen.total() - self.seen[200]

    def _read(self, over: threading.Event) -> None:
        while not over.wait(PAUSE):
            self.seen[self.person.asks()[0]] += 1

    def _write(self, over: threading.Event) -> None:
        while not over.wait(PAUSE):
            entry = f"e{next(self.numbers)}"
            status, _ = self.person.asks(f"/add/{entry}")
            self.seen[status] += 1
            if status == 200:
                self.acknowledged.add(entry)


def is_whole(person: Person) -> str:
    """Nothing where hosts run exactly what the ledger says, nothing is pending and nobody holds the lease; what is not
    so."""
    with open_space(pointers.load("production")) as space:
        state = space.ledger.state(person.app)
        assert state is not None and state.current is not None
        if state.operation is not None:
            return f"in the middle of {state.operation}"
        if _lease(space, person.app).holder is not None:
            return f"still held: {_lease(space, person.app)}"
        if pending := [one.release.name for one in space.ledger.releases(person.app, 5) if one.result is None]:
            return f"pending: {pending}"
        formation, release = state.app.formation, state.current.release
    wanted = sorted(
        f"active deployer-dyno-v1@{person.app}.{kind}.{number + 1}.v{release}"
        for kind, one in formation.items()
        if kind != "release"
        for number in range(one.quantity)
    )
    found = sorted(there(person))
    return "" if found == wanted else f"{found}, wanted: {wanted}"


def there(person: Person) -> list[str]:
    """The dynos on all hosts and their states, and what is half done there; a host that boots or ends says nothing."""
    found: list[str] = []
    for one in person.here.instances():
        with suppress(LookupError, CalledProcessError):
            found += person.here.run(one.id, "bash", "-c", FOUND).splitlines()
    return found


def current(person: Person) -> int:
    """The number of the release that the ledger has in force."""
    with open_space(pointers.load("production")) as space:
        state = space.ledger.state(person.app)
        assert state is not None and state.current is not None
        return state.current.release


def became(person: Person, number: int) -> str:
    """What became of a release: `succeeded` or `failed`; empty while it is pending."""
    with open_space(pointers.load("production")) as space:
        result = space.ledger.result(person.app, number)
    return result.status if result else ""


def held_by(person: Person) -> str:
    """Whose lease the app's is; empty where it is nobody's."""
    with open_space(pointers.load("production")) as space:
        return _lease(space, person.app).user


def _lease(space: OpenSpace, app: str) -> Lease:
    stored = space.ledger.store.batch([Get(keys.lease(f"app-{app}"))]).answers[0]
    assert isinstance(stored, Stored)
    return record.load(Lease, stored)
