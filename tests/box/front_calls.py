"""moto's load balancers and addresses, led to tests/box/front.py: they answer on loopback, and targets are as healthy
as the front finds them."""

from __future__ import annotations

import itertools
from typing import Any

from tests.box.front import Proxy
from tests.infra.moto_here import Mend


def mends(front: list[Proxy], box: int) -> list[Mend]:
    """Of the box of that number: several may be there at the same time, and none answers at the address of another."""
    from moto.ec2.models import elastic_ip_addresses, elastic_network_interfaces
    from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer

    addresses, balancers, automatic = itertools.count(1), itertools.count(1), itertools.count(1)
    make = FakeLoadBalancer.__init__

    def init(one: Any, *words: Any, **named: Any) -> None:
        make(one, *words, **named)
        one.dns_name = f"127.79.{next(balancers) % 250}.{box}"

    def describe_target_health(backend: Any, arn: str, targets: list[dict[str, Any]]) -> list[Any]:
        from moto.elbv2.exceptions import TargetGroupNotFoundError

        group = backend.target_groups.get(arn)
        if group is None:
            raise TargetGroupNotFoundError
        names = [one["Id"] for one in targets] or list(dict.fromkeys([*group.targets, *front[0].draining(group)]))
        return [_said(group, name, front[0].health(group, name)) for name in names]

    return [
        (elastic_ip_addresses, "random_ip", lambda: f"127.78.{next(addresses) % 250}.{box}"),
        (elastic_network_interfaces, "random_public_ip", lambda: f"127.77.{next(automatic) % 250}.{box}"),
        (FakeLoadBalancer, "__init__", init),
        (ELBv2Backend, "describe_target_health", describe_target_health),
    ]


def _said(group: Any, target: str, health: tuple[str, str | None, str | None]) -> Any:
    from moto.elbv2.models import FakeHealthStatus

    port = group.targets.get(target, {}).get("Port", group.port)
    return FakeHealthStatus(target, port, group.health_check_port, *health)
