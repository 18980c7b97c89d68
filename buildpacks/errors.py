"""Why a buildpack does not plan a source: what it saw, what to do. The words of each case stand with its buildpack."""

from __future__ import annotations

import dataclasses
import textwrap
from dataclasses import dataclass
from typing import ClassVar


@dataclass(eq=False)
class Refused(Exception):
    """The root of all of them: subclasses are dataclasses of facts, with templates that those fill in."""

    headline: ClassVar[str] = ""
    advice: ClassVar[str] = ""

    def paragraphs(self) -> list[str]:
        """What is wrong, and what to do about it."""
        facts = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        texts = (textwrap.dedent(text).strip().format_map(facts) for text in (self.headline, self.advice))
        return [text for text in texts if text]

    def __str__(self) -> str:
        return "\n\n".join(self.paragraphs())
