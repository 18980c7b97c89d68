"""The agent's `facts` call: what a command must know of a host before it plans anything."""

from __future__ import annotations

import os
import platform as machine
import shutil
import sys
from pathlib import Path
from typing import Any

from deployer.host.channel import Channel
from deployer.host.epoch import read_epoch
from deployer.host.fence import read_token
from deployer.host.paths import Paths
from deployer.model.platforms import Platform, this_architecture


def facts(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Platform, name, agent, memory in MiB, processors, epoch, free bytes, and the highest token seen for each app."""
    paths = channel.paths
    release = (paths.system / "etc/os-release").read_text()
    return {
        "platform": str(Platform(parse_os_release(release), this_architecture())),
        "hostname": machine.node(),
        "agent": Path(sys.path[0]).name,
        "memory": memory(),
        "cpus": os.cpu_count(),
        "epoch": read_epoch(paths),
        "disk_free": shutil.disk_usage(_that_exists(paths.root)).free,
        "tokens": tokens(paths),
    }


def memory() -> int:
    """The host's memory in MiB."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20


def parse_os_release(text: str) -> str:
    """`debian-13` from /etc/os-release; `ID-VERSION_ID` for any other system too."""
    values = dict(line.partition("=")[::2] for line in text.splitlines() if "=" in line)
    name, version = (values.get(key, "").strip("\"'") for key in ("ID", "VERSION_ID"))
    return f"{name}-{version}".rstrip("-")


def tokens(paths: Paths) -> dict[str, int]:
    """The highest token seen, by app."""
    folders = sorted(paths.apps.iterdir()) if paths.apps.is_dir() else []
    return {folder.name: read_token(paths.app(folder.name)) for folder in folders}


def _that_exists(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
