"""HAProxy's log line as Heroku's router line (heroku.md 5.5): same fields, same order, same codes."""

from __future__ import annotations

import re
from dataclasses import dataclass

DESCRIPTIONS = {
    "H10": "App crashed",
    "H11": "Backlog too deep",
    "H12": "Request timeout",
    "H13": "Connection closed without response",
    "H14": "No web processes running",
    "H15": "Idle connection",
    "H18": "Server Request Interrupted",
    "H20": "App boot timeout",
    "H21": "Backend connection refused",
    "H27": "Client Request Interrupted",
    "H28": "Client Connection Idle",
    "H80": "Maintenance mode",
}
LEVELS = {"H27": "warning", "H28": "warning", "H80": "info"}  # of the others: error
SOCKETS = {"H18": "backend", "H27": "client", "H28": "client"}
IDLE = 55_000  # ms
_LINE = re.compile(
    r"be=be_(?P<app>[a-z0-9-]+) code=(?P<code>\S+) method=(?P<method>\S+) path=\"(?P<path>.*)\" host=(?P<host>\S+) "
    r'request_id=(?P<request_id>\S+) fwd="(?P<fwd>[^"]*)" dyno=(?P<dyno>\S+) held=(?P<held>\S+) '
    r"connect=(?P<connect>[+-]?\d+) total=\+?(?P<total>-?\d+) status=(?P<status>-?\d+) bytes=\+?(?P<bytes>\d+) "
    r"protocol=(?P<protocol>\S+) tls=(?P<tls>\S+) term=(?P<term>\S+)"
)


@dataclass(frozen=True, slots=True)
class RouterLine:
    """A request as the router saw it: whose it was, and Heroku's text about it."""

    app: str
    text: str


def parse(message: str) -> RouterLine | None:
    """A line of `router_config`'s log format; None for whatever else HAProxy says."""
    found = _LINE.fullmatch(message.strip())
    if found is None or found["app"] == "none":
        return None
    fields = found.groupdict()
    return RouterLine(fields["app"], _text(fields, code_of(fields)))


def took(app: str, message: str) -> int | None:
    """The milliseconds that an app's request took, from its first byte to the answer's last; None for other lines, for
    requests without an answer, and for conversations, like websockets', which last as long as somebody talks."""
    found = _LINE.fullmatch(message.strip())
    if found is None or found["app"] != app or int(found["status"]) < 200:
        return None
    return max(0, int(found["total"]))


def code_of(fields: dict[str, str]) -> str | None:
    """Heroku's code. What breaks after the response's headers only HAProxy's termination state tells: first letter who
    ended it (C client, S server; in lower case: by silence), second letter the phase (D: data)."""
    if fields["code"] != "-":
        return fields["code"]
    term, status = fields["term"], int(fields["status"])
    if status < 200:  # no answer at all; 101 began a conversation whose end is nobody's fault
        return {"S": "H13", "s": "H12", "C": "H27", "c": "H28"}.get(term[0]) if status < 0 else None
    if term == "sD" or (term == "CD" and int(fields["total"]) >= IDLE):  # 3.0 says CD where 2.6 says sD
        return "H15"
    return {"SD": "H18", "cD": "H28"}.get(term)


def _text(fields: dict[str, str], code: str | None) -> str:
    dyno = fields["held"] if fields["dyno"] == "hold" else fields["dyno"]
    dyno = "" if dyno in ("-", "<NOSRV>", "hold") else dyno
    # Printable as it was sent: HAProxy writes what it escapes as #XX, and no path holds a `#`.
    path = fields["path"].replace("#", "%")
    status = "503" if fields["status"] == "-1" else fields["status"]
    return (
        f'{_level(code)} method={fields["method"]} path="{path}" host={fields["host"]} '
        f'request_id={fields["request_id"]} fwd="{fields["fwd"]}" dyno={dyno} '
        f"connect={_milliseconds(fields['connect'], dyno)} service={_milliseconds(fields['total'], dyno)} "
        f"status={status} bytes={fields['bytes']} protocol=http{fields['protocol']} "
        f"tls={'true' if fields['tls'] in ('1', 'true') else 'false'}"
    )


def _level(code: str | None) -> str:
    if code is None:
        return "at=info"
    socket = f"sock={SOCKETS[code]} " if code in SOCKETS else ""
    return f'{socket}at={LEVELS.get(code, "error")} code={code} desc="{DESCRIPTIONS.get(code, "")}"'


def _milliseconds(text: str, dyno: str) -> str:
    value = int(text)
    return f"{value}ms" if dyno and value >= 0 else ""
