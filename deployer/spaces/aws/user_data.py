"""What EC2 hands to a host at its first boot."""

from __future__ import annotations

from deployer.model.joining import JoinOrder


def render(order: JoinOrder) -> str:
    """The program that makes a machine a host of its space."""
    return f"#cloud-config\n# {order.space}\n"
