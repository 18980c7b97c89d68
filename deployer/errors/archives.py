"""What goes wrong with the archives of Pulumi's command and of its provider for AWS, which are downloaded once.

`what` is the archive in words (`Pulumi 3.267.0`), `instead` how to do without its download.
"""

from __future__ import annotations

from deployer.errors.base import Failure


class ArchiveUnreached(Failure):
    """Nobody answered, not to the end, or not with the archive. `reason` is what was seen of that."""

    what: str
    url: str
    reason: str
    instead: str

    headline = "{what} could not be downloaded."
    seen = "{url}: {reason}"
    advice = """
        Nothing of it was kept: type the same command again. HTTPS_PROXY names a proxy, where there is one. Without a
        way there: {instead}
        """


class ArchiveWrong(Failure):
    """Something came whose SHA-256 is another one. `found` says what it looks like."""

    what: str
    url: str
    found: str
    instead: str

    headline = "What came is not {what} as this deployer knows it."
    seen = "{url}: {found}"
    advice = """
        Nothing of it was used or kept. A proxy or the page of a guest network may have answered: type the same command
        again where there is none. Else: {instead}
        """


class ArchiveBroken(Failure):
    """It is the one that was meant, and cannot be unpacked."""

    what: str
    url: str
    problem: str
    instead: str

    headline = "{what} was not unpacked: it holds what such an archive should not."
    seen = "{url}: {problem}"
    advice = "Nothing of it was used or kept. Please report this. To do without: {instead}"


class ArchiveNotKept(Failure):
    """This machine's disk refuses it."""

    what: str
    folder: str
    reason: str

    headline = "{what} could not be written to {folder}."
    seen = "{reason}"
    advice = """
        Nothing of it was kept. Make room or mend that, and type the same command again; DEPLOYER_DATA names another
        folder for what deployer keeps.
        """
