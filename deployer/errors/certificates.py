"""Certificates of apps: which there are, and what is not to be had of them."""

from __future__ import annotations

from deployer.errors.base import Failure


class NoSuchCertificate(Failure):
    """None of that name is in force for the app."""

    name: str
    app: str
    found: str  # `www.example.com`, or `none`

    headline = "No certificate of {name} is in force for {app}."
    seen = "In force: {found}."
    advice = "`deployer certs:auto -a {app}` says how far each domain's is."


class AlwaysAutomatic(Failure):
    """Heroku can be told to order none."""

    app: str

    headline = "Certificates are always automatic here: none is to be had without, and none costs anything."
    seen = "Hosts order one for each domain that leads to them, and renew it."
    advice = """
        `deployer certs:redirect off -a {app}` has HTTP answer beside HTTPS,
        `deployer domains:remove NAME -a {app}` ends a domain.
        """
