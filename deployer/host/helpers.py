"""The programs that units run on a host, as texts. They carry a number: an old one stays until no unit names it.

`dyno-fs-v1` mounts and unmounts a dyno's overlay and works out how long a crashed dyno waits; `dyno-launch-v1` is the
first process of a dyno; `task-end-v1` writes down how a release dyno ended; `scratch-v1` bounds what dynos can write.
"""

from __future__ import annotations

FORGIVEN_AFTER = 600  # seconds: a dyno that ran so long starts again as if it had never crashed
LONGEST_DELAY = 300  # seconds
CRASHED_FROM = 4  # seconds of delay from which routers do not let requests wait for a dyno

DYNO_FS = f"""\
#!/bin/sh
# dyno-fs-v1 up|down INSTANCE: the writable and ephemeral /app of one dyno.
# Few programs: each costs a millisecond or two of every start.
set -eu
umask 022
dyno=/srv/deployer/dynos/$2
scratch=/srv/deployer/scratch/$2
run=/run/deployer

clean() {{
    if [ ! -e "$scratch" ]; then return; fi
    # Never remove what is still mounted: the lower files would stay, but open ones would vanish under the dyno.
    while mountpoint -q "$scratch/root" 2>/dev/null; do umount -l "$scratch/root"; done
    rm -rf "$scratch"
}}

# Seconds to wait before this start: 0 at first, then 0, 1, 2, 4 ... after each crash. `starts` keeps how many starts
# there were in a row and when (uptime) the last one began to run; a boot of the host forgets it.
back_off() {{
    if [ ! -d "$run/delays" ]; then mkdir -p -m 0700 "$run" "$run/starts" "$run/delays"; fi
    read -r now rest < /proc/uptime
    now=${{now%.*}} starts=0 begun=$now
    if [ -r "$run/starts/$1" ]; then read -r starts begun < "$run/starts/$1"; fi
    if [ $((now - begun)) -ge {FORGIVEN_AFTER} ]; then starts=0; fi
    if [ "$starts" -le 1 ]; then delay=0
    elif [ "$starts" -ge 11 ]; then delay={LONGEST_DELAY}
    else delay=$((1 << (starts - 2))); if [ "$delay" -gt {LONGEST_DELAY} ]; then delay={LONGEST_DELAY}; fi; fi
    echo "$((starts + 1)) $((now + delay))" > "$run/starts/$1"
    echo "$delay" > "$run/delays/$1"
}}

# Tells routers that they need not wait for a dyno that stays down for a while: this host's by a file with the time
# (uptime) until which it does, those of other hosts by what their checks of its port get for an answer.
tell() {{
    if [ ! -r "$dyno/port" ]; then return; fi
    read -r port < "$dyno/port"
    name=$run/crashed/${{1%.v*}}
    if [ "$delay" -ge {CRASHED_FROM} ]; then
        chmod 0711 "$run"
        mkdir -p -m 0711 "$run/crashed"
        echo "$((now + delay))" > "$name"
        nft add element inet deployer crashed "{{ $port timeout ${{delay}}s }}" || true
    elif [ -e "$name" ]; then
        rm -f "$name"
        nft delete element inet deployer crashed "{{ $port }}" 2> /dev/null || true
    fi
}}

# No dyno starts unfiltered, whoever flushed the rules.
guard() {{
    nft list table inet deployer > /dev/null 2>&1 || nft -f /etc/deployer/firewall.nft
}}

lay() {{
    # What has no files any more belongs to no release: left alone, systemd would start it again and again.
    if [ ! -e "$dyno/layers" ]; then systemctl stop --no-block "deployer-dyno-v1@$1.service"; exit 1; fi
    read -r lower < "$dyno/layers"
    read -r uid < "$dyno/uid"
    if [ ! -d /srv/deployer/scratch ]; then mkdir -m 0711 /srv/deployer/scratch; fi
    # Where the host has a bounded file system for this, nothing is written beside it.
    if [ -e /srv/deployer/scratch.img ]; then mountpoint -q /srv/deployer/scratch; fi
    mkdir -m 0700 "$scratch" "$scratch/work" "$scratch/root"
    mkdir -m 1777 "$scratch/tmp"
    mkdir "$scratch/upper" "$scratch/upper/app"
    chown "$uid:$uid" "$scratch/upper/app"
    # redirect_dir: os.rename() of a directory of the slug; volatile: no fsync for what is thrown away.
    options="nosuid,nodev,volatile,redirect_dir=on,lowerdir=$lower,upperdir=$scratch/upper,workdir=$scratch/work"
    # mount(8) of util-linux 2.39 and later sets options one by one, and the kernel takes 256 bytes for each.
    LIBMOUNT_FORCE_MOUNT2=always exec mount -t overlay deployer-dyno -o "$options" "$scratch/root"
}}

case $1 in
up) back_off "$2"; guard; tell "$2"; clean; lay "$2" ;;
down) clean ;;
*) exit 2 ;;
esac
"""

DYNO_LAUNCH = """\
#!/bin/bash
# dyno-launch-v1: what a dyno does before its command. Runs as the app's user, in the dyno's own namespaces.
delay=$(< "$CREDENTIALS_DIRECTORY/delay")
if (( delay > 0 )); then sleep "$delay"; fi
command=$(< "$CREDENTIALS_DIRECTORY/command")
. "$CREDENTIALS_DIRECTORY/env"
unset delay CREDENTIALS_DIRECTORY INVOCATION_ID JOURNAL_STREAM SYSTEMD_EXEC_PID
unset MEMORY_PRESSURE_WATCH MEMORY_PRESSURE_WRITE
for file in /app/.profile.d/*.sh; do
    if [[ -r $file ]]; then . "$file"; fi
done
if [[ -r /app/.profile ]]; then . /app/.profile; fi
unset file
exec bash -c "$command"
"""

TASK_END = """\
#!/bin/sh
# task-end-v1 INSTANCE: how a release dyno ended, in systemd's words (`exited 0`, `killed TERM`).
set -eu
cd "/srv/deployer/tasks/$1"
printf '%s %s\\n' "${EXIT_CODE:-failed}" "${EXIT_STATUS:-1}" > status.new
sync status.new
mv status.new status
"""

SCRATCH = """\
#!/bin/sh
# scratch-v1 MIB: a file system of that size for the overlays and /tmp of all dynos, empty at every boot of the host.
set -eu
folder=/srv/deployer/scratch
image=/srv/deployer/scratch.img
mkdir -p "$folder"
if mountpoint -q "$folder"; then exit 0; fi
rm -f "$image"
# Not sparse: what dynos may fill is taken from the disk now, not at night.
fallocate -l "$1MiB" "$image"
# A twentieth is root's, who makes a dyno's folders: dynos start also where others have filled the rest. `resuid`: what
# dynos write through an overlay the kernel writes as root.
mkfs.ext4 -q -F -O ^has_journal,^resize_inode -E lazy_itable_init=1,nodiscard -m 5 "$image"
mount -o loop,noatime,nosuid,nodev,resuid=65534 "$image" "$folder"
chmod 0711 "$folder"
rmdir "$folder/lost+found"
"""

HELPERS = {"dyno-fs-v1": DYNO_FS, "dyno-launch-v1": DYNO_LAUNCH, "task-end-v1": TASK_END, "scratch-v1": SCRATCH}
