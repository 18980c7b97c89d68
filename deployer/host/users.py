"""The system user that runs an app's dynos and owns its files."""

from __future__ import annotations

import pwd
import subprocess

from deployer.host.units import user

FIRST_UID = 20000


def sysusers_line(uid: int) -> str:
    """The user as sysusers.d(5) spells it: no password, no files of its own, and no subordinate ids."""
    return f'u {user(uid)} {uid} "dynos of an app" /app /bin/bash'


def ensure(uid: int) -> bool:
    """Make the user and its group where they are missing; whether they were."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        subprocess.run(["systemd-sysusers", "--inline", sysusers_line(uid)], check=True, capture_output=True)
        return True
    return False
