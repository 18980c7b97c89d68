"""What the user's OpenSSH knows of a host: `ssh -G` reads ~/.ssh/config, so that it means here what it means there.

Host, Match, Include and tokens are OpenSSH's own affair this way. DEPLOYER_SSH_CONFIG names another file, as `ssh -F`
does."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deployer.errors.ssh import BadTarget, SshConfigRefused, SshMissing

TARGET = re.compile(
    r"(?:ssh://)?(?:(?P<user>[^@\s]+)@)?(?P<host>\[[0-9a-fA-F:.%]+\]|[^@:\s/]+)(?::(?P<port>\d{1,5}))?/?"
)
BARE_V6 = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?P<host>[0-9a-fA-F]*:[0-9a-fA-F:.]+)")


@dataclass(frozen=True, slots=True)
class Target:
    """`[user@]host[:port]` in its parts; `host` may be an alias of ssh_config."""

    host: str
    user: str | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """How OpenSSH would reach a target. `name` is what known_hosts calls the host, `agent` the agent's socket; `jumps`
    are targets, in the order in which they are passed."""

    target: str
    address: str
    port: int
    user: str
    name: str
    known_hosts: tuple[str, ...]
    identities: tuple[str, ...]
    identities_only: bool
    agent: str | None
    jumps: tuple[str, ...]
    proxy_command: str | None


def parse_target(text: str) -> Target:
    """`ubuntu@203.0.113.7:2222`, `web1`, `root@[2001:db8::7]`; BadTarget."""
    found = BARE_V6.fullmatch(text) or TARGET.fullmatch(text)
    port = (found.groupdict().get("port") if found else None) or None
    if found is None or found["host"].startswith("-") or (found["user"] or "").startswith("-"):
        raise BadTarget(text)
    if port and not 0 < int(port) < 65536:
        raise BadTarget(text)
    return Target(found["host"].strip("[]"), found["user"], int(port) if port else None)


@cache
def way_to(target: str) -> Way:
    """The way to a target; BadTarget, SshMissing, SshConfigRefused."""
    wanted = parse_target(target)
    file = os.environ.get("DEPLOYER_SSH_CONFIG")
    words = ["ssh", "-G", *(["-F", file] if file else [])]
    words += ["-l", wanted.user] if wanted.user else []
    words += ["-p", str(wanted.port)] if wanted.port else []
    try:
        done = subprocess.run([*words, "--", wanted.host], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise SshMissing from error
    if done.returncode != 0:
        raise SshConfigRefused(target, done.stderr.strip())
    return parse(done.stdout, target, os.environ)


def parse(printed: str, target: str, env: Mapping[str, str] = {}) -> Way:
    """A way out of what `ssh -G` prints: `key value` lines, keys in lower case."""
    lines = [line.partition(" ")[::2] for line in printed.splitlines()]
    values = dict(reversed(lines))
    identities = tuple(_expand(value) for key, value in lines if key == "identityfile")
    port = int(values["port"])
    name = values.get("hostkeyalias") or values["hostname"].lower()
    return Way(
        target=target,
        address=values["hostname"],
        port=port,
        user=values["user"],
        name=name if port == 22 or "hostkeyalias" in values else f"[{name}]:{port}",
        known_hosts=tuple(
            _expand(path)
            for key in ("userknownhostsfile", "globalknownhostsfile")
            for path in _given(values.get(key)).split()
        ),
        identities=identities,
        identities_only=values.get("identitiesonly") == "yes",
        agent=_agent(values.get("identityagent", "SSH_AUTH_SOCK"), env),
        jumps=tuple(jump for jump in _given(values.get("proxyjump")).split(",") if jump),
        proxy_command=_given(values.get("proxycommand")) or None,
    )


def _given(value: str | None) -> str:
    return "" if value in (None, "none") else str(value)


def _agent(setting: str, env: Mapping[str, str]) -> str | None:
    if setting == "SSH_AUTH_SOCK" or setting.startswith("$"):
        return env.get(setting.lstrip("$").strip("{}")) or None
    return None if setting == "none" else _expand(setting)


def _expand(path: str) -> str:
    """`~/.ssh/id_rsa` as OpenSSH takes it: by the user's record, whatever HOME says."""
    home = pwd.getpwuid(os.geteuid()).pw_dir if path.startswith(("~/", "%d/")) else ""
    return str(Path(home, path[2:].lstrip("/"))) if home else path
