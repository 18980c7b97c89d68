"""The demo's site is Wagtail's template, made ready for Heroku, in git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from demo import site


@pytest.mark.edge
def test_the_site_is_a_repository_with_one_commit_and_starts_with_its_production_settings(tmp_path: Path) -> None:
    folder = tmp_path / "my-portfolio-app"
    site.make(folder)
    git = ["git", f"--git-dir={folder}/.git", f"--work-tree={folder}"]
    assert subprocess.check_output([*git, "rev-list", "--count", "main"], text=True) == "1\n"
    assert subprocess.check_output([*git, "status", "--porcelain"], text=True) == ""
    files = subprocess.check_output([*git, "ls-files"], text=True).split()
    assert {"Procfile", "app.json", "requirements.txt", "manage.py", "home/models.py"} <= set(files)
    for name in site.STARTERS:
        assert "portfolio.settings.production" in (folder / name).read_text()


def test_a_template_that_changed_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text("os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'portfolio.settings.local')")
    with pytest.raises(AssertionError, match=r"settings\.dev"):
        site.replace(tmp_path / "manage.py", "settings.dev", "settings.production")


def test_the_template_comes_from_the_pinned_version() -> None:
    assert f"wagtail=={site.wagtail_version()}\n" in site.REQUIREMENTS.read_text()
