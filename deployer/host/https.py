"""Which certificates this host's router shows: those of the store, for the names of the apps that it routes to.

Where a load balancer ends TLS, it is told the names for which that has one.
"""

from __future__ import annotations

import fcntl

from deployer.host import files, router
from deployer.host.lock import host_lock, locked
from deployer.host.paths import Paths
from deployer.model.certificate import ACM
from deployer.model.space import Space
from deployer.store import certificates
from deployer.store.base import Store


def follow(store: Store, paths: Paths) -> list[str]:
    """Have the router show what the store has; the names of those that changed. Nothing where it does not end TLS."""
    if not router.own_front(paths):
        return []
    with locked(paths.root / "https.lock", fcntl.LOCK_EX):  # who reads first shows first
        found = certificates.every(store)
        with host_lock(paths):
            used = names(paths)
            wanted = {one.name: f"{one.chain}\n{one.key}" for one in found.values() if one.chain and one.name in used}
            return router.show_certificates(router.of_host(paths), wanted)


def names(paths: Paths) -> tuple[str, ...]:
    """The names of all apps that this host's router leads to."""
    return tuple(sorted({name for one in router.all_routes(paths) for name in one.domains}))


def learn_secure(space: Space, store: Store, paths: Paths) -> bool:
    """Note the names for which the load balancer before this host has certificates; whether others than before."""
    own = f"*.{space.app_host('app').partition('.')[2]}" if space.url.startswith("https://") else ""
    added = [one.name for one in certificates.every(store).values() if one.by == ACM and one.is_in_force]
    text = "".join(f"{name}\n" for name in [own, *sorted(added)] if name)
    with host_lock(paths):
        if not files.write(paths.etc / "secure", text.encode()):
            return False
        router.follow_maps(router.of_host(paths))
    return True
