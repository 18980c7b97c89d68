"""Installs the agent on a host: run there as `python3 -I -c SOURCE FOLDER HASH`, the bundle on its standard input.
A host of AWS does the same by itself (first_boot.py).

Stands alone, for Python's standard library is all there is. The agent is unpacked aside, byte-compiled, synced and
renamed. Agents that nobody used for a day go, never one that runs: a running agent holds a lock on its folder.
"""

import compileall
import fcntl
import io
import os
import py_compile
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

UNUSED_FOR = 24 * 3600.0  # seconds


def install(agents: Path, name: str, bundle: bytes) -> None:
    """Make `agents/NAME` of a gzipped tar, whole or not at all."""
    aside = agents / f".{name}.{os.getpid()}"
    aside.mkdir(parents=True, mode=0o755)
    with tarfile.open(fileobj=io.BytesIO(bundle)) as archive:
        for member in archive:
            path = aside / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            source = archive.extractfile(member)
            path.write_bytes(source.read() if source else b"")
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(aside, stripdir=str(aside), quiet=2, invalidation_mode=mode)
    subprocess.run(["sync", "-f", aside], check=True)
    try:
        aside.rename(agents / name)
    except OSError:
        shutil.rmtree(aside)  # somebody else was faster
        if not (agents / name).is_dir():
            raise


def prune(agents: Path, keep: str, now: float) -> None:
    """Remove agents, and what a killed installation left, that nobody used for a day."""
    current = Path(os.path.realpath(agents / "current")).name
    for folder in agents.iterdir():
        if folder.is_symlink() or folder.name in (keep, current) or now - folder.stat().st_mtime < UNUSED_FOR:
            continue
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        except BlockingIOError:
            pass  # it runs
        finally:
            os.close(descriptor)


if __name__ == "__main__":
    install(Path(sys.argv[1]), sys.argv[2], sys.stdin.buffer.read())
    prune(Path(sys.argv[1]), sys.argv[2], time.time())
