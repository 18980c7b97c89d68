"""The texts that make Debian's PostgreSQL the space's database server. All pure: what differs comes in by argument."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable

CLUSTER = "deployer"
MIB = 1 << 20
SCRAM_ITERATIONS = 4096  # PostgreSQL's own default


def unit(version: str) -> str:
    """The unit of the cluster; Debian's template names instances VERSION-CLUSTER."""
    return f"postgresql@{version}-{CLUSTER}.service"


def conf(*, listen: str, memory: int, tls: str) -> str:
    """`conf.d/deployer.conf`. `listen` is an address or `*`, `memory` the host's in bytes, `tls` the folder of
    server.crt and server.key. Modest: dynos live on the same host."""
    buffers = _between(memory // 8, 32 * MIB, 1024 * MIB)
    values = {
        "listen_addresses": listen if listen == "*" else f"localhost, {listen}",
        "max_connections": "100" if memory <= 1024 * MIB else "200",
        "password_encryption": "scram-sha-256",
        "ssl": "on",
        "ssl_cert_file": f"{tls}/server.crt",
        "ssl_key_file": f"{tls}/server.key",
        "ssl_min_protocol_version": "TLSv1.2",
        "shared_buffers": f"{buffers // MIB}MB",
        "effective_cache_size": f"{_between(memory // 2, 64 * MIB, 1 << 40) // MIB}MB",
        "maintenance_work_mem": f"{_between(memory // 16, 16 * MIB, 256 * MIB) // MIB}MB",
        "work_mem": "4MB",
        "max_wal_size": "512MB",
        # A plan's few connections must not stay with clients that are gone, nor with hosts that are.
        "client_connection_check_interval": "10s",
        "tcp_keepalives_idle": "60",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "6",
        # Compiling queries takes longer than running those of a web application.
        "jit": "off",
        # The journal is bounded; files of a server's own would not be.
        "log_destination": "syslog",
        "syslog_ident": "postgresql",
        "syslog_sequence_numbers": "off",
        "log_line_prefix": "%q%u@%d ",
        "lc_messages": "C",
        # Statements may hold secrets: none is ever logged, not even one that fails.
        "log_statement": "none",
        "log_min_error_statement": "panic",
        "log_min_duration_statement": "-1",
    }
    return "".join(f"{key} = '{value}'\n" for key, value in values.items())


def including(text: str) -> str:
    """Debian's `postgresql.conf`, which includes what lies in `conf.d`: as it is, or with that line added."""
    if re.search(r"^\s*include_dir\s*=?\s*'conf\.d'", text, re.MULTILINE):
        return text
    return f"{text.rstrip()}\n\ninclude_dir = 'conf.d'\n"


def hba(hosts: Iterable[str]) -> str:
    """`pg_hba.conf`: the superuser through the local socket only; roles of apps over TLS from the space's hosts only,
    and only to their own database: `samerole` means that it is named like a role that one is or belongs to."""
    lines = ["local all postgres peer", "host all postgres all reject", "host replication all all reject"]
    lines += [f"hostssl samerole all {_network(host)} scram-sha-256" for host in _sorted(hosts)]
    return "\n".join(lines) + "\n"


def dropin() -> str:
    """For the cluster's unit. Debian's reports a failed start as a clean end, hence `always`; it already keeps the
    kernel from choosing the server when memory ends (OOMScoreAdjust), which is said again because it matters."""
    return (
        "[Unit]\nRequiresMountsFor=/srv/deployer\nWants=network-online.target\nAfter=network-online.target\n"
        "StartLimitIntervalSec=0\n\n"
        "[Service]\nRestart=always\nRestartSec=5s\nOOMScoreAdjust=-900\n"
    )


def scram(password: str, salt: bytes) -> str:
    """What PostgreSQL stores for a password (RFC 5803), so that the password itself never reaches a statement.
    `password` is ASCII: nothing has to be prepared (RFC 4013)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, SCRAM_ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(SCRAM_ITERATIONS, *parts)


def _between(value: int, lowest: int, highest: int) -> int:
    return max(lowest, min(value, highest))


def _network(host: str) -> str:
    return str(ipaddress.ip_network(host))


def _sorted(hosts: Iterable[str]) -> list[str]:
    return [str(a) for a in sorted({ipaddress.ip_address(h) for h in hosts}, key=lambda a: (a.version, a.packed))]
