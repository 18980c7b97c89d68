"""What `deployer --help` and `deployer help TOPIC` print; pure texts from the table of commands."""

from __future__ import annotations

from collections.abc import Iterable

from deployer.cli.entry import Entry
from deployer.cli.table import ENTRIES, TOPICS, of_topic

HEAD = """\
Heroku's workflow on virtual machines of your own.

Usage
  deployer COMMAND [OPTIONS]
  deployer                     where the app of this folder stands

Every day
"""
TAIL = """
Help
  deployer help TOPIC          the commands of a topic
  deployer COMMAND --help      one command, with examples

Everywhere
  -a, --app APP                which app: APP or SPACE/APP
  -r, --remote REMOTE          the app that a git remote leads to
  --json                       listings as JSON on stdout
  --verbose                    timings, and tracebacks of defects
  --no-color                   no colours (or NO_COLOR=1)
"""


def root() -> str:
    """The daily commands and the topics."""
    daily = _lines((_shortest(entry), entry.help) for entry in ENTRIES if entry.daily)
    topics = _lines((topic, about) for topic, about in TOPICS.items() if of_topic(topic))
    return f"{HEAD}{daily}\nTopics\n{topics}{TAIL}"


def topic(name: str) -> str:
    """The commands of a topic, each with its first example."""
    lines = _lines((entry.name, entry.help) for entry in of_topic(name))
    examples = "".join(f"  $ {command_line(entry.examples[0])}\n" for entry in of_topic(name))
    about = TOPICS.get(name, of_topic(name)[0].help)
    return f"{name}: {about}\n\nCommands\n{lines}\nExamples\n{examples}"


def command_line(example: str) -> str:
    """An example as it is typed."""
    return f"deployer {example}"


def _shortest(entry: Entry) -> str:
    """What a Heroku user types: `rollback` for `releases:rollback`."""
    return min((entry.name, *(alias for alias in entry.aliases if ":" not in alias)), key=len)


def _lines(pairs: Iterable[tuple[str, str]]) -> str:
    rows = list(pairs)
    width = max(27, max(len(name) for name, _ in rows) + 2)
    return "".join(f"  {name:<{width}}  {about}\n" for name, about in rows)
