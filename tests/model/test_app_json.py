"""app.json: what it may hold, and that everything wrong in it is told at once."""

from __future__ import annotations

import json

import pytest

from deployer.errors.procfile import AppJsonBroken
from deployer.model import app_json
from deployer.model.app_json import AddonRequest, AppJson, CronJob, EnvVar
from deployer.model.formation import Quantity
from deployer.model.health_check import HealthCheck

WHOLE = {
    "name": "shop",
    "website": "ignored",
    "env": {
        "SECRET_KEY": {"generator": "secret", "description": "signs cookies"},
        "WORKERS": 2,
        "DEBUG": {"value": True, "required": False},
        "TOKEN": {"required": True},
    },
    "addons": ["heroku-postgresql:essential-0", {"plan": "heroku-redis", "as": "CACHE"}],
    "formation": {"web": {"quantity": 2, "size": "standard-1x"}, "worker": {}},
    "buildpacks": [{"url": "heroku/nodejs"}, {"url": "heroku/python"}],
    "scripts": {"postdeploy": {"command": "python manage.py loaddata demo"}},
    "healthchecks": {"path": "/up", "timeout": 30},
    "cron": [{"schedule": "daily", "command": "python manage.py clearsessions"}],
}


def test_everything_that_has_a_meaning_is_read() -> None:
    assert app_json.parse(json.dumps(WHOLE)) == AppJson(
        name="shop",
        env={
            "SECRET_KEY": EnvVar(secret=True, description="signs cookies"),
            "WORKERS": EnvVar("2"),
            "DEBUG": EnvVar("true", required=False),
            "TOKEN": EnvVar(),
        },
        addons=(AddonRequest("heroku-postgresql:essential-0"), AddonRequest("heroku-redis", "CACHE")),
        formation={"web": Quantity(2, "Standard-1X"), "worker": Quantity(1)},
        buildpacks=("heroku/nodejs", "heroku/python"),
        postdeploy="python manage.py loaddata demo",
        health=HealthCheck("/up", 30),
        cron=(CronJob("daily", "python manage.py clearsessions"),),
    )


def test_an_empty_object_is_an_app_json() -> None:
    assert app_json.parse("{}") == AppJson()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "it must be an object"),
        ("{,}", "it is no JSON"),
        ('{"name": 7}', "name: should be a text, found 7"),
        ('{"env": []}', "env: should be an object, found []"),
        ('{"env": {"A": null, "9": "x"}}', "env.9: cannot name a config var"),
        ('{"env": {"A": {"generator": "uuid"}}}', 'env.A.generator: should be "secret"'),
        ('{"addons": ["No Such"]}', "addons[0]: should name a service and a plan"),
        (
            '{"formation": {"web": {"quantity": "two"}}}',
            'formation.web.quantity: should be a whole number up to 100, found "two"',
        ),
        ('{"formation": {"web": {"quantity": true}}}', "formation.web.quantity"),
        ('{"formation": {"web": {"size": "huge"}}}', "formation.web.size: should be one of Basic"),
        ('{"formation": {"we b": {}}}', "formation.we b: cannot name a process type"),
        ('{"buildpacks": [{"git": "x"}]}', "buildpacks[0]: should have a `url`"),
        ('{"healthchecks": {"path": "up"}}', 'healthchecks.path: should be a path like /up, found "up"'),
        ('{"healthchecks": {"timeout": 0}}', "healthchecks.timeout: should be seconds from 1 to 600, found 0"),
        ('{"cron": [{"command": "x"}]}', "cron[0].schedule: is missing"),
        ('{"scripts": {"postdeploy": 3}}', "scripts.postdeploy: should be a text, found 3"),
    ],
)
def test_what_it_cannot_hold_is_named_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(AppJsonBroken) as broken:
        app_json.parse(text)
    assert problem in broken.value.problems


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(AppJsonBroken) as broken:
        app_json.parse('{"name": 7, "addons": 8, "formation": {"web": {"quantity": -1}}}')
    assert len(broken.value.problems.splitlines()) == 3
