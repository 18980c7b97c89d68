"""Run as a program: runs another one, which is asked to stop (SIGINT), once, when our standard input ends.

    python tether.py PROGRAM WORD...

A kill of deployer reaches nobody but itself: what it began would go on, and write, under a right that somebody else has
by then. It holds the other end of our standard input, which the system closes for it. (Linux can tell a process that
its parent has died, but says so once for each of the parent's threads, and Pulumi takes a second SIGINT as an order to
leave everything as it is.)
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    """Run the program to its end; its exit status. A SIGINT of ours is its own."""
    asked: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
    with subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL) as program:
        signal.signal(signal.SIGINT, lambda number, frame: program.send_signal(number))
        if asked:
            program.send_signal(signal.SIGINT)
        threading.Thread(target=_watch, args=(program,), daemon=True).start()
        code = program.wait()
    return code if code >= 0 else 128 - code


def _watch(program: subprocess.Popen[bytes]) -> None:
    os.read(sys.stdin.fileno(), 1)
    program.send_signal(signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main())
