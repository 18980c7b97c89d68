"""What the preview of a space in AWS says of the release at its end."""

from __future__ import annotations

from dataclasses import replace

from deployer.cli.cloud_release import lines
from deployer.model.app import App, Current
from deployer.model.app_json import parse
from deployer.model.formation import Quantity
from deployer.model.release import Release
from deployer.model.slug import Slug
from deployer.operations.outlook import Folder, foresee
from deployer.operations.preview import App as OfFolder
from deployer.store.ledger import AppState

APP_JSON = """{
  "env": {
    "GREETING": {"value": "hello"},
    "SECRET_KEY": {"generator": "secret"},
    "TOKEN": {"description": "of the other service"},
    "NICE": {"required": false}
  },
  "addons": ["heroku-postgresql:essential-0"],
  "scripts": {"postdeploy": "python seed.py"}
}"""
FORMATION = {"web": Quantity(1), "worker": Quantity(0)}
FOLDER = Folder("shop", parse(APP_JSON), OfFolder(FORMATION, ("heroku-postgresql:essential-0",), guessed=False))
SLUG = Slug("debian-13-amd64", (), {"web": "x"}, (), 1)


def test_a_new_app_with_all_that_it_gets() -> None:
    assert lines(foresee(FOLDER), "production") == [
        "=== shop in production",
        "+ the app shop",
        "+ config vars: GREETING, SECRET_KEY (made up), TOKEN (asked for: --set TOKEN=VALUE)",
        "+ the add-on heroku-postgresql:essential-0",
        "+ its first release: web=1:Basic worker=0:Basic",
        "+ once after it: python seed.py",
    ]
    told = lines(foresee(replace(FOLDER, given={"TOKEN": "x"})), "production")
    assert "+ config vars: GREETING, TOKEN, SECRET_KEY (made up)" in told


def test_an_app_that_serves_gets_a_release_and_what_is_missing() -> None:
    app = App("shop", 20001, "2026", formation={"web": Quantity(3)})
    state = AppState(app, Current(12, 5), release=Release(12, "d", "c", "Deploy", "ada", "2026"), slug=SLUG)
    assert lines(foresee(FOLDER, state), "production") == [
        "=== shop in production",
        "+ the add-on heroku-postgresql:essential-0",
        "~ a release after v12, if anything has changed: web=3:Basic",
    ]
    assert len(lines(foresee(FOLDER, state, frozenset({"heroku-postgresql"})), "production")) == 2


def test_a_folder_without_a_procfile_says_so() -> None:
    guessed = Folder("shop", parse("{}"), OfFolder({"web": Quantity(1)}, (), guessed=True))
    assert lines(foresee(guessed), "x")[-1] == "+ its first release: web=1:Basic (the folder has no Procfile)"
