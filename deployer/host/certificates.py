"""The space's certificate authority, on the first host: who trusts it can verify the space's own servers."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from deployer.errors.base import HostFailure

CA_DAYS = 7300
SERVER_DAYS = 3650
RENEW = 365 * 86400  # seconds before its end that a server's certificate is made anew
HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})")
TRUSTED = "etc/ssl/deployer/space-ca.pem"  # on every host, below the system's root

_CA = """\
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = deployer space
[extensions]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""

_SERVER = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = {common}
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def ca_config() -> str:
    """What openssl makes the authority from."""
    return _CA


def server_config(names: Iterable[str]) -> str:
    """What openssl makes a server's certificate from: `names` are addresses and host names. `localhost` is always among
    them: Node's client checks for that name where it was given an address."""
    every = [*dict.fromkeys([*names, "localhost", "127.0.0.1"])]
    return _SERVER.format(common="deployer server", names=", ".join(_alternative(name) for name in every))


def ensure_authority(folder: Path) -> bool:
    """Have `ca.crt` and `ca.key` in `folder`, root's alone; whether they were made now."""
    if (folder / "ca.crt").exists():
        return False
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _workplace(folder, ca_config()) as work:
        request = ["req", "-x509", "-days", str(CA_DAYS), *_NEW_KEY]
        _openssl(work, *request, "-config", "config", "-keyout", "ca.key", "-out", "ca.crt")
        _keep(work, folder, "ca.key")
        _keep(work, folder, "ca.crt")  # last: where it stands, the key does too
    return True


def ensure_server(authority: Path, folder: Path, names: Sequence[str], owner: tuple[int, int]) -> bool:
    """Have `server.crt` and `server.key` of the authority for these names in `folder`, readable by `owner` (uid, gid)
    alone; whether they were made now: at first, for other names, for another authority, or a year before their end."""
    config = server_config(names)
    if _is_current(folder, config, authority):
        return False
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chown(folder, *owner)
    with _workplace(folder, config) as work:
        _openssl(work, "req", "-new", *_NEW_KEY, "-config", "config", "-keyout", "server.key", "-out", "server.csr")
        signed_by = ["-CA", str(authority / "ca.crt"), "-CAkey", str(authority / "ca.key")]
        serial = ["-set_serial", f"0x{secrets.token_hex(16)}", "-days", str(SERVER_DAYS)]
        extensions = ["-extfile", "config", "-extensions", "extensions"]
        _openssl(work, "x509", "-req", "-in", "server.csr", *signed_by, *serial, *extensions, "-out", "server.crt")
        for name in ("server.key", "server.crt", "config"):
            os.chown(Path(work) / name, *owner)
            _keep(work, folder, name)
    return True


def trust(system: Path, certificate: str) -> bool:
    """Install an authority's certificate where every program of the host can read it, beside those that are there: a
    host that was the first one before another was has databases under its own. Whether anything changed."""
    path = system / TRUSTED
    known = path.read_text() if path.exists() else ""
    if certificate in known:
        return False
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text(known + certificate)
    temporary.chmod(0o644)
    temporary.rename(path)
    return True


def _is_current(folder: Path, config: str, authority: Path) -> bool:
    certificate = folder / "server.crt"
    known = folder / "config"  # written last
    if not known.exists() or known.read_text() != config:
        return False
    alive = ["x509", "-in", str(certificate), "-noout", "-checkend", str(RENEW)]
    ours = ["verify", "-CAfile", str(authority / "ca.crt"), str(certificate)]
    return all(
        subprocess.run(["openssl", *words], capture_output=True, check=False).returncode == 0 for words in (alive, ours)
    )


def _workplace(folder: Path, config: str) -> tempfile.TemporaryDirectory[str]:
    work = tempfile.TemporaryDirectory(prefix=".new-", dir=folder)
    (Path(work.name) / "config").write_text(config)
    return work


def _openssl(work: str, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=work, check=True, capture_output=True, umask=0o077)


def _keep(work: str, folder: Path, name: str) -> None:
    made = Path(work) / name
    made.chmod(0o600)
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.rename(folder / name)


def _alternative(name: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(name)}"
    except ValueError:
        if not HOST_NAME.fullmatch(name):
            raise HostFailure("bad-request", {"reason": f"no host is called {name!r}"}) from None
        return f"DNS:{name}"
