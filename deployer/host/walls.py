"""The firewall of this host: its file, which a boot or a flush loads again, and what the kernel has, kept alike."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deployer.host import dyno_files, files, firewall
from deployer.host.paths import Paths
from deployer.host.postgres_config import CLUSTER

PORT = re.compile(r"^[ \t]*port[ \t]*=?[ \t]*(\d+)", re.MULTILINE)  # of postgresql.conf; the last one counts


def text(paths: Paths, leaving: Iterable[int] = ()) -> str:
    """The table as it should be: the space's hosts, the port of every dyno here but those that are `leaving`, and of
    the space's PostgreSQL."""
    closed = set(leaving)
    own = [(one.uid, one.port) for one in dyno_files.read_all(paths) if one.port and one.port not in closed]
    return firewall.render(hosts(paths), own, databases(paths))


def save(paths: Paths, leaving: Iterable[int] = ()) -> bool:
    """Write the file; whether that changed it. Needs the host's lock, as the dynos' files do."""
    file, wanted = _file(paths), text(paths, leaving)
    if file.exists() and file.read_text() == wanted:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(".new")
    aside.write_text(wanted)
    aside.rename(file)
    return True


def settle(paths: Paths) -> None:
    """Have the file written down for good: what a host loads when it boots."""
    if _file(paths).exists():
        files.sync(_file(paths))
        files.sync(_file(paths).parent)


def open_ports(paths: Paths, own: Sequence[tuple[int, int]]) -> None:
    """Let apps use ports, each with the app's uid, of dynos whose files are written already."""
    if not own:
        return
    save(paths)
    if not _change(firewall.add_words(own)):
        firewall.load()


def close_ports(paths: Paths, own: Sequence[tuple[int, int]]) -> None:
    """Take ports back, each with its uid, of dynos that have stopped and whose files are there still: if this agent is
    killed now, whoever removes the files closes the ports as well."""
    if not own:
        return
    save(paths, [port for _, port in own])
    if not _change(firewall.delete_words(own)):
        firewall.load()


def not_open(paths: Paths) -> list[int]:
    """The ports of dynos that the kernel's table does not give them."""
    words = ["nft", "list", "set", "inet", firewall.TABLE, "own"]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    opened = {int(port) for port in re.findall(r"\. (\d+)", said)}
    return sorted({one.port for one in dyno_files.read_all(paths) if one.port} - opened)


@contextmanager
def closed_to_newcomers(paths: Paths, ports: Sequence[int], seconds: int) -> Iterator[None]:
    """Refuse new connections to these ports until the block ends, or for `seconds` where this agent is killed."""
    if not ports:
        yield
        return
    words = firewall.close_words(ports, seconds)
    if not _change(words):  # the kernel has no table, or an older one
        save(paths)
        firewall.load()
        subprocess.run(words, capture_output=True, check=True)
    try:
        yield
    finally:
        _change(firewall.reopen_words(ports))


def hosts(paths: Paths) -> list[str]:
    """The addresses of the space's hosts, as the last `prepare` said."""
    try:
        known: list[str] = json.loads(_hosts_file(paths).read_text())
    except FileNotFoundError:
        return []
    return known


def databases(paths: Paths) -> list[int]:
    """The ports of the space's PostgreSQL, by its own settings: Debian gives it the next one where 5432 is taken."""
    settings = (paths.system / "etc/postgresql").glob(f"*/{CLUSTER}/postgresql.conf")
    return [int(port) for file in settings for port in PORT.findall(file.read_text())[-1:]]


def set_hosts(paths: Paths, addresses: Iterable[str]) -> None:
    """Remember the space's hosts."""
    files.write(_hosts_file(paths), json.dumps(sorted(set(addresses))).encode())


def _change(words: list[str]) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _file(paths: Paths) -> Path:
    return paths.etc / "firewall.nft"


def _hosts_file(paths: Paths) -> Path:
    return paths.root / "hosts"
