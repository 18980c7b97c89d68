"""Security groups: what their rules let into an instance and out of it, as nftables in its namespace, in a table that
is not the host's own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.box.fleet import Fleet, Host
from tests.box.lent import Lent
from tests.box.scaling import OVER, backends

EVERYWHERE, ALL = "0.0.0.0/0", "-1"
TABLE = """\
table inet box
delete table inet box
table inet box {{
  chain in {{
    type filter hook input priority -10; policy drop;
    iif lo accept
    iifname meta0 accept
    ct state established,related accept
    icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept
{ingress}  }}
  chain out {{
    type filter hook output priority -10; policy drop;
    oif lo accept
    oifname meta0 accept
    ct state established,related accept
    icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept
{egress}  }}
}}
"""


@dataclass(frozen=True)
class Rule:
    """A rule of a security group: `-1`, `tcp`, `udp` or `icmp`; ports, both included; networks or addresses."""

    protocol: str
    ports: tuple[int, int]
    networks: tuple[str, ...]


@dataclass
class Walls:
    """Those of all hosts of a fleet; `lent` are addresses of what is no instance. `standing` are texts by instance."""

    fleet: Fleet
    lent: Lent
    standing: dict[str, str] = field(default_factory=dict)

    def follow(self) -> None:
        """Change what rules say otherwise now."""
        for host in list(self.fleet.hosts.values()):
            if host.instance.id in self.standing:
                self.build(host)

    def build(self, host: Host) -> None:
        """The walls of a host, where they do not stand yet."""
        wanted = render(*rules_of(host.instance, members(self.lent.addresses)))
        if self.standing.get(host.instance.id) == wanted or host.metadata is None:
            return
        inside = ["ip", "netns", "exec", host.namespace, "nft", "-f", "-"]
        done = subprocess.run(inside, input=wanted, text=True, check=False, capture_output=True)
        if done.returncode < 0:  # an nft that is older than the host's dies of what that has put beside these
            try:
                host.booted.run("nft", "-f", "-", told=wanted)
            except (LookupError, subprocess.CalledProcessError):
                return  # it is booting again: at the next look
        else:
            done.check_returncode()
        self.standing[host.instance.id] = wanted


def render(ingress: Iterable[Rule], egress: Iterable[Rule]) -> str:
    """nft's text. Of rules that name nobody nothing is left."""
    ways = {"ingress": _lines(ingress, "saddr"), "egress": _lines(egress, "daddr")}
    return TABLE.format(**{way: "".join(f"    {line}\n" for line in lines) for way, lines in ways.items()})


def _lines(rules: Iterable[Rule], which: str) -> list[str]:
    found = [words for rule in rules if (words := _words(rule, which))]
    return list(dict.fromkeys(found))


def _words(rule: Rule, which: str) -> str:
    if not rule.networks:
        return ""
    networks = "" if EVERYWHERE in rule.networks else f"ip {which} {{ {', '.join(sorted(rule.networks))} }} "
    return f"{networks}{_protocol(rule)}accept"


def _protocol(rule: Rule) -> str:
    if rule.protocol == ALL:
        return "meta nfproto ipv4 "
    if rule.protocol in ("tcp", "udp"):
        return f"{rule.protocol} dport {rule.ports[0]}-{rule.ports[1]} "
    return f"meta l4proto {rule.protocol} "


def rules_of(instance: Any, known: Mapping[str, set[str]]) -> tuple[list[Rule], list[Rule]]:
    """What all of its groups let in, and out; `known` are the addresses of each group's members."""
    groups = instance.security_groups or instance.nics[0].group_set
    ways = ([one for group in groups for one in list(getattr(group, f"{way}_rules"))] for way in ("ingress", "egress"))
    ingress, egress = ([rule(one, known) for one in way] for way in ways)
    return ingress, egress


def rule(found: Any, known: Mapping[str, set[str]]) -> Rule:
    """A rule of moto's, with the addresses of whom it names."""
    networks = {found.cidr_ipv4} if found.cidr_ipv4 else set()
    if found.source_group:
        networks |= known.get(found.source_group["GroupId"], set())
    ports = (0, 65_535) if found.from_port is None else (found.from_port, found.to_port)
    return Rule(found.ip_protocol, ports, tuple(sorted(networks)))


def members(lent: Mapping[str, str]) -> dict[str, set[str]]:
    """The addresses of what is in each security group: instances, endpoints, load balancers."""
    found: dict[str, set[str]] = {}
    for group, address in _memberships(lent):
        found.setdefault(group, set()).add(address)
    return found


def _memberships(lent: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for backend in backends("ec2"):
        for instance in backend.all_instances():
            if instance.state not in OVER:
                yield from ((group.id, instance.private_ip) for group in instance.security_groups)
        for eni in list(backend.enis.values()):
            if eni.id in lent:
                yield from ((group.id, lent[eni.id]) for group in eni.group_set)
    for backend in backends("elbv2"):
        for one in list(backend.load_balancers.values()):
            if one.arn in lent:
                yield from ((group, lent[one.arn]) for group in one.security_groups or [])
