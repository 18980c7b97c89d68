"""The build jail: bubblewrap around a platform image, as an ordinary user of the kernel, with nothing of the home.

Inside are the image (read-only), the source at /app, the app's cache at /cache, tools of ours below /opt/tools, and
the machine's resolver, CA bundle, pip.conf and npm's registries. The network is the machine's. An ordinary caller is
mapped by a user namespace. Root must not be: uid 0 keeps /proc/sys writable inside, so root sets the mounts up itself
and drops to an unused uid. The environment goes in through a pipe, never as arguments, which every user of the machine
could read."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from deployer.build import client
from deployer.errors.build import JailUnavailable

BUILDER = 29000  # uid and gid of builds that root starts: below those of apps, given to nobody
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
CA = "/etc/ssl/certs/ca-certificates.crt"
Line = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or folder of this machine, and where it lies in the jail."""

    origin: Path
    target: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Jail:
    """One jail: what is in it. `source` and `cache` are writable for whoever builds (see `builder`)."""

    image: Path
    source: Path
    cache: Path
    mounts: tuple[Mount, ...] = ()
    env: dict[str, str] = field(default_factory=dict)

    def having(self, *mounts: Mount, **env: str) -> Jail:
        """The same with more in it."""
        return replace(self, mounts=(*self.mounts, *mounts), env=self.env | env)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. After the deadline it was killed, and `timed_out` says so."""

    status: int
    timed_out: bool = False


def builder() -> int | None:
    """The uid that what the jail writes must belong to, where that is not the caller."""
    return BUILDER if os.geteuid() == 0 else None


def run(
    jail: Jail, command: Sequence[str], on_line: Line, *, given: bytes = b"", seconds: float | None = None
) -> Ended:
    """Run a program in the jail. Its output (both streams) comes line by line; `given` is its standard input. Whatever
    ends this function ends everything inside."""
    arguments = _pipe("\0".join([*_options(jail), *_environment(jail)]).encode("utf-8", "surrogateescape") + b"\0")
    users = _pipe(_passwd())
    npmrc = _pipe(client.npmrc().encode())
    words = [
        _bwrap(),
        "--args",
        str(arguments),
        "--perms",
        "0644",
        "--ro-bind-data",
        str(users),
        "/etc/passwd",
        "--perms",
        "0644",
        "--ro-bind-data",
        str(npmrc),
        "/etc/npmrc",
        "--",
        *_dropped(),
        *command,
    ]
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(arguments, users, npmrc),
            env={},
        )
    finally:
        os.close(arguments)
        os.close(users)
        os.close(npmrc)
    return _follow(process, on_line, given, seconds)


def _follow(process: subprocess.Popen[bytes], on_line: Line, given: bytes, seconds: float | None) -> Ended:
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds or 0, end)
    feeder = threading.Thread(target=_feed, args=(process, given), daemon=True)
    try:
        if seconds is not None:
            timer.start()
        feeder.start()
        assert process.stdout is not None
        for line in process.stdout:
            on_line(_shown(line))
        return Ended(process.wait(), late.is_set())
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _feed(process: subprocess.Popen[bytes], given: bytes) -> None:
    assert process.stdin is not None
    try:
        with process.stdin as stream:
            stream.write(given)
    except BrokenPipeError:
        return  # it ended without reading, which is its own affair


def _shown(line: bytes) -> str:
    """A line as it stands in the end: what came before a carriage return was painted over."""
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    return text.rpartition("\r")[2]


def _options(jail: Jail) -> list[str]:
    words = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--hostname", "build"]
    words += [
        "--die-with-parent",
        "--new-session",
        "--ro-bind",
        str(jail.image),
        "/",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
    ]
    for folder in ("/tmp", "/var/tmp", "/dev/shm"):
        words += ["--perms", "1777", "--tmpfs", folder]
    words += ["--tmpfs", "/run", "--tmpfs", "/opt/tools"]
    words += ["--bind", str(jail.source), "/app", "--bind", str(jail.cache), "/cache", "--chdir", "/app"]
    for origin, target in client.files().items():
        words += ["--ro-bind-try", origin, target]
    for mount in jail.mounts:
        words += ["--bind" if mount.writable else "--ro-bind", str(mount.origin), mount.target]
    if os.geteuid() != 0:
        words += ["--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"]
    return words


def _environment(jail: Jail) -> list[str]:
    base = {
        "HOME": "/app",
        "PATH": PATH,
        "LANG": "en_US.UTF-8",
        "TERM": "dumb",
        "SSL_CERT_FILE": CA,
        "REQUESTS_CA_BUNDLE": CA,
        "PIP_CERT": CA,
        "NODE_EXTRA_CA_CERTS": CA,
        "GIT_SSL_CAINFO": CA,
    }
    pairs = {**base, **client.environment(os.environ), **jail.env}
    return ["--clearenv", *(word for key, value in pairs.items() for word in ("--setenv", key, value))]


def _passwd() -> bytes:
    uid = builder() or 1000
    return f"root:x:0:0:root:/root:/bin/bash\nbuild:x:{uid}:{uid}::/app:/bin/bash\n".encode()


def _dropped() -> list[str]:
    """What root runs inside before the program: another uid, and no way back."""
    if builder() is None:
        return []
    ids = ["--reuid", str(BUILDER), "--regid", str(BUILDER), "--clear-groups"]
    return ["/usr/bin/setpriv", *ids, "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]


def _pipe(content: bytes) -> int:
    """A descriptor that gives `content`, however long: config vars may take more than a pipe holds."""
    descriptor = os.memfd_create("deployer")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


@cache
def _bwrap() -> str:
    found = shutil.which("bwrap")
    if found is None:
        raise JailUnavailable("bubblewrap is not installed", "sudo apt-get install bubblewrap")
    return found


def check(image: Path) -> None:
    """Try the jail. Raises JailUnavailable with what would make it possible."""
    words = [_bwrap(), "--ro-bind", str(image), "/", "--proc", "/proc", "--dev", "/dev", "--unshare-pid"]
    if os.geteuid() != 0:
        words += ["--unshare-user", "--uid", "1000"]
    done = subprocess.run([*words, "/bin/true"], capture_output=True, env={})
    if done.returncode != 0:
        raise JailUnavailable(done.stderr.decode("utf-8", "replace").strip(), _remedy(_settings()))


def _settings() -> dict[str, str]:
    """The kernel's switches for user namespaces."""
    names = (
        "user/max_user_namespaces",
        "kernel/unprivileged_userns_clone",
        "kernel/apparmor_restrict_unprivileged_userns",
    )
    files = {name.replace("/", "."): Path("/proc/sys", name) for name in names}
    return {name: file.read_text().strip() for name, file in files.items() if file.is_file()}


def _remedy(settings: Mapping[str, str]) -> str:
    """The line that lifts what stands in the way, as far as the switches tell."""
    if settings.get("kernel.apparmor_restrict_unprivileged_userns", "0") != "0":
        return "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    if settings.get("kernel.unprivileged_userns_clone", "1") == "0":
        return "sudo sysctl -w kernel.unprivileged_userns_clone=1"
    if settings.get("user.max_user_namespaces", "1") == "0":
        return "sudo sysctl -w user.max_user_namespaces=15000"
    return "sudo deployer ...   (builds that root starts need no user namespaces)"
