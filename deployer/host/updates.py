"""Security updates of a host of AWS, with nobody there: Debian's unattended-upgrades, told what to leave alone.

What serves is not restarted at an hour of its own choosing: routers and databases are left out, and get theirs by
`hosts:roll`. A reboot that an update asks for waits for the window, one host at a time (host/rebooting.py).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from deployer.errors.base import HostFailure
from deployer.host import files, packages

PACKAGE = "unattended-upgrades"
SETTINGS = "etc/apt/apt.conf.d/52deployer-updates"  # after the package's own, 50unattended-upgrades
LEFT_ALONE = ("haproxy", "postgresql")  # beginnings of names
TEXT = """\
// Of deployer: security updates alone, by themselves; docs/aws-hosts.md says more.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
#clear Unattended-Upgrade::Origins-Pattern;
#clear Unattended-Upgrade::Package-Blacklist;
Unattended-Upgrade::Origins-Pattern {
  "origin=Debian,codename=${distro_codename},label=Debian-Security";
  "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";
};
Unattended-Upgrade::Package-Blacklist {
@LEFT_ALONE@
};
// A host that boots again hands its dynos over first, in a window: deployer sees to that.
Unattended-Upgrade::Automatic-Reboot "false";
""".replace("@LEFT_ALONE@", "\n".join(f'  "{name}";' for name in LEFT_ALONE))


def ensure(system: Path, changed: Callable[[str], None], waiting: Callable[[str], None]) -> None:
    """Have them: the settings first, so that the package never runs with its own. Where apt knows no such package, or
    cannot get it, the host serves without."""
    if files.write(system / SETTINGS, TEXT.encode(), 0o644):
        changed("settings of security updates")
    if packages.has(PACKAGE) or not packages.is_offered(PACKAGE):
        return
    try:
        packages.install([PACKAGE], waiting, at_first_boot=True)
        changed(f"packages {PACKAGE}")
    except HostFailure as failure:
        changed(f"no security updates by themselves: {PACKAGE} cannot be had ({failure.code})")
