"""Why a Python source is not built: every word that its author reads about it."""

from __future__ import annotations

from dataclasses import dataclass

from buildpacks.errors import Refused

OLDEST, NEWEST = "3.10", "3.14"


@dataclass(eq=False)
class NoPackageManager(Refused):
    """Nothing says what to install. `hint` names what was found instead."""

    hint: str = ""

    headline = "No list of Python packages was found. {hint}"
    advice = """
        One of these must lie in the root of the source: requirements.txt, uv.lock, poetry.lock, Pipfile.lock.
        An app without packages has an empty requirements.txt.
        """


@dataclass(eq=False)
class SeveralPackageManagers(Refused):
    """More than one of them; `files` is a list, ready to print."""

    files: str

    headline = "Several lists of Python packages were found: {files}."
    advice = "Keep the one that you use and delete the others."


@dataclass(eq=False)
class MisspeltFile(Refused):
    """A name that its author surely meant otherwise."""

    found: str
    meant: str

    headline = "There is a file `{found}`, which nothing reads."
    advice = "Rename it to `{meant}`."


@dataclass(eq=False)
class BadVersionFile(Refused):
    """A version file that does not hold one version. `found` is what it holds, or what is wrong with it."""

    file: str
    found: str
    example: str

    headline = "`{file}` does not name a Python version: {found}."
    advice = "It must hold one line like `{example}`."


@dataclass(eq=False)
class VersionEnded(Refused):
    """A version that gets no security fixes any more."""

    version: str
    origin: str

    headline = f"Python {{version}}, asked for by {{origin}}, gets no security fixes any more; {OLDEST} and newer do."
    advice = "Ask for a newer one, or for none: the platform's own is used then."


@dataclass(eq=False)
class VersionUnknown(Refused):
    """A version that does not exist yet."""

    version: str
    origin: str

    headline = f"Python {{version}}, asked for by {{origin}}, is not known. The versions are {OLDEST} to {NEWEST}."
    advice = "Ask for one of them, or for none: the platform's own is used then."


@dataclass(eq=False)
class BrokenLock(Refused):
    """A lock file that cannot be read."""

    file: str
    reason: str

    headline = "`{file}` cannot be read: {reason}."
    advice = "Make it anew with your package manager."
