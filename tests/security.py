"""docs/security.md: the threat model, and what a real dyno saw when it tried. `pytest --update-golden` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.hosts.attempts import ATTEMPTS, EXPOSURE, Attempt
from tests.reliability import sentences

HOSTS = Path(__file__).parent / "hosts"
INTRODUCTION = f"""\
# Security

What deployer defends, against whom, how it is shown, and what it does not promise.

| threat | answer |
| --- | --- |
| one app attacks another, or its host | own user, hardened unit (`systemd-analyze security` says {EXPOSURE}; 10 is \
the worst), firewall by user: tried below |
| one app takes what all need | memory, tasks, files, log lines, disk and requests are bounded: tried below |
| config vars leak | root-only files, credentials on a private ramfs; not in units, arguments, journals, our words |
| a key of a certificate leaks | root-only files, and the store; no dyno can take the port that proves a name |
| man in the middle | host keys are known from the ledger or pinned when a space is made, never accepted silently |
| stolen laptop | it holds pointers to spaces and their SSH keys, no config vars, no ledger |
| malicious slug, archive or dependency | builds without root, paths, links, names and sizes checked on both ends |
| malicious names and values | one place that quotes, names validated at the door, property tests |
| one host is taken | it can read config vars and keys of certificates of its space: separate spaces separate them |
| it wants the backups, too | in AWS it reads and adds them, and spoils none: [why](decisions/0019-backups.md) |
| somebody's dump is restored | what it says is done as the database's own role, never as the server's superuser |
| lost or stolen control plane | there is none |
| somebody sends us another Pulumi | it is known by its SHA-256: [why](decisions/0017-pulumi-by-its-sums.md) |
| too much power in AWS | a policy for each role of people, and a boundary for hosts: `iam:policy`, [aws.md](aws.md) |

Not a wall between hostile tenants: all apps of a space share one kernel and one loopback. Whoever has the space's SSH
key is root on its hosts.

## What a dyno sees when it tries

A small app (`tests/apps/probe_that_tries_everything`) is deployed to a space of two hosts like any other and tries
each of these from its web dyno; `tests/hosts/test_probe.py` compares what it saw. This page is made from the same
values; `make golden` makes it anew.
"""
BOUNDS = """
## What one app cannot do to the others

Each line is a test of that file on real hosts; users ask another app meanwhile where that can matter. Memory and tasks
are tried on a debian-12 host: it counts them also where the machine of the tests has control groups of version 1.

"""
OTHERS = {
    "hosts/test_secrets.py": "Config vars: after a day of commands, and what goes wrong in it, all of it is searched",
    "build/test_hostile_trees.py": "Source trees, names and manifests",
    "ship/test_receive.py": "What a host refuses of a shipment",
    "ship/test_power_cut.py": "A power cut behind a receive, on a real file system",
}
LIMITS = """
What it can do: all dynos of a host share its scratch file system (`/app`, `/tmp`) and its journal. An app that fills
the former takes from others what they would write there until it stops; they go on running and start anew. An app
that logs as fast as it may for minutes shortens everybody's history. CPU is shared by weight.
"""


def page() -> str:
    """The whole page."""
    tables = [_table(title, attempts) for title, attempts in ATTEMPTS.items()]
    bounds = [f"- {sentence}\n" for sentence in sentences(HOSTS / "test_probe.py") if "should" not in sentence]
    return "".join([INTRODUCTION, *tables, BOUNDS, *bounds, LIMITS, "\n## What else is tried\n", *_others()])


def _others() -> Iterator[str]:
    for module, title in OTHERS.items():
        yield f"\n{title} (`tests/{module}`):\n\n"
        yield from (f"- {sentence}\n" for sentence in sentences(HOSTS.parent / module))


def _table(title: str, attempts: tuple[Attempt, ...]) -> str:
    rows = "".join(f"| {one.tries} | `{one.seen}` | {one.because} |\n" for one in attempts)
    return f"\n### {title}\n\n| tries to | sees | because |\n| --- | --- | --- |\n{rows}"
