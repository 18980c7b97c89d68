"""The router of a host: stages an app's routes, puts them in force, tells what the slots did.

All under one lock of the host. Routes are stored per app with a generation, and every configuration is rendered from
all apps' routes: two deploys at the same time cannot undo each other. HAProxy is reloaded only where more than
addresses changed; which configuration it runs is asked of the process itself, so that a switch that was cut off is
mended by the next one.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import (
    dyno_files,
    files,
    roll,
    router_certificates,
    router_config,
    router_maps,
    router_service,
    router_settings,
    router_socket,
    walls,
)
from deployer.host.channel import Channel
from deployer.host.lock import host_lock
from deployer.host.paths import Paths
from deployer.host.router_service import Service
from deployer.host.router_settings import Settings, backend
from deployer.host.router_socket import RouterIsDown
from deployer.host.units import CERTIFICATES, DYNO
from deployer.model import codec
from deployer.model.dyno import parse_instance
from deployer.model.names import is_app_name
from deployer.model.routes import Routes

TAKES_AT_MOST = 15.0  # seconds for HAProxy to start or to take a reload; 0.1 is usual
AT_ONCE = 50  # commands in one line to HAProxy, whose input buffer is bounded


@dataclass(frozen=True, slots=True)
class Router:
    """HAProxy on this host: where its files are, what its configuration depends on, how it is started."""

    paths: Paths
    settings: Settings
    service: Service


def stage(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call: refuse routes that HAProxy would refuse, before anything is committed to."""
    with host_lock(channel.paths):
        stage_routes(of_host(channel.paths), _routes(request))
    return {}


def switch(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call: put routes in force, and let only the dynos `links` start at the host's boot."""
    routes = _routes(request)
    with host_lock(channel.paths):
        if is_older(channel.paths, routes):
            return {"reloaded": False, "ignored": True}
        before = answered(channel.paths, routes.app)
        reloaded = put_in_force(of_host(channel.paths), routes)
        flip_links(channel.paths, routes.app, request.get("links", []))
    _have_certificates(channel.paths, routes)
    return {"reloaded": reloaded, "answered": before}


def _have_certificates(paths: Paths, routes: Routes) -> None:
    """Names that have none are not left to wait for the timer."""
    if own_front(paths) and set(routes.domains) - set(router_certificates.names(paths.haproxy)):
        subprocess.run(["systemctl", "start", "--no-block", CERTIFICATES], check=False, capture_output=True)


def routes(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call: the routes in force of every app, for a host that joins."""
    return {"routes": [codec.encode(one) for one in all_routes(channel.paths)]}


def counters(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call `answered`: what this router has counted of an app."""
    return {"answered": answered(channel.paths, request["app"])}


def answered(paths: Paths, app: str) -> dict[str, int] | None:
    """What this router has counted since its last reload: `requests` that it answered for an app, and those that
    `failed` (5xx). A request that waited comes by twice: once through `hold`. None where HAProxy does not run."""
    try:
        counted = router_socket.counters(paths.router_socket, backend(app))
    except RouterIsDown:
        return None
    whole, held = (counted.get(name) for name in ("BACKEND", "hold"))
    if whole is None or held is None:
        return {"requests": 0, "failed": 0}
    return {"requests": whole.requests - held.requests, "failed": whole.server_errors - held.server_errors}


def prepare(paths: Paths, changed: Callable[[str], None]) -> None:
    """Make HAProxy this host's router: its service as we want it, its files for all stored routes, running."""
    router_service.prepare(paths.units, changed)
    with host_lock(paths):
        router = of_host(paths)
        routes = all_routes(paths)
        for name in install(router, routes, router_config.render(routes, router.settings)):
            changed(f"the router's {name}")
        if apply(router, None):
            changed("the router runs with its configuration")


def forget(paths: Paths, app: str) -> None:
    """An app is removed: its routes, links and backend go. Takes the lock."""
    with host_lock(paths):
        paths.app(app).routes.unlink(missing_ok=True)
        paths.app(app).staged.unlink(missing_ok=True)
        flip_links(paths, app, [])
        apply(of_host(paths), None)


def of_host(paths: Paths) -> Router:
    """This host's router, under systemd."""
    return Router(paths, settings_of(paths), router_service.Systemd())


def settings_of(paths: Paths) -> Settings:
    """The settings that this host's files and programs ask for."""
    fronts = paths.etc / "fronts"
    known = roll.read(paths)
    found = Settings(
        folder=paths.haproxy,
        run=paths.router_socket.parent,
        version=router_service.version(paths.router_socket),
        ready=known.counts and not paths.joining.exists() and not paths.leaving.exists(),
        roll=known,
        secure_bind=":443" if own_front(paths) else "",
        secure=(*router_certificates.names(paths.haproxy), *secure_names(paths)),
    )
    return replace(found, fronts=tuple(fronts.read_text().split())) if fronts.exists() else found


def own_front(paths: Paths) -> bool:
    """Whether nothing stands before the routers of this host's space: on a rented host, and in AWS without a load
    balancer."""
    with suppress(FileNotFoundError, ValueError):
        return not json.loads(paths.join_order.read_text()).get("has_front")
    return paths.space.exists()


def secure_names(paths: Paths) -> tuple[str, ...]:
    """The names for which a load balancer before this host has certificates, as `converge` has noted them."""
    with suppress(FileNotFoundError):
        return tuple((paths.etc / "secure").read_text().split())
    return ()


def stage_routes(router: Router, routes: Routes) -> None:
    """Validate the configuration with these routes in it, and write down that they may come."""
    router_settings.check(routes)
    others = [one for one in all_routes(router.paths) if one.app != routes.app]
    text = router_config.render([*others, routes], router.settings)
    if _running(router) != router_config.structure_in(text):
        _validate(router, text, routes.app)
    files.write(router.paths.app(routes.app).staged, _json(routes))


def put_in_force(router: Router, routes: Routes) -> bool:
    """Store these routes and make HAProxy follow them; whether it took a reload. Doing it twice mends what was cut
    off. Routes that HAProxy refuses are refused before they are stored."""
    router_settings.check(routes)
    others = [one for one in all_routes(router.paths) if one.app != routes.app]
    text = router_config.render([*others, routes], router.settings)
    if _running(router) != router_config.structure_in(text):
        _validate(router, text, routes.app)
    files.write(router.paths.app(routes.app).routes, _json(routes))
    router.paths.app(routes.app).staged.unlink(missing_ok=True)
    return apply(router, routes)


def apply(router: Router, changed: Routes | None) -> bool:
    """Write the files for all stored routes and make the running HAProxy agree; whether it was started or reloaded."""
    routes = all_routes(router.paths)
    text = router_config.render(routes, router.settings)
    wanted = router_config.structure_in(text)
    install(router, routes, text)
    running = _running(router)
    if running is None:
        _start(router, routes, wanted)
    elif running == wanted and (changed is None or _adjust(router, routes, changed)):
        return False
    else:  # more than addresses changed, or it did not take the commands
        _reload(router, wanted)
    return True


def follow_maps(router: Router) -> None:
    """Let HAProxy know who counts and which names have certificates. No reload: it would cost other processes'
    connections."""
    install(router, routes := all_routes(router.paths), router_config.render(routes, router.settings))
    with suppress(RouterIsDown):
        _tell(router.paths, _map_differences(router, routes))


def show_certificates(router: Router, wanted: Mapping[str, str]) -> list[str]:
    """Have HAProxy show exactly these certificates (PEM of chain and key, by name) without a reload; the names of those
    that changed. What their apps want to be led to HTTPS is, from then on. Needs the host's lock."""
    folder = router.settings.folder
    changed = router_certificates.lay_down(folder, wanted)
    router_certificates.show(router.paths, folder)
    secure = (*router_certificates.names(folder), *secure_names(router.paths))
    follow_maps(replace(router, settings=replace(router.settings, secure=secure)))
    return changed


def install(router: Router, routes: Sequence[Routes], text: str) -> list[str]:
    """Write what differs of the configuration's files; their names. haproxy.cfg comes last: it needs the others."""
    settings = router.settings
    if settings.secure_bind:
        router_certificates.ensure(settings.folder)
    wanted = {
        **router_config.fixed_files(settings),
        "roll.lst": router_maps.render_roll(settings),
        "out.map": router_maps.render_out_map(settings.roll),
        "hosts.map": router_maps.render_hosts_map(routes),
        "redirect.map": router_maps.render_redirect_map(routes, settings),
        "state.map": router_maps.render_state_map(routes, ready=settings.ready),
        "haproxy.cfg": text,
    }
    return [name for name, content in wanted.items() if files.write(settings.folder / name, content.encode())]


def all_routes(paths: Paths) -> list[Routes]:
    """The routes in force of every app. Unreadable ones are left out: an app never stops another one's change."""
    found = []
    for file in sorted(paths.apps.glob("*/routes.json")):
        with suppress(ValueError, TypeError, HostFailure):
            routes = codec.decode(Routes, json.loads(file.read_text()))
            router_settings.check(routes)
            found.append(routes)
    return found


def is_older(paths: Paths, routes: Routes) -> bool:
    """Whether newer routes of this app are in force."""
    file = paths.app(routes.app).routes
    with suppress(FileNotFoundError, ValueError, TypeError):
        return codec.decode(Routes, json.loads(file.read_text())).generation > routes.generation
    return False


def flip_links(paths: Paths, app: str, instances: Sequence[str]) -> None:
    """Let exactly these dynos of the app start at the host's boot; no reload of systemd is needed for the next boot.
    What they read then is written down for good before."""
    folder = paths.units / "multi-user.target.wants"
    folder.mkdir(parents=True, exist_ok=True)
    prefix, suffix = DYNO.split("{}")
    wanted = {DYNO.format(instance) for instance in instances}
    for name in wanted:
        if parse_instance(name.removeprefix(prefix).removesuffix(suffix)).app != app:
            raise HostFailure("bad-request", {"reason": f"{name} is no dyno of {app}"})
    fresh = [name for name in wanted if not (folder / name).is_symlink()]
    dyno_files.settle(paths, (name.removeprefix(prefix).removesuffix(suffix) for name in fresh))
    walls.settle(paths)
    for name in fresh:
        (folder / name).symlink_to(paths.units / DYNO.format(""))
    for link in folder.glob(DYNO.format("*")):
        instance = link.name.removeprefix(prefix).removesuffix(suffix)
        if link.name not in wanted and parse_instance(instance).app == app:
            link.unlink()
    files.sync(folder)


def _routes(request: dict[str, Any]) -> Routes:
    try:
        routes = codec.decode(Routes, request["routes"])
    except (KeyError, TypeError) as error:
        raise HostFailure("bad-routes", {"app": str(request.get("app")), "reason": str(error)}) from error
    if routes.app != request.get("app", routes.app) or not is_app_name(routes.app):
        raise HostFailure("bad-routes", {"app": routes.app, "reason": "they are another app's"})
    return routes


def _running(router: Router) -> str | None:
    try:
        return router_socket.structure_in_force(router.paths.router_socket)
    except RouterIsDown:
        return None


def _validate(router: Router, text: str, app: str) -> None:
    """Ask HAProxy itself. What the configuration refers to must be there, which `prepare` sees to."""
    words = router_service.refusal(router.settings.folder, text)
    if words:
        raise HostFailure("bad-routes", {"app": app, "reason": words})


def _adjust(router: Router, routes: Sequence[Routes], changed: Routes) -> bool:
    """Bring maps and one app's slots up to date through the socket; whether it worked."""
    for _ in range(2):
        commands = _differences(router, routes, changed)
        if not commands:
            return True
        _tell(router.paths, commands)
    return not _differences(router, routes, changed)


def _differences(router: Router, routes: Sequence[Routes], changed: Routes) -> list[str]:
    socket, name = router.paths.router_socket, backend(changed.app)
    slots = router_socket.slot_changes(name, router_socket.slots(socket, name), changed)
    return [*slots, *_map_differences(router, routes)]


def _map_differences(router: Router, routes: Sequence[Routes]) -> list[str]:
    socket, folder = router.paths.router_socket, router.settings.folder
    wanted = {
        "state.map": _entries(router_maps.render_state_map(routes, ready=router.settings.ready)),
        "out.map": _entries(router_maps.render_out_map(router.settings.roll)),
        "hosts.map": router_maps.host_entries(routes),
        "redirect.map": _entries(router_maps.render_redirect_map(routes, router.settings)),
    }
    return [command for name, entries in wanted.items() for command in _map_changes(socket, folder / name, entries)]


def _entries(text: str) -> dict[str, str]:
    return dict(line.split() for line in text.splitlines())


def _map_changes(socket: Path, file: Path, wanted: dict[str, str]) -> list[str]:
    return router_socket.map_changes(file, router_socket.read_map(socket, file), wanted)


def _start(router: Router, routes: Sequence[Routes], wanted: str) -> None:
    """Start it where it does not answer. systemd may be about to start one that died, which has read the addresses of a
    moment before."""
    router.service.start()
    _await(router, wanted)
    if not all(_adjust(router, routes, one) for one in routes):
        _reload(router, wanted)


def _reload(router: Router, wanted: str) -> None:
    router.service.reload()
    _await(router, wanted)


def _await(router: Router, wanted: str) -> None:
    deadline = time.monotonic() + TAKES_AT_MOST
    while _running(router) != wanted:
        if time.monotonic() > deadline:
            raise HostFailure(
                "router-down", {"reason": f"HAProxy did not take its new configuration in {TAKES_AT_MOST:.0f} s."}
            )
        time.sleep(0.01)
    # The old process has been told to stop listening, but may take one more connection before it does.
    time.sleep(0.05)


def _tell(paths: Paths, commands: Sequence[str]) -> None:
    """Commands to HAProxy. Where it does not run there is nothing to tell: its files have it all."""
    with suppress(RouterIsDown):
        for at in range(0, len(commands), AT_ONCE):
            router_socket.ask(paths.router_socket, "; ".join(commands[at : at + AT_ONCE]))


def _json(routes: Routes) -> bytes:
    return json.dumps(codec.encode(routes), sort_keys=True).encode() + b"\n"
