"""The operating systems that slugs run on; the run list is what every host has, the build list a superset of it."""

from __future__ import annotations

import platform as machine_platform
from collections.abc import Mapping
from dataclasses import dataclass, field

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform, spelled `debian-13-amd64`."""

    system: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.system}-{self.architecture}"

    @property
    def codename(self) -> str:
        """Debian's suite of this platform."""
        return SYSTEMS[self.system].codename

    @property
    def python(self) -> str:
        """The minor version of the platform's own python3."""
        return SYSTEMS[self.system].python


@dataclass(frozen=True, slots=True)
class System:
    """What differs between the supported systems. `names` are packages that are called otherwise than on Debian."""

    codename: str
    python: str
    names: Mapping[str, str] = field(default_factory=dict)


SYSTEMS = {
    "debian-13": System("trixie", "3.13"),
    "debian-12": System("bookworm", "3.11"),
    "ubuntu-24.04": System("noble", "3.12", {"libjpeg62-turbo": "libjpeg-turbo8"}),
}
DEFAULT_SYSTEM = "debian-13"


def parse(text: str) -> Platform:
    """`debian-13-arm64` or, for this machine's architecture, `debian-13`; ValueError for anything else."""
    system, _, architecture = text.rpartition("-")
    if text in SYSTEMS:
        system, architecture = text, this_architecture()
    if system not in SYSTEMS or architecture not in ARCHITECTURES.values():
        raise ValueError(text)
    return Platform(system, architecture)


def this_architecture() -> str:
    """This machine's architecture in Debian's spelling; as the kernel says it where Debian has none."""
    machine = machine_platform.machine()
    return ARCHITECTURES.get(machine, machine)


# Package lists: names that both systems know, so that `prepare` can ask dpkg for each of them. What slugs may link to
# beyond these comes with them (libssl, libicu, libcurl, libreadline ... bear other names from system to system).
# media-types is /etc/mime.types, which Python's mimetypes answers from.
RUN_PACKAGES = (
    "bzip2", "ca-certificates", "curl", "file", "fontconfig", "gettext-base", "git", "less", "libffi8",
    "libfreetype6", "libgmp10", "libgomp1", "libjpeg62-turbo", "liblcms2-2", "libmariadb3", "libncursesw6",
    "libopenjp2-7", "libpq5", "libsasl2-2", "libsqlite3-0", "libstdc++6", "libtiff6", "libuuid1", "libwebp7",
    "libwebpdemux2", "libwebpmux3", "libxml2", "libxslt1.1", "libyaml-0-2", "locales", "media-types", "netbase",
    "openssh-client", "openssl", "postgresql-client", "procps", "python3", "tzdata", "unzip", "xz-utils", "zip",
    "zlib1g",
)  # fmt: skip

# What turns a source into a slug, the run list included.
BUILD_PACKAGES = (
    *RUN_PACKAGES, "build-essential", "gettext", "jq", "libbz2-dev", "libcurl4-openssl-dev", "libffi-dev",
    "libfreetype-dev", "libgmp-dev", "libjpeg-dev", "libkrb5-dev", "liblcms2-dev", "libldap-dev", "liblzma-dev",
    "libmariadb-dev", "libncurses-dev", "libopenjp2-7-dev", "libpq-dev", "libreadline-dev", "libsasl2-dev",
    "libsqlite3-dev", "libssl-dev", "libtiff-dev", "libwebp-dev", "libxml2-dev", "libxslt1-dev", "libyaml-dev",
    "patch", "pkg-config", "python3-dev", "python3-venv", "rsync", "uuid-dev", "zlib1g-dev", "zstd",
)  # fmt: skip

# What makes a machine a host, the run list included.
HOST_PACKAGES = (
    *RUN_PACKAGES, "dbus", "haproxy", "iproute2", "libpam-systemd", "nftables", "openssh-server", "postgresql",
    "rsync", "sudo", "systemd", "systemd-sysv", "zstd",
)  # fmt: skip


def host_packages(system: str) -> tuple[str, ...]:
    """What a host of this system has, by the names that it has there."""
    names = SYSTEMS[system].names if system in SYSTEMS else {}
    return tuple(names.get(package, package) for package in HOST_PACKAGES)
