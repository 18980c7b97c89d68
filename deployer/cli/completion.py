"""`deployer completion`: what makes a shell complete the names of commands; texts from the table."""

from __future__ import annotations

import shlex
from enum import StrEnum
from typing import Annotated

import typer

from deployer.cli.shell import Shell
from deployer.cli.table import by_name

# bash splits words at colons: what it calls the current word begins after the last one.
BASH = """\
_deployer() {{
    local line="${{COMP_LINE:0:COMP_POINT}}" names={names}
    local word="${{line##* }}"
    COMPREPLY=()
    [[ "$line" == *" "*" "* ]] && return
    COMPREPLY=($(compgen -W "$names" -- "$word"))
    [[ "$COMP_WORDBREAKS" == *:* ]] && COMPREPLY=("${{COMPREPLY[@]#"${{word%"${{word##*:}}"}}"}}")
}}
complete -o default -F _deployer deployer
"""
ZSH = """\
_deployer() {{
    local -a names=({names})
    if (( CURRENT == 2 )); then _describe command names; else _files; fi
}}
compdef _deployer deployer
"""


class Kind(StrEnum):
    """Shells that can complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(ctx: typer.Context, kind: Annotated[Kind, typer.Argument(metavar="bash|zsh|fish")]) -> None:
    """Print what makes a shell complete the names of commands."""
    shell: Shell = ctx.obj
    shell.output.out.write({Kind.BASH: bash, Kind.ZSH: zsh, Kind.FISH: fish}[kind]())


def bash() -> str:
    """For `eval "$(deployer completion bash)"`."""
    return BASH.format(names=shlex.quote(" ".join(sorted(by_name()))))


def zsh() -> str:
    """Names and help lines; a colon within a name is escaped."""
    pairs = (f"{name.replace(':', chr(92) + ':')}:{entry.help}" for name, entry in sorted(by_name().items()))
    return ZSH.format(names=" ".join(map(shlex.quote, pairs)))


def fish() -> str:
    """One line for each command."""
    return "".join(
        f"complete -c deployer -f -n __fish_use_subcommand -a {shlex.quote(name)} -d {_fish_quoted(entry.help)}\n"
        for name, entry in sorted(by_name().items())
    )


def _fish_quoted(text: str) -> str:
    """fish knows two escapes inside single quotes."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
