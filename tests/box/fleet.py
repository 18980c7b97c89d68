"""Machines for what moto says is running: each EC2 instance is one, in its own namespace, with its metadata."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from deployer.spaces.sandbox.record import Machine
from tests.box.ground import Ground
from tests.box.machines import Booted
from tests.box.metadata import Metadata, credentials
from tests.box.scaling import OVER, backends, states
from tests.infra.moto_here import ACCOUNT

RUNNING, STOPPED = "running", ("stopped", "stopping")


@dataclass
class Host:
    """An instance and its machine; `metadata` once it has a namespace."""

    instance: Any
    booted: Booted
    metadata: Metadata | None = None
    is_stopped: bool = False
    is_up: bool = False  # its machine has been started
    credentials: str = ""

    @property
    def namespace(self) -> str:
        return self.booted.record.namespace(self.booted.machine)


@dataclass
class Fleet:
    """`assume` asks STS for credentials of a role, by its ARN and a session's name. `before_boot` is told of each host
    whose namespace is there, before anybody can reach it; `furnish` puts more on its disk. `consoles` are those of
    hosts that are gone."""

    ground: Ground
    assume: Callable[[str, str], Mapping[str, Any]]
    before_boot: Callable[[Host], None]
    furnish: Callable[[Path], None] = lambda disk: None
    hosts: dict[str, Host] = field(default_factory=dict)
    consoles: dict[str, str] = field(default_factory=dict)
    threads: list[threading.Thread] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    hard: set[str] = field(default_factory=set)  # those that end without shutting down
    made: int = 0

    def follow(self) -> None:
        """Boot what began to run, and end what does no more."""
        there = {one.id: one for one in instances() if one.state not in OVER}
        for name, instance in there.items():
            if name not in self.hosts:
                self.hosts[name] = self._host(instance)
                self._aside(self._begin, self.hosts[name])
            elif self.hosts[name].is_stopped != (instance.state in STOPPED):
                self.hosts[name].is_stopped = instance.state in STOPPED
                self._aside(self._halt if self.hosts[name].is_stopped else self._again, self.hosts[name])
            elif self.hosts[name].is_up and self.hosts[name].booted.process.pid is None:
                instance.stop()  # it has shut itself down, or broken
        for name in [one for one in self.hosts if one not in there]:
            self._aside(self._finish, self.hosts.pop(name))

    def end(self) -> None:
        """All of them, at once."""
        self._join()
        for host in self.hosts.values():
            self.hard.add(host.instance.id)
            self._aside(self._finish, host)
        self._join()
        self.hosts.clear()

    def reboot(self, name: str) -> None:
        """Boot one again, with its disk."""
        self._aside(self._reboot, self.hosts[name])

    def console(self, name: str) -> str:
        host = self.hosts.get(name)
        return host.booted.console() if host else self.consoles.get(name, "")

    def _host(self, instance: Any) -> Host:
        if IPv4Address(instance.private_ip) not in self.ground.network:
            raise LookupError(f"{instance.id} has {instance.private_ip}: not in the box's {self.ground.network}")
        self.made += 1
        machine = Machine(self.made, instance.id, instance.private_ip, "")
        return Host(instance, Booted(self.ground.folder, self.ground.record, machine))

    def _begin(self, host: Host) -> None:
        self.ground.add(host.booted.machine)
        host.booted.make(self.ground.resolver)
        self.furnish(host.booted.folder / "upper")
        host.metadata = Metadata(host.namespace, host.instance.private_ip, lambda: self._answers(host))
        self.before_boot(host)
        self._again(host)

    def _halt(self, host: Host) -> None:
        host.is_up = False
        host.booted.end()

    def _again(self, host: Host) -> None:
        host.booted.boot()
        host.is_up = True

    def _reboot(self, host: Host) -> None:
        host.booted.run("systemctl", "reboot")

    def _finish(self, host: Host) -> None:
        host.booted.end(hard=host.instance.id in self.hard)
        self.consoles[host.instance.id] = host.booted.console()
        if host.metadata:
            host.metadata.close()
        self.ground.remove(host.booted.machine)

    def _aside(self, work: Callable[[Host], None], host: Host) -> None:
        """In a thread of its own, after what is done with the same host."""
        before = [one for one in self.threads if one.name == host.instance.id and one.is_alive()]
        thread = threading.Thread(target=self._work, args=(work, host, before), name=host.instance.id, daemon=True)
        self.threads = [one for one in self.threads if one.is_alive()] + [thread]
        thread.start()

    def _work(self, work: Callable[[Host], None], host: Host, before: list[threading.Thread]) -> None:
        for thread in before:
            thread.join()
        try:
            work(host)
        except Exception as error:
            self.failures.append(error)

    def _join(self) -> None:
        for thread in list(self.threads):
            thread.join()

    def _answers(self, host: Host) -> dict[str, str]:
        """What the metadata says below /latest."""
        one = host.instance
        region = one.ec2_backend.region_name
        answers = {
            "instance-id": one.id,
            "instance-type": one.instance_type,
            "ami-id": one.image_id,
            "local-ipv4": one.private_ip,
            "local-hostname": one.private_dns_name,
            "hostname": one.private_dns_name,
            "placement/region": region,
            "placement/availability-zone": one.availability_zone,
            "services/domain": "amazonaws.com",
            "services/partition": "aws",
        }
        if one.public_ip:
            answers["public-ipv4"] = one.public_ip
        if role := role_of(one):
            host.credentials = host.credentials or credentials(self.assume(role.arn, one.id))
            answers[f"iam/security-credentials/{role.name}"] = host.credentials
        if target := target_state(one.id):
            answers["autoscaling/target-lifecycle-state"] = target
        found = {f"meta-data/{name}": text for name, text in answers.items()}
        return {**found, **_user_data(one), "dynamic/instance-identity/document": identity(one)}


def instances() -> list[Any]:
    """Those of all regions in which anything was asked."""
    return [one for backend in backends("ec2") for one in backend.all_instances()]


def role_of(instance: Any) -> Any:
    """The role of its instance profile, if it has one."""
    found = instance.ec2_backend.iam_instance_profile_associations.get(instance.id)
    return found.iam_instance_profile.roles[0] if found and found.iam_instance_profile.roles else None


def target_state(instance: str) -> str | None:
    """Where its group wants it to go; None for one that is in no group."""
    found = next((one.lifecycle_state for one in states() if one.instance_id == instance), None)
    if found is None:
        return None
    return "Terminated" if found.startswith("Terminating") else "InService"


def identity(instance: Any) -> str:
    told = {
        "accountId": ACCOUNT,
        "architecture": instance.architecture,
        "availabilityZone": instance.availability_zone,
        "imageId": instance.image_id,
        "instanceId": instance.id,
        "instanceType": instance.instance_type,
        "privateIp": instance.private_ip,
        "region": instance.ec2_backend.region_name,
        "version": "2017-09-30",
    }
    return json.dumps(told, indent=2)


def _user_data(instance: Any) -> dict[str, str]:
    return {"user-data": instance.user_data.decode()} if instance.user_data else {}
