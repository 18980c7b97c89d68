"""The command line: words that it does not understand."""

from __future__ import annotations

from deployer.errors.base import UsageFailure


class UnknownCommand(UsageFailure):
    """No command of that name. `suggestion` is a sentence or two."""

    command: str
    suggestion: str

    headline = "`{command}` is no command of deployer."
    advice = "{suggestion}"


class UnknownTopic(UsageFailure):
    """Neither a topic nor a command."""

    topic: str
    topics: str

    headline = "There is no help on `{topic}`."
    advice = "Topics: {topics}."


class BadUsage(UsageFailure):
    """The words after a command. `reason` is what the parser found."""

    reason: str
    command: str

    headline = "{reason}"
    advice = "See `{command} --help`."
