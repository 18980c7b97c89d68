"""What platform images are made of: values, and the files that are put right in a fresh root."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from deployer.model.platforms import BUILD_PACKAGES, HOST_PACKAGES, Platform

Kind = Literal["build", "host"]
VERSION = 1  # raised when the steps of `finish` change
PACKAGES = {"build": BUILD_PACKAGES, "host": HOST_PACKAGES}
DPKG = (
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/doc/*",
    "path-exclude=/usr/share/locale/*",
    "path-include=/usr/share/locale/locale.alias",
    "path-include=/usr/share/doc/*/copyright",
    "force-confold",  # for the file below, which stands before its package
)
LOCALES = 'echo "en_US.UTF-8 UTF-8" > "$1/etc/locale.gen" && chroot "$1" locale-gen'
# A JDK's installation fails where this folder is missing, and path-exclude leaves it out.
MAN = 'mkdir -p "$1/usr/share/man/man1"'
# Debian would make a cluster at installation; ours is made by `deployer`, where and when a space has a database.
NO_CLUSTER = (
    'mkdir -p "$1/etc/postgresql-common" && '
    'echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"'
)
BEFORE = {"build": (MAN,), "host": (MAN, NO_CLUSTER)}

# A read-only root needs every mount point of a build to be there.
MOUNT_POINTS = ("app", "cache", "opt/tools", "opt/rt")
MOUNT_FILES = ("etc/resolv.conf", "etc/hosts", "etc/pip.conf", "etc/npmrc")

# Nothing in a host of the sandbox has a console, a disk of its own or a way to package mirrors.
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service",
    "fstrim.timer", "systemd-timesyncd.service", "getty@tty1.service", "console-getty.service",
    "systemd-networkd.service", "systemd-networkd.socket", "systemd-resolved.service",
)  # fmt: skip
# What packages enable when they are installed, and `prepare` enables when it has set it up.
NOT_ENABLED = ("haproxy.service", "postgresql.service", "nftables.service")
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
# Debian makes host keys at installation only: without this a host that has none never gets an sshd.
KEYS_AT_BOOT = f"""\
[Service]
ExecStartPre=
ExecStartPre=/bin/sh -c '[ -e {HOST_KEY} ] || ssh-keygen -q -t ed25519 -N "" -f {HOST_KEY}'
ExecStartPre=/usr/sbin/sshd -t
"""
SSHD = f"HostKey {HOST_KEY}\nUseDNS no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
HOSTS = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides how an image comes out, but for the versions of packages. `before` and `after` are hooks
    of mmdebstrap: shell text, with the root as `$1`."""

    platform: str
    architecture: str
    codename: str
    kind: str
    packages: tuple[str, ...]
    dpkg: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    files: str
    version: int

    @classmethod
    def of(cls, platform: Platform, kind: Kind) -> Recipe:
        """The recipe of a platform's image."""
        return cls(
            platform=str(platform),
            architecture=platform.architecture,
            codename=platform.codename,
            kind=kind,
            packages=PACKAGES[kind],
            dpkg=DPKG,
            before=BEFORE[kind],
            after=(LOCALES,),
            files=repr((MOUNT_POINTS, MOUNT_FILES) if kind == "build" else (MASKED, NOT_ENABLED, KEYS_AT_BOOT, SSHD)),
            version=VERSION,
        )

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def finish(root: Path, recipe: Recipe) -> None:
    """Put right what a fresh root has not, or has too much."""
    (_finish_build if recipe.kind == "build" else _finish_host)(root)
    root.chmod(0o755)


def _finish_build(root: Path) -> None:
    for name in MOUNT_POINTS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in MOUNT_FILES:
        _write(root / name, "")
    with (root / "etc/passwd").open("a") as passwd:
        passwd.write("build:x:1000:1000::/app:/bin/bash\n")


def _finish_host(root: Path) -> None:
    _write(root / "etc/resolv.conf", "# none: hosts of a sandbox have no way out\n")
    _write(root / "etc/hosts", HOSTS)
    _write(root / "etc/machine-id", "")  # empty: every host gets its own at its first boot
    (root / "var/lib/dbus/machine-id").unlink(missing_ok=True)
    for key in root.glob("etc/ssh/ssh_host_*"):
        key.unlink()
    _write(root / "etc/systemd/system/ssh.service.d/keys.conf", KEYS_AT_BOOT)
    _write(root / "etc/ssh/sshd_config.d/10-deployer-sandbox.conf", SSHD)
    _services(root / "etc/systemd/system")
    (root / "srv").mkdir(exist_ok=True)


def _services(system: Path) -> None:
    for unit in MASKED:
        (system / unit).unlink(missing_ok=True)
        (system / unit).symlink_to("/dev/null")
    for unit in NOT_ENABLED:
        for link in system.glob(f"*.wants/{unit}"):
            link.unlink()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text)
