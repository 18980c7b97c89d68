"""certbot for hosts of the box, which have no way to a package mirror: what installing it changes in their image, made
once, as a folder that goes over a host's disk before its first boot."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

from deployer.build.apt_sources import transport_options
from deployer.build.folders import cache_folder
from deployer.host.lock import locked

# $1 the image, $2 a folder on whose `upper` everything is laid down.
SCRIPT = r"""
set -e
mkdir -p "$2/upper/etc/apt/apt.conf.d" "$2/work" "$2/root"
cp /etc/resolv.conf "$2/upper/etc/resolv.conf"
cp "$2/transport" "$2/upper/etc/apt/apt.conf.d/00box"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount --bind /dev "$2/root/dev"
mount -t proc proc "$2/root/proc"
printf '#!/bin/sh\nexit 101\n' > "$2/root/usr/sbin/policy-rc.d"
chmod 755 "$2/root/usr/sbin/policy-rc.d"
export DEBIAN_FRONTEND=noninteractive
chroot "$2/root" apt-get update
chroot "$2/root" apt-get install --yes --no-install-recommends certbot
chroot "$2/root" apt-get clean
rm -rf "$2/root/var/lib/apt/lists" "$2/root/usr/sbin/policy-rc.d" "$2/root/etc/apt/apt.conf.d/00box"
rm -f "$2"/root/etc/systemd/system/timers.target.wants/certbot.timer
"""


def layer(image: Path) -> Path:
    """The folder; the test is skipped where no mirror gives what is in it."""
    made = cache_folder() / f"certbot-{image.name}"
    with locked(made.with_suffix(".lock"), fcntl.LOCK_EX):
        if not (made / "upper").exists():
            _make(image, made)
    return made / "upper"


def _make(image: Path, made: Path) -> None:
    aside = made.with_suffix(".new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    dumped = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    (aside / "transport").write_text("".join(f"{line}\n" for line in transport_options(dumped)))
    words = ["unshare", "--mount", "--propagation=private", "bash", "-c", SCRIPT, "certbot", str(image), str(aside)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(aside)
        pytest.skip(f"certbot cannot be had for hosts: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
    for name in ("work", "root", "transport"):
        path = aside / name
        path.unlink() if path.is_file() else shutil.rmtree(path)
    aside.rename(made)
