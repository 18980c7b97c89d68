"""Why a Node.js source is not built: every word that its author reads about it."""

from __future__ import annotations

from dataclasses import dataclass

from buildpacks.errors import Refused


@dataclass(eq=False)
class BadJson(Refused):
    """package.json, or a lock file, that cannot be read."""

    file: str
    reason: str

    headline = "`{file}` cannot be read: {reason}."
    advice = "`npm install --package-lock-only` checks package.json and makes the lock file anew."


@dataclass(eq=False)
class NoLockFile(Refused):
    """There are dependencies, but nothing says which versions of them."""

    headline = "No lock file was found: package.json names packages, but not which versions were tried with the app."
    advice = "`npm install --package-lock-only` makes package-lock.json. Commit it."


@dataclass(eq=False)
class SeveralLockFiles(Refused):
    """Lock files of more than one package manager; `files` is a list, ready to print."""

    files: str

    headline = "Several lock files were found: {files}."
    advice = "Keep the one of the package manager that you use and delete the others."


@dataclass(eq=False)
class ManagerNotYet(Refused):
    """The lock file of a package manager that this buildpack does not drive."""

    manager: str
    file: str

    headline = "`{file}` is a lock file of {manager}. Only npm's are installed so far."
    advice = "Delete it, and let `npm install --package-lock-only` make package-lock.json. Commit that."


@dataclass(eq=False)
class BadRange(Refused):
    """A version in package.json that means none. `key` is `engines.node`."""

    key: str
    found: str
    example: str

    headline = "`{key}` in package.json is no range of versions: it says `{found}`."
    advice = 'Write one like `"{example}"`.'


@dataclass(eq=False)
class NothingFits(Refused):
    """A range that no published version is in. `there_are` lists what there is, ready to print."""

    what: str
    key: str
    wanted: str
    there_are: str

    headline = "No published {what} is in the range `{wanted}` that `{key}` in package.json asks for."
    advice = "There are: {there_are}."
