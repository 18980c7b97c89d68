"""Where an app answers, as a browser should ask: the one place that says so."""

from __future__ import annotations

from deployer.model.tls import has_https
from deployer.operations.session import OpenSpace


def web_url(space: OpenSpace, app: str) -> str:
    """The app's URL: https where browsers get a valid certificate for its own name, else http. What is known of that
    comes along with the app's state."""
    host = space.space.app_host(app)
    known = None if space.space.kind == "sandbox" else space.ledger.certificate_seen(host)
    return space.space.app_url(app, secure=has_https(space.space, host, known, space.ledger.timestamp()))
