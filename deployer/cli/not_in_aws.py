"""Commands that are nothing for spaces in AWS, and what to do there instead."""

from __future__ import annotations

from textwrap import dedent

from deployer.cli.resolve import is_in_aws
from deployer.cli.shell import Shell
from deployer.errors.cloud import HostsComeByThemselves

INSTEAD = {
    "hosts:add": """
        Write how many there are to be into deployer.toml, `hosts = {{ count = N }}`, and type
        `deployer up --space {space}`: it shows what that costs, and waits until the new ones have joined.
        """,
    "hosts:remove": """
        Write how many there are to be into deployer.toml, `hosts = {{ count = N }}`, and type
        `deployer up --space {space}`: a host that ends lets its requests end, and its dynos start on the others.
        `deployer hosts:roll --space {space}` has new hosts come in the place of those that there are.
        """,
    "hosts:promote": """
        No host there is more than another: the ledger lies in a bucket, databases with RDS. A host that is lost is
        replaced by the group, with nobody there; `deployer doctor --space {space}` says how far that is.
        """,
    "spaces:start": """
        Its hosts run for as long as there is the space. `deployer doctor --space {space}` says what is wrong with them,
        `deployer up --space {space}` makes what is missing.
        """,
    "spaces:stop": """
        Its hosts run, and cost money, for as long as there is the space. `deployer ps:scale web=0 -a APP` stops an app,
        fewer hosts (`hosts = {{ count = N }}` in deployer.toml, and `deployer up --space {space}`) cost less, and
        `deployer down --space {space}` takes all of it down.
        """,
    "spaces:join": """
        `deployer up --space {space}` has this machine know it, with credentials of its account, in a folder whose
        deployer.toml describes it: where nothing is to be changed, it changes nothing.
        """,
}


def refuse_in_aws(shell: Shell, name: str, command: str) -> None:
    """HostsComeByThemselves where that space is in AWS."""
    if is_in_aws(shell, name):
        raise HostsComeByThemselves(name, command, dedent(INSTEAD[command]).strip().format(space=name))
