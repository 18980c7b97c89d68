"""The hosts and apps of a space in AWS, as `spaces:info` shows them."""

from __future__ import annotations

from dataclasses import asdict

from deployer.operations.cloud_inside import Inside, There


def rows(inside: Inside) -> dict[str, str]:
    """For a person."""
    unknown = f"not known: {inside.why}"
    hosts = None if inside.hosts is None else "\n".join(map(_line, inside.hosts)) or "none"
    apps = None if inside.apps is None else "\n".join(inside.apps) or "none"
    return {"Hosts": unknown if hosts is None else hosts, "Apps": unknown if apps is None else apps}


def as_json(inside: Inside) -> dict[str, object]:
    """For programs."""
    return {
        "hosts": None if inside.hosts is None else [asdict(one) for one in inside.hosts],
        "apps": None if inside.apps is None else list(inside.apps),
    }


def _line(one: There) -> str:
    seat = "no seat" if one.seat is None else f"seat {one.seat}"
    return f"{one.name} {', '.join(filter(None, (seat, one.address)))} ({one.state}: {one.word})"
