"""The front of the box: an HAProxy on loopback that is every Elastic IP and every load balancer that moto has.

A public address passes TCP on to its instance. A load balancer has the listeners, target groups and health checks that
its account says; what it finds of its targets is what DescribeTargetHealth says.
"""

from __future__ import annotations

import csv
import io
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deployer.spaces.sandbox.front import tell
from deployer.spaces.sandbox.process import Process
from tests.box.fleet import RUNNING, instances
from tests.box.front_config import SLOTS, Balancer, Forward, Front, Listener, Targets, render
from tests.box.lent import Lent
from tests.box.scaling import backends

PATIENCE = 5.0  # seconds
PASSED = (22, 80, 443)  # ports that a public address leads to, where nobody listens at all addresses of this machine
SAME = {"Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}  # ALB's words for what stays as it was asked


@dataclass
class Slot:
    """A target in its place; `since` it was registered, and since when it goes."""

    target: str
    address: str
    since: float
    was_up: bool = False
    goes_since: float | None = None


@dataclass
class Proxy:
    """`pace` shortens the intervals of health checks. `slots` are by target group and number; `certificates` finds the
    file of one by its ARN."""

    folder: Path
    lent: Lent
    certificates: Any
    pace: float
    front: Front = field(default_factory=Front)
    slots: dict[str, dict[int, Slot]] = field(default_factory=dict)
    ports: tuple[int, ...] = field(default_factory=lambda: tuple(port for port in PASSED if is_free(port)))
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def process(self) -> Process:
        return Process(self.folder / "front.json", self.folder / "front.log")

    @property
    def socket(self) -> Path:
        return Path(f"/run/{self.lent.ground.record.bridge}-front.sock")

    def follow(self) -> None:
        """Become what moto says, and look after targets."""
        settle_addresses()
        with self.lock:
            wanted = Front(tuple(forwards(self.ports)), tuple(self._balancers()), tuple(self._targets()))
            if wanted != self.front:
                self._load(wanted)
            for found in _groups():
                if _id(found) in self.slots:
                    self._keep(found)
            self._note()

    def end(self) -> None:
        self.process.stop(PATIENCE)
        self.socket.unlink(missing_ok=True)

    def health(self, group: Any, target: str) -> tuple[str, str | None, str | None]:
        """State, reason and description of a target, in AWS's words."""
        with self.lock:
            slot = self._slot(group, target)
            if slot is None or slot.goes_since is not None:
                return self._without(group, target, slot)
            row = self._stat(_id(group), slot)
            if row["status"].startswith("UP"):
                return "healthy", None, None
            if not slot.was_up and time.monotonic() - slot.since < self._first(group):
                return "initial", "Elb.InitialHealthChecking", "Initial health checks in progress"
            return _unhealthy(row)

    def draining(self, group: Any) -> list[str]:
        """Targets that are registered no more, and still get to the end of what they are at."""
        with self.lock:
            return [one.target for one in self.slots.get(_id(group), {}).values() if one.goes_since is not None]

    def _without(self, group: Any, target: str, slot: Slot | None) -> tuple[str, str, str]:
        if slot is not None:
            return "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"
        if target not in group.targets:
            return "unused", "Target.NotRegistered", "Target is not registered to the target group"
        if _id(group) not in self.slots:
            return (
                "unused",
                "Target.NotInUse",
                "Target group is not configured to receive traffic from the load balancer",
            )
        return "initial", "Elb.RegistrationInProgress", "Target registration is in progress"

    def _slot(self, group: Any, target: str) -> Slot | None:
        """The newest, should it have come back while it still drained."""
        found = [one for one in self.slots.get(_id(group), {}).values() if one.target == target]
        return max(found, key=lambda one: one.since, default=None)

    def _first(self, group: Any) -> float:
        """Seconds that a target has until its first checks have failed."""
        found = next(one for one in self.front.targets if one.id == _id(group))
        return (found.interval * found.fall + found.timeout) / 1000

    def _balancers(self) -> Iterator[Balancer]:
        for backend in backends("elbv2"):
            for one in list(backend.load_balancers.values()):
                if one.arn in self.lent.addresses:
                    listeners = tuple(self._listener(each) for each in list(one.listeners.values()))
                    yield Balancer(one.name, one.dns_name, self.lent.addresses[one.arn], listeners)

    def _listener(self, one: Any) -> Listener:
        action, port = one.default_actions[0].data, int(one.port)
        certificate = self.certificates(one.certificate) if one.protocol == "HTTPS" else None
        if action["Type"] == "redirect":
            to = action["RedirectConfig"]
            return Listener(port, "", _location(to), int(to["StatusCode"].removeprefix("HTTP_")), certificate)
        return Listener(port, _named(_target_of(action)), certificate=certificate)

    def _targets(self) -> Iterator[Targets]:
        used = {one.target for balancer in self._balancers() for one in balancer.listeners}
        for found in _groups():
            if _id(found) in used:
                yield Targets(
                    _id(found),
                    found.health_check_path or "/",
                    max(100, int(int(found.health_check_interval_seconds) * 1000 * self.pace)),
                    int(found.health_check_timeout_seconds) * 1000,
                    int(found.healthy_threshold_count),
                    int(found.unhealthy_threshold_count),
                    (found.matcher or {}).get("HttpCode", "200"),
                )

    def _load(self, wanted: Front) -> None:
        """A new HAProxy takes the old one's sockets, and what that knew of targets; the old one serves to its end."""
        filled = {
            group: {n: one.address for n, one in slots.items() if one.was_up and one.goes_since is None}
            for group, slots in self.slots.items()
        }
        config, before = self.folder / "front.cfg", self.process.pid
        config.write_text(render(wanted, self.socket, filled))
        succeed = ["-x", str(self.socket), "-sf", str(before)] if before else []
        child = Process(self.folder / "front.json", self.folder / "front.log").start(
            ["haproxy", "-db", "-f", str(config), *succeed]
        )
        self._wait_for(child)
        self.front = wanted
        self.slots = {one.id: self.slots.get(one.id, {}) for one in wanted.targets}
        for group, slots in self.slots.items():
            for n, one in slots.items():
                if n not in filled.get(group, {}) and one.goes_since is None:
                    self._let_in(group, n, one.address)

    def _wait_for(self, child: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while f"Pid: {child}\n" not in self._tell("show info"):
            if self.process.pid is None or time.monotonic() > deadline:
                raise RuntimeError(f"HAProxy did not start:\n{self.process.end_of_log()}")
            time.sleep(0.01)

    def _keep(self, group: Any) -> None:
        """Slots for the targets that are registered; those of others drain, and are free again then."""
        slots, there = self.slots[_id(group)], dict(_addresses(group))
        for n, slot in list(slots.items()):
            if slot.address != there.get(slot.target):
                self._let_go(group, n, slot)
        taken = {one.target for one in slots.values() if one.goes_since is None}
        for target in [one for one in there if one not in taken]:
            n = next(n for n in range(1, SLOTS + 1) if n not in slots)
            slots[n] = Slot(target, there[target], time.monotonic())
            self._let_in(_id(group), n, there[target])

    def _let_in(self, group: str, n: int, address: str) -> None:
        host, _, port = address.rpartition(":")
        # Taken for ready until it was asked, it would get requests at once: it has no weight until it is down.
        steps = (f"addr {host} port {port}", "weight 0", "state ready", "health down", "weight 1")
        self._tell("; ".join(f"set server {group}/s{n} {step}" for step in steps))

    def _let_go(self, group: Any, n: int, slot: Slot) -> None:
        if slot.goes_since is None:
            slot.goes_since = time.monotonic()
            self._tell(f"set server {_id(group)}/s{n} state drain")
        delay = float(group.attributes["deregistration_delay.timeout_seconds"])
        is_idle = not int(self._stat(_id(group), slot)["scur"] or 0)
        if is_idle or time.monotonic() - slot.goes_since > delay:
            self._tell(f"set server {_id(group)}/s{n} state maint")
            del self.slots[_id(group)][n]

    def _note(self) -> None:
        """Which targets were healthy: one that never was is in its first checks."""
        for group, slots in self.slots.items():
            for slot in slots.values():
                slot.was_up = slot.was_up or self._stat(group, slot)["status"].startswith("UP")

    def _stat(self, group: str, slot: Slot) -> Mapping[str, str]:
        number = next((n for n, one in self.slots[group].items() if one is slot), 0)
        rows = csv.DictReader(io.StringIO(self._tell(f"show stat {group} 4 -1").removeprefix("# ")))
        found = next((row for row in rows if row["svname"] == f"s{number}"), {})
        return {"status": "", "check_status": "", "check_code": "", "scur": "", **found}

    def _tell(self, command: str) -> str:
        return tell(self.socket, command)


def is_free(port: int) -> bool:
    """Whether an address of loopback can be listened at."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.77.0.1", port))
        except OSError:
            return False
        return True


def forwards(ports: tuple[int, ...]) -> Iterator[Forward]:
    """Of public addresses, those of Amazon and those of one's own."""
    for one in instances():
        if one.state == RUNNING and one.public_ip:
            yield Forward(one.public_ip, one.private_ip, ports)


def settle_addresses() -> None:
    """moto lets an Elastic IP go on being at an instance that it has left, and at one that is over."""
    for backend in backends("ec2"):
        for address in list(backend.addresses):
            if address.instance and address.instance.state not in (RUNNING, "stopped"):
                address.instance = address.eni = address.association_id = None
        holds = {one.public_ip: one.instance.id if one.instance else "" for one in list(backend.addresses)}
        for instance in backend.all_instances():
            nic = instance.nics[0]
            if nic.public_ip in holds and holds[nic.public_ip] != instance.id:
                nic.public_ip = None


class Certificates:
    """Self-signed ones, one for each that ACM has issued; by its ARN, the file that HAProxy reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, arn: str) -> Path:
        file = self.folder / f"{arn.rpartition('/')[2]}.pem"
        if not file.exists():
            found = next(one for backend in backends("acm") for one in backend._certificates.values() if one.arn == arn)
            names = ",".join(f"DNS:{name}" for name in dict.fromkeys((found.common_name, *found.sans)))
            words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 -subj /CN=box"
            aside = [f"{file}.{part}" for part in ("key", "crt")]
            options = ["-addext", f"subjectAltName={names}", "-keyout", aside[0], "-out", aside[1]]
            subprocess.run([*words.split(), *options], check=True, capture_output=True)
            file.write_text("".join(Path(part).read_text() for part in reversed(aside)))
        return file


def _groups() -> list[Any]:
    return [one for backend in backends("elbv2") for one in list(backend.target_groups.values())]


def _id(group: Any) -> str:
    return _named(group.arn)


def _named(arn: str) -> str:
    return f"targets-{arn.rpartition('/')[2]}"


def _addresses(group: Any) -> Iterator[tuple[str, str]]:
    running = {one.id: one.private_ip for one in instances() if one.state == RUNNING}
    for target in list(group.targets.values()):
        if target["Id"] in running:
            yield target["Id"], f"{running[target['Id']]}:{target['Port']}"


def _target_of(action: Mapping[str, Any]) -> str:
    return str(action.get("TargetGroupArn") or action["ForwardConfig"]["TargetGroups"][0]["TargetGroupArn"])


def _location(to: Mapping[str, str]) -> str:
    """HAProxy's words for where ALB sends to."""
    other = {key: to[key] for key, same in SAME.items() if to.get(key, same) != same}
    if other:
        raise NotImplementedError(f"the box redirects to another scheme or port alone, not to {other}")
    return f"{to['Protocol'].lower()}://%[hdr(host),field(1,:)]:{to['Port']}%[pathq]"


def _unhealthy(row: Mapping[str, str]) -> tuple[str, str, str]:
    if row["check_status"] == "L7STS":
        failed = f"Health checks failed with these codes: [{row['check_code']}]"
        return "unhealthy", "Target.ResponseCodeMismatch", failed
    if row["check_status"] in ("L4TOUT", "L7TOUT"):
        return "unhealthy", "Target.Timeout", "Request timed out"
    return "unhealthy", "Target.FailedHealthChecks", "Health checks failed"
