"""`prices:update`."""

from __future__ import annotations

from typing import Annotated

import typer

from deployer.cli.preview import region_of
from deployer.cli.shell import Shell
from deployer.errors.preview import NoPricesFound
from deployer.operations import prices as operation


def update(
    ctx: typer.Context,
    region: Annotated[
        list[str] | None, typer.Option("--region", metavar="REGION", help="A region of AWS; can be repeated.")
    ] = None,
) -> None:
    """Read today's prices from AWS.

    It asks the AWS Price List with the credentials that the AWS SDK finds, and changes nothing there. The preview then
    prefers these prices to those that it came with."""
    from deployer.spaces.aws.price_list import PriceList

    shell: Shell = ctx.obj
    regions = [region_of(shell, one) for one in region] if region else [region_of(shell, None)]
    ask = PriceList().products
    for one in regions:
        with shell.doing(f"Reading prices of {one} from AWS") as words:
            found = operation.update(one, ask)
            if not found:
                raise NoPricesFound(one)
            words.append(f"{len(found)} prices")
        if missing := sorted(operation.expected() - set(found)):
            shell.output.warn(f"Not among them: {', '.join(missing)}. These stay as they were.")
