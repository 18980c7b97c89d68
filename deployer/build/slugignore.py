"""`.slugignore`: patterns like those of .gitignore, without `!`, which take files out of a source before it is
built.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

NAME = ".slugignore"
Ignores = Callable[[str, bool], bool]


def compile_patterns(lines: Iterable[str]) -> Ignores:
    """A question about a path relative to the root: does a pattern leave it out? The second argument tells folders.
    Whoever asks goes down from the root, and does not ask about what lies in a folder that is left out."""
    patterns = [_expression(line) for line in map(_clean, lines) if line]
    both = [expression for expression, only_folders in patterns if not only_folders]
    file = re.compile("|".join(both) or r"(?!)", re.DOTALL)
    folder = re.compile("|".join(expression for expression, _ in patterns) or r"(?!)", re.DOTALL)
    return lambda path, is_folder: (folder if is_folder else file).fullmatch(path) is not None


def _clean(line: str) -> str:
    """A pattern without comment and blanks. Heroku has no `!`: such a line is no pattern."""
    text = line.rstrip("\r\n")
    text = re.sub(r"(?<!\\)[ \t]+$", "", text)
    return "" if text.startswith(("#", "!")) else text


def _expression(pattern: str) -> tuple[str, bool]:
    """A regular expression, and whether it means folders only. With a slash before its end it counts from the root."""
    only_folders = pattern.endswith("/")
    body = pattern.rstrip("/")
    anchored = "/" in body
    body = body.removeprefix("/")
    return ("" if anchored else r"(?:.*/)?") + _translated(body), only_folders


TOKENS = re.compile(r"\*\*/|/\*\*$|\*+|\?|\[!?\]?[^\]/]*\]|\\.|.", re.DOTALL)


def _translated(body: str) -> str:
    return "".join(_token(found[0]) for found in TOKENS.finditer(body))


def _token(token: str) -> str:
    simple = {"**/": r"(?:.*/)?", "/**": r"/.*", "?": "[^/]"}
    if token in simple:
        return simple[token]
    if token.startswith("*"):
        return "[^/]*"
    if token.startswith("[") and len(token) > 2:
        inside = token[1:-1].replace("\\", r"\\").replace("[", r"\[")
        return f"[^/{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
    return re.escape(token[1:] if token.startswith("\\") and len(token) == 2 else token)
