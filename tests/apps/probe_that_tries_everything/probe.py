"""An app that turns against its host: each function below is one attempt, and what it comes to is an answer.

`GET /try/NAME?{"key": value}` runs one in a process of its own and answers what it saw: the name of an error (`EACCES`), or
what it got. tests/hosts/attempts.py lists what each must see. It only ever touches what its own host, or the test's
other host, gave it.
"""

import ctypes
import errno
import fcntl
import http.server
import json
import os
import platform
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.parse

LIBC = ctypes.CDLL(None, use_errno=True)
NUMBERS = {  # system calls that the C library has no function for: x86-64, arm64
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "keyctl": (250, 219),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "kexec_load": (246, 104),
    "open_by_handle_at": (304, 265),
    "finit_module": (313, 273),
    "swapon": (167, 224),
    "reboot": (169, 142),
    "pivot_root": (155, 41),
}


def called(name, *arguments):
    """What a function of the C library, or a system call, comes to."""
    numbers = NUMBERS.get(name)
    function = getattr(LIBC, name) if numbers is None else LIBC.syscall
    first = () if numbers is None else (numbers[platform.machine() == "aarch64"],)
    values = [value if isinstance(value, bytes) else ctypes.c_long(value) for value in (*first, *arguments)]
    if function(*values) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "done"


def connected(address, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.settimeout(3)
        one.connect(address)
    return "connected"


def tcp(host, port):
    return connected((host, int(port)), socket.AF_INET6 if ":" in host else socket.AF_INET)


def unix(path, kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_UNIX, kind) as one:
        one.settimeout(3)
        one.connect(path)
    return "connected"


def read(path):
    with open(path, "rb") as file:
        file.read(64)
    return "read"


def listed(path):
    return f"{len(os.listdir(path))} names"


def written(path):
    with open(path, "ab") as file:
        file.write(b"x")
    return "written"


# Files


def shadow():
    return read("/etc/shadow")


def roots_home():
    return listed("/root")


def homes():
    return listed("/home")


def data():
    """Below /srv there is nothing of deployer's: no other app, no ledger, no config vars."""
    return listed("/srv/deployer")


def locks():
    """Whoever may open a file may lock it, and make all wait who ask for the lock."""
    for name in ("lock", "prepare.lock", "epoch.lock", "store/.lock", "agent"):
        try:
            fcntl.flock(os.open(f"/srv/deployer/{name}", os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
            return f"locked {name}"
        except FileNotFoundError:
            continue
    raise FileNotFoundError(errno.ENOENT, "none is there")


def firewalls_file():
    return read("/etc/deployer/firewall.nft")


def host_key():
    return read("/etc/ssh/ssh_host_ed25519_key")


def journal_of_others():
    """Read the system's journal, where it lies on the disk."""
    seen = set()
    for folder, _, files in os.walk("/var/log/journal"):
        for name in files:
            try:
                seen.add(read(os.path.join(folder, name)) if name.startswith("system") else "")
            except OSError as error:
                seen.add(errno.errorcode[error.errno])
    return " ".join(sorted(seen - {""})) or "nothing there"


def system_files():
    return written("/usr/bin/env")


def passwords():
    return written("/etc/passwd")


def new_file_in_root():
    return written("/planted")


def timer():
    return written("/etc/systemd/system/planted.timer")


def slug():
    """What a dyno changes of its slug is its own copy: the test looks at the layer."""
    return written("/app/probe.py")


def link_to_shadow():
    """A link in /tmp to what root reads, for a careless program of root's."""
    os.symlink("/etc/shadow", "/app/.profile.d-link")
    os.unlink("/app/.profile.d-link")
    os.link("/etc/shadow", "/tmp/shadow")
    return "linked"


def device():
    os.mknod("/tmp/disk", 0o600 | 0o060000, os.makedev(7, 0))
    return "made"


def kernel_memory():
    return read("/dev/mem")


def kernel_log():
    return read("/dev/kmsg")


def disks():
    return " ".join(sorted(name for name in os.listdir("/dev") if name.startswith(("sd", "vd", "nvme", "loop", "dm-")))) or "none"


def setuid_file():
    with open("/tmp/root-shell", "w"):
        os.chmod("/tmp/root-shell", 0o4755)
    return "made"


# Processes


def processes_of_others():
    """Which users' processes /proc shows."""
    owners = {os.stat(f"/proc/{name}").st_uid for name in os.listdir("/proc") if name.isdigit()}
    return "none" if owners <= {os.getuid()} else "others"


def environment_of_init():
    return read("/proc/1/environ")


def environment_of_neighbour(pid):
    return read(f"/proc/{pid}/environ")


def signal_to_init():
    os.kill(1, signal.SIGTERM)
    return "sent"


def signal_to_neighbour(pid):
    os.kill(int(pid), signal.SIGKILL)
    return "sent"


def trace_neighbour(pid):
    return called("ptrace", 16, int(pid), 0, 0)


def memory_of_neighbour(pid):
    return read(f"/proc/{pid}/mem")


# Sockets


def system_bus():
    return unix("/run/dbus/system_bus_socket")


def init_socket():
    return unix("/run/systemd/private")


def router_socket():
    return unix("/run/haproxy/admin.sock")


def hold_socket():
    return unix("/run/haproxy/hold.sock")


def journal_socket():
    """journald's own protocol, by which a sender names the fields of an entry: whose line it is, for one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.sendto(b"MESSAGE=forged\nDEPLOYER_APP=probe-victim\nDEPLOYER_DYNO=web.1\n", "/run/systemd/journal/socket")
    return "sent"


def syslog_socket():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.sendto(b"<6>haproxy[1]: be=be_probe-victim code= method=GET", "/dev/log")
    return "sent"


def _kind(family, kind, protocol=0):
    socket.socket(family, kind, protocol).close()
    return "made"


def raw_socket():
    return _kind(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


def packet_socket():
    return _kind(socket.AF_PACKET, socket.SOCK_RAW)


def netlink_socket():
    return _kind(socket.AF_NETLINK, socket.SOCK_RAW)


def machine_socket():
    return _kind(40, socket.SOCK_STREAM)  # AF_VSOCK: the hypervisor


def crypto_socket():
    return _kind(38, socket.SOCK_SEQPACKET)  # AF_ALG


# Network


def own_port():
    return tcp("127.0.0.1", os.environ["PORT"])


def low_port():
    with socket.socket() as one:
        one.bind(("0.0.0.0", 81))
    return "bound"


def neighbours_port_beside(port):
    """A second listener on the port that a neighbour holds."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(("0.0.0.0", int(port)))
        one.listen()
    return "bound"


def listen(port, seconds):
    """Serve on a port of one's own choice for a while: the test asks from elsewhere."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("0.0.0.0", int(port)))
        one.listen()
        one.settimeout(float(seconds))
        try:
            one.accept()[0].close()
        except TimeoutError:
            return "nobody came"
    return "somebody came"


# Privilege


def become_root():
    os.setuid(0)
    return "root"


def sudo():
    done = subprocess.run(["su", "-c", "id"], stdin=subprocess.DEVNULL, capture_output=True)
    return "root" if b"uid=0" in done.stdout else "refused"


def capabilities():
    with open("/proc/self/status") as status:
        found = dict(line.split(":\t") for line in status.read().splitlines() if ":\t" in line)
    sets = {name: int(found[name], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")}
    return "none" if not any(sets.values()) else json.dumps(sets)


def user_namespace():
    return called("unshare", 0x10000000)


def mount_namespace():
    return called("unshare", 0x00020000)


def host_namespace():
    """Into the mount namespace of the host."""
    descriptor = os.open("/proc/1/ns/mnt", os.O_RDONLY)
    return called("setns", descriptor, 0)


def mount():
    return called("mount", b"none", b"/tmp", b"tmpfs", 0, 0)


def unmount_app():
    return called("umount2", b"/app", 2)


def change_root():
    os.chroot("/tmp")
    return "done"


def pivot_root():
    return called("pivot_root", b"/tmp", b"/tmp")


def open_by_handle():
    return called("open_by_handle_at", 0, 0, 0)


def kernel_module():
    return called("finit_module", 0, b"", 0)


def new_kernel():
    return called("kexec_load", 0, 0, 0, 0)


def swap():
    return called("swapon", b"/tmp/swap", 0)


def reboot():
    return called("reboot", 0, 0, 0, 0)


def bpf():
    return called("bpf", 0, 0, 0)


def performance_events():
    return called("perf_event_open", 0, 0, -1, -1, 0)


def keyring():
    return called("keyctl", 0, -3, 0)


def io_uring():
    return called("io_uring_setup", 1, 0)


def user_faults():
    return called("userfaultfd", 0)


def personality():
    return called("personality", 0x0400000)


def clock():
    time.clock_settime(time.CLOCK_REALTIME, 0)
    return "set"


def host_name():
    socket.sethostname("planted")
    return "set"


def kernel_setting():
    return written("/proc/sys/kernel/core_pattern")


def sys_files():
    return written("/sys/kernel/mm/transparent_hugepage/enabled")


def control_groups():
    """Leave the control group, or raise its limits."""
    for folder, _, files in os.walk("/sys/fs/cgroup"):
        for name in files:
            if name in ("cgroup.procs", "pids.max", "memory.max", "tasks"):
                try:
                    with open(os.path.join(folder, name), "w") as file:
                        file.write("max" if name.endswith("max") else str(os.getpid()))
                    return f"wrote {name}"
                except OSError:
                    continue
    return "refused"


def priority():
    os.setpriority(os.PRIO_PROCESS, 0, -5)
    return "set"


def realtime():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    return "set"


def spared_by_the_kernel():
    """The kernel kills whoever has the highest score when memory is short."""
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("-900")
    return "set"


def more_files():
    return called("setrlimit", resource.RLIMIT_NOFILE, struct.pack("QQ", 1 << 20, 1 << 20))


def core_dump():
    """A core holds config vars."""
    return f"limit {resource.getrlimit(resource.RLIMIT_CORE)[1]}"


# Bounds


def fork_bomb():
    """Processes until no more come: how many there were."""
    children = []
    try:
        while len(children) < 5000:
            pid = os.fork()
            if pid == 0:
                time.sleep(20)
                os._exit(0)
            children.append(pid)
    except OSError as error:
        return f"{errno.errorcode[error.errno]} after {len(children)}"
    finally:
        time.sleep(2)  # for the test to see how others fare
        for pid in children:
            os.kill(pid, signal.SIGKILL)
    return f"{len(children)} without an end"


def open_files():
    files = []
    try:
        while len(files) < 100_000:
            files.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        return f"{errno.errorcode[error.errno]} after {len(files)}"
    return f"{len(files)} without an end"


def memory(mebibytes):
    kept = [bytearray(b"x" * (1 << 20)) for _ in range(int(mebibytes))]
    return f"{len(kept)} MiB"


def fill(folder, mebibytes):
    """Write until the disk is full, at most so much: how many MiB fitted."""
    count, piece = 0, os.urandom(1 << 20)
    path = os.path.join(folder, "filler")
    try:
        with open(path, "wb", buffering=0) as file:
            while count < int(mebibytes):
                file.write(piece)
                count += 1
    except OSError as error:
        return f"{errno.errorcode[error.errno]} after {count}"
    return f"{count} without an end"


def unfill(folder):
    os.unlink(os.path.join(folder, "filler"))
    return "gone"


def many_names(folder, number):
    """Empty files until no more come, at most so many."""
    os.makedirs(os.path.join(folder, "names"), exist_ok=True)
    count = 0
    try:
        while count < int(number):
            os.close(os.open(os.path.join(folder, "names", str(count)), os.O_WRONLY | os.O_CREAT))
            count += 1
    except OSError as error:
        return f"{errno.errorcode[error.errno]} after {count}"
    return f"{count} without an end"


def flood(lines, length):
    """Write so many lines of so many bytes, none like another, to the log, as fast as it takes them."""
    for number in range(int(lines)):
        os.write(1, f"flood {number} {os.urandom(int(length) // 2).hex()}\n".encode())
    return "written"


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path.startswith("/sleep/"):
            time.sleep(float(path.rpartition("/")[2]))
        body = attempt(path.removeprefix("/try/"), json.loads(urllib.parse.unquote(query) or "{}")) if path.startswith("/try/") else "ok"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *words):
        pass


def attempt(name, arguments):
    """Run one in a process of its own: it may die of what it does."""
    words = [sys.executable, __file__, name, json.dumps(arguments)]
    done = subprocess.Popen(words, stdout=None if name == "flood" else subprocess.PIPE, stderr=subprocess.PIPE)
    said, complained = done.communicate()
    if done.returncode < 0:
        return signal.Signals(-done.returncode).name
    return (said or b"").decode().strip() or complained.decode(errors="replace")[-500:] or "written"


def every(attempts):
    """Many, one after the other, each in a child of this process: what each saw."""
    for name, arguments in attempts:
        pid = os.fork()
        if pid == 0:
            main(name, arguments)
            sys.stdout.flush()
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            print(signal.Signals(os.WTERMSIG(status)).name, flush=True)


def main(name, arguments):
    try:
        seen = globals()[name](**arguments)
    except OSError as error:
        seen = errno.errorcode.get(error.errno, "timed out")
    if name != "flood":
        print(seen)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


if __name__ == "__main__":
    if sys.argv[1:2] == ["every"]:
        every(json.loads(sys.argv[2])["attempts"])
    elif len(sys.argv) > 2:
        main(sys.argv[1], json.loads(sys.argv[2]))
    else:
        threading.stack_size(128 << 10)
        Server(("0.0.0.0", int(os.environ["PORT"])), Answer).serve_forever()
