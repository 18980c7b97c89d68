"""The tree of failures and the anatomy of a message: what happened, what was seen, what to do next.

    Failure                      expected; exit status 1
    ├── UsageFailure             the command line was wrong; exit status 2
    └── HostFailure              raised by the agent on a host, known by its code
    Defect                       ours; exit status 70

Subclasses are facts, annotated as in a dataclass, with class-level templates (`headline`, `seen`, `advice`) that are
filled in with them: logic raises facts, the words stand in this package. They are no dataclasses: there are so many
that their making took a sixth of the time in which a command starts.
"""

from __future__ import annotations

import textwrap
from collections.abc import Container
from typing import Any, ClassVar, dataclass_transform


@dataclass_transform(eq_default=False)
class Failure(Exception):
    """Something that a user can understand and mend."""

    FACTS: ClassVar[tuple[str, ...]] = ()
    """The names of its facts, in order; a fact may have a default, which is not to be changed."""
    exit_status: ClassVar[int] = 1
    headline: ClassVar[str] = ""
    seen: ClassVar[str] = ""
    advice: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        own = [name for name, kind in cls.__annotations__.items() if not str(kind).startswith("ClassVar")]
        cls.FACTS = (*cls.FACTS, *(name for name in own if name not in cls.FACTS))

    def __init__(self, *values: Any, **named: Any) -> None:
        facts = dict(zip(self.FACTS, values, strict=False))
        wrong = [name for name in named if name in facts or name not in self.FACTS]
        facts |= named
        if wrong or len(values) > len(self.FACTS) or self.lacking(facts):
            raise TypeError(f"{type(self).__name__}({', '.join(self.FACTS)}) was given {values} and {named}")
        self.__dict__.update(facts)

    @classmethod
    def lacking(cls, facts: Container[str]) -> list[str]:
        """The facts that must be given and are not."""
        return [name for name in cls.FACTS if name not in facts and not hasattr(cls, name)]

    def facts(self) -> dict[str, Any]:
        """Its facts, by name."""
        return {name: getattr(self, name) for name in self.FACTS}

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


class HostFailure(Failure):
    """What an agent raises: a code in kebab case and facts of JSON types. `errors.host` has the words for each code."""

    code: str
    details: dict[str, Any]

    headline = "The agent answered {code}."
    seen = "{details}"

    def __init__(self, code: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(code, details or {})
