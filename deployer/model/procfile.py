"""The Procfile: process types and their commands, in the file's order (heroku.md 8.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from deployer.errors.procfile import ProcfileBroken
from deployer.model.names import is_process_type

NAME = "Procfile"
LOOKALIKES = re.compile(r"procfile(\.(txt|md|ya?ml|rtf|docx?))?|proc[-_ ]?file", re.IGNORECASE)
LONGEST = 8192  # characters of a command: more than any shell line that a person wrote
LINE = re.compile(r"\s*(?P<type>[^:]*?)\s*:(?P<command>.*)")


@dataclass(frozen=True, slots=True)
class Procfile:
    """Commands by process type, and what its author should hear of although it is no error."""

    types: dict[str, str]
    warnings: tuple[str, ...] = ()


def parse(content: bytes) -> Procfile:
    """A Procfile's bytes. Raises ProcfileBroken with every line that is none."""
    text, problems = _text(content)
    types: dict[str, str] = {}
    warnings = ["It has Windows line ends, which are left out."] if "\r\n" in text else []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        problem = _problem(line)
        if problem:
            problems.append(f"line {number}: {problem}")
            continue
        name, command = _parts(line)
        if name in types:
            warnings.append(f"line {number}: `{name}` was declared before; this line counts.")
        types[name] = command
    if problems:
        raise ProcfileBroken("\n".join(problems))
    return Procfile(types, tuple(warnings))


def lookalike(names: list[str]) -> str | None:
    """A file that was meant to be the Procfile, among the names in the root of a source that has none."""
    return next((name for name in sorted(names) if name != NAME and LOOKALIKES.fullmatch(name)), None)


def _text(content: bytes) -> tuple[str, list[str]]:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding), []
    except UnicodeDecodeError:
        return "", ["it is no text in UTF-8"]


def _parts(line: str) -> tuple[str, str]:
    found = LINE.fullmatch(line)
    assert found is not None
    return found["type"], found["command"].strip()


def _problem(line: str) -> str | None:
    if "\0" in line:
        return "it holds a NUL character"
    if not LINE.fullmatch(line):
        return f"`{_short(line)}` has no `:` after a process type"
    name, command = _parts(line)
    if not is_process_type(name):
        return f"`{_short(name)}` cannot name a process type: letters, digits, `-` and `_`, at most 63"
    if not command:
        return f"`{name}` has no command"
    return f"the command of `{name}` is longer than {LONGEST} characters" if len(command) > LONGEST else None


def _short(text: str) -> str:
    return text.strip()[:40]
