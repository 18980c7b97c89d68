"""Procfile and app.json: what is wrong in them, all of it at once."""

from __future__ import annotations

from deployer.errors.base import Failure


class ProcfileBroken(Failure):
    """Lines that are none. `problems` has one line each."""

    problems: str

    headline = "The Procfile cannot be read."
    seen = "{problems}"
    advice = "Each line is a process type and its command, like `web: gunicorn mysite.wsgi`."


class AppJsonBroken(Failure):
    """Values that app.json cannot have. `problems` has one line each."""

    problems: str

    headline = "app.json cannot be read."
    seen = "{problems}"
    advice = "Mend it, then deploy again."
