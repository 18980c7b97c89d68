"""The call `run`: a one-off dyno, in the release's files, with its environment and behind its walls.

It is a transient unit of systemd, started by `systemd-run` with the properties that formation dynos have. Attached, it
ends when its caller's channel closes; detached, what it prints goes to the app's log and nobody waits for it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deployer.errors.base import HostFailure
from deployer.host import dyno_files, journal, launch, memory, run_streams, systemd, task, units, users
from deployer.host.channel import Channel
from deployer.host.dyno_files import Placed
from deployer.host.lock import host_lock
from deployer.host.paths import Paths
from deployer.host.run_streams import Input, Pipes, Streams, Terminal
from deployer.model.dyno import Dyno

LONGEST = "24h"  # Heroku's limit
GRACE = 10.0  # seconds after SIGHUP and SIGTERM, once the caller is gone
TYPE = "run"


def run(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Run the command to its end; `{status}`, as a shell would give it. Detached: `{}` as soon as it has started."""
    placed = _placed(request)
    _lay_out(channel.paths, placed, request["env"])
    launch.announce(placed)
    if request.get("detached"):
        _check_started(subprocess.run(words(placed), capture_output=True, text=True, check=False))
        _say(placed, "State changed from starting to up")
        return {}
    ended = False
    try:
        status = _attached(placed, request, channel)
        ended = True
    finally:
        _end(channel.paths, placed, hang_up=not ended)
    return {"status": status}


def stop(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """The call `stop_run`: end one-off dynos (`instances`) of `app`, attached or not."""
    named = [launch.check_instance(one) for one in request["instances"]]
    found = [one for one in dyno_files.of_app(channel.paths, request["app"]) if one.instance in named]
    running = [one for one in found if one.dyno.process_type == TYPE]
    for one in running:
        _say(one, "Stopping all processes with SIGTERM")
    systemd.stop([unit(one) for one in running], GRACE)
    _remove(channel.paths, running)
    return {}


def words(placed: Placed, *options: str) -> list[str]:
    """The command that starts the dyno's unit."""
    instance = placed.instance
    helper = units.DYNO_FS.format(instance)
    folder = f"/srv/deployer/tasks/{instance}"
    own: list[units.Property] = [
        ("Description", f"One-off dyno {instance}"),
        ("Wants", f"{helper} {units.FIREWALL}"),
        ("After", f"{helper} {units.FIREWALL}"),
        ("RuntimeMaxSec", LONGEST),
        # An interactive shell ignores SIGTERM.
        ("SendSIGHUP", "yes"),
        ("BindPaths", folder),
        ("ExecStopPost", f"+{units.TASK_END} {instance}"),
    ]
    properties = units.run_words([*units.properties(instance), *own])
    return [
        "systemd-run",
        "--quiet",
        "--service-type=exec",
        f"--unit={unit(placed)}",
        *options,
        *properties,
        units.LAUNCHER,
    ]


def unit(placed: Placed) -> str:
    """The unit of a one-off dyno."""
    return units.RUN.format(placed.instance)


def end_all(paths: Paths, app: str) -> None:
    """Stop every one-off dyno of an app and remove its files."""
    found = [one for one in dyno_files.of_app(paths, app) if one.dyno.process_type == TYPE]
    systemd.stop([unit(one) for one in found], GRACE)
    _remove(paths, found)


def _placed(request: dict[str, Any]) -> Placed:
    """The dyno of a request; `bad-request` where its name could lead elsewhere."""
    try:
        dyno = Dyno(request["app"], TYPE, int(request["number"]), int(request["release"]))
        size = str(request["size"])
        layers = tuple(str(layer) for layer in request["layers"])
        placed = Placed(dyno, int(request["uid"]), size, str(request["command"]), layers)
    except (KeyError, TypeError, ValueError) as error:
        raise HostFailure("bad-request", {"reason": repr(error)}) from error
    launch.check_instance(placed.instance)
    return placed


def _lay_out(paths: Paths, placed: Placed, env: dict[str, str]) -> None:
    memory.check(paths, [placed])
    with host_lock(paths):
        _sweep(paths)
        if systemd.show([unit(placed)], ["ActiveState"])[unit(placed)].get("ActiveState") in task.ALIVE:
            raise HostFailure("bad-request", {"reason": f"{placed.dyno.name} of {placed.dyno.app} runs already"})
        users.ensure(placed.uid)
        dyno_files.write(paths, placed, env, units.RUN)
        (paths.tasks / placed.instance).mkdir(parents=True, exist_ok=True, mode=0o700)


def _attached(placed: Placed, request: dict[str, Any], channel: Channel) -> int:
    """Carry input and output until the dyno has ended; its status."""
    streams, process = _start(placed, request)
    try:
        _say(placed, "State changed from starting to up")
        feed = Input(streams, lambda name: _kill(placed, name))
        with channel.listening(feed.hear):
            run_streams.pump(streams, process, channel)
            process.wait()
    finally:
        streams.close()
    return _status(channel.paths, placed, process)


def _start(placed: Placed, request: dict[str, Any]) -> tuple[Streams, subprocess.Popen[bytes]]:
    if request.get("tty"):
        terminal = Terminal(int(request.get("columns") or 80), int(request.get("rows") or 24))
        to_terminal = [f"--property=Standard{stream}=tty" for stream in ("Input", "Output", "Error")]
        command = words(placed, "--wait", f"--property=TTYPath={terminal.path}", *to_terminal)
        return terminal, subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    command = words(placed, "--wait", "--pipe")
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
    return Pipes(process), process


def _status(paths: Paths, placed: Placed, process: subprocess.Popen[bytes]) -> int:
    """What the helper at the unit's end wrote down; where it could not even run, systemd's word."""
    try:
        return task.parse_status((paths.tasks / placed.instance / "status").read_text())
    except FileNotFoundError:
        state = systemd.show([unit(placed)], ["ExecMainCode", "ExecMainStatus"])[unit(placed)]
        return systemd.exit_status(state) or process.returncode or 1


def _end(paths: Paths, placed: Placed, *, hang_up: bool) -> None:
    if hang_up:
        _say(placed, "Client connection closed. Sending SIGHUP to all processes")
        _kill(placed, "HUP")
    systemd.stop([unit(placed)], GRACE)
    _remove(paths, [placed])


def _sweep(paths: Paths) -> None:
    """Remove what ended one-off dynos left that nobody waited for: detached ones, and those of killed agents."""
    found = [one for one in dyno_files.read_all(paths) if one.dyno.process_type == TYPE]
    states = systemd.show([unit(one) for one in found], ["ActiveState"])
    gone = [one for one in found if states.get(unit(one), {}).get("ActiveState") not in task.ALIVE]
    systemd.stop([unit(one) for one in gone])
    _remove(paths, gone)


def _remove(paths: Paths, placed: Sequence[Placed]) -> None:
    dyno_files.remove(paths, [one.instance for one in placed], units.RUN)
    for one in placed:
        shutil.rmtree(paths.tasks / Path(one.instance).name, ignore_errors=True)


def _kill(placed: Placed, name: str) -> None:
    """A signal to every process of the dyno."""
    subprocess.run(["systemctl", "kill", f"--signal={name}", unit(placed)], capture_output=True, check=False)


def _check_started(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        raise HostFailure("dyno-not-started", {"reason": done.stderr.strip()})


def _say(placed: Placed, text: str) -> None:
    journal.say(placed.dyno.app, placed.dyno.name, text)
