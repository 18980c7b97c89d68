"""The demo's site is Wagtail's template, made ready for Heroku, in git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from demo import site


@pytest.mark.edge
def test_the_site_is_a_repository_with_one_commit_and_starts_with_its_production_settings(tmp_path: Path) -> None:
    folder = tmp_path / "my-portfolio-app"
    site.make(folder)
    assert ask_git(folder, "rev-list", "--count", "main") == "1\n"
    assert ask_git(folder, "status", "--porcelain") == ""
    files = ask_git(folder, "ls-files").split()
    assert {"Procfile", "app.json", "requirements.txt", "manage.py", "home/models.py"} <= set(files)
    for name in site.STARTERS:
        assert "portfolio.settings.production" in (folder / name).read_text()


def ask_git(folder: Path, *words: str) -> str:
    return subprocess.check_output(["git", *words], cwd=folder, env={"PATH": os.environ["PATH"]}, text=True)


def test_a_template_that_changed_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text("os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'portfolio.settings.local')")
    with pytest.raises(AssertionError, match=r"settings\.dev"):
        site.replace(tmp_path / "manage.py", "settings.dev", "settings.production")


def test_the_template_comes_from_the_pinned_version() -> None:
    assert f"wagtail=={site.wagtail_version()}\n" in site.REQUIREMENTS.read_text()
