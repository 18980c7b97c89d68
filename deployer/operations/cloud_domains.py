"""Certificates of AWS for domains of apps behind a load balancer: what a command proposes to become of them.

AWS wants two steps of it: a certificate that waits for its proof, and, once it is issued, a listener that shows it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace

from deployer.errors.aws import AwsDenied, AwsForbidden
from deployer.errors.domains import DomainNotReady
from deployer.errors.store import StoreDenied, StoreMissing
from deployer.model.certificate import ACM, Certificate
from deployer.model.events import Tell, Warn
from deployer.model.space import Space, StoreAddress
from deployer.model.tls import is_covered
from deployer.operations.cloud_proposal import Alter, Proposal
from deployer.operations.domain_wait import AT_MOST, EVERY
from deployer.operations.managed_databases import account_of
from deployer.operations.session import OpenSpace, whoami
from deployer.spaces.aws.domain import GIVEN_UP, PROVED, status_of
from deployer.store.ledger import Ledger
from deployer.store.s3 import S3Store
from infra.spec import Spec

SETTLED = ("certificate", "listener", "listener certificate", "Route 53 record")  # what `domains:add` is agreed to for


def wants_certificate(space: Space, name: str) -> bool:
    """Whether HTTPS at this domain takes a certificate of AWS's own."""
    return space.has_load_balancer and not is_covered(space, name)


def of_aws(space: OpenSpace, names: Collection[str]) -> list[str]:
    """Those of the domains for which AWS has one, or is asked for one."""
    if not space.space.has_load_balancer:
        return []
    return [name for name, one in space.ledger.certificates(names).items() if one.by == ACM]


def with_one(space: OpenSpace, name: str) -> Alter:
    """One more; those of domains that no app has any more go."""
    return _only(lambda: {name, *_names(space.ledger)}, name)


def without(space: OpenSpace, names: Collection[str]) -> Alter:
    """These fewer, and those that no app has any more."""
    return _only(lambda: _names(space.ledger) - set(names))


def tidying(ledger: Callable[[], StoreAddress | None]) -> Alter:
    """Without those that no app has any more: what a command left that was cut off, or whose credentials may not change
    what the space consists of. `ledger` says where the space's is, if there is one."""

    def alter(spec: Spec) -> Spec:
        address = ledger() if spec.domains else None
        if address is None:
            return spec
        try:
            return _only(lambda: _names(Ledger(S3Store(address), whoami())))(spec)
        except (StoreDenied, StoreMissing):  # who may not read it takes nothing away
            return spec

    return alter


def unshown(space: OpenSpace, names: Collection[str]) -> list[Certificate]:
    """The certificates of AWS, of those of the domains, that the load balancer does not show yet."""
    if not space.space.has_load_balancer or not names:
        return []
    return [one for one in space.ledger.certificates(names).values() if one.by == ACM and not one.is_in_force]


def issued(space: OpenSpace, names: Collection[str]) -> list[str]:
    """Those of the domains whose certificates AWS has issued, and the load balancer does not show yet."""
    account = account_of(space)
    return [one.name for one in unshown(space, names) if status_of(account, one.arn) in PROVED]


def await_issued(
    space: OpenSpace, app: str, names: Collection[str], *, at_most: float = AT_MOST, every: float = EVERY
) -> None:
    """Wait until AWS has issued all certificates that the load balancer does not show yet. DomainNotReady."""
    began, account = time.monotonic(), account_of(space)
    while waiting := unshown(space, names):
        statuses = {one: status_of(account, one.arn) for one in waiting}
        missing = {one.name: _why(one, status) for one, status in statuses.items() if status not in PROVED}
        if not missing:
            return
        waited = time.monotonic() - began
        if waited + every > at_most or any(status in GIVEN_UP for status in statuses.values()):
            seen = "\n".join(f"{name}: {why}" for name, why in missing.items())
            raise DomainNotReady(", ".join(missing), app, waited, seen)
        time.sleep(every)


def _why(one: Certificate, status: str) -> str:
    if status in GIVEN_UP:
        return f"AWS waits no more for its proof ({status}): `deployer domains:add {one.name}` has it ask anew"
    return one.reason


def is_settled(found: Proposal) -> bool:
    """Whether nothing but what somebody has agreed to is to be done: that what is issued is shown, and led here."""
    return all(one.verb == "create" and one.kind in SETTLED for one in found.changes or ())


def meet(space: OpenSpace, app: str, tell: Tell) -> None:
    """Say whose certificates AWS has issued meanwhile. To have them shown is a run of the engine, and the owner's: no
    part of what somebody typed for something else. Who may not ask hears nothing."""
    known = space.ledger.app(app)
    try:
        names = issued(space, known.domains if known else ())
    except (AwsDenied, AwsForbidden):
        return
    if names:
        tell(
            Warn(f"AWS has issued a certificate for {', '.join(names)}: `deployer domains:wait -a {app}` has it shown")
        )


def _names(ledger: Ledger) -> set[str]:
    return {name for app in ledger.apps() for name in app.domains}


def _only(listed: Callable[[], Collection[str]], *added: str) -> Alter:
    """Asked anew each time: others add and remove domains meanwhile."""

    def alter(spec: Spec) -> Spec:
        present = listed()
        kept = tuple(name for name in spec.domains if name in present)
        return replace(spec, domains=(*kept, *(name for name in added if name not in kept)))

    return alter
