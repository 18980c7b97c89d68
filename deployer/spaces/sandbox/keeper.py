"""What keeps one machine running: a shell that mounts its root, starts systemd-nspawn, and starts it again when the
machine was rebooted from within.

The mount is the keeper's alone (a mount namespace): however it ends, nothing is left of it. When the keeper ends,
systemd-nspawn gets a SIGKILL; on SIGTERM it shuts the machine down first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

# $1 where the root is mounted, $2 options of the overlay; then a command. It ends with 133 to be started again.
SCRIPT = r"""
root=$1 options=$2
shift 2
mount -t overlay overlay -o "$options" "$root" || exit
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
