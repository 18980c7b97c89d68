"""What went wrong in a run of the engine, as one failure: each cause once, with all that it was in the way of."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from deployer.errors import aws
from deployer.errors.base import Failure
from deployer.errors.cloud import CloudBroken
from infra.kinds import word
from infra.refusals import BY, explained

# Whatever else went wrong, went wrong for want of these.
ALONE = (
    aws.CredentialsExpired,
    aws.CredentialsMissing,
    aws.CredentialsUnknown,
    aws.ClockSkewed,
    aws.AwsUnreachable,
)
# What the real provider wraps a cause in, and the place in its source that a log line begins with.
WRAPPED = re.compile(
    r"\d+ errors? occurred:\s+\* |(?:creating|updating|deleting|reading) urn:pulumi:\S+: |^\S+\.go:\d+: [\w.]+: "
)
# What Python's SDK puts before the answer of `getAmi` and its kin.
ASKED = re.compile(r"^Exception: invoke of \S+:(\S+) failed: invocation of \S+ returned an error: ")
STDERR = re.compile(r"^ stderr: (.*)\Z", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Problem:
    """A message of the engine, and the thing that it is about: `security group deployer-production-hosts`, or none."""

    thing: str
    text: str


def problem(urn: str, text: str) -> Problem:
    """`urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`; the stack itself, and the provider, are no things."""
    parts = urn.split("::", 3)
    kind = parts[2].rpartition("$")[2] if len(parts) == 4 else "pulumi:"
    return Problem("" if kind.startswith("pulumi:") else f"{word(kind)} {parts[3]}", text)


def failure(space: str, problems: Iterable[Problem], last_words: str) -> Failure:
    """What to raise; `last_words` are the command's own, where it has told nothing else."""
    told = [*dict.fromkeys(problems)] or [Problem("", _stderr(last_words))]
    causes = [(one, explained(one.text)) for one in told]
    for _, cause in causes:
        if isinstance(cause, ALONE):
            return cause
    things: dict[str, list[str]] = {}
    for one, cause in causes:
        text = "\n".join(cause.paragraphs()) if cause else bare(one.text)
        things.setdefault(text, []).append(one.thing)
    return CloudBroken(space, "\n\n".join(_about(text, some) for text, some in things.items()))


def bare(text: str) -> str:
    """A message without what the provider wraps it in; of a traceback, which the program's own failures come with, the
    last line."""
    last = text.strip().splitlines()[-1] if "Traceback (most recent call last)" in text else text
    return WRAPPED.sub("", ASKED.sub(r"\1: ", BY.sub("", last.strip()))).strip()


def _about(text: str, things: Iterable[str]) -> str:
    named = ", ".join(dict.fromkeys(filter(None, things)))
    return f"{named}:\n{textwrap.indent(text, '  ')}" if named else text


def _stderr(told: str) -> str:
    """Of the message of a CommandError, which has all that the command wrote."""
    found = STDERR.search(told)
    return found[1].strip() if found and found[1].strip() else told.strip()
