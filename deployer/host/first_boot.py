"""What a host of AWS does at its first boot, out of its user data: fetch the space's agent and have it join.

Stands alone with aws.py and bootstrap.py: there is no agent yet. Nothing here depends on the version of deployer.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployer.host.aws import METADATA, Aws, Bucket, Group, Metadata, Refused, Unanswered, user_id
from deployer.host.bootstrap import install

PATIENCE = 600.0  # seconds in which all of it is tried again
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0  # seconds
HOOK = "join"


class Failed(Exception):
    """A step that did not come to its end, and why."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(reason)
        self.step = step


@dataclass
class Boot:
    """What user data says (model.joining.JoinOrder), where the agent goes, and words for its command line."""

    order: Mapping[str, Any]
    root: Path = Path("/srv/deployer")
    patience: float = PATIENCE
    words: Sequence[str] = ()

    def __post_init__(self) -> None:
        # An address of its own where everything else is an emulator's, too.
        self.metadata = Metadata(self.order.get("metadata") or METADATA if self.order["endpoint"] else METADATA)
        self.aws = Aws(self.metadata.credentials, self.order["region"], self.order["endpoint"])
        self.bucket = Bucket(self.aws, self.order["bucket"])


def main(text: str, words: Sequence[str]) -> int:
    """Join the space that the settings name; the exit status. `words` are for tests: `--root=FOLDER`, which the agent
    gets too, `--patience=SECONDS`."""
    options = dict(word[2:].partition("=")[::2] for word in words)
    root, patience = Path(options.get("root", Boot.root)), float(options.get("patience", Boot.patience))
    boot = Boot(json.loads(text), root, patience, [word for word in words if not word.startswith("--patience")])
    failed = insist(boot)
    if failed:
        give_up(boot, failed)
    return 1 if failed else 0


def insist(boot: Boot) -> Failed | None:
    """Try until it joins or the time is over; what the last try failed of."""
    end, pause = time.monotonic() + boot.patience, FIRST_PAUSE
    while True:
        try:
            join(boot, fetch_agent(boot))
            return None
        except Failed as failed:
            say(f"{failed.step}: {failed}")
            if time.monotonic() + pause > end:
                return failed
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def fetch_agent(boot: Boot) -> Path:
    """The space's agent, installed: its folder."""
    try:
        ref = json.loads(boot.bucket.get("agent/current").body)
        name, wanted = str(ref["name"]), ref["sha256"]
        folder = boot.root / "agent" / name
        if not folder.is_dir():
            archive = boot.bucket.get(f"agent/{name}.tar.gz").body
            if hashlib.sha256(archive).hexdigest() != wanted:
                raise Failed("agent", f"the archive of the agent {name} is not the one that agent/current names")
            install(folder.parent, name, archive)
    except (Refused, OSError, ValueError, KeyError) as error:
        raise Failed("agent", f"{type(error).__name__}: {error}") from error
    return folder


def join(boot: Boot, agent: Path) -> None:
    """Have the agent join, and repeat on the console what it tells."""
    command = ["/usr/bin/python3", "-I", str(agent), *boot.words, "join"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin is not None and running.stdout is not None
        running.stdin.write(json.dumps(boot.order).encode() + b"\n")
        running.stdin.close()
        last = b""
        for last in running.stdout:
            say(last.decode(errors="replace").strip())
    if running.returncode:
        raise _failure_in(last, running.returncode)


def give_up(boot: Boot, failed: Failed) -> None:
    """Leave the reason where people find it, and let the group start another host in place of this one."""
    with suppress(Refused, OSError):
        instance = boot.metadata.instance()
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        about = {"host": instance, "at": at, "step": failed.step, "reason": str(failed), "schema": 1}
        with suppress(Refused, Unanswered):
            boot.bucket.put(f"hosts/{user_id(boot.aws)}/failed", json.dumps(about).encode())
        Group(boot.aws, instance).give_up(HOOK)
    say(f"giving up after {boot.patience:.0f} seconds: {failed.step}: {failed}")


def say(what: str) -> None:
    """A line on the console, and in cloud-init's log."""
    print(f"deployer: {what}", flush=True)


def _failure_in(last: bytes, status: int) -> Failed:
    """What the agent's last line says, where it says why it failed."""
    try:
        error = json.loads(last)["error"]
        details = dict(error["details"])
        return Failed(str(details.pop("step", error["code"])), str(details.get("reason") or details or error["code"]))
    except (ValueError, KeyError, TypeError):
        return Failed("agent", f"it ended with status {status}")


if __name__ == "__main__":
    sys.exit(main(sys.stdin.read(), sys.argv[1:]))
