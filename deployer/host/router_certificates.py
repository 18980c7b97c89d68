"""The certificates that a host's router shows: files for its next start, and the same in the running process, by its
socket, without a reload.

`certificates.lst` names them, the one of its own making first: that answers for names that have none, and nobody trusts
it. All of it is root's alone: HAProxy reads it before it becomes somebody else. Needs the host's lock.
"""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from deployer.host import files, router_socket
from deployer.host.paths import Paths
from deployer.host.router_maps import lines
from deployer.host.router_socket import RouterIsDown
from deployer.host.router_web import CERTIFICATES

OWN = "placeholder"  # no name of a certificate: those end in .pem
DAYS = 7300
ROOT_ONLY = 0o600


def ensure(haproxy: Path) -> None:
    """Have what the configuration refers to: the certificate of its own making, and the list."""
    folder = _folder(haproxy)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / OWN).exists():
        files.write(folder / OWN, _self_made().encode(), ROOT_ONLY)
    _list(haproxy)


def names(haproxy: Path) -> tuple[str, ...]:
    """Those whose certificates are in force here."""
    return tuple(sorted(path.name.removesuffix(".pem") for path in _folder(haproxy).glob("[!.]*.pem")))


def lay_down(haproxy: Path, wanted: Mapping[str, str]) -> list[str]:
    """Have the files of exactly these (PEM of chain and key, by name); the names of those that differed. One that
    HAProxy would not start with is left out."""
    ensure(haproxy)
    folder = _folder(haproxy)
    sound = {name: pem for name, pem in wanted.items() if is_sound(pem)}
    changed = [name for name, pem in sound.items() if files.write(folder / f"{name}.pem", pem.encode(), ROOT_ONLY)]
    gone = [name for name in names(haproxy) if name not in sound]
    if gone:  # from the list first: what stands there must be there
        _list(haproxy, without=gone)
    for name in gone:
        (folder / f"{name}.pem").unlink()
    _list(haproxy)
    return sorted([*changed, *gone])


def show(paths: Paths, haproxy: Path) -> None:
    """Have the running HAProxy show what lies in the files, whatever it showed before."""
    socket, listed = paths.router_socket, haproxy / CERTIFICATES
    with suppress(RouterIsDown):
        shown = set(router_socket.crt_list(socket, listed))
        for file in (path for path in _listed(haproxy) if path.name != OWN):
            known = router_socket.fingerprint(socket, file)
            if known != fingerprint(file.read_text()):
                if known is None:
                    router_socket.ask(socket, f"new ssl cert {file}")
                router_socket.ask(socket, f"set ssl cert {file} <<\n{_without_gaps(file.read_text())}\n")
                router_socket.ask(socket, f"commit ssl cert {file}")
            if str(file) not in shown:
                router_socket.ask(socket, f"add ssl crt-list {listed} {file}")
        for gone in shown - {str(path) for path in _listed(haproxy)}:
            router_socket.ask(socket, f"del ssl crt-list {listed} {gone}")
            router_socket.ask(socket, f"del ssl cert {gone}")


def fingerprint(pem: str) -> str:
    """The SHA-1 of the first certificate of a chain, as HAProxy says it."""
    end = "-----END CERTIFICATE-----"
    first = pem[pem.index("-----BEGIN CERTIFICATE-----") : pem.index(end) + len(end)]
    return hashlib.sha1(ssl.PEM_cert_to_DER_cert(first), usedforsecurity=False).hexdigest().upper()


def is_sound(pem: str) -> bool:
    """Whether it is a chain with the key that belongs to it."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:  # made for its owner alone
        file.write(pem)
        file.flush()
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file.name, password="")
        except (ssl.SSLError, ValueError):
            return False
    return True


def _folder(haproxy: Path) -> Path:
    return haproxy / "certificates"


def _listed(haproxy: Path) -> Iterator[Path]:
    yield _folder(haproxy) / OWN
    yield from (_folder(haproxy) / f"{name}.pem" for name in names(haproxy))


def _list(haproxy: Path, without: Collection[str] = ()) -> None:
    kept = (path for path in _listed(haproxy) if path.name.removesuffix(".pem") not in without)
    files.write(haproxy / CERTIFICATES, lines(map(str, kept)).encode(), ROOT_ONLY)


def _without_gaps(pem: str) -> str:
    """An empty line would end what is handed over."""
    return lines(line for line in pem.splitlines() if line.strip())


def _self_made() -> str:
    with tempfile.TemporaryDirectory() as work:
        words = ["openssl", "req", "-x509", "-days", str(DAYS), "-subj", "/CN=no certificate yet", "-nodes"]
        words += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", "key", "-out", "crt"]
        subprocess.run(words, cwd=work, check=True, capture_output=True, umask=0o077)
        return "".join((Path(work) / name).read_text() for name in ("crt", "key"))
