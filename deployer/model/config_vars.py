"""Config vars: how people write them, how they are shown, and what fits into a process."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from deployer.model.names import is_config_key

ConfigVars = dict[str, str]

MAX_STRING = 128 << 10  # bytes of `KEY=value` and its end: execve refuses more (MAX_ARG_STRLEN)
MAX_RENDERED = 900 << 10  # bytes of all, quoted: systemd refuses credentials of more than 1 MiB
PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def problems(config: Mapping[str, str]) -> list[str]:
    """What keeps these from being a process's environment; empty where nothing does."""
    found = [problem for key, value in config.items() for problem in _problems_of(key, value)]
    size = rendered_size(config)
    if size > MAX_RENDERED:
        found.append(f"all config vars together take {size >> 10} KiB, and at most {MAX_RENDERED >> 10} KiB fit")
    return found


def _problems_of(key: str, value: str) -> Iterable[str]:
    size = len(_bytes(f"{key}={value}")) + 1
    if not is_config_key(key):
        yield f"`{key}` cannot name a config var: letters, digits and `_`, no digit and no `__` first"
    if "\0" in value:
        yield f"{key} holds a NUL character, which no environment can"
    if size > MAX_STRING:
        yield f"{key} takes {size:,} bytes with its name, and at most {MAX_STRING:,} fit into a process"


def rendered_size(config: Mapping[str, str]) -> int:
    """Bytes of the file that the launcher reads: `export K='v'`, with four characters for each quote in a value."""
    return sum(len(f"export {key}=''\n") + len(_bytes(v)) + 3 * v.count("'") for key, v in config.items())


def shell_line(key: str, value: str) -> str:
    """`KEY=value` as `config -s` prints it: what a shell, and a reader of `.env` files, gives back byte for byte."""
    if PLAIN.fullmatch(value):
        return f"{key}={value}"
    if "'" not in value:
        return f"{key}='{value}'"
    escaped = re.sub(r'([\\"$`])', r"\\\1", value)
    return f'{key}="{escaped}"'


def parse_pairs(words: Iterable[str]) -> tuple[ConfigVars, list[str]]:
    """The values of `KEY=VALUE` words, and what is wrong with the others."""
    found: ConfigVars = {}
    wrong = []
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            found[key] = value
        else:
            wrong.append(f"`{word}` has no `=`: KEY=VALUE")
    return found, wrong


def parse_env_file(text: str) -> tuple[ConfigVars, list[str]]:
    """The values of a `.env` file, and what is wrong with its other lines: comments, `export`, single quotes (literal),
    double quotes (with escapes), values over several lines inside quotes."""
    found: ConfigVars = {}
    wrong = []
    at = 0
    while at < len(text):
        if skipped := re.compile(r"\s+|#[^\n]*").match(text, at):
            at = skipped.end()
            continue
        line = text.count("\n", 0, at) + 1
        name = re.compile(r"(?:export[ \t]+)?([^\s=#'\"]+)[ \t]*=[ \t]*").match(text, at)
        if name is None:
            wrong.append(f"line {line} is no KEY=VALUE")
            at = _end_of_line(text, at)
            continue
        value, at = _value(text, name.end())
        if value is None:
            wrong.append(f"the quote that begins in line {line} is never closed")
        else:
            found[name[1]] = value
    return found, wrong


def _value(text: str, at: int) -> tuple[str | None, int]:
    """A value and where the text goes on: quoted parts next to each other are one value, as in a shell."""
    parts: list[str] = []
    while at < len(text) and text[at] != "\n":
        if text[at] in "'\"":
            part, at = _quoted(text, at)
            if part is None:
                return None, len(text)
            parts.append(part)
        elif parts and text[at] in " \t":
            return "".join(parts), _end_of_line(text, at)
        elif parts:
            part, at = _bare(text, at)
            parts.append(part)
        else:
            return _unquoted(text, at)
    return "".join(parts), at


def _quoted(text: str, at: int) -> tuple[str | None, int]:
    """The inside of the quotes that open at `at`; None where they never close."""
    pattern = r"'([^']*)'" if text[at] == "'" else r'"((?:[^"\\]|\\.)*)"'
    found = re.compile(pattern, re.DOTALL).match(text, at)
    if found is None:
        return None, at
    inside = found[1] if text[at] == "'" else re.sub(r"\\(.)", _unescape, found[1], flags=re.DOTALL)
    return inside, found.end()


def _unescape(found: re.Match[str]) -> str:
    char = found[1]
    return ESCAPES.get(char, char if char in '"\\$`' else f"\\{char}")


def _bare(text: str, at: int) -> tuple[str, int]:
    """What stands between quoted parts: `\\'` in `'it'\\''s'`."""
    found = re.compile(r"\\(.)|([^\s'\"\\]+)|(\\)").match(text, at)
    assert found is not None
    return found[1] or found[2] or found[3], found.end()


def _unquoted(text: str, at: int) -> tuple[str, int]:
    """To the end of the line, without a comment after a blank."""
    end = _end_of_line(text, at)
    return re.split(r"(?:^|[ \t])#", text[at:end])[0].strip(), end


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")
