"""When a dyno with a port counts as healthy, as app.json says it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """`path` answers below 500 within `timeout` seconds of the dyno's start."""

    path: str = "/"
    timeout: int = 60


def read(value: Any, problems: list[str]) -> HealthCheck:
    """It, out of `healthchecks`; what is wrong there is added to `problems`, and the default stands in its place."""
    if value is not None and not isinstance(value, dict):
        problems.append(f"healthchecks: should be an object, found {json.dumps(value)[:60]}")
        return HealthCheck()
    data = value or {}
    path, timeout = data.get("path", "/"), data.get("timeout", 60)
    if not isinstance(path, str) or not re.fullmatch(r"/[!-~]*", path):
        problems.append(f"healthchecks.path: should be a path like /up, found {json.dumps(path)[:60]}")
        path = "/"
    if type(timeout) is not int or not 1 <= timeout <= 600:
        problems.append(f"healthchecks.timeout: should be seconds from 1 to 600, found {json.dumps(timeout)[:60]}")
        timeout = 60
    return HealthCheck(path, timeout)
