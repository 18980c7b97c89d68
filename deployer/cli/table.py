"""Every command by name: its help line, its examples, and where its function is. No command's code is loaded for this.

A new command is an entry in `entries_of_*.py` and a function at `module:function` of deployer.cli; tests see to it
that both fit.
"""

from __future__ import annotations

from functools import cache

from deployer.cli import entries_of_apps, entries_of_domains, entries_of_spaces
from deployer.cli.entry import Entry

TOPICS = {
    "addons": "databases and other services of apps",
    "apps": "apps in a space",
    "buildpacks": "which buildpacks build an app",
    "builds": "build caches",
    "certs": "certificates of an app's domains",
    "config": "config vars: an app's environment",
    "domains": "names under which an app answers",
    "git": "git remotes that deploy",
    "hosts": "the machines of a space",
    "iam": "who may do what in AWS",
    "maintenance": "a page in the place of an app",
    "pg": "PostgreSQL databases",
    "prices": "what AWS takes for what",
    "ps": "dynos: the processes of an app",
    "releases": "what was deployed, when, by whom",
    "spaces": "where apps run",
}

ENTRIES: tuple[Entry, ...] = (
    *entries_of_apps.ENTRIES,
    *entries_of_domains.ENTRIES,
    *entries_of_spaces.ENTRIES,
)


@cache
def by_name() -> dict[str, Entry]:
    """Every command under its name and its aliases."""
    return {name: entry for entry in ENTRIES for name in (entry.name, *entry.aliases)}


def of_topic(topic: str) -> tuple[Entry, ...]:
    """The commands of a topic, by name."""
    return tuple(sorted((entry for entry in ENTRIES if entry.topic == topic), key=lambda entry: entry.name))


def alike(name: str) -> list[str]:
    """Names that a mistyped one may have meant, the likeliest first."""
    from difflib import get_close_matches

    return get_close_matches(name, list(by_name()), n=3, cutoff=0.6)
