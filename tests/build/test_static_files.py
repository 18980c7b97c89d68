"""collectstatic is remembered by what it looked at; a wrong skip would ship old files (traps.md A 18)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deployer.build.build import build
from deployer.build.folders import cache_folder
from deployer.build.source import from_folder
from deployer.errors.build import StepFailed
from deployer.model.platforms import parse
from tests.build.conftest import APPS, Builder, Told, digests, paths

pytestmark = pytest.mark.edge

REUSED = "Nothing that it reads has changed"


def plain_site(folder: Path) -> Path:
    """The Django app, with plain static files: compressing them takes seconds."""
    shutil.copytree(APPS / "python_django", folder)
    settings = folder / "config/settings.py"
    storage = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.write_text(
        settings.read_text().replace("whitenoise.storage.CompressedManifestStaticFilesStorage", storage)
    )
    return folder


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What builds of the app `x` keep after the dependencies were installed once."""
    folder = tmp_path_factory.mktemp("installed")
    app = plain_site(folder / "site")
    (folder / "platforms").symlink_to(cache_folder() / "platforms")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEPLOYER_CACHE", str(folder))
        config = {"DISABLE_COLLECTSTATIC": "1"}
        build(from_folder(app), app="x", platform=parse("debian-13"), buildpacks=(), config=config, tell=Told())
    return folder / "builds"


@pytest.fixture
def site(tmp_path: Path, cache: Path, installed: Path) -> Path:
    """The app, whose dependencies are installed."""
    subprocess.run(["cp", "-a", str(installed), str(cache / "builds")], check=True)
    return plain_site(tmp_path / "site")


def test_a_django_app_becomes_three_layers(site: Path, built: Builder, told: Told) -> None:
    result = built(site)
    assert list(digests(result)) == ["dependencies", "static", "app"]
    assert "staticfiles/blog/site.css" in paths(result, "static")
    assert not [path for path in paths(result, "app") if path.startswith("staticfiles")]
    assert "-----> $ python manage.py collectstatic --noinput" in told.text


def add(site: Path, path: str, text: str) -> None:
    (site / path).write_text(text)


def append(site: Path, path: str, text: str) -> None:
    add(site, path, (site / path).read_text() + text)


Change = Callable[[Path], None]
KEEPS: dict[str, Change] = {
    "a view": lambda site: append(site, "blog/views.py", "# changed\n"),
    "the Procfile": lambda site: append(site, "Procfile", "worker: python manage.py shell\n"),
}
BREAKS: dict[str, tuple[Change, str]] = {
    "a static file": (
        lambda site: add(site, "blog/static/blog/site.css", "body {}"),
        "blog/static/blog/site.css changed",
    ),
    "the settings": (lambda site: append(site, "config/settings.py", "\n# x\n"), "config/settings.py changed"),
    "an app's package": (lambda site: append(site, "blog/__init__.py", "# x\n"), "blog/__init__.py changed"),
    "a model": (lambda site: append(site, "blog/models.py", "# x\n"), "blog/models.py changed"),
    "a new file": (lambda site: add(site, "config/local_settings.py", "A = 1\n"), "config/local_settings.py is new"),
    "a file that is gone": (lambda site: (site / "Procfile").unlink(), "Procfile is gone"),
    "the dependencies": (lambda site: append(site, "requirements.txt", "six\n"), "layer dependencies changed"),
}


def test_what_it_did_not_read_keeps_its_result(site: Path, built: Builder, told: Told) -> None:
    first = digests(built(site))["static"]
    for change in KEEPS.values():
        change(site)
        assert digests(built(site))["static"] == first
        assert REUSED in told.text, told.text


def test_what_it_read_or_could_have_read_makes_it_run_again_and_is_named(
    site: Path, built: Builder, told: Told
) -> None:
    built(site)
    for name, (change, reason) in BREAKS.items():
        change(site)
        built(site)
        assert REUSED not in told.text, name
        assert f"Not from the cache: {reason}" in told.text, told.text


def test_a_config_var_makes_it_run_again(site: Path, built: Builder, told: Told) -> None:
    built(site, SECRET_KEY="a")
    built(site, SECRET_KEY="b")
    assert "Not from the cache: all config vars changed" in told.text


def test_a_config_var_switches_the_memory_off(site: Path, built: Builder, told: Told) -> None:
    built(site, DEPLOYER_STATIC_CACHE="0")
    built(site, DEPLOYER_STATIC_CACHE="0")
    assert "Not from the cache: DEPLOYER_STATIC_CACHE is 0" in told.text


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import subprocess; subprocess.run(['/bin/true'])", "it runs true"),
        ("import os; os.system('true')", "it runs other programs"),
        ("open('/app/build-number.txt', 'w').write('1')", "it writes /app/build-number.txt"),
        ("import socket; socket.socket(socket.AF_UNIX).connect_ex('/tmp/none')", "it connects to /tmp/none"),
    ],
)
def test_influences_that_cannot_be_recorded_are_never_skipped(
    site: Path, built: Builder, told: Told, code: str, reason: str
) -> None:
    append(site, "config/settings.py", f"\n{code}\n")
    built(site)
    built(site)
    assert f"Not from the cache: {reason}" in told.text


def test_files_of_the_source_in_the_output_folder_are_shipped_and_forbid_the_memory(
    site: Path, built: Builder, told: Told
) -> None:
    (site / "staticfiles").mkdir()
    add(site, "staticfiles/own.txt", "own")
    assert "staticfiles/own.txt" in paths(built(site), "app")
    built(site)
    assert "Not from the cache: the source has files in staticfiles" in told.text


def test_settings_that_fail_fail_the_build_with_advice(site: Path, built: Builder, told: Told) -> None:
    append(site, "config/settings.py", "\nos.environ['MISSING_KEY']\n")
    with pytest.raises(StepFailed) as failed:
        built(site)
    assert failed.value.command == "python manage.py collectstatic --noinput"
    assert "deployer config:set" in failed.value.remedy
    assert "KeyError: 'MISSING_KEY'" in told.text


def test_an_app_without_staticfiles_has_nothing_to_collect(site: Path, built: Builder, told: Told) -> None:
    settings = site / "config/settings.py"
    settings.write_text(settings.read_text().replace('    "django.contrib.staticfiles",\n', ""))
    assert list(digests(built(site))) == ["dependencies", "app"]
    assert "django.contrib.staticfiles is not in INSTALLED_APPS" in told.text


def test_a_manage_py_of_something_else_has_nothing_to_collect(tmp_path: Path, built: Builder, told: Told) -> None:
    app = tmp_path / "app"
    app.mkdir()
    add(app, "requirements.txt", "")
    add(app, "manage.py", "# not django\n")
    built(app)
    assert "Django is not installed: there is nothing to collect" in told.text
