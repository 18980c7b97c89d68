"""A specification as deployer.toml describes it, `[space.production]`: the words in which a project of Pulumi's own has
it, too, and beside them what is the ledger's alone. What people write goes through infra.read, which says what is wrong
with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from infra.spec import NETWORK, Budget, Database, Hosts, Issuer, Origin, OwnDatabase, Spec


def describe(spec: Spec) -> dict[str, Any]:
    """What deployer.toml would say, the defaults included; `databases` and `domains` it cannot say."""
    told = {
        "region": spec.region,
        "account": spec.account,
        "hosts": asdict(spec.hosts),
        "database": asdict(spec.database) if spec.database else None,
        "load-balancer": spec.load_balancer,
        "domain": spec.domain,
        "budget": asdict(spec.budget) if spec.budget else None,
        "access": {"ssh-from": list(spec.ssh_from)} if spec.ssh_from else None,
        "network": spec.network,
        "databases": [asdict(one) for one in spec.databases] or None,
        "domains": list(spec.domains) or None,
        "certificates": asdict(spec.certificates) if spec.certificates else None,
    }
    return {key: value for key, value in told.items() if value is not None}


def described(told: Mapping[str, Any]) -> Spec:
    """The specification that `describe` told of."""
    return Spec(
        region=told["region"],
        hosts=Hosts(**told.get("hosts", {})),
        database=Database(**told["database"]) if "database" in told else None,
        load_balancer=told.get("load-balancer", False),
        account=told.get("account"),
        domain=told.get("domain"),
        budget=Budget(**told["budget"]) if "budget" in told else None,
        ssh_from=tuple(told.get("access", {}).get("ssh-from", ())),
        network=told.get("network", NETWORK),
        databases=tuple(map(_own, told.get("databases", ()))),
        domains=tuple(told.get("domains", ())),
        certificates=Issuer(**told["certificates"]) if "certificates" in told else None,
    )


def _own(told: Mapping[str, Any]) -> OwnDatabase:
    return OwnDatabase(**{**told, "origin": Origin(**told["origin"]) if told.get("origin") else None})
