"""Colours of log lines: a dyno type has the same one in every line, a router's line shows what went wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import cycle

HEADER = re.compile(r"(.*?\[([\w-]+)([\d.]+)?]:)(.*)", re.DOTALL)
PAIR = re.compile(r"(\w+)=(\"[^\"]*\"|\S*)")
# As Heroku's own command has them, so that nobody has to learn new ones.
FIXED = {"run": 33, "router": 32, "web": 36, "postgres": 35, "heroku-postgres": 34}
OTHERS = (35, 33, 36, 34, 32, 95, 93, 96, 94, 92)
STATES = {"up": 32, "complete": 32, "down": 31, "crashed": 31, "starting": 36}
SLOW = ((100, 32), (500, 36), (5000, 33))  # milliseconds: fine, so so, slow; anything above is red


class Painter:
    """Paints lines, or leaves them as they are."""

    def __init__(self, colours: bool) -> None:
        self._colours = colours
        self._known: dict[str, int] = dict(FIXED)
        self._others = cycle(OTHERS)

    def painted(self, line: str) -> str:
        """The line with its header in the colour of its source, and its body by what it says."""
        found = HEADER.fullmatch(line) if self._colours else None
        if found is None:
            return line
        header, identifier, _, body = found.groups()
        paint = self._router if identifier == "router" else self._states
        return _in(self._colour(identifier), header) + paint(body)

    def _colour(self, identifier: str) -> int:
        if identifier not in self._known:
            self._known[identifier] = next(self._others)
        return self._known[identifier]

    def _router(self, body: str) -> str:
        return PAIR.sub(lambda pair: f"{_in(2, pair[1] + '=')}{self._value(pair[1], pair[2])}", body)

    def _value(self, key: str, value: str) -> str:
        colour = _of_router(key, value)
        if key == "dyno":
            colour = self._colour(value.partition(".")[0])
        return _in(colour, value) if colour else value

    @staticmethod
    def _states(body: str) -> str:
        if "State changed from" not in body:
            return body
        return re.sub(r"\b(" + "|".join(STATES) + r")\b", lambda word: _in(STATES[word[1]], word[1]), body)


def _of_router(key: str, value: str) -> int | None:
    fixed: Mapping[str, int] = {"code": 31, "method": 35, "path": 32}
    if key == "at":
        return 31 if value == "error" else None
    if key == "status" and value[:1].isdigit():
        return {"2": 32, "3": 36, "4": 33, "5": 31}.get(value[0])
    if key in ("connect", "service") and (took := re.fullmatch(r"(\d+)ms", value)):
        return next((colour for limit, colour in SLOW if int(took[1]) < limit), 31)
    return fixed.get(key)


def _in(colour: int, text: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m"
