"""The agent's `psql` call: PostgreSQL's own client on the first host, as a database's role, for the person who called.

It runs as the app's user and may gain nothing: `\\!` opens no door that the app itself does not have. `\\copy` and
`\\i` therefore mean files of the host; what a person has on a laptop comes through standard input.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from deployer.errors.base import HostFailure
from deployer.host.channel import Channel
from deployer.host.firewall import DYNO_UIDS
from deployer.host.postgres_cluster import find_cluster
from deployer.host.terminal import attend

LOW, HIGH = (int(uid) for uid in DYNO_UIDS.split("-"))


def psql(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """`{url, uid, prompt, commands, tty, columns, rows, term}`, then messages as `terminal` says; `{status}`."""
    uid = request["uid"]
    if not LOW <= uid <= HIGH:
        raise HostFailure("bad-request", {"reason": f"{uid} is no app's uid"})
    cluster = find_cluster(channel.paths)
    if cluster is None:
        raise HostFailure("postgres-missing", {"path": str(channel.paths.root / "postgresql")})
    programs = channel.paths.system / "usr/lib/postgresql" / cluster.version / "bin"
    window = (request["columns"], request["rows"]) if request["tty"] else None
    words = [*as_user(uid), *psql_words(programs, request["url"], request["prompt"], request["commands"])]
    return {"status": attend(words, environment(request["url"], request.get("term", "dumb")), channel, window)}


def as_user(uid: int) -> list[str]:
    """What a command is put behind to run as an app's user, with no way to be more."""
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]


def psql_words(programs: Path, url: str, prompt: str, commands: list[str]) -> list[str]:
    """psql with Heroku's prompt (`shop::DATABASE=>`); the URL without its password, which is in the environment."""
    prompt = prompt.replace("%", "%%")
    prompts = ["--set", f"PROMPT1={prompt}%R%# ", "--set", f"PROMPT2={prompt}%R%# "]
    return [str(programs / "psql"), "--no-psqlrc", *prompts, *(w for c in commands for w in ("-c", c)), _bare(url)]


def environment(url: str, term: str) -> dict[str, str]:
    """The only place that the password is in: readable by the app's user and root."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "TERM": term,
        "PAGER": "less -SFX",
        "PSQL_HISTORY": "/dev/null",
        "PGPASSWORD": unquote(urlsplit(url).password or ""),
        "PGCONNECT_TIMEOUT": "10",
    }


def _bare(url: str) -> str:
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{place}"))
