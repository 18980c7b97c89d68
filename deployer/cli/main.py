"""The entry of `deployer`: finds the command, loads it alone, and gives every failure its words and its exit status.

0 done, 1 expected failure, 2 usage, 70 a defect of ours, 130 interrupted.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from deployer.cli import help_texts
from deployer.cli.entry import Entry
from deployer.cli.interrupts import undoing_once
from deployer.cli.table import TOPICS, alike, by_name, of_topic
from deployer.errors.base import Failure
from deployer.errors.cli import UnknownCommand, UnknownTopic

if TYPE_CHECKING:
    from deployer.cli.shell import Shell

INTERRUPTED = 130
DEFECT = 70
HELP = ("help", "--help", "-h")
FEW_COLLECTIONS = 50_000  # objects: a command is short, and most of what it makes are modules, which stay
GLOBAL = ("--no-color", "--verbose")


def main() -> None:
    """The program. It ends at once: to take apart 500 modules costs Python a fifth of what loading them did."""
    gc.set_threshold(FEW_COLLECTIONS)
    status = run()
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def run(argv: Sequence[str] | None = None, shell: Shell | None = None) -> int:
    """Run one command line to its end; the exit status. The only place that catches everything."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words and words[0] in HELP and (text := _help(words)):
            (shell.output.out if shell else sys.stdout).write(text)
            return 0
        with undoing_once():
            return _dispatch(words, shell)
    except Failure as failure:
        return explain(failure, shell)
    except KeyboardInterrupt as interrupt:
        _write(shell, "\n" + prefixed("\n".join(["Interrupted.", *notes(interrupt)])))
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough (`deployer logs | head`); what is left of it goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as defect:
        return _confess(defect, shell, verbose="--verbose" in words)


def _help(words: list[str]) -> str | None:
    """The text of `--help`, `help` and `help TOPIC`; None where a command has to be loaded for it."""
    if len(words) == 1 or words[1] in HELP:
        return help_texts.root()
    if of_topic(words[1]) and words[1] not in by_name():
        return help_texts.topic(words[1])
    if of_topic(words[1]) and len(of_topic(words[1])) > 1:
        return help_texts.topic(words[1])
    if words[1] not in by_name():
        raise UnknownTopic(words[1], ", ".join(TOPICS))
    return None


def _dispatch(words: list[str], shell: Shell | None) -> int:
    from deployer.cli import load
    from deployer.cli.shell import this_shell

    shell = shell or this_shell()
    while words and words[0] in GLOBAL:
        load.set_globally(shell, words.pop(0))
    if not words:
        return load.invoke(Entry("", "status:status", "Where the app of this folder stands", ()), [], shell)
    name, *rest = words
    if name == "help":
        name, rest = rest[0], ["--help"]
    if name in ("--version", "-v"):
        name = "version"
    entry = by_name().get(name)
    if entry is None:
        raise UnknownCommand(name, _suggestion(name))
    return load.invoke(entry, rest, shell)


def _suggestion(name: str) -> str:
    if of_topic(name):
        return f"`deployer help {name}` lists its commands."
    similar = alike(name)
    meant = f"Did you mean `deployer {similar[0]}`? " if similar else ""
    return f"{meant}`deployer help` lists what there is."


def explain(failure: Failure, shell: Shell | None) -> int:
    """Write a failure in its words; its exit status."""
    _write(shell, explanation(failure))
    return failure.exit_status


def explanation(failure: Failure) -> str:
    """A failure in its words, and what was noted about it on its way here."""
    return prefixed("\n\n".join([str(failure), *notes(failure)]))


def notes(error: BaseException) -> list[str]:
    """What was noted about an exception: operations say so what serves after it."""
    return list(getattr(error, "__notes__", []))


def prefixed(text: str) -> str:
    """Each line behind the sign that something needs attention."""
    return "".join(f" !     {line}".rstrip() + "\n" for line in text.split("\n"))


def _confess(defect: Exception, shell: Shell | None, *, verbose: bool) -> int:
    import traceback

    _write(shell, f" !     This is a bug in deployer: {type(defect).__name__}: {defect}\n")
    if verbose or (shell and shell.output.verbose):
        _write(shell, "".join(traceback.format_exception(defect)))
    else:
        _write(shell, " !     Please report it with what the same command says with --verbose.\n")
    return DEFECT


def _write(shell: Shell | None, text: str) -> None:
    if shell:
        shell.tell.break_off()
        text = "".join(_marked(shell, line) for line in text.splitlines(keepends=True))
    stream = shell.output.err if shell else sys.stderr
    stream.write(text)
    stream.flush()


def _marked(shell: Shell, line: str) -> str:
    return line.replace(" !", shell.output.paint_err("red", " !"), 1) if line.startswith(" !") else line


if __name__ == "__main__":
    main()
