"""Runs the `pulumi` command so that Ctrl-C ends it in good order.

It gets a process group of its own: a terminal's Ctrl-C goes to us alone, and we ask it once to stop. It then begins
nothing new, waits for what runs, and notes what came of it. A second SIGINT would make it leave what runs unnoted.

Where we are killed it is asked as well (infra/tether.py). It writes to files, not to us: into a pipe that nobody reads
any more it could not say a word without dying of it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

Hear = Callable[[str], Any]
BETWEEN = 1.0  # seconds from one SIGINT to the next
TETHER = Path(__file__).with_name("tether.py")


@dataclass
class Command:
    """What the Automation API wants of its PulumiCommand. `version` is the command's; `stopping` is called when it has
    been asked to stop. One command runs at a time."""

    command: str
    version: Any
    stopping: Callable[[], None] = lambda: None
    _running: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Hear | None = None,
        on_error: Hear | None = None,
    ) -> Any:
        """Run it to its end; its CommandResult, or CommandError. Where we are interrupted meanwhile, KeyboardInterrupt
        when it has ended."""
        from pulumi.automation import CommandResult
        from pulumi.automation.errors import create_command_error

        path = os.pathsep.join([str(Path(self.command).parent), os.environ.get("PATH", "")])
        env = {**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true", "PATH": path}
        words = [self.command, "--non-interactive", *args]
        out, err, code = self._wait(lambda: self._execute(words, cwd, env, (on_output, on_error)))
        result = CommandResult(stdout=out, stderr=err, code=code)
        if code != 0:
            raise create_command_error(result)
        return result

    def _wait(self, execute: Callable[[], tuple[str, str, int]]) -> tuple[str, str, int]:
        """It runs in a thread: an interrupt, which comes in the main one, finds it whole."""
        interrupt: KeyboardInterrupt | None = None
        with ThreadPoolExecutor(1) as thread:
            done = thread.submit(execute)
            while True:
                try:
                    found = done.result()
                    break
                except KeyboardInterrupt as again:
                    if interrupt is None:
                        self.stopping()
                    interrupt = again
                    self._ask_to_stop()
        if interrupt:
            raise interrupt
        return found

    def leave(self) -> None:
        """Have it end at once: what runs in AWS goes on there, and is unnoted. It takes the second SIGINT as that."""
        running = self._running
        while running and running.poll() is None:
            running.send_signal(signal.SIGINT)
            time.sleep(BETWEEN)

    def _ask_to_stop(self) -> None:
        if self._running and self._running.poll() is None:
            self._running.send_signal(signal.SIGINT)

    def _execute(
        self, words: list[str], cwd: str, env: Mapping[str, str], hear: tuple[Hear | None, Hear | None]
    ) -> tuple[str, str, int]:
        tethered = [sys.executable, "-I", "-S", str(TETHER), *words]
        with _file() as out, _file() as err:
            # Nothing is ever written into its standard input: that it ends says that we are gone.
            with subprocess.Popen(
                tethered, cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=out, stderr=err, process_group=0
            ) as process:
                self._running = process
                code = process.wait()
            return _read(out, hear[0]), _read(err, hear[1]), code


def _file() -> IO[str]:
    return tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")


def _read(stream: IO[str], hear: Hear | None) -> str:
    stream.seek(0)
    lines = [line.rstrip() for line in stream]
    for line in lines if hear else ():
        assert hear
        hear(line)
    return "\n".join(lines)
