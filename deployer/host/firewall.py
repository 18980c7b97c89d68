"""The nftables table that keeps apps from each other, from the host and from the cloud's metadata service.

Rules go by uid, not by cgroup: cgroup matches do not work everywhere, and the path must exist when they are loaded.
They look at SYN packets only and need no connection tracking. The rule on source ports stands against squatting:
while an app's dyno restarts, another app's process could bind its port; such a process cannot answer. Nor can a dyno
answer from outside this host on any port but its own.
The port of a dyno that is about to stop is `closing`: whoever connects, from whatever host's router, is refused at once
and tries another dyno or waits, while the requests that the dyno is at go on. The port of one that waits after crashes
is `crashed`: other hosts' routers see it by what they are answered (hold_lua.py).
The space's PostgreSQL listens on an address that may be a public one: only the space's hosts get an answer there.
"""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Iterable, Sequence

from deployer.host import units

DYNO_UIDS = "20000-29999"  # builders on a host (29000 and up) included
PORTS = (7000, 9999)
TABLE = "deployer"

_RULES = """\
table inet deployer
delete table inet deployer
table inet deployer {
  set metadata4 { type ipv4_addr; flags interval; elements = { 169.254.0.0/16, 168.63.129.16, 100.100.100.200 }; }
  set metadata6 { type ipv6_addr; flags interval; elements = { fe80::/10, fd00:ec2::/32 }; }
  set router { type uid; elements = { root, haproxy }; }
  set hosts4 { type ipv4_addr; @HOSTS4@}
  set hosts6 { type ipv6_addr; @HOSTS6@}
  set own { typeof meta skuid . tcp dport; @OWN@}
  set databases { type inet_service; @DATABASES@}
  set closing { type inet_service; flags timeout; }
  set crashed { type inet_service; flags timeout; }
  counter metadata { }
  counter squatters { }
  counter inside { }
  counter outside { }

  chain output { type filter hook output priority filter; policy accept;
    meta skuid @UIDS@ jump dyno
    tcp dport @PORTS@ tcp flags & (fin | syn | rst | ack) == syn meta skuid != @router jump stranger
  }

  chain stranger {
    oifname "lo" counter name "inside" reject with tcp reset
    ip daddr @hosts4 counter name "inside" reject with tcp reset
    ip6 daddr @hosts6 counter name "inside" reject with tcp reset
  }

  chain input { type filter hook input priority filter; policy accept;
    tcp dport @closing tcp flags & (fin | syn | rst | ack) == syn reject with tcp reset
    iifname != "lo" tcp dport @PORTS@ ip saddr != @hosts4 counter name "outside" drop
    iifname != "lo" tcp dport @PORTS@ ip6 saddr != @hosts6 counter name "outside" drop
    iifname != "lo" tcp dport @databases ip saddr != @hosts4 counter name "outside" drop
    iifname != "lo" tcp dport @databases ip6 saddr != @hosts6 counter name "outside" drop
    iifname != "lo" tcp dport @crashed tcp flags & (fin | syn | rst | ack) == syn reject with icmpx type no-route
  }

  chain dyno {
    tcp sport @PORTS@ meta skuid . tcp sport != @own counter name "squatters" drop
    oifname != "lo" tcp flags & (syn | ack) == syn | ack meta skuid . tcp sport != @own counter name "squatters" drop
    meta l4proto { tcp, udp } th dport 53 accept
    ip daddr @metadata4 counter name "metadata" reject with icmp type admin-prohibited
    ip6 daddr @metadata6 counter name "metadata" reject with icmpv6 type admin-prohibited
    oifname "lo" jump dyno_local
    ip daddr @hosts4 jump dyno_host
    ip6 daddr @hosts6 jump dyno_host
  }

  chain dyno_local {
    tcp flags & (fin | syn | rst | ack) == syn meta skuid . tcp dport @own accept
    jump dyno_host
  }

  chain dyno_host {
    tcp flags & (fin | syn | rst | ack) == syn tcp dport { 80, 443 } accept
    tcp flags & (fin | syn | rst | ack) == syn tcp dport { 1-1023, @PORTS@ } counter name "inside" reject with tcp reset
    udp dport 1-1023 counter name "inside" reject
  }
}
"""


def render(hosts: Iterable[str], own: Iterable[tuple[int, int]], databases: Iterable[int] = ()) -> str:
    """The whole table for `nft -f`, which replaces it at once. `hosts` are the addresses of the space's hosts, `own`
    the pairs of an app's uid and a port of one of its dynos, `databases` the ports of the space's PostgreSQL."""
    addresses = sorted({ipaddress.ip_address(host) for host in hosts}, key=lambda a: (a.version, a))
    values = {
        "@HOSTS4@": _elements(str(a) for a in addresses if a.version == 4),
        "@HOSTS6@": _elements(str(a) for a in addresses if a.version == 6),
        "@OWN@": _elements(f"{uid} . {port}" for uid, port in sorted(set(own))),
        "@DATABASES@": _elements(str(port) for port in sorted(set(databases))),
        "@UIDS@": DYNO_UIDS,
        "@PORTS@": f"{PORTS[0]}-{PORTS[1]}",
    }
    text = _RULES
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def add_words(own: Sequence[tuple[int, int]]) -> list[str]:
    """The command that lets apps use ports, each with the app's uid."""
    return ["nft", "add", "element", "inet", TABLE, "own", _braces(own)]


def delete_words(own: Sequence[tuple[int, int]]) -> list[str]:
    """The command that takes them back."""
    return ["nft", "delete", "element", "inet", TABLE, "own", _braces(own)]


def close_words(ports: Sequence[int], seconds: int) -> list[str]:
    """The command that refuses new connections to `ports` for so long, or until they are reopened."""
    timed = ", ".join(f"{port} timeout {seconds}s" for port in ports)
    return ["nft", "add", "element", "inet", TABLE, "closing", f"{{ {timed} }}"]


def reopen_words(ports: Sequence[int]) -> list[str]:
    """The command that ends it."""
    return ["nft", "delete", "element", "inet", TABLE, "closing", f"{{ {', '.join(map(str, ports))} }}"]


def is_loaded() -> bool:
    """Whether the kernel has our table."""
    return subprocess.run(["nft", "list", "table", "inet", TABLE], capture_output=True, check=False).returncode == 0


def load() -> None:
    """Load the table from its file; the file stands for what the kernel should have."""
    subprocess.run(["nft", "-f", units.FIREWALL_FILE], check=True, capture_output=True)


def _elements(items: Iterable[str]) -> str:
    text = ", ".join(items)
    return f"elements = {{ {text} }}; " if text else ""


def _braces(own: Sequence[tuple[int, int]]) -> str:
    return "{ " + ", ".join(f"{uid} . {port}" for uid, port in sorted(own)) + " }"
