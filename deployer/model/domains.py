"""The domains that people add to apps: how they are spelled, and which record of DNS leads one to a space."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

MOST = 1000  # of one app, as on Heroku
LONGEST, LONGEST_LABEL = 253, 63  # RFC 1035, section 2.3.4
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
WILDCARD = "*."
# What IDNA 2003, which Python knows, makes of these is another name than the one that browsers ask for.
AMBIGUOUS = "ßς\u200c\u200d"
# Below these whoever buys a name gets the third part of it, and has no CNAME at it: registries' rules, the usual ones.
SECOND_LEVEL = ("ac", "co", "com", "edu", "gov", "ltd", "me", "ne", "net", "nom", "or", "org", "plc")
SSLIP = re.compile(r"(?:.*[.-])?(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})\.sslip\.io")


class NotADomain(ValueError):
    """What somebody typed names no domain; the words say why."""


@dataclass(frozen=True, slots=True)
class Pointing:
    """The record of DNS that leads a domain to its space: its kind as people call it, and its value."""

    kind: str
    target: str


def parse(text: str) -> str:
    """A domain as the ledger spells it: in lower case, ASCII, without a dot at its end; NotADomain."""
    name = text.strip().lower().removesuffix(".")
    bare = name.removeprefix(WILDCARD)
    if "/" in name:
        raise NotADomain("That is a URL: only the host name counts, like www.example.com.")
    if _is_address(bare):
        raise NotADomain("That is an address: certificates and routes go by names.")
    if ":" in name:
        raise NotADomain("A domain has no port: browsers ask at 80 and 443.")
    if "*" in bare:
        raise NotADomain("An asterisk stands for the first part alone: *.example.com.")
    bare = _ascii(bare)
    labels = bare.split(".")
    if len(labels) < 2:
        raise NotADomain("A domain has a dot in it, like www.example.com.")
    for label in labels:
        _check(label)
    if labels[-1].isdigit():
        raise NotADomain("Its last part is a number: no domain ends so.")
    if len(bare) > LONGEST - len(WILDCARD):
        raise NotADomain(f"It has {len(bare)} characters; at most {LONGEST - len(WILDCARD)} fit.")
    return (WILDCARD if name.startswith(WILDCARD) else "") + bare


def is_apex(name: str) -> bool:
    """Whether a domain is the one that somebody bought, as far as its parts say: there is no CNAME at it."""
    labels = name.removeprefix(WILDCARD).split(".")
    country = len(labels) == 3 and len(labels[2]) == 2 and labels[1] in SECOND_LEVEL
    return not name.startswith(WILDCARD) and (len(labels) == 2 or country)


def pointing(name: str, host: str, kind: str) -> Pointing:
    """What leads `name` to a space of this kind, where an app's own name is `host`."""
    if kind == "sandbox":
        return Pointing("A", "127.0.0.1")
    if found := SSLIP.fullmatch(host):
        return Pointing("A", ".".join(found.groups()))
    if host.endswith(".sslip.io"):
        return Pointing("AAAA", host.removesuffix(".sslip.io").rpartition(".")[2].replace("-", ":"))
    return Pointing("ALIAS or ANAME" if is_apex(name) else "CNAME", host)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _ascii(name: str) -> str:
    if found := [character for character in AMBIGUOUS if character in name]:
        raise NotADomain(f"{found[0]!r} is not the same everywhere: type the form of it that begins with xn--.")
    try:
        return name.encode("idna").decode() if not name.isascii() else name
    except UnicodeError as error:
        raise NotADomain(f"It cannot be spelled in ASCII: {error}.") from error


def _check(label: str) -> None:
    if not label:
        raise NotADomain("Two dots follow each other, or one stands first.")
    if len(label) > LONGEST_LABEL:
        raise NotADomain(f"A part of it has {len(label)} characters; at most {LONGEST_LABEL} fit.")
    if not LABEL.fullmatch(label):
        raise NotADomain(f"`{label}`: letters, digits and dashes, no dash first or last.")
