"""The PostgreSQL that RDS runs for a space: where it is, its master's password, whom its certificate is verified by.

AWS publishes the authorities of each region at one address, over TLS alone (RDS User Guide, `Using SSL/TLS to encrypt a
connection to a DB instance`, `Certificate bundles by AWS Region`). They are valid until 2061 and longer.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from deployer.errors.rds import BundleUnreached
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.download import open_url
from deployer.spaces.aws.record import Record

TRUSTSTORE = "truststore.pki.rds.amazonaws.com"
SILENCE = 30.0  # seconds
MOST = 1 << 20  # bytes: a region's bundle has some thousand
PEM = re.compile(r"\s*(-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+")
SUGGESTED = "db.t4g.micro"


@dataclass(frozen=True, slots=True)
class Master:
    """The way into the server for who makes roles and databases in it."""

    address: str
    port: int
    user: str
    password: str = field(repr=False)


def is_there(known: Record) -> bool:
    """Whether the last run that ended well has left the space a database."""
    return {"database", "master"} <= known.outputs.keys()


def master(account: Account, known: Record) -> Master:
    """Its master, with the password of now: AWS makes a new one every week."""
    address, _, port = known.outputs["database"].rpartition(":")
    return master_at(account, address, int(port), known.outputs["master"])


def master_at(account: Account, address: str, port: int, secret: str) -> Master:
    """The master of a server, whose password is in a secret."""
    with asking():
        told = account.client("secretsmanager").get_secret_value(SecretId=secret)
    found = json.loads(told["SecretString"])
    return Master(address, port, found["username"], found["password"])


def url_of_bundle(account: Account) -> str:
    """Where the certificates of the authorities of its region are."""
    place = f"{account.endpoint}/{TRUSTSTORE}" if account.endpoint else f"https://{TRUSTSTORE}"
    return f"{place}/{account.region}/{account.region}-bundle.pem"


def download_bundle(account: Account) -> str:
    """They, as PEM; BundleUnreached. Through a proxy, where the environment names one."""
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError

    url = url_of_bundle(account)
    try:
        found = _get(url)
    except HTTPError as error:
        with error:
            raise BundleUnreached(url, f"the answer is {error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:
        cause = error.reason if isinstance(error, URLError) else error
        raise BundleUnreached(url, str(cause) or type(cause).__name__) from error
    if not PEM.fullmatch(found):
        raise BundleUnreached(url, "what it answers is no list of certificates")
    return found


def _get(url: str) -> str:
    with open_url(url, SILENCE) as answer:
        return bytes(answer.read(MOST)).decode("ascii", "replace")
