"""What a space's store holds, in the words of the model: apps, releases, config vars, add-ons, hosts, audit.

A record that changes (`apps/A/app`, `current`, `operation`, `addons/N`) is written only if it still is what this ledger
last read or wrote of it: a laptop that slept writes over nobody's work. RecordChanged says so.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from deployer.errors.apps import AppExists
from deployer.errors.ledger import RecordChanged, SpaceEmpty
from deployer.model.addon import Addon
from deployer.model.app import App, Current, Operation
from deployer.model.certificate import Certificate
from deployer.model.moment import spelled
from deployer.model.release import INITIAL, Release, Result
from deployer.model.slug import Slug
from deployer.model.space import Host, Space
from deployer.store import keys, record
from deployer.store.base import Delete, Get, List, Lost, Put, Store, Stored
from deployer.store.entries import AuditEntry, Claim, ConfigRecord
from deployer.store.foresight import Answer, Foresight, Known, Read
from deployer.store.names import Names

FIRST_UID = 20001
NEVER_BEGAN = "cut off before it began"


@dataclass(frozen=True, slots=True)
class AppState:
    """An app with what its current release is made of. `roll` is the space's, as the ledger said at the same time."""

    app: App
    current: Current | None = None
    operation: Operation | None = None
    release: Release | None = None
    config: dict[str, str] = field(default_factory=dict)
    slug: Slug | None = None
    roll: int = 0


@dataclass(frozen=True, slots=True)
class ReleaseEntry:
    """A release and what became of it; `result` is None while it is pending."""

    release: Release
    result: Result | None


class Ledger(Names):
    """The ledger over a store. `who` (`user@host`) and `now` stand in the releases that it makes."""

    def __init__(self, store: Store, who: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(Foresight(store))
        self.who = who
        self._now = now

    def timestamp(self) -> str:
        """Now, as every record spells it: ISO 8601, UTC, seconds."""
        return spelled(self._now())

    # Reading ahead

    def expect_hosts(self, names: Iterable[str]) -> None:
        """The space is read next, and then its hosts, which are probably these."""
        self.store.expect([List(keys.HOSTS), *(Get(keys.host(name)) for name in names)])

    def expect_state(self, app: str) -> None:
        """The app's lease is taken next, and then its state read, which may lead to a release."""
        current = Get(keys.current(app))

        def behind_lease(known: Known) -> list[Read]:
            digests = [key for key in self._parts(app, known(current)) if key not in self._unchanging]
            names = [keys.app(app), keys.current(app), keys.operation(app), keys.SPACE, *digests]
            names += map(keys.certificate, self._of_its_url(app))
            return [*(Get(key) for key in names), List(keys.releases(app))]

        self.store.expect([current], behind_lease)

    def _parts(self, app: str, stored: Answer) -> list[str]:
        """The keys of what an app's current release is made of."""
        if not isinstance(stored, Stored):
            return []
        current = record.load(Current, stored)
        parts = [keys.release(app, current.release)]
        parts += [keys.config(app, current.config)] if current.config else []
        return parts + ([keys.slug(current.slug)] if current.slug else [])

    # The space and its hosts

    def space(self) -> Space:
        """The space's specification; SpaceEmpty where there is none."""
        space = self._get(Space, keys.SPACE)
        if space is None:
            raise SpaceEmpty
        self._space = space
        return space

    def save_space(self, space: Space) -> None:
        """Write the specification."""
        self._put(keys.SPACE, space)
        self._space = space

    def hosts(self) -> tuple[Host, ...]:
        """The hosts that are registered, by seat."""
        names = [key for key in self._keys(keys.HOSTS) if keys.is_host(key)]
        # Of a host in AWS there are two: its own word, and after it what people say of it. It speaks for nobody else.
        found = {host.id: host for key, host in self._named(Host, names) if keys.host_of(key) == host.id}
        return tuple(sorted(found.values(), key=lambda host: host.seat))

    def seated_hosts(self) -> tuple[Host, ...]:
        """Those of them that hold their seat: hosts of AWS come and go, and nobody takes their records away."""
        held = {key: claim.owner for key, claim in self._named(Claim, self._keys(keys.SEATS))}
        return tuple(host for host in self.hosts() if held.get(keys.seat(host.seat)) == host.id)

    def save_host(self, host: Host) -> None:
        """Register a host, or its new address."""
        self.store.batch([Put(keys.host(host.id), record.dump(host))])

    def forget_host(self, host: Host) -> None:
        """Forget a host; its seat is for the next one."""
        self.store.batch([Delete(keys.host(host.id)), Delete(keys.seat(host.seat))])

    def take_seat(self, host_id: str) -> int:
        """The lowest free seat, from 1."""
        return self._claim(keys.SEATS, 1, host_id, lowest=True)

    def free_seat(self, number: int) -> None:
        """A seat for the next host."""
        self.store.batch([Delete(keys.seat(number))])

    def free_lost_seats(self) -> None:
        """Seats that no host has: of one that was not registered after it had taken its seat, for it was cut off."""
        held = {keys.seat(host.seat) for host in self.hosts()}
        if lost := [Delete(key) for key in self._keys(keys.SEATS) if key not in held]:
            self.store.batch(lost)

    # Apps

    def apps(self) -> tuple[App, ...]:
        """Every app of the space, by name."""
        names = [key for key in self._keys(keys.APPS) if keys.app_of(key)]
        return tuple(self._many(App, names))

    def app(self, name: str) -> App | None:
        """One app."""
        return self._get(App, keys.app(name))

    def create_app(self, name: str, *, space: str, buildpacks: tuple[str, ...] = ()) -> App:
        """Make an app with its first release, `v1`; AppExists where the name is taken."""
        if self.app(name) is not None:
            raise AppExists(name, space)
        app = App(name, self.take_uid(name), self.timestamp(), buildpacks)
        config = ConfigRecord({})
        first = Release(1, None, record.digest(config.vars), INITIAL, self.who, app.created)
        ops = [
            Put(keys.config(name, first.config), record.dump(config)),
            Put(keys.release(name, 1), record.dump(first)),
            Put(keys.result(name, 1), record.dump(Result("succeeded", app.created))),
        ]
        try:
            self._put(keys.app(name), app)
        except RecordChanged as changed:
            raise AppExists(name, space) from changed
        self.store.batch([*ops, Put(keys.current(name), record.dump(Current(1, 1, first.config)))])
        return app

    def save_app(self, app: App, through: Store | None = None) -> None:
        """Write what outlives releases; `through` as for `commit`."""
        self._put(keys.app(app.name), app, through)

    def delete_app(self, name: str) -> None:
        """Forget an app: its record last, so that an interrupted `apps:destroy` can be repeated. Its uid and its
        lease's token stay: neither is ever used again."""
        # An operation that was cleared is no key any more, and yet an object where the store is S3.
        found = {*self._keys(keys.app_folder(name)), keys.operation(name)} - {keys.app(name)}
        self.store.batch([*(Delete(key) for key in sorted(found)), Delete(keys.app(name))])
        for known in (self._etags, self._unchanging, self._unwritten):
            for key in [key for key in known if key.startswith(keys.app_folder(name))]:
                del known[key]

    def take_uid(self, app: str) -> int:
        """A uid that no app of this space has ever had."""
        return self._claim(keys.UIDS, FIRST_UID, app, lowest=False)

    def state(self, name: str) -> AppState | None:
        """An app with everything that its current release is made of, in two batches (three where `current` was written
        without its digests), and the certificate that its URL depends on; None where there is no such app."""
        own = self._of_its_url(name)
        app, current, operation, space, *certificate = self._read(
            (App, keys.app(name)),
            (Current, keys.current(name)),
            (Operation, keys.operation(name)),
            (Space, keys.SPACE),
            *((Certificate, keys.certificate(one)) for one in own),
        )
        self._seen.update(zip(own, certificate, strict=True))
        if app is None:
            return None
        state = AppState(app, current, operation, roll=space.roll if space else 0)
        return state if current is None else self._complete(state, current)

    def _complete(self, state: AppState, current: Current) -> AppState:
        name = state.app.name
        if current.config is None:
            release = self._get(Release, keys.release(name, current.release))
            assert release is not None, "releases are never deleted while they are current"
            current = replace(current, config=release.config, slug=release.slug)
        assert current.config is not None
        wanted = [(Release, keys.release(name, current.release)), (ConfigRecord, keys.config(name, current.config))]
        wanted += [(Slug, keys.slug(current.slug))] if current.slug else []
        release, config, *slug = self._read(*wanted)
        return replace(state, current=current, release=release, config=config.vars, slug=slug[0] if slug else None)

    # Releases

    def releases(self, app: str, limit: int | None = None) -> list[ReleaseEntry]:
        """The newest releases with their results, newest first."""
        numbers = self._release_numbers(app)[::-1][:limit]
        wanted = [(Release, keys.release(app, n)) for n in numbers] + [(Result, keys.result(app, n)) for n in numbers]
        found = self._read(*wanted) if wanted else ()
        entries = zip(found[: len(numbers)], found[len(numbers) :], strict=True)
        return [ReleaseEntry(release, result) for release, result in entries if release is not None]

    def release(self, app: str, number: int) -> Release | None:
        """One release."""
        return self._get(Release, keys.release(app, number))

    def result(self, app: str, number: int) -> Result | None:
        """What became of it; None while it is pending."""
        return self._get(Result, keys.result(app, number))

    def new_release(self, app: str, draft: Release, serving: int | None = None) -> Release:
        """Record a release under the next number; `number`, `user` and `created` of the draft are filled in. With the
        number of the one that is `serving` the app's lease is held and no operation is under way: a newer one without
        a result was cut off before it began, and has failed."""
        draft = replace(draft, user=draft.user or self.who, created=draft.created or self.timestamp())
        while True:
            found = self._keys(keys.releases(app))
            numbers = [number for key in found if (number := keys.release_number(key)) is not None]
            for number in numbers:
                if serving is not None and number > serving and keys.result(app, number) not in found:
                    self.end_release(app, number, NEVER_BEGAN)
            release = replace(draft, number=max(numbers, default=0) + 1)
            put = Put(keys.release(app, release.number), record.dump(release), if_absent=True)
            try:
                record.put(self.store, put, before=tuple(self._unwritten.values()))
            except Lost:
                continue
            self._unwritten = {}
            self._unchanging[keys.release(app, release.number)] = release
            return release

    def end_release(self, app: str, number: int, reason: str | None = None) -> None:
        """Write what became of a release: it succeeded, or failed for a reason. The first word stands."""
        result = Result("failed" if reason else "succeeded", self.timestamp(), reason)
        try:
            record.put(self.store, Put(keys.result(app, number), record.dump(result), if_absent=True))
        except Lost:
            return

    def save_config(self, app: str, config: dict[str, str]) -> str:
        """Keep a set of config vars, written with the next release; its digest."""
        digest = record.digest(config)
        self._keep(keys.config(app, digest), ConfigRecord(config))
        return digest

    def config(self, app: str, digest: str) -> dict[str, str]:
        """The config vars of a release, by their digest; nothing where they are not there."""
        found = self._get(ConfigRecord, keys.config(app, digest))
        return found.vars if found else {}

    def save_slug(self, slug: Slug) -> str:
        """Keep a slug, written with the next release; its digest."""
        digest = record.digest(slug)
        self._keep(keys.slug(digest), slug)
        return digest

    def slug(self, digest: str) -> Slug | None:
        """One slug."""
        return self._get(Slug, keys.slug(digest))

    def slugs(self, digests: Iterable[str]) -> list[Slug]:
        """Several slugs, in one batch; those that are there."""
        return self._many(Slug, [keys.slug(digest) for digest in digests])

    def commit(self, state: AppState, app: App, current: Current, through: Store | None = None) -> AppState:
        """The commit point: `current` becomes this release, if it still is what `state` was read with. The app's record
        follows, where it differs; a command that finds it missing has it in the operation's formation. `through` is a
        store that asks for the lease in the same round trip."""
        release = self.release(app.name, current.release)
        assert release is not None, "a release is recorded before it is committed"
        current = replace(current, config=release.config, slug=release.slug)
        self._put(keys.current(app.name), current, through)
        if app != state.app:
            self.save_app(app)
        return self._complete(replace(state, app=app, current=current), current)

    def save_operation(self, app: str, operation: Operation, through: Store | None = None) -> None:
        """Write down what is about to happen; `through` as for `commit`."""
        self._put(keys.operation(app), operation, through)

    def clear_operation(self, app: str) -> None:
        """The operation is done, or undone."""
        key = keys.operation(app)
        try:
            self.store.batch([Delete(key, if_match=self._etags.get(key))])
        except Lost as lost:
            raise RecordChanged(key) from lost
        self._etags[key] = None

    # Add-ons and audit

    def addons(self, app: str | None = None) -> tuple[Addon, ...]:
        """The add-ons of the space, or those that one app owns."""
        return tuple(addon for addon in self._all(Addon, keys.ADDONS) if app in (None, addon.app))

    def addon(self, name: str) -> Addon | None:
        """One add-on."""
        return self._get(Addon, keys.addon(name))

    def save_addon(self, addon: Addon) -> None:
        """Write an add-on."""
        self._put(keys.addon(addon.name), addon)

    def delete_addon(self, name: str) -> None:
        """Forget an add-on."""
        self.store.batch([Delete(keys.addon(name))])
        self._etags.pop(keys.addon(name), None)

    def audit(self, what: str, app: str | None = None) -> None:
        """Write down who did what."""
        at = self.timestamp()
        entry = AuditEntry(self.who, what, app, at)
        self.store.batch([Put(keys.audit(at, secrets.token_hex(4)), record.dump(entry))])

    def last_audit(self) -> AuditEntry | None:
        """The last thing that is written down."""
        written = self._keys(keys.AUDIT)
        return self._get(AuditEntry, max(written)) if written else None

    def _release_numbers(self, app: str) -> list[int]:
        numbers = (keys.release_number(key) for key in self._keys(keys.releases(app)))
        return [number for number in numbers if number is not None]
