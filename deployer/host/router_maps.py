"""What HAProxy looks up as it runs, as texts: who is asked for, how an app is, who counts, what is led to HTTPS."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from deployer.host.router_settings import ROUTER, Settings, backend
from deployer.model.roll import Roll
from deployer.model.routes import Routes


def render_hosts_map(routes: Iterable[Routes]) -> str:
    """hosts.map: `DOMAIN BACKEND`. An app that claims what another one has comes last and gets nothing."""
    return lines(f"{name} {be}" for name, be in host_entries(routes).items())


def host_entries(routes: Iterable[Routes]) -> dict[str, str]:
    """Backends by domain; the first app in the alphabet keeps a domain that two claim."""
    entries: dict[str, str] = {}
    for one in sorted(routes, key=lambda r: r.app):
        for name in one.domains:
            entries.setdefault(name, backend(one.app))
    return entries


def render_state_map(routes: Iterable[Routes], *, ready: bool) -> str:
    """state.map: `BACKEND INTENT`, and whether this router wants the front's traffic."""
    apps = [f"{backend(one.app)} {one.intent}" for one in sorted(routes, key=lambda r: r.app)]
    return lines([f"{ROUTER} {'ready' if ready else 'joining'}", *apps])


def render_out_map(roll: Roll) -> str:
    """out.map: the hosts that are left out, and since which number of the roll; what other routers ask for."""
    return lines(f"{host} {number}" for host, number in sorted(roll.out.items()))


def render_roll(settings: Settings) -> str:
    """roll.lst: whom this router asks whether its host counts."""
    roll = settings.roll
    peers = [f"peer {address} {settings.peer_port}" for address in roll.peers]
    return lines([f"number {roll.number}", *([f"host {roll.host}"] if roll.host else []), *peers])


def render_redirect_map(routes: Iterable[Routes], settings: Settings) -> str:
    """redirect.map: `DOMAIN yes` for each name whose HTTP leads to HTTPS: its app wants it, and it has one to show."""
    wanting = {name: one.redirect for one in sorted(routes, key=lambda r: r.app, reverse=True) for name in one.domains}
    return lines(f"{name} yes" for name, wants in sorted(wanting.items()) if wants and is_secure(name, settings.secure))


def is_secure(name: str, secure: Collection[str]) -> bool:
    """Whether a name is among those that have a certificate, by itself or below `*.NAME`, which covers one label."""
    return name in secure or f"*.{name.partition('.')[2]}" in secure


def lines(given: Iterable[str]) -> str:
    """A text of lines."""
    return "".join(line + "\n" for line in given)
