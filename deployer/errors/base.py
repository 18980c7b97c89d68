"""The tree of failures and the anatomy of a message: what happened, what was seen, what to do next.

    Failure                      expected; exit status 1
    ├── UsageFailure             the command line was wrong; exit status 2
    └── HostFailure              raised by the agent on a host, known by its code
    Defect                       ours; exit status 70

Subclasses are dataclasses of facts with class-level templates (`headline`, `seen`, `advice`), filled in with those
facts: logic raises facts, the words stand in this package. Use `@dataclass(eq=False)`, so that they stay hashable.
"""

from __future__ import annotations

import dataclasses
import textwrap
from dataclasses import dataclass, field
from typing import Any, ClassVar


class Failure(Exception):
    """Something that a user can understand and mend."""

    exit_status: ClassVar[int] = 1
    headline: ClassVar[str] = ""
    seen: ClassVar[str] = ""
    advice: ClassVar[str] = ""

    def facts(self) -> dict[str, Any]:
        """The fields of the dataclass, by name."""
        return (
            {f.name: getattr(self, f.name) for f in dataclasses.fields(self)} if dataclasses.is_dataclass(self) else {}
        )

    def paragraphs(self) -> list[str]:
        """Headline, what was seen, what to do: those that are not empty, filled in."""
        facts = self.facts()
        texts = (textwrap.dedent(text).strip().format_map(facts) for text in (self.headline, self.seen, self.advice))
        return [text for text in texts if text.strip()]

    def __str__(self) -> str:
        return "\n\n".join(self.paragraphs())


class UsageFailure(Failure):
    """The words on the command line do not make sense."""

    exit_status = 2


@dataclass(eq=False)
class HostFailure(Failure):
    """What an agent raises: a code in kebab case and facts of JSON types. `errors.host` has the words for each code."""

    code: str
    details: dict[str, Any] = field(default_factory=dict)

    headline = "The agent answered {code}."
    seen = "{details}"
