"""What a host of AWS does for every app with nobody there: layers, dynos, routes (model/upkeep.py has the rules).

An app that fails is told of and left alone until the next time: no app of somebody keeps a host from joining. An app
that a command changes belongs to that command, which ends what is begun here with an older token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from deployer.errors.base import HostFailure
from deployer.host import fetch, ledger_view, report, retire, router
from deployer.host.boot import boot
from deployer.host.channel import Channel
from deployer.host.facts import tokens
from deployer.host.fence import fenced
from deployer.host.ledger_view import AppView
from deployer.host.lock import host_lock
from deployer.host.myself import Myself, Others
from deployer.host.remove import remove
from deployer.host.replace import replace as put_in_place
from deployer.model import moving, upkeep
from deployer.model.dyno import Dyno
from deployer.model.joining import HostState, Standing
from deployer.model.placement import NoRoom, Placement
from deployer.model.places import Place, Wanted
from deployer.model.process import health_of, process_of
from deployer.model.routes import Routes

OF_AWS = ("aws-refused", "aws-unanswered")
DRAIN = 30.0  # seconds that requests in flight get before their dyno is stopped


@dataclass(frozen=True, slots=True)
class Kept:
    """How it went: `busy`, a command changes an app, or a host hands over; `behind`, this router's routes of an app are
    older than the ledger's, or something is to come or go on another host; `failed`, the apps with something that did
    not work, and what."""

    busy: bool = False
    behind: bool = False
    failed: dict[str, str] = field(default_factory=dict)


class Upkeep:
    """One turn of a host on its seat. Where the space is `calm`, dynos move back to where they belong."""

    def __init__(self, me: Myself, known: Others, seat: int, channel: Channel, *, calm: bool = False) -> None:
        self._me, self._known, self._seat, self._channel = me, known, seat, channel
        self._calm = calm and known.is_settled
        self._paths = channel.paths
        self._places: list[Place] = []
        self._leaving: list[Place] = []
        self._told: HostState | None = None

    def run(self) -> Kept:
        """All apps, those that the ledger does not know any more at last."""
        own = report.state(self._paths, self._me.instance)
        self._places = report.places(self._me, self._known, own)
        self._leaving = report.leaving(self._me, self._known, own)
        self._told = report.said(self._me, self._me.user_id) if self._calm else None
        kept, names = Kept(busy=bool(self._leaving)), set()
        for view in ledger_view.views(self._me.store):
            names.add(view.app.name)
            kept = self._one(view, kept)
        self._forget_others(names)
        return kept

    def _one(self, view: AppView, kept: Kept) -> Kept:
        name, wanted = view.app.name, view.wanted(self._known.space)
        try:
            with fenced(self._fence(name, view.token), self._paths, required=True):
                self._keep(view, wanted)
        except NoRoom as none:
            kept = self._failed(kept, name, "no-room", str(none))
        except HostFailure as failure:
            if failure.code in OF_AWS:
                raise
            if failure.code == "lease-lost":
                return replace(kept, busy=True)
            kept = self._failed(kept, name, failure.code, str(failure.details.get("reason") or failure.details))
        behind = name not in kept.failed and self._is_behind(wanted)
        moves = self._calm and bool(moving.staying(wanted, self._places))
        return replace(kept, busy=kept.busy or view.held or moves, behind=kept.behind or behind)

    def _keep(self, view: AppView, wanted: Wanted) -> None:
        digests = [layer.digest for layer in view.slug.layers]
        fetch.fetch_layers(self._paths.app(wanted.name), view.app.uid, digests, self._me.store.opened)
        started = self._start(view, wanted, upkeep.to_start(wanted, self._places, self._seat, self._leaving))
        self._look()
        self._switch(wanted, started)
        self._look()
        self._end(wanted, upkeep.to_end(wanted, self._places, self._seat))
        if self._calm:
            self._move(view, wanted)

    def _move(self, view: AppView, wanted: Wanted) -> None:
        """What has a better place goes there, at most one dyno at a time."""
        self._end(wanted, moving.to_let_go(wanted, self._places, self._seat, self._told))
        if taken := moving.to_take(wanted, self._places, self._seat):
            started = self._start(view, wanted, taken)
            self._look()
            self._switch(wanted, started)
            self._look()

    def _start(self, view: AppView, wanted: Wanted, dynos: Sequence[Placement]) -> list[str]:
        """Start them, those with a port first; the instances that are healthy. Others hear of it before: they will not
        start the same. One that fails is one of both kinds at most."""
        if not dynos:
            return []
        found = [(Dyno(wanted.name, one.process_type, one.number, wanted.release), one.size) for one in dynos]
        coming = [Standing(dyno.instance, size) for dyno, size in found]
        self._me.write("state", report.state(self._paths, self._me.instance, coming))
        process = process_of(view.app, view.release, view.slug, view.config)
        web = [one for one in found if one[0].process_type == "web"]
        rest = [one for one in found if one[0].process_type != "web"]
        health = health_of(view.release, wanted.domains[0])
        request = {"app": wanted.name, **process.request(web, port=True), "health": health}
        started = boot(request, self._channel)["dynos"]
        # Of a release that a command has left here unseen, two must not run at the same time.
        names = {dyno.name for dyno, _ in rest}
        old = [
            one.instance
            for one in report.in_force(self._paths)
            if one.dyno.app == wanted.name and one.dyno.name in names
        ]
        request = {"app": wanted.name, **process.request(rest, port=False), "old": old}
        started |= put_in_place(request, self._channel)["dynos"] if rest else {}
        return [str(one["instance"]) for one in started.values()]

    def _switch(self, wanted: Wanted, started: Sequence[str]) -> None:
        """Put in force what has started, and the routes that this router should have then."""
        mine = [one.instance for one in report.in_force(self._paths) if one.dyno.app == wanted.name]
        with host_lock(self._paths):
            if started:
                router.flip_links(self._paths, wanted.name, [*mine, *started])
            self._look()
            routes = upkeep.routes(wanted, self._places, self._leaving)
            if routes is not None and routes != self._own(wanted.name) and not router.is_older(self._paths, routes):
                router.put_in_force(router.of_host(self._paths), routes)
                self._tell(f"routes {routes.generation} of {wanted.name}, to {len(routes.servers)} dynos")
        for instance in started:
            self._tell(f"started {instance}")

    def _end(self, wanted: Wanted, ended: Sequence[str]) -> None:
        """End these, once their requests have ended; no router leads to them any more."""
        if not ended:
            return
        retire.retire({"instances": list(ended), "drain": DRAIN}, self._channel)
        self._look()
        self._tell(f"ended {', '.join(ended)}")

    def _forget_others(self, names: set[str]) -> None:
        """Apps that were destroyed while this host did not answer. One that is being made has a lease that is held."""
        for app in sorted(app for app in set(tokens(self._paths)) - names if self._has_anything_of(app)):
            token, held = ledger_view.lease(self._me.store, app)
            if not held and app not in ledger_view.apps(self._me.store):
                with fenced(request := self._fence(app, token), self._paths, required=True):
                    remove(request, self._channel)
                self._tell(f"removed {app}")

    def _has_anything_of(self, app: str) -> bool:
        """More than the token, which stays for good."""
        folder = self._paths.app(app)
        return any(path not in (folder.token, folder.at_work) for path in folder.root.iterdir())

    def _look(self) -> None:
        """Know this host as it is now."""
        own = report.state(self._paths, self._me.instance)
        self._places = [replace(one, state=own) if one.seat == self._seat else one for one in self._places]

    def _own(self, app: str) -> Routes | None:
        return next((one for one in router.all_routes(self._paths) if one.app == app), None)

    def _is_behind(self, wanted: Wanted) -> bool:
        own = self._own(wanted.name)
        if own is None or own.generation < wanted.generation:
            return True
        if self._calm and (moving.due(wanted, self._places) or moving.is_missing(wanted, self._places)):
            return True
        web = wanted.app.formation.get("web")
        return wanted.quiet and web is not None and len(own.servers) < web.quantity

    def _fence(self, app: str, token: int) -> dict[str, object]:
        return {"app": app, "token": token, "epoch": self._known.space.epoch}

    def _failed(self, kept: Kept, app: str, code: str, reason: str) -> Kept:
        self._channel.event({"event": "failed", "app": app, "code": code, "reason": reason})
        return replace(kept, failed={**kept.failed, app: f"{code}: {reason}"})

    def _tell(self, what: str) -> None:
        self._channel.event({"event": "changed", "what": what})
