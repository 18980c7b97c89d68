"""AWS in a box, for tests and demonstrations: moto in this process, in which each EC2 instance is a systemd host of its
own that runs its user data at its first boot, and each database of RDS a PostgreSQL.

    with box() as here:
        here.cloud.client("ec2").run_instances(...)

Instances belong into subnets of `here.network`: `network = "..."` in a `[space.NAME]` of deployer.toml. Needs root; one
at a time in a process.
Nothing is dialled but loopback and that network, from which no route leads anywhere.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.box import connect, front_calls, rds, scaling_calls
from tests.box.fleet import Fleet, instances
from tests.box.front import Certificates, Proxy
from tests.box.ground import Ground, ground, ip
from tests.box.lent import Lent
from tests.box.machines import plain
from tests.box.permissions import refusal
from tests.box.rds import Rds
from tests.box.resolver import Resolver
from tests.box.scaling import Scaling, backends
from tests.box.walls import Walls
from tests.infra.cloud_here import Cloud, cloud
from tests.infra.moto_here import Mend
from tests.spaces.instance_connect import InstanceConnect

TICK = 0.1  # seconds between looks at what moto says
LINES = 25  # of a console that are shown
PATIENCE = 30.0  # seconds that tests wait for what AWS does by itself


@dataclass(frozen=True)
class Instance:
    """A running instance: its id, its private address, and what its console says so far."""

    id: str
    address: str
    console: str


@dataclass
class Box:
    """`network` is the CIDR of the VPC that its hosts live in; `gateway` is this machine's address there."""

    cloud: Cloud
    ground: Ground
    fleet: Fleet
    scaling: Scaling
    front: Proxy
    tunnel: InstanceConnect
    rds: Rds
    resolver: Resolver

    @property
    def network(self) -> str:
        return str(self.ground.network)

    @property
    def gateway(self) -> str:
        return self.ground.gateway

    def instances(self) -> list[Instance]:
        """Those that run, in the order of their start."""
        running = [host for host in list(self.fleet.hosts.values()) if not host.is_stopped]
        return [Instance(one.instance.id, one.instance.private_ip, self.console(one.instance.id)) for one in running]

    def console(self, instance: str) -> str:
        """All that an instance has said so far, also one that is gone; empty where there never was one."""
        return plain(self.fleet.console(instance))

    def front_address(self) -> str:
        """Where apps answer: the load balancer's address, or else the Elastic IP's; both are of loopback. LookupError
        where there is neither."""
        found = [one.dns_name for backend in backends("elbv2") for one in backend.load_balancers.values()]
        found += [one.public_ip for backend in backends("ec2") for one in backend.addresses]
        if not found:
            raise LookupError("nothing is before the hosts")
        return str(found[0])

    def front_url(self, *, secure: bool = False) -> str:
        """The same as a URL without a path; certificates are self-signed."""
        return f"http{'s' if secure else ''}://{self.front_address()}"

    def run(self, instance: str, *words: str, patience: float = 20) -> str:
        """What a command says, as root on a host: a look that nobody has on EC2. CalledProcessError where it fails."""
        return self.fleet.hosts[instance].booted.run(*words, patience=patience).stdout

    def terminate(self, instance: str, *, hard: bool = False) -> None:
        """End one in EC2, behind its group's back; `hard` without letting it shut down."""
        if hard:
            self.fleet.hard.add(instance)
        region = next(one.ec2_backend.region_name for one in instances() if one.id == instance)
        self.cloud.client("ec2", region).terminate_instances(InstanceIds=[instance])

    def cut_off(self, instance: str) -> None:
        """Nobody reaches one any more, nor it anybody, and EC2 does not know: as where a kernel hangs. It dies hard."""
        self.fleet.hard.add(instance)
        ip("-n", self.fleet.hosts[instance].namespace, "link", "set", "host0", "down")

    def wait(self, what: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """What that says as soon as it is true. AssertionError with the ends of all consoles where it does not become
        true, and at once where something in the box broke."""
        deadline = time.monotonic() + seconds
        while not (found := what()):
            self.check()
            if time.monotonic() > deadline:
                consoles = "\n".join(f"--- {one.id} {one.address}\n{_end(one.console)}" for one in self.instances())
                raise AssertionError(f"not within {seconds:.0f} s\n{consoles}")
            time.sleep(0.05)
        return found

    def check(self) -> None:
        """AssertionError where something in the box itself broke."""
        if self.fleet.failures:
            raise AssertionError("the box broke") from self.fleet.failures[0]


def _end(console: str) -> str:
    return "\n".join(console.splitlines()[-LINES:])


@contextmanager
def box(*, hooks: Mapping[str, float] | None = None, pace: float = 0.1) -> Iterator[Box]:
    """A box with nothing in it but Debian's images. `hooks` are the seconds that lifecycle hooks of a name wait, in the
    place of their own; `pace` is what intervals of load balancers' health checks are multiplied with."""
    scaling, front, tunnels = Scaling(dict(hooks or {})), list[Proxy](), list[InstanceConnect]()
    fleet, databases = list[Fleet](), list[Rds]()
    with ground("box") as here, ExitStack() as stack:
        of_front = front_calls.mends(front, here.number)
        mends = [*scaling_calls.mends(scaling), *of_front, *connect.mends(tunnels), *_mends(fleet)]
        made = stack.enter_context(cloud(here.gateway, [*mends, *rds.mends(databases)]))
        made.gate.holds = refusal
        lent = Lent(here)
        fleet.append(Fleet(here, _assuming(made), lambda host: walls.build(host)))
        walls = Walls(fleet[0], lent)
        front.append(Proxy(here.folder, lent, Certificates(here.folder), pace))
        with connect.connected(here.folder, lent, here.number) as tunnel, Resolver(here) as resolver:
            databases.append(stack.enter_context(Rds(here, resolver, lent)))
            tunnels.append(tunnel)
            found = Box(made, here, fleet[0], scaling, front[0], tunnel, databases[0], resolver)
            all_of_it = (scaling, lent, fleet[0], walls, front[0], databases[0])
            with _followed(found, [one.follow for one in all_of_it]):
                yield found
    found.check()


@contextmanager
def _followed(found: Box, steps: Sequence[Callable[[], None]]) -> Iterator[None]:
    """What moto says happens, until the end; then all hosts end."""
    over = threading.Event()
    thread = threading.Thread(target=_follow, args=(found, steps, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        found.fleet.end()
        found.front.end()


def _follow(found: Box, steps: Sequence[Callable[[], None]], over: threading.Event) -> None:
    while not over.wait(TICK):
        try:
            for step in steps:
                step()
        except Exception as error:
            found.fleet.failures.append(error)
            return


def _assuming(made: Cloud) -> Callable[[str, str], Mapping[str, Any]]:
    """Credentials of a role, as EC2 gets them for an instance."""
    return lambda role, session: made.client("sts").assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]


def _mends(fleet: list[Fleet]) -> list[Mend]:
    """What the console of an instance says is what its machine said, and a reboot is one."""
    from moto.core.responses import ActionResult
    from moto.core.types import Base64EncodedString
    from moto.core.utils import utcnow
    from moto.ec2.models.instances import Instance as Moto
    from moto.ec2.responses import EC2Response

    def get_console_output(asked: Any) -> Any:
        name = asked.ec2_backend.get_instance(asked._get_param("InstanceId")).id
        text = Base64EncodedString.from_raw_string(fleet[0].console(name)[-65_536:])
        return ActionResult({"InstanceId": name, "Timestamp": utcnow(), "Output": text})

    return [
        (EC2Response, "get_console_output", get_console_output),
        (Moto, "reboot", lambda instance: fleet[0].reboot(instance.id)),
    ]
