"""`iam:policy`."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from deployer.cli.preview import region_of
from deployer.cli.shell import Shell
from deployer.errors.cli import BadUsage
from deployer.errors.spaces import BadSpaceName
from deployer.model.names import is_space_name
from deployer.spaces.aws.roles import Role, policy
from deployer.spaces.aws.scope import Scope

ACCOUNT = re.compile(r"[0-9]{12}")
NAME = "deployer iam:policy"


def print_policy(
    ctx: typer.Context,
    role: Annotated[Role, typer.Argument(metavar="owner|deployer|preview|ci|hosts")],
    space: Annotated[
        str | None, typer.Option("--space", metavar="SPACE", help="In this space only; in all that deployer makes.")
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NUMBER", help="In this account only; in any.")
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", metavar="REGION", help="In this region only; in all.")
    ] = None,
) -> None:
    """Print a policy of IAM: what a role of people may do in AWS, and no more.

    owner makes spaces and takes them down. deployer works on their apps: releases, config vars, dynos, add-ons, but
    nothing that AWS would charge for. preview looks at what `up` would change and writes nothing anywhere. ci makes
    releases of apps that there are. hosts is what the hosts of a space may do at most: a permissions boundary, without
    which an owner can make no space.

    It asks nobody: no account and no network. Whoever administers the account gives it to a user or a role, and makes
    the boundary under the name that deployer looks for:

    \b
      $ deployer iam:policy ci --space production > policy.json
      $ aws iam create-policy --policy-name production-ci --policy-document file://policy.json
      $ deployer iam:policy hosts --space production > hosts.json
      $ aws iam create-policy --path /deployer/ --policy-name deployer-production-hosts \\
            --policy-document file://hosts.json"""
    shell: Shell = ctx.obj
    if space is not None and not is_space_name(space):
        raise BadSpaceName(space)
    if account is not None and not ACCOUNT.fullmatch(account):
        raise BadUsage(f"`{account}` is no account of AWS: it has 12 digits.", NAME)
    where = region_of(shell, region) if region is not None else None
    shell.output.json(policy(role, Scope(space, account, where)))
