"""What keeps one machine running: a shell that mounts its root, starts systemd-nspawn, and starts it again when the
machine was rebooted from within.

The mounts are the keeper's alone (a mount namespace): however it ends, nothing is left of them. When the keeper ends,
systemd-nspawn gets a SIGKILL; on SIGTERM it shuts the machine down first.

What dynos write lies on a bounded file system of its own, as on every host; a machine cannot make one from within, for
it has no loop devices. Where this machine has none either, it goes without.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

# $1 where the root is mounted, $2 options of the overlay; then a command. It ends with 133 to be started again.
SCRIPT = r"""
root=$1 options=$2
shift 2
mount -t overlay overlay -o "$options" "$root" || exit

scratch() {
  image=${root%/root}/scratch.img folder=${root%/root}/srv/deployer/scratch
  install -d -m 0711 "${folder%/scratch}" "$folder"
  rm -f "$image"
  truncate -s "$SCRATCH" "$image"
  mkfs.ext4 -q -F -O ^has_journal,^resize_inode -E lazy_itable_init=1,nodiscard -m 5 "$image" || return
  # discard: what a dyno has deleted takes no room on this machine's disk.
  mount -o loop,noatime,nosuid,nodev,discard,resuid=65534 "$image" "$folder" || return
  chmod 0711 "$folder"
  rmdir "$folder/lost+found"
}
if [ -e /dev/loop-control ]; then SCRATCH=2G scratch; fi

trap 'stopping=yes; [ -z "$child" ] || kill -TERM "$child"' TERM

while [ -z "$stopping" ]; do
  "$@" &
  child=$!
  wait "$child"
  status=$?
  while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done # a signal interrupts `wait`
  [ "$status" = 133 ] || exit "$status"
done
"""
# Join the control groups before `--`, then become the command behind it.
JOIN = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift; exec "$@"'


def words(root: Path, options: str, command: Sequence[str]) -> list[str]:
    """The command that starts a keeper."""
    apart = ["unshare", "--mount", "--propagation=slave"]
    return [*apart, "sh", "-c", SCRIPT, "keeper", str(root), options, *command]


def join(groups: Sequence[Path], scope: Sequence[str], command: Sequence[str]) -> list[str]:
    """`command` in its control groups, ended with whoever started it."""
    guarded = [*scope, "setpriv", "--pdeathsig=KILL", *command]
    return ["sh", "-c", JOIN, "join", *map(str, groups), "--", *guarded]


def overlay(lower: Path, folder: Path) -> str:
    """The mount's options: the image below, what the host changed in `upper`."""
    return f"lowerdir={lower},upperdir={folder}/upper,workdir={folder}/work"
