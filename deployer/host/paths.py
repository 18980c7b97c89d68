"""Where everything of ours lies on a host (docs/agent.md has the list); tests move it below a folder of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """`root` holds our data; `system` is the root of the operating system (`/` but in tests)."""

    root: Path = Path("/srv/deployer")
    system: Path = Path("/")

    @property
    def agents(self) -> Path:
        """The agent's versions, one folder each."""
        return self.root / "agent"

    @property
    def epoch(self) -> Path:
        """The space's epoch, as this host knows it."""
        return self.root / "epoch"

    @property
    def space(self) -> Path:
        """The name of the space that this host belongs to, where it is a rented one."""
        return self.root / "space"

    @property
    def join_order(self) -> Path:
        """Where the store of the space is, on a host of AWS that has joined it."""
        return self.root / "join.json"

    @property
    def joining(self) -> Path:
        """There while a host joins: its router does not want the front's traffic yet."""
        return self.etc / "joining"

    @property
    def leaving(self) -> Path:
        """There while a host of AWS hands over what it has: its router does not want the front's traffic any more."""
        return self.etc / "leaving"

    @property
    def store(self) -> Path:
        """The first host's store."""
        return self.root / "store"

    @property
    def store_copy(self) -> Path:
        """A copy of the first host's store, on a host that is not the first."""
        return self.root / "store-copy"

    @property
    def backups(self) -> Path:
        """What is at work at backups, and where the store is no bucket their records and dumps."""
        return self.root / "backups"

    @property
    def backup_records(self) -> Path:
        """The records of backups, where the store is no bucket."""
        return self.backups / "records"

    @property
    def lock(self) -> Path:
        """The flock of router and ports."""
        return self.root / "lock"

    @property
    def apps(self) -> Path:
        """The folder of all apps' folders."""
        return self.root / "apps"

    def app(self, name: str) -> AppPaths:
        """One app's folder."""
        return AppPaths(self.apps / name)

    @property
    def dynos(self) -> Path:
        """The folder of all dynos' folders."""
        return self.root / "dynos"

    @property
    def new_dyno(self) -> Path:
        """A dyno's folder before it has its name."""
        return self.dynos / ".new"

    def dyno(self, instance: str) -> Path:
        """A dyno's spec, layers, uid, env and command."""
        return self.dynos / instance

    @property
    def scratch(self) -> Path:
        """Overlays of running dynos."""
        return self.root / "scratch"

    @property
    def tasks(self) -> Path:
        """Output and status of release dynos."""
        return self.root / "tasks"

    @property
    def helpers(self) -> Path:
        """Numbered helper programs."""
        return self.system / "usr/local/lib/deployer"

    @property
    def units(self) -> Path:
        """systemd's units."""
        return self.system / "etc/systemd/system"

    @property
    def etc(self) -> Path:
        """Our own configuration: the firewall."""
        return self.system / "etc/deployer"

    @property
    def haproxy(self) -> Path:
        """The router's configuration."""
        return self.system / "etc/haproxy"

    @property
    def router_socket(self) -> Path:
        """The router's runtime socket."""
        return self.system / "run/haproxy/admin.sock"


@dataclass(frozen=True, slots=True)
class AppPaths:
    """One app's folder, `/srv/deployer/apps/APP`."""

    root: Path

    @property
    def token(self) -> Path:
        """The highest lease token seen; locked while it is compared."""
        return self.root / "token"

    @property
    def at_work(self) -> Path:
        """One file for each agent that changes this app now."""
        return self.root / "at-work"

    @property
    def blobs(self) -> Path:
        """Files by sha256 and mode."""
        return self.root / "blobs"

    @property
    def blobs_lock(self) -> Path:
        """The flock of whoever adds or removes blobs and layers."""
        return self.root / "blobs.lock"

    @property
    def incoming(self) -> Path:
        """Blobs and layers in the making; whatever a killed agent left there is removed by the next one."""
        return self.root / "incoming"

    @property
    def layers(self) -> Path:
        """Finished layers."""
        return self.root / "layers"

    @property
    def manifests(self) -> Path:
        """Their manifests."""
        return self.root / "manifests"

    @property
    def trash(self) -> Path:
        """Layers on their way out."""
        return self.root / "trash"

    @property
    def routes(self) -> Path:
        """The routes in force."""
        return self.root / "routes.json"

    @property
    def staged(self) -> Path:
        """The routes that a deploy has staged."""
        return self.root / "staged.json"
