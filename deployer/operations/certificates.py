"""The certificates of an app's domains: which are in force, how far the others are, and whether HTTP leads to HTTPS."""

from __future__ import annotations

import ssl
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deployer.errors.certificates import NoSuchCertificate
from deployer.errors.ledger import RecordChanged
from deployer.model.certificate import Certificate
from deployer.model.events import Tell
from deployer.operations.apps import state_of
from deployer.operations.change import changing
from deployer.operations.record import follow
from deployer.operations.session import OpenSpace


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands in a certificate, as openssl says it, and whether browsers trust it: `distrust` is why not."""

    names: tuple[str, ...]
    issuer: str = ""
    subject: str = ""
    distrust: str = ""


@dataclass(frozen=True, slots=True)
class InForce:
    """A certificate that a front shows for domains of an app."""

    known: Certificate
    facts: Facts = field(default_factory=lambda: Facts(()))


def in_force(space: OpenSpace, app: str, name: str | None = None) -> list[InForce]:
    """Those of an app, or the one of a domain: NoSuchCertificate."""
    domains = space.space.domains(state_of(space, app).app)
    known = space.ledger.certificates(domains)
    found = [InForce(one, facts_of(one)) for one in known.values() if one.is_in_force and name in (None, one.name)]
    if name is not None and not found:
        there = ", ".join(one.name for one in known.values() if one.is_in_force)
        raise NoSuchCertificate(name, app, there or "none")
    return found


def facts_of(known: Certificate) -> Facts:
    """Read by shaking hands with it here: as browsers do, who look at its names, its time and its issuers. AWS shows
    nobody the ones that it keeps."""
    if not known.chain:
        return Facts((known.name,), issuer="Amazon", subject=known.name)
    try:
        _shake_hands(known, ssl.create_default_context(), known.name)
    except ssl.SSLCertVerificationError as refused:
        distrust = refused.verify_message
    except ssl.SSLError as error:
        return Facts((known.name,), distrust=str(error))
    else:
        distrust = ""
    return replace(_read(known), distrust=distrust)


def _read(known: Certificate) -> Facts:
    """Taken on its own word, what it says can be read whoever issued it."""
    context = ssl.create_default_context(cadata=known.chain)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    with suppress(ssl.SSLError):
        said = _shake_hands(known, context, None)
        names = tuple(str(value) for kind, value in said.get("subjectAltName", ()) if kind == "DNS")
        return Facts(names, _flat(said.get("issuer", ())), _flat(said.get("subject", ())))
    return Facts((known.name,))


def _shake_hands(known: Certificate, context: ssl.SSLContext, name: str | None) -> dict[str, Any]:
    """What a client sees of the certificate, between two ends in memory."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="deployer-") as folder:  # of this user alone
        chain, key = Path(folder, "chain.pem"), Path(folder, "key.pem")
        chain.write_text(known.chain)
        key.touch(0o600)
        key.write_text(known.key)
        server.load_cert_chain(chain, key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asks = context.wrap_bio(to_client, to_server, server_hostname=name)
    answers = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for end in (asks, answers):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    return asks.getpeercert() or {}


def _flat(name: Any) -> str:
    """`/C=US/O=Let's Encrypt/CN=R11`, as Heroku shows names."""
    short = {"commonName": "CN", "organizationName": "O", "countryName": "C"}
    return "".join(f"/{short.get(key, key)}={value}" for part in name for key, value in part)


def refresh(space: OpenSpace, app: str) -> list[str]:
    """Have the next try of what has failed, or has no certificate yet, happen at once; its domains."""
    domains = space.space.domains(state_of(space, app).app)
    known = space.ledger.certificates(domains)
    waiting = [name for name in domains if name not in known or not known[name].is_in_force or known[name].failures]
    for name in waiting:
        # Where a host writes at the same moment it is at it just now.
        if name in known:
            with suppress(RecordChanged):
                again = replace(known[name], asked="", failures=0)
                space.ledger.save_certificate(again, space.ledger.timestamp())
    return waiting


def turn_redirect(space: OpenSpace, app: str, tell: Tell, *, on: bool, wait: float | None = None) -> None:
    """Have HTTP lead to HTTPS, for domains whose certificate is in force, or answer beside it."""
    with changing(space, app, f"certs:redirect {'on' if on else 'off'}", tell, wait) as change:
        if change.app.redirect != on:
            follow(change, "change of the redirect", replace(change.app, redirect=on))
