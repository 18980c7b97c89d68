"""Spaces in AWS: what would change, made, taken down with proof. One run at a time, under the space's lease."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from deployer.errors.base import Failure
from deployer.errors.cloud import CloudBroken, SpaceBusy, SpaceNotMade, StillThere
from deployer.errors.lease import LeaseHeld
from deployer.errors.store import StoreMissing
from deployer.model.events import Detail, Doing, Done, Step, Tell, Warn
from deployer.model.joining import JoinOrder
from deployer.model.moment import spelled
from deployer.model.space import NO_HOST, Pointer, StoreAddress
from deployer.operations.cloud_ledger import ledger_of
from deployer.operations.cloud_proposal import Alter, Departure, Proposal
from deployer.operations.session import whoami
from deployer.spaces import pointers
from deployer.spaces.aws import account as accounts
from deployer.spaces.aws import bootstrap, domain, newer, own_key, places, record, user_data
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.bootstrap import State
from deployer.spaces.aws.boundary import find_boundary
from deployer.spaces.aws.domain import Domain
from deployer.spaces.aws.foreign import foreign
from deployer.spaces.aws.found import find
from deployer.spaces.aws.furnish import Furnisher, address_of, bucket_of
from deployer.spaces.aws.places import Place
from deployer.spaces.aws.proof import Left, Look, wait_until_gone
from deployer.spaces.aws.pulumi_lock import locks, refuse_live
from deployer.spaces.aws.record import NO_PINS, Pins, Record
from deployer.spaces.aws.tools import Tools
from deployer.store.backups import Stock, stock
from deployer.store.lease import hold
from deployer.store.s3 import S3Store
from deployer.version import VERSION
from infra import engine
from infra.changes import Progress
from infra.engine import Engine, Leave
from infra.names import last_snapshot
from infra.sizes import HOSTS
from infra.spec import Spec

if TYPE_CHECKING:
    from infra.program import Settings

LEASE = "space"
STOPPING = "Nothing new is begun. The steps that run in AWS are finished first: this may take minutes."
IN_THE_WAY = "Others have put something into its network, which AWS does not delete before that is gone:"
DONE = {"create": "made", "update": "changed", "delete": "deleted"}
DOING = {"create": "making", "update": "changing", "delete": "deleting"}


def preview(
    tools: Tools, name: str, spec: Spec | None, region: str, pins: Pins = NO_PINS, alter: Alter | None = None
) -> Proposal:
    """Look, and change nothing: read-only credentials are enough. What commands on apps have added to the space stays,
    but for what `alter` makes of it. SpaceNotMade where there is neither a space nor a specification."""
    account = tools.account(region)
    state, known = _known(account, name)
    wanted_account = known.account if known else spec.account if spec else None
    number = accounts.check(account, name, wanted_account)
    if known is None or state is None:
        if spec is None:
            raise SpaceNotMade(name, number, region)
        wanted_spec = alter(spec) if alter else spec
        return Proposal(name, number, None, wanted_spec, None, domain.look(account, name, spec), alter=alter)
    found = Proposal(name, number, known.spec, spec or known.spec, (), None, known, pins, alter)
    wanted = _named(_bounded(account, found.onto(known)), state)
    there = domain.look(account, name, wanted.spec)
    with tools.reading(account, state) as run:
        further = places.places(account, wanted)
        changes = engine.preview(run, settings(account, wanted, there, further), partial(find, account))
        return replace(found, after=wanted.spec, changes=changes, domain=there, places=further)


def drift(tools: Tools, name: str, region: str) -> Proposal:
    """What is not as the last `up` left it: its changes are those that would put it right. Changes nothing."""
    found = preview(tools, name, None, region)
    if found.known is None or not found.known.outputs:
        raise SpaceNotMade(name, found.account, region)
    return found


def up(tools: Tools, proposal: Proposal, tell: Tell, leave: Leave | None = None) -> Record:
    """Do what was proposed, and note it. Can be repeated after any failure: it goes on where it stopped. `leave`: see
    the engine."""
    tools.ready()
    account = tools.account(proposal.after.region)
    tell(Step(f"Preparing the account {proposal.account}"))
    with asking():
        state = bootstrap.ensure(account, proposal.name)
    with _leased(account, state, proposal.holder) as store:
        known = record.load(store) or Record(proposal.name, proposal.after, proposal.account, VERSION)
        pinned = _pinned(account, replace(proposal.onto(known), tool=VERSION))
        wanted = _named(_bounded(account, pinned), state)
        remember_pointer(account, state, wanted)
        run = _engine(tools, account, state, wanted, tell)
        asked = settings(account, wanted, proposal.domain)
        with going_on(proposal.again):
            if proposal.gone:
                leaving = settings(account, known, leaving=True, keep=proposal.keep)
                _release(run, account, leaving, tell, proposal.gone)
            record.save(store, wanted)
            domain.forget_given_up(account, proposal.name)
            tell(Step(f"Making {proposal.name} in {account.region}"))
            with furnisher(account, wanted).working():  # a host may start before all of it is there
                found = engine.up(run, asked, lambda progress: _tell(progress, tell), partial(find, account), leave)
        if found is None:
            return wanted
        done = replace(wanted, outputs={key: str(value) for key, value in found.items() if value is not None})
        record.save(store, done)
        furnisher(account, done).try_once()
    return done


def furnisher(account: Account, known: Record) -> Furnisher:
    """What writes into the store what hosts join with, this machine's key for them among it."""
    _, public_key = own_key.ensure(known.name)
    store = S3Store(address_of(account, known.bucket))
    now = spelled(datetime.now(UTC))
    return Furnisher(store, known, whoami(), public_key, now)


def so_far(tools: Tools, known: Record) -> Domain | None:
    """How far the domain of a space is."""
    return domain.look(tools.account(known.spec.region), known.name, known.spec)


def remember(tools: Tools, proposal: Proposal) -> None:
    """Know the space on this machine, too, where somebody else's has made it."""
    account = tools.account(proposal.after.region)
    state, known = _known(account, proposal.name)
    if state and known:
        remember_pointer(account, state, known)
        if known.bucket:
            furnisher(account, known).try_once()


def info(tools: Tools, name: str, region: str) -> Record:
    """What is noted of a space; SpaceNotMade."""
    number, known = _checked(tools.account(region), name)
    if known is None:
        raise SpaceNotMade(name, number, region)
    return known


def departure(tools: Tools, name: str, region: str) -> Departure:
    """What `down` would take down."""
    account = tools.account(region)
    number, known = _checked(account, name)
    spec = known.spec if known else None
    return Departure(name, number, region, spec, tuple(foreign(account, name)), *_inside(account, known))


def _inside(account: Account, known: Record | None) -> tuple[tuple[str, ...] | None, tuple[str, ...], Stock | None]:
    """The apps, the databases and the backups in a space."""
    ledger = ledger_of(account, known) if known else None
    if ledger is None:
        return None, (), None
    try:
        apps = tuple(app.name for app in ledger.apps())
        databases = tuple(f"{one.app}: {one.name}" for one in ledger.addons() if one.app in apps)
        return apps, databases, stock(ledger.store)
    except StoreMissing:
        return None, (), None


def down(tools: Tools, gone: Departure, tell: Tell, *, keep: bool) -> list[Left]:
    """Take everything away and prove it; what was kept: the last snapshot of the database. StillThere where AWS has
    more. Can be repeated after any failure."""
    account = tools.account(gone.region)
    state, known = _known(account, gone.name)
    if state:
        tools.ready()
        with _leased(account, state, "deployer down") as store:
            known = record.load(store)
            if known:
                domain.forget_given_up(account, gone.name)
                with going_on(f"deployer down --space {gone.name}"), _in_the_way(account, gone.name):
                    _delete(_engine(tools, account, state, known, tell), account, known, tell, keep=keep)
    tell(Doing(f"Asking AWS what is left of {gone.name}"))
    found = wait_until_gone(account, gone.name, tools.patience, also=_of_its_domain(known))
    if there := [one for one in found if not one.kept]:
        raise StillThere(gone.name, "\n".join(map(str, there)))
    tell(Done("nothing but what was kept" if found else "nothing"))
    if state:
        with asking():
            bootstrap.remove(account, state)
    pointers.remove(gone.name)
    own_key.remove(gone.name)
    return found


def _of_its_domain(known: Record | None) -> list[Look]:
    """Records of DNS carry no tag: what is noted of the space says which to look for."""
    if known is None:
        return []
    further = places.still_there(known)
    if known.spec.domain is None:
        return further
    name, wanted = known.spec.domain, domain.entries(known.spec, known.outputs)
    return [lambda account, space: domain.still_there(account, name, wanted), *further]


@contextmanager
def leased(account: Account, name: str, command: str) -> Iterator[None]:
    """While nobody else may change the space; SpaceBusy, SpaceNotMade."""
    with asking():
        state, number = bootstrap.find(account, name), account.number()
    if state is None:
        raise SpaceNotMade(name, number, account.region)
    with _leased(account, state, command):
        yield


@contextmanager
def going_on(command: str) -> Iterator[None]:
    """An interrupt says how to go on."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"What was done is noted, and nothing is done twice: `{command}` goes on from there.")
        raise


@contextmanager
def _in_the_way(account: Account, name: str) -> Iterator[None]:
    """Where AWS refuses to delete, what others have put into the network is said."""
    try:
        yield
    except CloudBroken as broken:
        with suppress(Failure):
            if there := foreign(account, name):
                broken.add_note("\n".join([IN_THE_WAY, *(f"  {one}" for one in there)]))
        raise


def _engine(tools: Tools, account: Account, state: State, known: Record, tell: Tell) -> Engine:
    """The engine, for one who holds the space's lease: what a run that was killed has left of its lock is broken, where
    its Pulumi has ended, too."""
    run = replace(tools.engine(account, state), stopping=lambda: tell(Warn(STOPPING)))
    with asking():
        held = locks(account, state)
    if held:
        refuse_live(known.name, held, datetime.now(UTC))
        engine.unlock(run, settings(account, known))
    return run


def _delete(run: Engine, account: Account, known: Record, tell: Tell, *, keep: bool) -> None:
    """Its protection first, since AWS counts what is in force; then what is in the store; then everything. Hosts write
    to the store until they end, which takes minutes: what has come there since goes, too."""
    leaving, bucket = settings(account, known, leaving=True, keep=keep), known.bucket or known.outputs.get("bucket", "")
    _release(run, account, leaving, tell)
    _empty(account, bucket)
    tell(Step(f"Taking {known.name} down"))
    take_down = partial(engine.down, run, leaving, lambda progress: _tell(progress, tell), partial(find, account))
    try:
        take_down()
    except CloudBroken:
        if not _empty(account, bucket):
            raise
        tell(Step("Once more, with what the hosts had written to the store before they ended"))
        take_down()


def _empty(account: Account, bucket: str) -> int:
    with asking():
        return bootstrap.empty(account, bucket) if bucket else 0


def _release(run: Engine, account: Account, leaving: Settings, tell: Tell, only: Sequence[str] = ()) -> None:
    """Take the protection of databases away, of those that are named or of all."""
    if leaving.spec.has_databases:
        tell(Step("Taking the database's protection away"))
        engine.release(run, leaving, lambda progress: _tell(progress, tell), partial(find, account), only)


def settings(
    account: Account,
    known: Record,
    there: Domain | None = None,
    further: Sequence[Place] | None = None,
    *,
    leaving: bool = False,
    keep: bool = True,
) -> Settings:
    """What the program is run with; `there` is how far its domain is, `further` where the records of further ones go:
    Route 53 is asked where they are not given."""
    from infra.program import Settings

    spec = known.spec
    order = JoinOrder(known.name, known.bucket, spec.region, spec.load_balancer, endpoint=account.endpoint)
    return Settings(
        known.name,
        replace(spec, account=known.account),
        user_data.render(order),
        snapshot=last_snapshot(known.name),
        image=known.images.get(HOSTS[known.spec.hosts.size].architecture),
        postgres=known.postgres,
        certificate_issued=there is not None and known.spec.load_balancer and there.is_proved,
        zone=there.zone.id if there and there.zone else None,
        leaving=leaving,
        keep=keep,
        boundary=known.boundary or None,
        bucket=known.bucket or None,
        proved=domain.proved(account, known.name, spec),
        records=tuple(one.records for one in (places.places(account, known) if further is None else further)),
    )


def _known(account: Account, name: str) -> tuple[State | None, Record | None]:
    with asking():
        state = bootstrap.find(account, name)
    if state is None or state.step < len(bootstrap.STEPS):
        return state, None
    return state, record.load(record.store_of(account, state))


def _checked(account: Account, name: str) -> tuple[str, Record | None]:
    """The account's number, where the space may be in it, and what is noted of the space."""
    _, known = _known(account, name)
    return accounts.check(account, name, known.account if known else None), known


@contextmanager
def _leased(account: Account, state: State, command: str) -> Iterator[S3Store]:
    """The state bucket, while nobody else may change the space; SpaceBusy."""
    store = record.store_of(account, state)
    try:
        with hold(store, LEASE, command=command, wait=None, second_store=lambda: record.store_of(account, state)):
            yield store
    except LeaseHeld as held:
        raise SpaceBusy(state.space, held.user, held.host, held.pid, held.command, held.seconds) from held


def _pinned(account: Account, known: Record) -> Record:
    """With an image for its hosts' architecture: the newest when the space first has such hosts, and no other since."""
    architecture = HOSTS[known.spec.hosts.size].architecture
    if architecture in known.images:
        return known
    return Pins({architecture: newer.image(account, architecture)}).onto(known)


def _bounded(account: Account, known: Record) -> Record:
    """With the boundary of its hosts' role, where whoever administers the account has made one."""
    if known.boundary:
        return known
    with asking():
        return replace(known, boundary=find_boundary(account, known.account, known.name) or "")


def _named(known: Record, state: State) -> Record:
    """With the name of its store's bucket, which its hosts are told before there is one."""
    return replace(known, bucket=bucket_of(known, state))


def remember_pointer(account: Account, state: State, known: Record) -> None:
    """Have this machine know the space, by a key of its own."""
    identity, _ = own_key.ensure(known.name)
    store = StoreAddress(state.bucket, "", account.endpoint, account.region)
    ledger = address_of(account, known.bucket) if known.bucket else None
    pointers.save(Pointer(known.name, "aws", NO_HOST, str(identity), store=store, ledger=ledger))


def _tell(progress: Progress, tell: Tell) -> None:
    one = progress.change
    thing = f"{one.noun}: {one}"
    if progress.failed:
        tell(Warn(f"{thing} could not be {DONE[one.verb]}"))
    elif progress.ended:
        tell(Detail(f"{thing} {DONE[one.verb]}, {progress.seconds:.0f} s"))
    elif one.minutes != (0, 0):
        tell(Detail(f"{thing}: {DOING[one.verb]} it takes {one.minutes[0]} to {one.minutes[1]} minutes"))
