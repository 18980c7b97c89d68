"""Questions and orders to systemd. Questions ask for its machine format; nothing reads its sentences."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Sequence

State = dict[str, str]


def show_words(units: Sequence[str], properties: Sequence[str]) -> list[str]:
    """The command that asks for these properties of these units."""
    return ["systemctl", "show", "--property=Id," + ",".join(properties), "--", *units]


def parse_show(text: str) -> dict[str, State]:
    """Its answer: properties by unit. A unit that systemd does not know is there too, as `inactive`."""
    states = (dict(line.split("=", 1) for line in part.splitlines() if "=" in line) for part in text.split("\n\n"))
    return {state["Id"]: state for state in states if "Id" in state}


def show(units: Sequence[str], properties: Sequence[str]) -> dict[str, State]:
    """These properties of these units, by unit."""
    if not units:
        return {}
    done = subprocess.run(show_words(units, properties), capture_output=True, text=True, check=True)
    return parse_show(done.stdout)


def start(units: Sequence[str]) -> str:
    """Start all at once and wait for the starts; what systemctl complained about, empty where all is well."""
    return _order("start", units)


def restart(units: Sequence[str]) -> str:
    """Stop and start all at once."""
    return _order("restart", units)


def stop(units: Sequence[str], grace: float | None = None) -> None:
    """Stop all at once and wait until they are gone; after `grace` seconds SIGKILL instead of the units' own time."""
    if not units:
        return
    words = ["systemctl", "stop", "--", *units]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as stopping:
        try:
            stopping.wait(grace)
        except subprocess.TimeoutExpired:
            _order("kill", ["--signal=KILL"], units)
            stopping.wait()
    # A unit that ended badly stays in memory with its old settings until this.
    _order("reset-failed", units)


def reload() -> None:
    """Read changed unit files."""
    subprocess.run(["systemctl", "daemon-reload"], check=True, capture_output=True)


def exit_status(state: State) -> int:
    """What a shell would say: the status, or 128 + the signal. Needs ExecMainCode and ExecMainStatus."""
    status = int(state.get("ExecMainStatus") or 0)
    killed = state.get("ExecMainCode") in ("2", "3")  # CLD_KILLED, CLD_DUMPED
    return 128 + status if killed else status


def since(state: State, key: str) -> float:
    """Seconds since 1970 of a monotonic time stamp of systemd (microseconds since boot); 0 where there is none."""
    stamp = int(state.get(key) or 0)
    return round(time.time() - time.clock_gettime(time.CLOCK_MONOTONIC) + stamp / 1e6, 3) if stamp else 0.0


def _order(verb: str, *words: Iterable[str]) -> str:
    command = ["systemctl", verb, *(word for group in words for word in group)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return done.stderr.strip() if done.returncode else ""
