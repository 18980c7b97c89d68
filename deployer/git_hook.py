"""The pre-receive hook of `git push`: hands the pushed refs to the remote helper and prints what it answers.

Standard library only and run by its path: the helper, which already holds the lease and the connections, does the
work. Lines of JSON over a UNIX socket: `{"refs": [[old, new, ref]], "env": {...}}` there, `{"out": text}` and at last
`{"exit": n}` back. Where nobody reads our output any more, the helper still has to be heard to its end.
"""

import json
import os
import socket
import sys
from pathlib import Path

FOLDERS = {"GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH"}


def main() -> int:
    """Talk to the helper at the socket named by the first argument; return the exit status it gave."""
    refs = [line.split() for line in sys.stdin.read().splitlines()]
    env = {key: value for key, value in os.environ.items() if key.startswith("GIT_")}
    for key in FOLDERS & env.keys():
        env[key] = str(Path(env[key]).resolve())  # git runs hooks in the repository and may say `.`
    with socket.socket(socket.AF_UNIX) as helper:
        helper.connect(sys.argv[1])
        stream = helper.makefile("rw", encoding="utf-8", errors="surrogateescape")
        stream.write(json.dumps({"refs": refs, "env": env}) + "\n")
        stream.flush()
        for line in stream:
            message = json.loads(line)
            if "exit" in message:
                return int(message["exit"])
            _say(message["out"])
    return 1


def _say(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
