"""The program as a project of Pulumi's own: the command runs what Pulumi.yaml in the repository names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.infra.cloud_here import ROOT, Cloud
from tests.infra.pulumi_here import Project

pytestmark = pytest.mark.edge
SPACE = '[space.production]\nregion = "eu-central-1"\naccount = "123456789012"\ndatabase = {}\n'


@pytest.fixture
def project(shared: Cloud, tmp_path: Path) -> Project:
    """The repository, as far as Pulumi looks at it, with states in a folder."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (tmp_path / "home").mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    (folder / "infra").symlink_to(ROOT / "infra")
    (tmp_path / "states").mkdir()
    return Project(shared, folder, tmp_path / "home", backend=f"file://{tmp_path}/states")


def test_preview_in_the_repository_shows_the_space_of_deployer_toml(project: Project, tmp_path: Path) -> None:
    app = tmp_path / "shop"
    app.mkdir()
    (app / "deployer.toml").write_text(SPACE)
    assert project.pulumi("stack", "init", "production").returncode == 0
    assert project.pulumi("config", "set", "folder", str(app)).returncode == 0
    found = project.pulumi("preview", "--diff")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "aws:rds/instance:Instance" in found.stdout and "to create" in found.stdout
    assert not [call for call in project.here.provider.calls if call.what != "read"]

    (app / "deployer.toml").write_text(SPACE.replace("{}", '{ size = "mars" }'))
    wrong = project.pulumi("preview")
    assert wrong.returncode != 0
    assert 'space.production.database.size: "mars" is none that deployer knows.' in wrong.stdout + wrong.stderr


def test_a_stack_that_nothing_describes_is_told(project: Project) -> None:
    assert project.pulumi("stack", "init", "staging").returncode == 0
    found = project.pulumi("preview")
    assert found.returncode != 0
    assert "Nothing describes the space staging." in found.stdout + found.stderr
