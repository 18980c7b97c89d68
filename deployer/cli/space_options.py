"""Options of `spaces:create`, `up` and `down`, by the kinds of spaces that they are for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from deployer.errors.rented import OptionsMixed
from deployer.model.platforms import DEFAULT_SYSTEM

ONLY_IN_AWS = {
    "account": "--account",
    "size": "--size",
    "database": "--database",
    "load_balancer": "--load-balancer",
    "budget": "--budget",
    "email": "--email",
    "yes": "--yes",
}
NEVER_IN_AWS = {
    "platform": "--platform",
    "port": "--port",
    "store": "--store",
    "endpoint": "--store-endpoint",
    "region": "--store-region",
    "targets": "--host",
    "private": "--private-address",
    "keys": "--host-key",
    "confirmation": "--confirm",
}

Count = Annotated[int | None, typer.Option("--hosts", min=1, max=50, metavar="N", help="How many hosts; 1.")]
Platform = Annotated[
    str | None, typer.Option("--platform", help=f"debian-13 or debian-12 on this machine; {DEFAULT_SYSTEM}.")
]
Port = Annotated[
    int | None, typer.Option("--port", min=1, max=65535, help="The front's port; the first free one from 8080.")
]
Targets = Annotated[
    list[str] | None, typer.Option("--host", metavar="USER@ADDRESS", help="A machine that you have; once for each.")
]
Domain = Annotated[
    str | None,
    typer.Option("--domain", help="With --host or --region: apps answer at APP.DOMAIN, which leads to the hosts."),
]
PrivateAddresses = Annotated[
    list[str] | None, typer.Option("--private-address", help="With --host: where other hosts reach it; found else.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="In AWS: do it without asking.", show_default=False)]
Region = Annotated[
    str | None, typer.Option("--region", metavar="REGION", help="In AWS: the region. It makes the space one in AWS.")
]
Account = Annotated[
    str | None, typer.Option("--account", metavar="NUMBER", help="In AWS: the only account that it may be made in.")
]
Size = Annotated[str | None, typer.Option("--size", metavar="KIND", help="In AWS: the kind of its hosts; t4g.small.")]
Database = Annotated[
    str | None, typer.Option("--database", metavar="KIND", help="In AWS: a PostgreSQL by RDS, like db.t4g.micro.")
]
LoadBalancer = Annotated[
    bool, typer.Option("--load-balancer", help="In AWS: an ALB before the hosts.", show_default=False)
]
Budget = Annotated[
    int | None,
    typer.Option("--budget", metavar="DOLLARS", help="In AWS: a month; --email hears of it."),
]
Email = Annotated[str | None, typer.Option("--email", metavar="ADDRESS", help="In AWS: whom it tells of the budget.")]
KeepData = Annotated[
    bool | None,
    typer.Option(
        "--keep-data/--delete-data", help="In AWS: keep a last snapshot of the database, or nothing of it; it is kept."
    ),
]


def described(given: Mapping[str, Any]) -> dict[str, Any]:
    """What deployer.toml would say: the options by their names, without those that were not given."""
    budget = {key: given[option] for option, key in (("budget", "monthly"), ("email", "email")) if given[option]}
    hosts = {key: given[option] for option, key in (("size", "size"), ("hosts", "count")) if given[option]}
    found = {
        "region": given["aws_region"],
        "account": given["account"],
        "domain": given["domain"],
        "hosts": hosts,
        "database": {"size": given["database"]} if given["database"] else None,
        "load-balancer": given["load_balancer"],
        "budget": budget,
    }
    return {key: value for key, value in found.items() if value}


def refuse_mixed(what: str, others: Mapping[str, object]) -> None:
    """OptionsMixed where any of these options, by name, was given: they do not go with `what`."""
    given = [name for name, value in others.items() if value]
    if given:
        raise OptionsMixed(f"{', '.join(given)} and {what}")
