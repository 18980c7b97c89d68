"""certbot, from Debian, as a program that orders one certificate at a time and keeps nothing but its account.

The key and the request for a signature are made here: so certbot has no lineages of its own to renew, and what it left
of an order that was cut off is in nobody's way.
"""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from deployer.errors.base import HostFailure
from deployer.host import files, packages, router_certificates
from deployer.host.paths import Paths
from deployer.host.router_settings import CHALLENGE_PORT
from deployer.model.certificate import Account, Issuer

PROGRAM = "certbot"
LONGEST = 240.0  # seconds of an order; a few are usual
MOST_WORDS = 600  # of a reason
BOILERPLATE = ("Saving debug log", "Ask for help", "See the logfile", "Some challenges have failed", "Hint:", "Logging")


def is_there() -> bool:
    """Whether it is installed."""
    return shutil.which(PROGRAM) is not None


def install() -> None:
    """Have it; `packages-missing` where no mirror gives it."""
    packages.install([PROGRAM], lambda what: None)


def order(paths: Paths, name: str, issuer: Issuer) -> tuple[str, str]:
    """The chain and the key of a certificate of this name, both PEM; `certificate-refused` with why there is none."""
    with tempfile.TemporaryDirectory(prefix="order-", dir=folder(paths)) as made:
        work = Path(made)
        subject = ["-subj", "/", "-addext", f"subjectAltName=DNS:{name}"]
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem"]
        words = ["openssl", "req", "-new", *key, *subject, "-out", "request.pem"]
        subprocess.run(words, cwd=work, check=True, capture_output=True, umask=0o077)
        said = _ran(command(paths, work, issuer))
        chain = work / "chain.pem"
        if not chain.exists():
            raise HostFailure("certificate-refused", {"name": name, "reason": reason_in(said)})
        found = chain.read_text(), (work / "key.pem").read_text()
    if not router_certificates.is_sound("".join(found)):
        raise HostFailure("certificate-refused", {"name": name, "reason": "what came is no chain for the key"})
    return found


def command(paths: Paths, work: Path, issuer: Issuer) -> list[str]:
    """The words of one order, for the request in `work`."""
    home = folder(paths)
    contact = ["--email", issuer.email, "--no-eff-email"] if issuer.email else ["--register-unsafely-without-email"]
    return [
        *(PROGRAM, "certonly", "--non-interactive", "--agree-tos", *contact, "--server", issuer.server),
        *("--standalone", "--preferred-challenges", "http"),
        *("--http-01-address", "127.0.0.1", "--http-01-port", str(CHALLENGE_PORT)),
        *("--csr", str(work / "request.pem"), "--fullchain-path", str(work / "chain.pem")),
        *("--cert-path", str(work / "certificate.pem"), "--chain-path", str(work / "issuers.pem")),
        *("--config-dir", str(home / "config"), "--work-dir", str(home / "work"), "--logs-dir", str(home / "logs")),
        *("--max-log-backups", "20"),
    ]


def reason_in(said: str) -> str:
    """Why there is no certificate, in the words of who issues them."""
    kinds, details = re.findall(r"(?m)^\s*Type:\s*(.+)$", said), re.findall(r"(?m)^\s*Detail:\s*(.+)$", said)
    if details:
        return f"{kinds[0].strip()}: {details[0].strip()}"[:MOST_WORDS] if kinds else details[0].strip()[:MOST_WORDS]
    lines = [line.strip() for line in said.splitlines()]
    after = [n for n, line in enumerate(lines) if line.startswith("An unexpected error occurred")]
    told = lines[after[-1] + 1 :] if after else lines
    words = [line for line in told if line and not line.startswith(BOILERPLATE)]
    found = words[:1] if after else words[-1:]
    return (found[0] if found else "certbot said nothing")[:MOST_WORDS]


def life(chain: str) -> tuple[datetime, datetime]:
    """From when to when the first certificate of a chain is valid."""
    words = ["openssl", "x509", "-noout", "-startdate", "-enddate"]
    done = subprocess.run(words, input=chain, capture_output=True, text=True, check=True)
    first, last = (line.partition("=")[2] for line in done.stdout.splitlines()[:2])
    return _moment(first), _moment(last)


def account(paths: Paths) -> Account:
    """The files of its accounts; none where it has none."""
    home = folder(paths) / "config/accounts"
    found = {str(path.relative_to(home)): path.read_text() for path in sorted(home.rglob("*.json"))}
    return Account(found)


def become(paths: Paths, known: Account) -> None:
    """Be the same customer as the host before, where this one is none yet."""
    home = folder(paths) / "config/accounts"
    if account(paths).files:
        return
    for name, text in known.files.items():
        if ".." not in Path(name).parts and not Path(name).is_absolute():
            files.write(home / name, text.encode(), 0o600)


def folder(paths: Paths) -> Path:
    """Where its files are, root's alone."""
    found = paths.root / "certbot"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def _ran(words: list[str]) -> str:
    env = {**os.environ, **packages.ENVIRONMENT}
    try:
        done = subprocess.run(
            words, env=env, capture_output=True, text=True, errors="replace", timeout=LONGEST, umask=0o077
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {LONGEST:.0f} s"
    return f"{done.stdout}\n{done.stderr}"


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)
