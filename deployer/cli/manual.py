"""docs/commands.md, from the commands themselves: `scripts/commands-doc` writes it, a test holds it up to date."""

from __future__ import annotations

from collections.abc import Iterable

from deployer.cli.entry import Entry
from deployer.cli.help_texts import root
from deployer.cli.load import command
from deployer.cli.table import ENTRIES, TOPICS, of_topic

WIDTH = 100  # columns, whatever terminal it is written from
HEAD = """\
# Commands

Written by `scripts/commands-doc` from the commands themselves. Every command also takes `--no-color`, `--verbose` and
`--help`. Exit status: 0 done, 1 expected failure, 2 usage, 70 a defect of ours, 130 interrupted; `run` passes the
command's own.

```
"""


def manual() -> str:
    """The whole page."""
    topics = sorted({entry.topic for entry in ENTRIES})
    return f"{HEAD}{root()}```\n" + "".join(_section(topic, of_topic(topic)) for topic in topics)


def _section(topic: str, entries: Iterable[Entry]) -> str:
    about = f": {TOPICS[topic]}" if topic in TOPICS else ""
    return f"\n## {topic}{about}\n" + "".join(_chapter(entry) for entry in entries)


def _chapter(entry: Entry) -> str:
    aliases = f"Also `{'`, `'.join(entry.aliases)}`.\n\n" if entry.aliases else ""
    loaded = command(entry)
    with loaded.make_context(f"deployer {entry.name}", [], resilient_parsing=True, terminal_width=WIDTH) as context:
        shown = loaded.get_help(context)
    lines = "\n".join(line.rstrip() for line in shown.splitlines())
    return f"\n### {entry.name}\n\n{aliases}```\n{lines}\n```\n"
