"""Texts of the systemd units that run dynos, all from one list of properties.

A property is a pair `(key, value)` as `[Service]` has it; `systemd-run` takes the same pairs as `-p KEY=VALUE`. Where
a text needs the instance it says `%i` in the templates and the instance's name elsewhere.

Facts behind single lines (tried on systemd 252 and 257):
- `/app` is bound from a directory that exists only inside the overlay's mount, and the helper is only `Wants=`: a
  failed helper fails the dyno itself, which systemd then retries; a failed `Requires=` dependency is never retried.
- `ProcSubset=pid` and `MemoryDenyWriteExecute=` are left out: the first removes /proc/meminfo (psutil, Node and the
  JVM read it), the second stops every just-in-time compiler.
- `StartLimitIntervalSec=0`: the default counts manual starts as well, and the sixth in ten seconds fails.
"""

from __future__ import annotations

from collections.abc import Iterable

from deployer.model.dyno import Dyno
from deployer.model.formation import Size

Property = tuple[str, str]

HELPERS = "/usr/local/lib/deployer"
FS_HELPER = f"{HELPERS}/dyno-fs-v1"
LAUNCHER = f"{HELPERS}/dyno-launch-v1"
TASK_END = f"{HELPERS}/task-end-v1"
AGENT = "/srv/deployer/agent/current"  # the version that prepared this host
FIREWALL_FILE = "/etc/deployer/firewall.nft"

DYNO = "deployer-dyno-v1@{}.service"
DYNO_FS = "deployer-dyno-fs-v1@{}.service"
TASK = "deployer-task-v1@{}.service"
RUN = "deployer-run-{}.service"  # a one-off dyno, made by systemd-run
FIREWALL = "deployer-firewall.service"
SCRATCH = "deployer-scratch.service"
REPAIR = "deployer-repair-v1.service"
REPAIR_TIMER = "deployer-repair-v1.timer"
CONVERGE = "deployer-converge-v1.service"  # on hosts of AWS that have joined by themselves
CONVERGE_TIMER = "deployer-converge-v1.timer"
BACKUPS = "deployer-backups-v1.service"
BACKUPS_TIMER = "deployer-backups-v1.timer"
CERTIFICATES = "deployer-certificates-v1.service"  # where nothing stands before the routers
CERTIFICATES_TIMER = "deployer-certificates-v1.timer"
SLICE = "deployer.slice"
BUILDS_SLICE = "deployerbuilds.slice"  # beside that of the dynos: a dash would put it below

ONLINE = "network-online.target"

# journald's sockets: a message there may be of 64 MB, and name its own fields. What a process prints comes without.
JOURNAL = "/run/systemd/journal"
PATH = "/usr/local/bin:/usr/bin:/bin"
STOP_SECONDS = 30

HARDENING: tuple[Property, ...] = (
    ("NoNewPrivileges", "yes"),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "yes"),
    ("PrivateDevices", "yes"),
    ("PrivateIPC", "yes"),
    ("PrivateMounts", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectProc", "invisible"),
    ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("RemoveIPC", "yes"),
    ("LockPersonality", "yes"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    # io_uring does by a queue what the filter of system calls cannot see; programs go on without it.
    ("SystemCallFilter", "~@privileged @resources io_uring_setup io_uring_enter io_uring_register"),
    ("SystemCallErrorNumber", "EPERM"),
    ("CapabilityBoundingSet", ""),
    ("UMask", "0077"),
    ("InaccessiblePaths", f"-/run/dbus -/run/haproxy -{JOURNAL} -/etc/deployer -/root"),
    ("LimitNOFILE", "16384"),
    # A core holds config vars, and nobody may look for them there.
    ("LimitCORE", "0"),
    ("OOMScoreAdjust", "500"),
    # One app's burst must not evict everybody's journal: journald takes up to 3.25 times so many lines, none longer
    # than LineMax= of prepare.py: a third of what the journal may hold.
    ("LogRateLimitIntervalSec", "30s"),
    ("LogRateLimitBurst", "10000"),
    ("SyslogLevelPrefix", "no"),  # `<3>` at a line's beginning is the app's own, and each level has a limit of its own
)


# A start that reaches systemd when the dyno has been removed, as that of an agent that was killed as it asked for it,
# is passed over: as a failed unit it would stay.
HAS_FILES = ("ConditionPathExists", "/srv/deployer/dynos/%i/layers")


def properties(instance: str = "%i") -> list[Property]:
    """What every process of an app runs with: its files, its secrets, its walls."""
    scratch = f"/srv/deployer/scratch/{instance}"
    dyno = f"/srv/deployer/dynos/{instance}"
    return [
        ("Slice", SLICE),
        ("WorkingDirectory", "/app"),
        ("TemporaryFileSystem", "/srv:ro"),
        ("TemporaryFileSystem", "/dev/shm:rw,nosuid,nodev,mode=1777"),
        ("BindPaths", f"{scratch}/root/app:/app"),
        # Not PrivateTmp=: that lies on the host's own disk, this on the bounded scratch file system.
        ("BindPaths", f"{scratch}/tmp:/tmp {scratch}/tmp:/var/tmp"),
        ("LoadCredential", f"env:{dyno}/env"),
        ("LoadCredential", f"command:{dyno}/command"),
        ("LoadCredential", f"delay:/run/deployer/delays/{instance}"),
        ("Environment", f"HOME=/app PATH={PATH}"),
        ("KillMode", "control-group"),
        ("TimeoutStopSec", str(STOP_SECONDS)),
        *HARDENING,
    ]


def limits(dyno: Dyno, uid: int, size: Size) -> list[Property]:
    """What differs from dyno to dyno: user, memory, CPU, tasks, and the names that its journal entries carry."""
    fields = f"DEPLOYER_APP={dyno.app} DEPLOYER_DYNO={dyno.name} DEPLOYER_SOURCE=app"
    return [
        ("User", user(uid)),
        ("MemoryMax", f"{size.memory}M"),
        ("MemorySwapMax", "0"),
        ("TasksMax", str(size.tasks)),
        ("CPUWeight", str(size.cpu_weight)),
        ("LogExtraFields", fields),
    ]


def user(uid: int) -> str:
    """The name of the system user of an app."""
    return f"dyno{uid}"


def dropin(dyno: Dyno, uid: int, size: Size) -> str:
    """`dyno.conf` of one instance; written before its first start, so that no reload of systemd is needed."""
    return section("Service", limits(dyno, uid, size))


def dyno_template() -> str:
    """`deployer-dyno-v1@.service`: a dyno of the formation. Any exit is a crash; the launcher sleeps the back-off."""
    service: list[Property] = [
        ("Type", "exec"),
        *properties(),
        ("ExecStart", LAUNCHER),
        ("Restart", "always"),
        ("RestartSec", "1s"),
    ]
    return (
        _unit([*_needs("Dyno %i"), HAS_FILES], service) + "\n" + section("Install", [("WantedBy", "multi-user.target")])
    )


def task_template() -> str:
    """`deployer-task-v1@.service`: a release dyno. Runs once; output and status stay in /srv/deployer/tasks."""
    folder = "/srv/deployer/tasks/%i"
    service: list[Property] = [
        ("Type", "exec"),
        *properties(),
        # The folder is root's alone: the end's helper, which runs in the same mount namespace, must find it.
        ("BindPaths", folder),
        ("ExecStart", LAUNCHER),
        ("ExecStopPost", f"+{TASK_END} %i"),
        ("StandardOutput", f"append:{folder}/output"),
        ("StandardError", "inherit"),
        ("LimitFSIZE", "1G"),  # its output lies on the host's own disk
        ("RuntimeMaxSec", "24h"),
    ]
    return _unit(_needs("Release dyno %i"), service)


def dyno_fs_template() -> str:
    """`deployer-dyno-fs-v1@.service`: the overlay of one dyno, fresh at every start, gone at every stop."""
    unit: list[Property] = [
        ("Description", "Files of dyno %i"),
        HAS_FILES,
        ("PartOf", DYNO.format("%i")),
        ("Wants", SCRATCH),
        ("After", SCRATCH),
        ("StopWhenUnneeded", "yes"),
        ("StartLimitIntervalSec", "0"),
    ]
    service: list[Property] = [
        ("Type", "oneshot"),
        ("RemainAfterExit", "yes"),
        ("ExecStart", f"{FS_HELPER} up %i"),
        # Not ExecStop=: that does not run when `up` itself failed.
        ("ExecStopPost", f"{FS_HELPER} down %i"),
    ]
    return _unit(unit, service)


def firewall_unit() -> str:
    """`deployer-firewall.service`: loads our table at boot, before anything of an app starts."""
    unit: list[Property] = [
        ("Description", "Firewall of dynos"),
        ("Wants", "network-pre.target"),
        ("Before", "network-pre.target"),
        ("After", "nftables.service local-fs.target systemd-sysusers.service"),
        ("DefaultDependencies", "no"),
    ]
    service: list[Property] = [
        ("Type", "oneshot"),
        ("RemainAfterExit", "yes"),
        ("ExecStart", f"/usr/sbin/nft -f {FIREWALL_FILE}"),
        ("ExecReload", f"/usr/sbin/nft -f {FIREWALL_FILE}"),
    ]
    return _unit(unit, service) + "\n" + section("Install", [("WantedBy", "multi-user.target")])


def _timer(description: str, timer: list[Property]) -> str:
    head = section("Unit", [("Description", description)])
    return "\n".join([head, section("Timer", timer), section("Install", [("WantedBy", "timers.target")])])


def repair_unit() -> str:
    """`deployer-repair-v1.service`: one look at what should run here, which ends by itself."""
    service: list[Property] = [
        ("Type", "oneshot"),
        ("ExecStart", f"/usr/bin/python3 -I {AGENT} repair"),
        ("StandardInput", "null"),
        # What it did it tells as an event; its result says the same.
        ("StandardOutput", "null"),
        ("TimeoutStartSec", "5min"),
        ("Nice", "10"),
    ]
    return _unit([("Description", "Repair of dynos, router and firewall")], service)


def repair_timer() -> str:
    """`deployer-repair-v1.timer`: it runs once a minute."""
    timer: list[Property] = [("OnBootSec", "2min"), ("OnUnitInactiveSec", "1min"), ("AccuracySec", "10s")]
    return _timer("Repair of dynos, router and firewall, once a minute", timer)


def converge_unit() -> str:
    """`deployer-converge-v1.service`: a host of AWS looks what has changed in its space, and follows."""
    service: list[Property] = [
        ("Type", "oneshot"),
        ("ExecStart", f"/usr/bin/python3 -I {AGENT} converge"),
        ("StandardInput", "null"),
        # Six times a minute it says that nothing has changed, and systemd that it ran: only what goes wrong is for the
        # journal, which it says on its other stream.
        ("StandardOutput", "null"),
        ("StandardError", "journal"),
        ("SyslogLevel", "warning"),
        ("LogLevelMax", "notice"),
        ("TimeoutStartSec", "1h"),  # layers may be large
    ]
    unit = [("Description", "What has changed in the space"), ("Wants", ONLINE), ("After", ONLINE)]
    return _unit(unit, service)


def converge_timer() -> str:
    """`deployer-converge-v1.timer`: every ten seconds, not all hosts at the same moment."""
    timer: list[Property] = [
        ("OnBootSec", "10s"),
        ("OnUnitInactiveSec", "10s"),
        ("AccuracySec", "1s"),
        ("RandomizedDelaySec", "3s"),
    ]
    return _timer("What has changed in the space, every ten seconds", timer)


def backups_unit() -> str:
    """`deployer-backups-v1.service`: begins the backups that are due."""
    service: list[Property] = [
        ("Type", "oneshot"),
        ("ExecStart", f"/usr/bin/python3 -I {AGENT} backups_due"),
        ("StandardInput", "null"),
        ("StandardOutput", "null"),
        ("StandardError", "journal"),
        ("LogLevelMax", "notice"),
        ("TimeoutStartSec", "5min"),
        ("Nice", "10"),
    ]
    unit = [("Description", "Backups that are due"), ("Wants", ONLINE), ("After", ONLINE)]
    return _unit(unit, service)


def backups_timer() -> str:
    """`deployer-backups-v1.timer`: every five minutes, not on all hosts at the same moment."""
    timer: list[Property] = [
        ("OnBootSec", "1min"),
        ("OnUnitInactiveSec", "5min"),
        ("AccuracySec", "10s"),
        ("RandomizedDelaySec", "30s"),
    ]
    return _timer("Backups that are due, every five minutes", timer)


def certificates_unit() -> str:
    """`deployer-certificates-v1.service`: orders and renews what the apps' names need, mostly nothing."""
    service: list[Property] = [
        ("Type", "oneshot"),
        ("ExecStart", f"/usr/bin/python3 -I {AGENT} certificates"),
        ("StandardInput", "null"),
        ("StandardOutput", "null"),
        ("StandardError", "journal"),
        ("SyslogLevel", "warning"),
        ("LogLevelMax", "notice"),
        ("TimeoutStartSec", "1h"),  # a mirror may be slow, and there may be many names
        ("Nice", "10"),
    ]
    unit = [("Description", "Certificates of the apps' names"), ("Wants", ONLINE), ("After", ONLINE)]
    return _unit(unit, service)


def certificates_timer() -> str:
    """`deployer-certificates-v1.timer`: once a minute; routes with a name that has no certificate start it at once."""
    timer: list[Property] = [
        ("OnBootSec", "30s"),
        ("OnUnitInactiveSec", "1min"),
        ("AccuracySec", "5s"),
        ("RandomizedDelaySec", "10s"),
    ]
    return _timer("Certificates of the apps' names, once a minute", timer)


def builds_slice() -> str:
    """`deployerbuilds.slice`: what serves, router and databases included, comes first."""
    values: list[Property] = [("CPUWeight", "5"), ("IOWeight", "5"), ("MemoryMax", "50%"), ("TasksMax", "4096")]
    return section("Unit", [("Description", "Builds on this host")]) + "\n" + section("Slice", values)


def scratch_unit(size: int) -> str:
    """`deployer-scratch.service`: the bounded file system of all dynos' overlays; `size` in MiB."""
    unit: list[Property] = [("Description", "Scratch space of dynos"), ("RequiresMountsFor", "/srv/deployer")]
    service: list[Property] = [
        ("Type", "oneshot"),
        ("RemainAfterExit", "yes"),
        ("ExecStart", f"{HELPERS}/scratch-v1 {size}"),
    ]
    return _unit(unit, service) + "\n" + section("Install", [("WantedBy", "multi-user.target")])


def nftables_dropin() -> str:
    """Drop-in of nftables.service, each of whose verbs flushes every table, ours too: load ours again behind it."""
    again = f"/usr/sbin/nft -f {FIREWALL_FILE}"
    return section("Service", [("ExecStartPost", again), ("ExecReload", again), ("ExecStop", again)])


def dynos_slice() -> str:
    """All dynos together leave a fifth of the memory to system, router and databases."""
    return section("Unit", [("Description", "Dynos")]) + "\n" + section("Slice", [("MemoryMax", "80%")])


def section(name: str, pairs: Iterable[Property]) -> str:
    """One section of a unit file."""
    return "".join([f"[{name}]\n", *(f"{key}={value}\n" for key, value in pairs)])


def run_words(pairs: Iterable[Property]) -> list[str]:
    """The same properties as words for `systemd-run`."""
    return [word for key, value in pairs for word in ("-p", f"{key}={value}")]


def _needs(description: str) -> list[Property]:
    helper = DYNO_FS.format("%i")
    return [
        ("Description", description),
        ("Wants", f"{helper} {FIREWALL}"),
        ("After", f"{helper} {FIREWALL} network.target"),
        ("StartLimitIntervalSec", "0"),
    ]


def _unit(unit: list[Property], service: list[Property]) -> str:
    return section("Unit", unit) + "\n" + section("Service", service)
