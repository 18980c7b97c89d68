"""What this machine still has of a sandbox whose folder, or the record in it, was deleted by hand: processes, control
groups and a network, known by the tag that the folder's path gives. `remove` ends all of it; docs/sandbox.md has the
same by hand."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from deployer.spaces.sandbox import cgroups, front, network
from deployer.spaces.sandbox.record import Machine, Record, tag_of

PATIENCE = 3.0  # seconds until killed processes are gone


def numbers(folder: Path, names: Iterable[str]) -> list[int]:
    """The hosts of which there is a network, out of the names of links and namespaces."""
    mark = re.compile(rf"dpl{tag_of(folder)}-?h(\d+)")
    return sorted({int(found[1]) for name in names if (found := mark.fullmatch(name))})


def is_ours(folder: Path, words: Sequence[str]) -> bool:
    """Whether a process with these words is the front, a keeper or a machine of the sandbox in that folder; an editor
    that has a file of it open is not."""
    program, inside = Path(words[0]).name if words else "", f"{folder}/hosts/"
    if program == "haproxy":
        return f"{folder}/front.cfg" in words
    if program == "systemd-nspawn":
        return any(word.startswith(f"--directory={inside}") for word in words)
    return program == "sh" and "keeper" in words and any(word.startswith(inside) for word in words)


def exist(folder: Path) -> bool:
    """Whether there is anything of it that only root can remove."""
    return Path("/sys/class/net", f"dpl{tag_of(folder)}").exists() or bool(_numbers(folder) or _processes(folder))


def remove(folder: Path) -> None:
    """End it all. Can be repeated."""
    _until_gone(lambda: _end_processes(folder))
    groups = list(cgroups.ROOT.glob(f"**/dpl{tag_of(folder)}-h*"))
    _until_gone(lambda: all([cgroups.end(group) for group in groups]))
    machines = tuple(Machine(number, "", "", "") for number in _numbers(folder))
    network.remove(Record("", "", "", 0, "", tag_of(folder), machines))
    front.socket_of(tag_of(folder)).unlink(missing_ok=True)


def _until_gone(is_gone: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_gone() and time.monotonic() < deadline:
        time.sleep(0.02)


def _end_processes(folder: Path) -> bool:
    pids = _processes(folder)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return not pids


def _numbers(folder: Path) -> list[int]:
    places = (Path("/run/netns"), Path("/sys/class/net"))
    return numbers(folder, [path.name for place in places if place.is_dir() for path in place.iterdir()])


def _processes(folder: Path) -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if is_ours(folder, _words(path))]


def _words(process: Path) -> list[str]:
    with suppress(OSError):
        return (process / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    return []
