"""What a machine is before anything on it is changed: one shell script over SSH, which only looks.

A shell script, for whether there is a Python is one of the questions. It runs as root where the login allows that."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deployer.model.platforms import ARCHITECTURES, SYSTEMS, Platform, host_packages
from deployer.remote.agent import Session

PORTS = {80: "HTTP", 443: "HTTPS"}
DYNO_PORTS = range(7000, 10_000)
LEAST_MEMORY = 400  # MiB: PostgreSQL, HAProxy and one small dyno
LEAST_DISK = 1500  # MiB: packages, and the first slugs
# Interfaces of networks that end on the machine itself: every Docker host has 172.17.0.1.
INNER = ("lo", "docker", "br-", "veth", "virbr", "cni", "flannel", "lxc", "podman")

LOGIN = """\
look=$1; shift
echo "user $(id -un)"
if [ "$(id -u)" = 0 ]; then echo "root yes"; exec sh -c "$look" sh "$@"; fi
if said=$(sudo -n true 2>&1); then echo "root yes"; exec sudo -n sh -c "$look" sh "$@"; fi
echo "sudo $said"
exec sh -c "$look" sh "$@"
"""
LOOK = """\
. /etc/os-release
echo "system $ID-$VERSION_ID"
echo "called $PRETTY_NAME"
echo "machine $(uname -m)"
echo "init $(cat /proc/1/comm)"
echo "python $(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)"
echo "cpus $(nproc)"
echo "memory $(($(sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo) / 1024))"
where=/srv; [ -d $where ] || where=/
echo "disk $(($(df -Pk $where | tail -n 1 | awk '{print $4}') / 1024))"
ip -o addr show scope global 2>/dev/null | while read -r _ interface _ address _; do
  echo "address $interface ${address%/*}"
done
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r _ local _ state _ _ _ _ _ inode _; do
  [ "$state" = 0A ] || continue
  port=$((0x${local##*:}))
  if [ $port != 80 ] && [ $port != 443 ] && { [ $port -lt 7000 ] || [ $port -gt 9999 ]; }; then continue; fi
  found=$(find /proc/[0-9]*/fd -lname "socket:\\[$inode\\]" -printf '%h\\n' 2>/dev/null | head -n 1)
  pid=${found#/proc/}; pid=${pid%/fd}
  echo "listens $port $(cat "/proc/$pid/comm" 2>/dev/null) $pid"
done
dpkg-query --show --showformat='installed ${Package} ${db:Status-Status}\\n' "$@" 2>/dev/null
[ ! -e /srv/deployer/space ] || echo "space $(cat /srv/deployer/space)"
[ ! -e /srv/deployer/store/space ] || echo "ledger yes"
for app in /srv/deployer/apps/*/; do [ ! -d "$app" ] || echo "app $(basename "$app")"; done
"""


@dataclass(frozen=True, slots=True)
class Listener:
    """A process that has a port already; `process` is empty where only root could tell."""

    port: int
    process: str
    pid: str


@dataclass(frozen=True, slots=True)
class Found:
    """A machine as it was found. Sizes in MiB; `python` is `3.11`, or empty. `space` is the one that it belongs to or
    was being prepared for; `taken` whether that space is there."""

    target: str
    system: str
    called: str
    machine: str
    init: str
    python: str
    user: str
    root: bool
    sudo: str
    cpus: int
    memory: int
    disk: int
    addresses: tuple[str, ...]
    listeners: tuple[Listener, ...]
    missing: tuple[str, ...]
    space: str
    taken: bool

    @property
    def platform(self) -> Platform:
        """Its platform; of a system that we do not know, too."""
        return Platform(self.system, ARCHITECTURES.get(self.machine, self.machine))


def inspect(session: Session, target: str) -> Found:
    """Look at a machine."""
    wanted = sorted({name for system in SYSTEMS for name in host_packages(system)})
    ran = session.run(["sh", "-c", LOGIN, "sh", LOOK, *wanted], as_root=False)
    return parse(ran.printed, target)


def parse(printed: str, target: str) -> Found:
    """What the script printed: `KEY VALUE` lines."""
    lines = [line.partition(" ")[::2] for line in printed.splitlines()]
    one = dict(reversed(lines))
    installed = {value.split()[0] for key, value in lines if key == "installed" and value.endswith(" installed")}
    system = one.get("system", "").rstrip("-")
    wanted = host_packages(system) if system in SYSTEMS else ()
    return Found(
        target=target,
        system=system,
        called=one.get("called", system),
        machine=one.get("machine", ""),
        init=one.get("init", ""),
        python=one.get("python", ""),
        user=one.get("user", ""),
        root=one.get("root") == "yes",
        sudo=one.get("sudo", ""),
        cpus=int(one.get("cpus") or 0),
        memory=int(one.get("memory") or 0),
        disk=int(one.get("disk") or 0),
        addresses=tuple(_outer(value.split() for key, value in lines if key == "address")),
        listeners=tuple(_listener(value) for key, value in lines if key == "listens"),
        missing=tuple(name for name in wanted if name not in installed),
        space=one.get("space", ""),
        taken="ledger" in one or any(key == "app" for key, _ in lines),
    )


def _outer(named: Iterable[Sequence[str]]) -> list[str]:
    return [address for interface, address in named if not interface.startswith(INNER)]


def _listener(value: str) -> Listener:
    port, _, rest = value.partition(" ")
    process, _, pid = rest.rpartition(" ")
    return Listener(int(port), process, pid)


def problems(found: Found, name: str) -> list[str]:
    """Why a machine cannot be a host of the space `name`, each with what to do; all reasons at once."""
    return [*_of_the_system(found), *_of_the_login(found), *_of_size(found), *_of_use(found, name)]


def _of_the_system(found: Found) -> list[str]:
    said = []
    if found.system not in SYSTEMS:
        said.append(f"It runs {found.called}. Supported are Debian 12, Debian 13 and Ubuntu 24.04.")
    if found.machine not in ARCHITECTURES:
        said.append(f"Its processor is {found.machine}. Supported are {', '.join(ARCHITECTURES)}.")
    if found.init != "systemd":
        said.append(
            f"Its first process is {found.init or 'unknown'}, not systemd: a container? Take a virtual machine."
        )
    if not found.python:
        said.append("It has no python3. Type there: apt-get install --yes python3")
    return said


def _of_the_login(found: Found) -> list[str]:
    if found.root:
        return []
    said = found.sudo.strip().splitlines()[-1] if found.sudo.strip() else "sudo refused"
    line = f"{found.user} ALL=(ALL) NOPASSWD: ALL"
    return [
        f"{found.user} may not become root without a password ({said}).\n"
        f"As root there: echo '{line}' > /etc/sudoers.d/{found.user}; or log in as root."
    ]


def _of_size(found: Found) -> list[str]:
    said = []
    if found.memory < LEAST_MEMORY:
        said.append(f"It has {found.memory} MiB of memory, and {LEAST_MEMORY} are the least.")
    if found.disk < LEAST_DISK:
        said.append(f"{found.disk} MiB of its disk are free, and {LEAST_DISK} are the least.")
    return said


def _of_use(found: Found, name: str) -> list[str]:
    if found.taken or (found.space and found.space != name):
        whose = found.space or "another one"
        return [
            f"It is a host of the space {whose} already.\n"
            f"To use that space from here: deployer spaces:join {found.target}"
        ]
    if found.space:
        return []  # prepared for this very space, by a command that was cut off: the router that listens is ours
    said = [_named(one) for one in found.listeners if one.port in PORTS]
    said += [_named(one) for one in found.listeners if one.port in DYNO_PORTS]
    return list(dict.fromkeys(said))


def _named(one: Listener) -> str:
    who = f"{one.process} (process {one.pid})" if one.process else "Another program"
    use = f"the router's port for {PORTS[one.port]}" if one.port in PORTS else "one of those for dynos, 7000 to 9999"
    return f"{who} listens on port {one.port}, {use}. Stop it there, or take another machine."


def private_candidates(found: Found) -> list[str]:
    """Its addresses that the internet does not reach, IPv4 only."""
    parsed = [ipaddress.ip_address(text) for text in found.addresses]
    return [str(one) for one in parsed if one.version == 4 and not one.is_global and not one.is_link_local]
