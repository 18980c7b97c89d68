"""Certificates of AWS for domains of apps behind a load balancer: what a command proposes to become of them.

AWS wants two steps of it: a certificate that waits for its proof, and, once it is issued, a listener that shows it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from deployer.model.certificate import ACM
from deployer.model.space import Space
from deployer.model.tls import is_covered
from deployer.operations.cloud_proposal import Alter
from deployer.operations.session import OpenSpace
from infra.spec import Spec


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
    return _only({name, *_listed(space)}, name)


def without(space: OpenSpace, names: Collection[str]) -> Alter:
    """These fewer, and those that no app has any more."""
    return _only(_listed(space) - set(names))


def _listed(space: OpenSpace) -> set[str]:
    return {name for app in space.ledger.apps() for name in app.domains}


def _only(listed: Collection[str], *added: str) -> Alter:
    def alter(spec: Spec) -> Spec:
        kept = tuple(name for name in spec.domains if name in listed)
        return replace(spec, domains=(*kept, *(name for name in added if name not in kept)))

    return alter
