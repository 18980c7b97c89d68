"""What an app tries against its host, one value each: tests/hosts/test_probe.py has a real dyno try it, and
docs/security.md lists what it saw."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Attempt:
    """`id` is a function of tests/apps/probe_that_tries_everything/probe.py, with `#` and a number where one function
    is tried with several arguments. `seen` is what it must see; words in capitals in `facts` are the test's to know."""

    id: str
    tries: str
    seen: str
    because: str
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def function(self) -> str:
        """The function's name."""
        return self.id.partition("#")[0]


EXPOSURE = 1.4  # by `systemd-analyze security`, of 10; at most 1.5 is the aim
METADATA = "169.254.169.254"
METADATA_6 = "fd00:ec2::254"
FILES = "own user; all but its own files is read-only or not there"
PROC = "`ProtectProc=invisible`, own user"
SOCKETS = "not there, or root's alone"
FAMILIES = "`RestrictAddressFamilies`"
FIREWALL = "firewall, by who sends"
CALLS = "filter of system calls"
KERNEL = "the kernel's own files are read-only"
POWERLESS = "no capabilities, and none to be had"

NEIGHBOUR = {"pid": "PID"}


def _tcp(number: int, whom: str, host: str, port: str, seen: str = "ECONNREFUSED", because: str = FIREWALL) -> Attempt:
    return Attempt(f"tcp#{number}", f"reach {whom}", seen, because, {"host": host, "port": port})


ATTEMPTS: dict[str, tuple[Attempt, ...]] = {
    "Files": (
        Attempt("shadow", "read /etc/shadow", "EACCES", FILES),
        Attempt("roots_home", "list /root", "EACCES", FILES),
        Attempt("homes", "list /home", "EACCES", FILES),
        Attempt("data", "list /srv/deployer: ledger, other apps' files, config vars", "ENOENT", FILES),
        Attempt("locks", "hold the locks that commands on its host wait for", "ENOENT", FILES),
        Attempt("firewalls_file", "read the firewall's file", "EACCES", FILES),
        Attempt("host_key", "read the host's SSH key", "EACCES", FILES),
        Attempt("journal_of_others", "read the system's journal", "EACCES", FILES),
        Attempt("system_files", "change /usr/bin/env", "EACCES", FILES),
        Attempt("passwords", "add a line to /etc/passwd", "EACCES", FILES),
        Attempt("new_file_in_root", "make a file in /", "EROFS", FILES),
        Attempt("timer", "plant a systemd timer", "EROFS", FILES),
        Attempt("slug", "change a file of its slug", "written", "a copy of its own, gone with the dyno"),
        Attempt("link_to_shadow", "link /etc/shadow into /tmp", "EXDEV", "/tmp lies on a file system of its own"),
        Attempt("setuid_file", "make a setuid file", "EPERM", "`RestrictSUIDSGID`"),
        Attempt("device", "make a disk's device file", "EPERM", POWERLESS),
        Attempt("disks", "find a disk in /dev", "none", "`PrivateDevices`"),
        Attempt("kernel_memory", "read /dev/mem", "ENOENT", "`PrivateDevices`"),
        Attempt("kernel_log", "read /dev/kmsg", "ENOENT", "`PrivateDevices`"),
    ),
    "Processes": (
        Attempt("processes_of_others", "list processes of others in /proc", "none", PROC),
        Attempt("environment_of_init", "read the environment of process 1", "ENOENT", PROC),
        Attempt("signal_to_init", "send process 1 a signal", "EPERM", PROC),
        Attempt("environment_of_neighbour", "read another app's config vars", "ENOENT", PROC, NEIGHBOUR),
        Attempt("memory_of_neighbour", "read another app's memory", "ENOENT", PROC, NEIGHBOUR),
        Attempt("trace_neighbour", "trace another app's process", "EPERM", CALLS, NEIGHBOUR),
        Attempt("signal_to_neighbour", "kill another app's process", "EPERM", PROC, NEIGHBOUR),
    ),
    "Sockets": (
        Attempt("system_bus", "talk to the system bus", "EACCES", SOCKETS),
        Attempt("init_socket", "talk to systemd", "EACCES", SOCKETS),
        Attempt("router_socket", "talk to the router's runtime socket", "EACCES", SOCKETS),
        Attempt("hold_socket", "talk to the socket of held requests", "EACCES", SOCKETS),
        Attempt("journal_socket", "log in another app's name", "EACCES", SOCKETS),
        Attempt("syslog_socket", "log in the router's name", "EACCES", SOCKETS),
        Attempt("raw_socket", "make a raw socket", "EPERM", POWERLESS),
        Attempt("packet_socket", "make a packet socket", "EAFNOSUPPORT", FAMILIES),
        Attempt("netlink_socket", "make a netlink socket", "EAFNOSUPPORT", FAMILIES),
        Attempt("machine_socket", "make a socket to the hypervisor", "EAFNOSUPPORT", FAMILIES),
        Attempt("crypto_socket", "make a socket of the kernel's cryptography", "EAFNOSUPPORT", FAMILIES),
    ),
    "Network": (
        _tcp(1, "the cloud's metadata service", METADATA, "80", "EHOSTUNREACH"),
        _tcp(2, "the cloud's metadata service over IPv6", METADATA_6, "80", "EACCES"),
        _tcp(3, "sshd on loopback", "127.0.0.1", "22"),
        _tcp(4, "sshd on loopback over IPv6", "::1", "22"),
        _tcp(5, "sshd by its host's address", "OWN", "22"),
        _tcp(6, "sshd of another host", "OTHER", "22"),
        _tcp(7, "another app's dyno on loopback", "127.0.0.1", "PORT_HERE"),
        _tcp(8, "another app's dyno by an IPv4 address in IPv6", "::ffff:127.0.0.1", "PORT_HERE"),
        _tcp(9, "another app's dyno by its host's address", "OWN", "PORT_HERE"),
        _tcp(10, "another app's dyno on another host", "OTHER", "PORT_THERE"),
        _tcp(11, "the router, as everybody may", "OWN", "80", "connected", "the front door: apps ask each other there"),
        Attempt("own_port", "reach its own port", "connected", "its own"),
        Attempt("low_port", "listen on port 81", "EACCES", POWERLESS),
        Attempt(
            "neighbours_port_beside",
            "listen beside another app on its port",
            "EADDRINUSE",
            "the kernel, by user",
            {"port": "PORT_HERE"},
        ),
    ),
    "Privilege": (
        Attempt("become_root", "become root", "EPERM", CALLS),
        Attempt("sudo", "become root by a setuid program", "refused", "`NoNewPrivileges`"),
        Attempt("capabilities", "have a capability", "none", POWERLESS),
        Attempt("user_namespace", "make a user namespace", "EPERM", "`RestrictNamespaces`"),
        Attempt("mount_namespace", "make a mount namespace", "EPERM", "`RestrictNamespaces`"),
        Attempt("host_namespace", "enter the host's mount namespace", "ENOENT", PROC),
        Attempt("mount", "mount a file system", "EPERM", CALLS),
        Attempt("unmount_app", "unmount /app", "EPERM", CALLS),
        Attempt("change_root", "change its root", "EPERM", CALLS),
        Attempt("pivot_root", "swap its root", "EPERM", CALLS),
        Attempt("open_by_handle", "open a file by its handle", "EPERM", CALLS),
        Attempt("kernel_module", "load a kernel module", "EPERM", CALLS),
        Attempt("new_kernel", "load another kernel", "EPERM", CALLS),
        Attempt("swap", "add swap", "EPERM", CALLS),
        Attempt("reboot", "reboot the host", "EPERM", CALLS),
        Attempt("bpf", "load a BPF program", "EPERM", CALLS),
        Attempt("performance_events", "open performance events", "EPERM", CALLS),
        Attempt("keyring", "use the kernel's key ring", "EPERM", CALLS),
        Attempt("io_uring", "set up an io_uring", "EPERM", CALLS),
        Attempt("user_faults", "handle page faults itself", "EPERM", CALLS),
        Attempt("personality", "change its personality", "EPERM", "`LockPersonality`"),
        Attempt("clock", "set the clock", "EPERM", CALLS),
        Attempt("host_name", "rename the host", "EPERM", CALLS),
        Attempt("kernel_setting", "change where the kernel puts cores", "EACCES", KERNEL),
        Attempt("sys_files", "change a setting in /sys", "EACCES", KERNEL),
        Attempt("control_groups", "leave its control group, or raise its limits", "refused", KERNEL),
        Attempt("priority", "raise its priority", "EPERM", CALLS),
        Attempt("realtime", "run in real time", "EPERM", CALLS),
        Attempt("spared_by_the_kernel", "be spared when memory is short", "EACCES", POWERLESS),
        Attempt("more_files", "raise its limit of open files", "EPERM", POWERLESS),
        Attempt("core_dump", "leave a core with config vars in it", "limit 0", "`LimitCORE=0`"),
    ),
}
