"""The address of a store in S3, as users write it."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from deployer.model.space import StoreAddress

ADDRESS = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[A-Za-z0-9._/-]*))?")


def parse(text: str, endpoint: str | None = None, region: str | None = None) -> StoreAddress:
    """The address in `s3://BUCKET/PREFIX`; ValueError says what is wrong."""
    found = ADDRESS.fullmatch(text)
    if found is None:
        raise ValueError("it is not like s3://BUCKET/PREFIX")
    parts = [part for part in (found["prefix"] or "").split("/") if part]
    if any(part in (".", "..") for part in parts):
        raise ValueError("a part of its prefix is `.` or `..`")
    return StoreAddress(found["bucket"], "/".join(parts), endpoint and _endpoint(endpoint), region)


def _endpoint(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(f"the endpoint {text} is not like https://HOST or https://HOST:PORT")
    if parts.username or parts.password:
        raise ValueError("the endpoint holds a user or a password, which belong into AWS_ACCESS_KEY_ID and its kin")
    if parts.scheme == "http" and not _is_near(parts.hostname):
        raise ValueError(f"config vars would travel to {text} unencrypted: it needs https")
    return text.rstrip("/")


def _is_near(host: str) -> bool:
    """Loopback, or an address of a private network: nobody else listens there."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost"
