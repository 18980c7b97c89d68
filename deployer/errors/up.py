"""`deployer up`: what a folder declares and nobody can make true."""

from __future__ import annotations

from deployer.errors.base import Failure


class ValuesMissing(Failure):
    """app.json's `env` has required entries without a value. `wanted` holds one line each; `example` is a key."""

    wanted: str
    example: str

    headline = "app.json wants config vars that have no value yet:"
    seen = "{wanted}"
    advice = "Give them: `deployer up --set {example}=VALUE`. Nothing was made or changed."
