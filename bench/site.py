"""The measured app: the tests' Django site, with the dependencies of a real one (those that the demo locks)."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "tests/apps/python_django"
LOCKED = ROOT / "demo/requirements.txt"
USED = ("rest_framework", "django_filters", "taggit")  # of these dependencies, by the site itself
RAISED = "sqlparse"  # the dependency that is raised, to the version that is locked
BEFORE = "0.5.5"


class Site:
    """The app's folder. Every change makes a greeting that no earlier one had, and another length of the file: rsync
    compares sizes and seconds."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(SOURCE, folder)
        self.folder = folder
        self._views = folder / "blog/views.py"
        self._text = self._views.read_text()
        self._count = 0
        self._install_apps()
        self.raise_dependency(back=True)
        self.migrates(False)

    def change(self) -> str:
        """Change one line; the greeting that the new version says."""
        self._count += 1
        greeting = f"Greeting{'!' * self._count}."
        self.say(greeting)
        return greeting

    def say(self, greeting: str) -> None:
        """Write the version that says this."""
        self._views.write_text(self._text.replace("Hello", greeting))

    def migrates(self, does: bool) -> None:
        """With or without a release line in the Procfile."""
        lines = [line for line in (SOURCE / "Procfile").read_text().splitlines() if not line.startswith("release")]
        release = ["release: python manage.py migrate --noinput"] if does else []
        (self.folder / "Procfile").write_text("\n".join([*release, *lines]) + "\n")

    def raise_dependency(self, *, back: bool = False) -> None:
        """Raise one dependency to the locked version, or take it back."""
        text = LOCKED.read_text()
        if back:
            text = re.sub(rf"^{RAISED}==\S+", f"{RAISED}=={BEFORE}", text, flags=re.MULTILINE)
        (self.folder / "requirements.txt").write_text(text)

    def _install_apps(self) -> None:
        settings = self.folder / "config/settings.py"
        names = "".join(f'    "{name}",\n' for name in USED)
        settings.write_text(settings.read_text().replace('    "blog",\n', f'{names}    "blog",\n'))


def raised_version() -> str:
    """The version that the dependency is raised to."""
    found = re.search(rf"^{RAISED}==(\S+)", LOCKED.read_text(), re.MULTILINE)
    assert found, f"{LOCKED} pins no {RAISED}"
    return found[1]
