"""What policies of IAM allow: a pure evaluator of the part of the language that deployer uses; the rest is an error.

As AWS documents it (IAM User Guide, `Policy evaluation logic`, `IAM JSON policy elements`): a Deny that fits wins, else
an Allow that fits, else no. Actions are compared without regard to case, resources with it; `*` and `?` stand for
characters, and a policy variable for its value, in which they stand for themselves. A statement with a variable that
the request does not have does not fit, nor does a condition about a key that it does not have, except Null.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

Policy = Mapping[str, Any]
VARIABLE = re.compile(r"\$\{([A-Za-z:/-]+)\}")
KNOWN = {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}


def allows(policies: Iterable[Policy], action: str, resource: str, context: Mapping[str, str] = {}) -> bool:
    """Whether whoever has these policies may do it, with these keys in the request."""
    fitting = [
        one["Effect"] for policy in policies for one in policy["Statement"] if _fits(one, action, resource, context)
    ]
    return "Deny" not in fitting and "Allow" in fitting


def _fits(statement: Policy, action: str, resource: str, context: Mapping[str, str]) -> bool:
    if (
        statement.keys() - KNOWN
        or statement["Effect"] not in ("Allow", "Deny")
        or statement.get("Principal", "*") != "*"
    ):
        raise ValueError(f"this evaluator does not know all of {statement}")
    return (
        any(_like(one.lower(), action.lower(), {}) for one in _list(statement["Action"]))
        and any(_like(one, resource, context) for one in _list(statement["Resource"]))
        and all(
            _holds(operator, key, _list(wanted), context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _like(pattern: str, text: str, context: Mapping[str, str]) -> bool:
    names = VARIABLE.findall(pattern)
    if any(name not in context for name in names):
        return False
    return _compiled(pattern, tuple(context[name] for name in names)).fullmatch(text) is not None


@cache
def _compiled(pattern: str, values: tuple[str, ...]) -> re.Pattern[str]:
    """The pattern with the values of its variables, in their order."""
    parts = VARIABLE.split(pattern)  # texts, and between them names of variables
    texts = [re.escape(part).replace(r"\*", ".*").replace(r"\?", ".") for part in parts[::2]]
    filled = [one for pair in zip(texts, [*map(re.escape, values), ""], strict=True) for one in pair]
    return re.compile("".join(filled), re.DOTALL)


def _holds(operator: str, key: str, wanted: list[str], context: Mapping[str, str]) -> bool:
    if operator == "Null":
        return (key not in context) == (wanted == ["true"])
    if operator not in OPERATORS:
        raise ValueError(f"this evaluator does not know {operator}")
    return key in context and any(OPERATORS[operator](one, context[key]) for one in wanted)


OPERATORS = {
    "ArnLike": lambda wanted, found: _like(wanted, found, {}),
    "Bool": lambda wanted, found: wanted.lower() == found.lower(),
    "NumericEquals": lambda wanted, found: float(wanted) == float(found),
    "StringEquals": lambda wanted, found: wanted == found,
    "StringLike": lambda wanted, found: _like(wanted, found, {}),
}
