"""Config vars that cannot be set."""

from __future__ import annotations

from deployer.errors.base import UsageFailure


class BadConfigVars(UsageFailure):
    """All that is wrong with them, one line each."""

    problems: str

    headline = "Nothing was set:"
    seen = "{problems}"
    advice = "Write KEY=VALUE, or read a file: `deployer config:set --from-file .env`."


class UnreadableFile(UsageFailure):
    """A file named on the command line that cannot be read."""

    path: str
    reason: str

    headline = "Cannot read {path}: {reason}."
