"""app.json: what an app says about itself. A value that exists is a valid one; all problems are told at once.

`env`, `addons`, `formation` and `scripts.postdeploy` count when an app is created (heroku.md 8.1); `healthchecks` and
`cron` are read from every release, and go back with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deployer.errors.procfile import AppJsonBroken
from deployer.model import health_check
from deployer.model.formation import DEFAULT_SIZE, MAX_DYNOS, SIZES, Quantity
from deployer.model.health_check import HealthCheck
from deployer.model.names import is_config_key, is_process_type

NAME = "app.json"


@dataclass(frozen=True, slots=True)
class EnvVar:
    """A config var that the app wants: its value, or `secret` where one is to be made up, or one that a person
    gives."""

    value: str | None = None
    secret: bool = False
    required: bool = True
    description: str = ""


@dataclass(frozen=True, slots=True)
class AddonRequest:
    """An add-on that the app wants: `heroku-postgresql:essential-0`, and the name it is attached under."""

    plan: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class CronJob:
    """A command that a one-off dyno runs at the times of a calendar expression of systemd or five fields of cron."""

    schedule: str
    command: str


@dataclass(frozen=True, slots=True)
class AppJson:
    """Everything of app.json that has a meaning here."""

    name: str | None = None
    env: dict[str, EnvVar] = field(default_factory=dict)
    addons: tuple[AddonRequest, ...] = ()
    formation: dict[str, Quantity] = field(default_factory=dict)
    buildpacks: tuple[str, ...] = ()
    postdeploy: str | None = None
    health: HealthCheck | None = None
    cron: tuple[CronJob, ...] = ()


def parse(text: str) -> AppJson:
    """app.json's text. Raises AppJsonBroken."""
    problems: list[str] = []
    try:
        data = json.loads(text)
    except ValueError as error:
        raise AppJsonBroken(f"it is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise AppJsonBroken("it must be an object: `{ ... }`")
    read = _Reader(data, problems)
    app = AppJson(
        name=read.text("name"),
        env={key: _env(value, f"env.{key}", problems) for key, value in read.mapping("env").items()},
        addons=tuple(_addon(one, f"addons[{i}]", problems) for i, one in enumerate(read.items("addons"))),
        formation={key: _quantity(v, f"formation.{key}", problems) for key, v in read.mapping("formation").items()},
        buildpacks=tuple(_buildpack(v, f"buildpacks[{i}]", problems) for i, v in enumerate(read.items("buildpacks"))),
        postdeploy=_postdeploy(read.mapping("scripts").get("postdeploy"), problems),
        health=health_check.read(data["healthchecks"], problems) if "healthchecks" in data else None,
        cron=tuple(_cron(one, f"cron[{i}]", problems) for i, one in enumerate(read.items("cron"))),
    )
    if problems:
        raise AppJsonBroken("\n".join(problems))
    return app


class _Reader:
    """The top level, with a problem for each value of a wrong type."""

    def __init__(self, data: Mapping[str, Any], problems: list[str]) -> None:
        self.data, self.problems = data, problems

    def text(self, key: str) -> str | None:
        value = self.data.get(key)
        return value if value is None else _text(value, key, self.problems)

    def mapping(self, key: str) -> dict[str, Any]:
        return _of_type(self.data.get(key), dict, key, "an object", self.problems) or {}

    def items(self, key: str) -> list[Any]:
        return _of_type(self.data.get(key), list, key, "a list", self.problems) or []


def _of_type(value: Any, kind: type, where: str, what: str, problems: list[str]) -> Any:
    if value is None or isinstance(value, kind):
        return value
    problems.append(f"{where}: should be {what}, found {json.dumps(value)[:60]}")
    return None


def _text(value: Any, where: str, problems: list[str]) -> str:
    return _of_type(value, str, where, "a text", problems) or ""


def _env(value: Any, where: str, problems: list[str]) -> EnvVar:
    if not is_config_key(where.removeprefix("env.")):
        problems.append(f"{where}: cannot name a config var")
    if isinstance(value, str | int | float):
        return EnvVar(_plain(value))
    data = _of_type(value, dict, where, "a text or an object", problems) or {}
    generator = data.get("generator")
    if generator not in (None, "secret"):
        problems.append(f'{where}.generator: should be "secret", found {json.dumps(generator)[:60]}')
    given = data.get("value")
    return EnvVar(
        None if given is None else _plain(given),
        generator == "secret",
        data.get("required", True) is not False,
        str(data.get("description", "")),
    )


def _plain(value: object) -> str:
    """A config var's value: JSON's `true` and numbers as they are written."""
    return value if isinstance(value, str) else json.dumps(value)


def _addon(value: Any, where: str, problems: list[str]) -> AddonRequest:
    data = {"plan": value} if isinstance(value, str) else _of_type(value, dict, where, "a text or an object", problems)
    data = data or {}
    plan = _text(data.get("plan", ""), f"{where}.plan", problems)
    if not re.fullmatch(r"[a-z][a-z0-9-]*(:[a-z0-9-]+)?", plan):
        problems.append(f"{where}: should name a service and a plan, like heroku-postgresql:essential-0")
    name = data.get("as")
    return AddonRequest(plan, None if name is None else _text(name, f"{where}.as", problems))


def _quantity(value: Any, where: str, problems: list[str]) -> Quantity:
    if not is_process_type(where.removeprefix("formation.")):
        problems.append(f"{where}: cannot name a process type")
    data = _of_type(value, dict, where, "an object", problems) or {}
    quantity = data.get("quantity", 1)
    if type(quantity) is not int or not 0 <= quantity <= MAX_DYNOS:
        problems.append(
            f"{where}.quantity: should be a whole number up to {MAX_DYNOS}, found {json.dumps(quantity)[:60]}"
        )
        quantity = 1
    size = data.get("size", DEFAULT_SIZE)
    known = SIZES.get(size.lower()) if isinstance(size, str) else None
    if known is None:
        names = ", ".join(one.name for one in SIZES.values())
        problems.append(f"{where}.size: should be one of {names}, found {json.dumps(size)[:60]}")
    return Quantity(quantity, known.name if known else DEFAULT_SIZE)


def _buildpack(value: Any, where: str, problems: list[str]) -> str:
    data = {"url": value} if isinstance(value, str) else _of_type(value, dict, where, "an object", problems) or {}
    if not isinstance(data.get("url"), str):
        problems.append(f"{where}: should have a `url`")
        return ""
    return str(data["url"])


def _postdeploy(value: Any, problems: list[str]) -> str | None:
    if isinstance(value, dict):
        value = value.get("command")
    return None if value is None else _text(value, "scripts.postdeploy", problems)


def _cron(value: Any, where: str, problems: list[str]) -> CronJob:
    data = _of_type(value, dict, where, "an object", problems) or {}
    for key in ("schedule", "command"):
        if not isinstance(data.get(key), str) or not data[key].strip():
            problems.append(f"{where}.{key}: is missing")
    return CronJob(str(data.get("schedule", "")), str(data.get("command", "")))
