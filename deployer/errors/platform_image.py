"""Platform images: what this machine lacks to make one."""

from __future__ import annotations

from deployer.errors.base import Failure


class PlatformToolMissing(Failure):
    """A program is missing that comes with a package."""

    program: str
    packages: str

    headline = "`{program}` is missing, which makes the platform images that builds run in."
    advice = "Type: sudo apt-get install --yes {packages}"


class WrongArchitecture(Failure):
    """An image of another architecture cannot be made here."""

    platform: str
    architecture: str

    headline = "This machine ({architecture}) cannot make an image of {platform}."


class NoPackageSources(Failure):
    """The machine's apt has no sources that could be turned to the platform's release. Releases by code name."""

    platform: str
    release: str
    machine: str

    headline = "This machine has no package sources that an image of {platform} could be made from."
    seen = "Looked in /etc/apt for Debian's releases `{machine}`, which this machine says it is, and `{release}`."
    advice = """
        On Debian, write them to /etc/apt/sources.list.d/debian.sources (`man sources.list` has an example).
        Elsewhere, add Debian's `{release}` there, with Signed-By, and a pin below zero: apt will ignore it.
        """


class NoRangeOfUids(Failure):
    """Not root, and no range of uids for user namespaces."""

    uid: int
    first: int
    last: int

    headline = "An image of a platform is made by root, or by a user who has a range of uids for it."
    seen = "/etc/subuid and /etc/subgid give no range of 65536 to uid {uid}."
    advice = 'Type: sudo usermod --add-subuids {first}-{last} --add-subgids {first}-{last} "$(id -un)"'


class ImageNotMade(Failure):
    """mmdebstrap failed; `lines` are its last words."""

    platform: str
    lines: str

    headline = "The platform image {platform} could not be made."
    seen = "mmdebstrap said at last:\n{lines}"
    advice = "Check that `apt-get update` works on this machine, and that its disk has 2 GB left; then try again."
