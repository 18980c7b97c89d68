"""A host of AWS follows a newer agent: the one that `agent/current` in its space's store names (docs/aws-hosts.md)."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from deployer.host import myself
from deployer.host.bootstrap import install, prune
from deployer.host.myself import Myself
from deployer.host.paths import Paths
from deployer.model.joining import AgentRef
from deployer.store import keys
from deployer.store.base import Get, Stored
from deployer.version import is_older

PYTHON = "/usr/bin/python3"
VERSION = re.compile(r'^VERSION = "([^"]*)"', re.MULTILINE)


def follow(me: Myself, paths: Paths, request: Mapping[str, Any], say: Callable[[str], None]) -> str | None:
    """Install the agent that people have named and have it prepare this host, by `request`; its name, None where there
    is nothing to follow. What went wrong is said, and this agent goes on: it tries again the next time."""
    ref = wanted(paths, myself.read(me, AgentRef, keys.AGENT))
    if ref is None:
        return None
    folder = paths.agents / ref.name
    if not folder.is_dir():
        stored = me.store.batch([Get(keys.agent(ref.name))]).answers[0]
        if not isinstance(stored, Stored) or hashlib.sha256(stored.body).hexdigest() != ref.sha256:
            say(f"agent: the archive of the agent {ref.name} is not the one that {keys.AGENT} names")
            return None
        install(paths.agents, ref.name, stored.body)
    if why := _prepare(folder, paths, request):
        say(f"agent: {ref.name} of deployer {ref.tool} could not prepare this host: {why}")
        return None
    prune(paths.agents, ref.name, time.time())
    return ref.name


def wanted(paths: Paths, ref: AgentRef | None) -> AgentRef | None:
    """That agent, where it is another than this host's and not older."""
    current = (paths.agents / "current").resolve()
    if ref is None or ref.name == current.name or not re.fullmatch("[0-9a-f]+", ref.name):
        return None
    return None if is_older(ref.tool, version_of(current)) else ref


def version_of(agent: Path) -> str:
    """The version of deployer that an agent belongs to; empty where it is so old that it does not say."""
    with suppress(OSError):
        found = VERSION.search((agent / "deployer/version.py").read_text())
        return found[1] if found else ""
    return ""


def _prepare(agent: Path, paths: Paths, request: Mapping[str, Any]) -> str:
    """Have an agent prepare this host, which makes it the one that timers run; why it did not, empty where it did."""
    command = [PYTHON, "-I", str(agent), f"--root={paths.root}", f"--system={paths.system}", "prepare"]
    ran = subprocess.run(command, input=json.dumps(request).encode() + b"\n", capture_output=True, check=False)
    if ran.returncode == 0:
        return ""
    said = (ran.stdout or ran.stderr).decode(errors="replace").strip().splitlines()
    return f"status {ran.returncode}: {said[-1] if said else 'it said nothing'}"
