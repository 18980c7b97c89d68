"""The agent's `psql` call: PostgreSQL's own client on a host, as a database's role, for the person who called.

It runs as the app's user and may gain nothing: `\\!` opens no door that the app itself does not have. `\\copy` and
`\\i` therefore mean files of the host; what a person has on a laptop comes through standard input.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from deployer.errors.base import HostFailure
from deployer.host.channel import Channel
from deployer.host.firewall import DYNO_UIDS
from deployer.host.postgres_cluster import installed
from deployer.host.run_streams import Input, Pipes, Streams, Terminal, pump

LOW, HIGH = (int(uid) for uid in DYNO_UIDS.split("-"))
GRACE = 2.0  # seconds after SIGHUP, once the caller is gone


def psql(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """`{url, uid, prompt, commands, tty, columns, rows, term}`, then messages as for `run`; `{status}`."""
    uid = request["uid"]
    if not LOW <= uid <= HIGH:
        raise HostFailure("bad-request", {"reason": f"{uid} is no app's uid"})
    programs = channel.paths.system / "usr/lib/postgresql" / installed(channel.paths) / "bin"
    words = [*as_user(uid), *psql_words(programs, request["url"], request["prompt"], request["commands"])]
    env = environment(request["url"], request.get("term", "dumb"))
    window = (int(request["columns"]), int(request["rows"])) if request["tty"] else None
    streams, process = start(words, env, window)
    return {"status": attend(streams, process, channel)}


def start(
    words: Sequence[str], env: Mapping[str, str], window: tuple[int, int] | None
) -> tuple[Streams, subprocess.Popen[bytes]]:
    """Start a program in a terminal of `window` (columns, rows), or between pipes, as the leader of its own session."""
    if window is None:
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            words, env=env, cwd="/", stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        return Pipes(process), process
    terminal = Terminal(*window)
    # setsid makes it the program's controlling terminal: without that there is no Ctrl-C.
    end = os.open(terminal.path, os.O_RDWR | os.O_NOCTTY)
    try:
        process = subprocess.Popen(["setsid", "--ctty", *words], env=env, cwd="/", stdin=end, stdout=end, stderr=end)
    finally:
        os.close(end)
    return terminal, process


def attend(streams: Streams, process: subprocess.Popen[bytes], channel: Channel) -> int:
    """Carry input and output until the program has ended; its status, as a shell would give it. Its caller's end is its
    own end."""
    feed = Input(streams, lambda name: _signal(process, signal.Signals[f"SIG{name}"]))
    try:
        with channel.listening(feed.hear):
            pump(streams, process, channel)
            status = process.wait()
    finally:
        _end(process)
        streams.close()
    return 128 - status if status < 0 else status


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        _signal(process, signal.SIGHUP)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def as_user(uid: int) -> list[str]:
    """What a command is put behind to run as an app's user, with no way to be more."""
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]


def psql_words(programs: Path, url: str, prompt: str, commands: list[str]) -> list[str]:
    """psql with Heroku's prompt (`shop::DATABASE=>`); the URL without its password, which is in the environment."""
    prompt = prompt.replace("%", "%%")
    prompts = ["--set", f"PROMPT1={prompt}%R%# ", "--set", f"PROMPT2={prompt}%R%# "]
    return [str(programs / "psql"), "--no-psqlrc", *prompts, *(w for c in commands for w in ("-c", c)), bare(url)]


def environment(url: str, term: str) -> dict[str, str]:
    """The only place that the password is in: readable by the app's user and root."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "TERM": term,
        "PAGER": "less -SFX",
        "PSQL_HISTORY": "/dev/null",
        "PGPASSWORD": unquote(urlsplit(url).password or ""),
        "PGCONNECT_TIMEOUT": "10",
    }


def bare(url: str) -> str:
    """A URL without its password."""
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{place}"))
