"""What lies on a host about each dyno: /srv/deployer/dynos/INSTANCE and the drop-in of its unit."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from deployer.errors.base import HostFailure
from deployer.host import files, units
from deployer.host.paths import Paths
from deployer.model import codec
from deployer.model.dyno import Dyno
from deployer.model.formation import SIZES, Size
from deployer.model.names import is_config_key

MEMORY = (b"DYNO_RAM", b"MEMORY_AVAILABLE")  # variables that hold a dyno's memory in MiB
INSTANCES = "*.*.*.v*"  # which no folder in the making is called
DESCRIPTION = "dyno.json"  # what makes a folder a dyno's: there from its first moment to its last
LARGEST_ENVIRONMENT = 900 << 10  # bytes as rendered: systemd takes 1 MiB of credentials, and fails the unit above it


@dataclass(frozen=True, slots=True)
class Placed:
    """A dyno on this host, as `dyno.json` has it. `layers` are digests from the lowest to the uppermost."""

    dyno: Dyno
    uid: int
    size: str
    command: str
    layers: tuple[str, ...]
    port: int | None = None

    @property
    def instance(self) -> str:
        """The systemd instance."""
        return self.dyno.instance

    @property
    def unit(self) -> str:
        """The unit of a dyno of the formation."""
        return units.DYNO.format(self.instance)

    @property
    def limits(self) -> Size:
        """What its size gives it; `bad-request` where the size has no meaning here."""
        size = SIZES.get(self.size.lower())
        if size is None:
            raise HostFailure("bad-request", {"reason": f"no dyno size is called {self.size!r}"})
        return size


def environment(placed: Placed, env: Mapping[str, str]) -> dict[str, str]:
    """The variables that its process sees: the caller's (platform and config vars), then what only the host knows.
    Config vars win over the two that describe the dyno's memory (MiB), which profile scripts of buildpacks read."""
    memory = str(placed.limits.memory)
    port = {"PORT": str(placed.port)} if placed.port else {}
    return {"DYNO_RAM": memory, "MEMORY_AVAILABLE": memory, **env, "DYNO": placed.dyno.name, **port}


def shell_exports(variables: Mapping[str, str]) -> bytes:
    """A file that a shell sources: byte for byte what was set, whatever the values hold. `bad-request` for a name that
    no shell takes: it would be code."""
    bad = [name for name in variables if not is_config_key(name)]
    if bad:
        raise HostFailure("bad-request", {"reason": f"{bad[0]!r} cannot name a variable"})
    lines = (f"export {name}='{value}'\n" for name, value in _quoted(variables))
    return "".join(lines).encode(errors="surrogateescape")


def lower_directories(paths: Paths, placed: Placed) -> list[Path]:
    """The layers' folders in overlayfs' order, the uppermost first; `missing-layers` where one is not there."""
    folder = paths.app(placed.dyno.app).layers
    found = [folder / digest for digest in reversed(placed.layers)]
    missing = [path.name for path in found if not path.is_dir()]
    if missing:
        raise HostFailure("missing-layers", {"app": placed.dyno.app, "layers": missing})
    return found


def write(paths: Paths, placed: Placed, env: Mapping[str, str], template: str = units.DYNO) -> None:
    """Lay down all that the dyno's unit reads. The drop-in too: systemd reads it at the first start. Needs the host's
    lock."""
    lower = lower_directories(paths, placed)
    variables = shell_exports(environment(placed, env))
    if len(variables) > LARGEST_ENVIRONMENT:
        raise HostFailure("environment-too-large", {"size": len(variables), "limit": LARGEST_ENVIRONMENT})
    with _room_for(paths, len(variables)):
        _write_all(paths, placed, lower, variables, template)


def resize(paths: Paths, placed: Placed, size: str) -> None:
    """Give a dyno that does not run another size: its limits, and what its environment says of its memory."""
    before, after = placed.limits, replace(placed, size=size).limits
    env = paths.dyno(placed.instance) / "env"
    text = env.read_bytes()
    for name in MEMORY:
        # One that a config var has set to another value stays.
        text = text.replace(b"export %s='%d'\n" % (name, before.memory), b"export %s='%d'\n" % (name, after.memory))
    _write(env, text)
    _write(paths.dyno(placed.instance) / DESCRIPTION, json.dumps(codec.encode(replace(placed, size=size))).encode())
    dropin = paths.units / f"{placed.unit}.d" / "dyno.conf"
    dropin.write_text(units.dropin(placed.dyno, placed.uid, after))


def settle(paths: Paths, instances: Iterable[str]) -> None:
    """Have all that the dynos' units read written down for good: after a power cut they must not start with less."""
    wanted = [(paths.dyno(one), paths.units / f"{units.DYNO.format(one)}.d") for one in instances]
    folders = [folder for pair in wanted for folder in pair if folder.is_dir()]
    parents = dict.fromkeys(folder.parent for folder in folders)  # many names in few folders: each is written once
    for path in (*(path for folder in folders for path in (*folder.iterdir(), folder)), *parents):
        files.sync(path)


def read_all(paths: Paths) -> list[Placed]:
    """Every dyno that has files on this host, also one-off and release dynos."""
    found = (read(paths, folder.name) for folder in sorted(paths.dynos.glob(INSTANCES)))
    return [placed for placed in found if placed]


def read(paths: Paths, instance: str) -> Placed | None:
    """One dyno; None where it has no files, or only half of them (as an older agent left when it was killed)."""
    try:
        return codec.decode(Placed, json.loads((paths.dyno(instance) / DESCRIPTION).read_text()))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def of_app(paths: Paths, app: str) -> list[Placed]:
    """The dynos of one app."""
    return [placed for placed in read_all(paths) if placed.dyno.app == app]


def remove(paths: Paths, instances: Iterable[str], template: str = units.DYNO) -> None:
    """Nothing of these dynos is left on the disk: link, drop-in, files, back-off. Their units must have stopped."""
    for instance in instances:
        unit = template.format(instance)
        (paths.units / "multi-user.target.wants" / unit).unlink(missing_ok=True)
        shutil.rmtree(paths.units / f"{unit}.d", ignore_errors=True)
        forget_crashes(paths, [instance])
        (run_folder(paths) / "crashed" / instance.rpartition(".")[0]).unlink(missing_ok=True)
        _remove_folder(paths.dyno(instance))


def forget_crashes(paths: Paths, instances: Sequence[str]) -> None:
    """Let the next start be without delay."""
    for instance in instances:
        for kind in ("starts", "delays"):
            (run_folder(paths) / kind / instance).unlink(missing_ok=True)


def cooling_until(paths: Paths, instance: str) -> float:
    """Until when a crashed dyno waits, in seconds since the host's boot; 0 where it never started."""
    try:
        return float((run_folder(paths) / "starts" / instance).read_text().split()[1])
    except (FileNotFoundError, IndexError):
        return 0.0


def helper_unit(instance: str) -> str:
    """The unit that mounts and unmounts the dyno's overlay."""
    return units.DYNO_FS.format(instance)


def run_folder(paths: Paths) -> Path:
    """What the next boot of the host forgets."""
    return paths.system / "run/deployer"


def _write_all(paths: Paths, placed: Placed, lower: Sequence[Path], variables: bytes, template: str) -> None:
    folder = paths.dyno(placed.instance)
    _describe(paths, folder, json.dumps(codec.encode(placed)).encode())
    _write(folder / "layers", ":".join(map(str, lower)).encode() + b"\n")
    _write(folder / "uid", b"%d\n" % placed.uid)
    if placed.port:
        _write(folder / "port", b"%d\n" % placed.port)
    _write(folder / "env", variables)
    _write(folder / "command", placed.command.encode(errors="surrogateescape"))
    dropin = paths.units / f"{template.format(placed.instance)}.d"
    dropin.mkdir(parents=True, exist_ok=True)
    (dropin / "dyno.conf").write_text(units.dropin(placed.dyno, placed.uid, placed.limits))


def _describe(paths: Paths, folder: Path, description: bytes) -> None:
    """Make a dyno's folder with its description in one step: whenever this agent is killed, the next command sees what
    there is of the dyno, or there is nothing."""
    if not folder.exists():
        shutil.rmtree(paths.new_dyno, ignore_errors=True)
        paths.new_dyno.mkdir(parents=True, mode=0o700)
        _write(paths.new_dyno / DESCRIPTION, description)
        paths.new_dyno.rename(folder)
    else:
        _write(folder / DESCRIPTION, description)


def _remove_folder(folder: Path) -> None:
    """Its description last, for the same reason."""
    for path in folder.glob("*"):
        if path.name != DESCRIPTION:
            path.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _room_for(paths: Paths, needed: int) -> Iterator[None]:
    """Turn the system's "no space left" into `disk-full`, with numbers in bytes."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        free = shutil.disk_usage(paths.dynos if paths.dynos.is_dir() else paths.root).free
        raise HostFailure("disk-full", {"path": str(paths.dynos), "needed": needed, "free": free}) from error


def _quoted(variables: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    return ((name, value.replace("'", "'\\''")) for name, value in sorted(variables.items()))


def _write(path: Path, content: bytes) -> None:
    """Create or replace a file that only root reads: config vars are in it."""
    aside = path.with_name(f".{path.name}.new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    aside.rename(path)
