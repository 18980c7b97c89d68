"""`deployer up` and `deployer down`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli import options, space_options
from deployer.cli.confirm import confirm
from deployer.cli.deploy import order_of
from deployer.cli.resolve import Target, is_in_aws, manifest, open_named, space_of, target_of
from deployer.cli.shell import Shell
from deployer.errors.apps import NoApp, NoSpace
from deployer.errors.config import BadConfigVars
from deployer.errors.rented import OptionsMixed
from deployer.model import app_json
from deployer.model.app_json import AppJson
from deployer.model.config_vars import parse_pairs
from deployer.model.names import is_app_name
from deployer.model.platforms import DEFAULT_SYSTEM
from deployer.operations import checkout

if TYPE_CHECKING:
    from deployer.operations.cloud_proposal import Alter
    from deployer.operations.outside import Front
    from deployer.operations.session import OpenSpace
    from deployer.operations.up import Declared

FIRST_SPACE = "sandbox"  # the one that `up` makes where this machine knows none


def up(
    ctx: typer.Context,
    app: options.App = None,
    space: options.Space = None,
    given: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A value that app.json asks for.")
    ] = None,
    commit: Annotated[str | None, typer.Option("--commit", metavar="REF", help="This commit, not the folder.")] = None,
    yes: space_options.Yes = False,
    confirmation: options.Confirm = None,
) -> None:
    """Make everything true that the folder declares: space, app, add-ons, release.

    app.json says which config vars, add-ons and dynos a new app gets. Run again it deploys what has changed.

    Of a space in AWS it first makes what deployer.toml describes, after a preview and a question, and waits for its
    hosts. Where the database goes with that, it wants the space's name typed, and a last snapshot stays."""
    shell: Shell = ctx.obj
    values, wrong = parse_pairs(given or [])
    if wrong:
        raise BadConfigVars("\n".join(wrong))
    in_aws = space is not None and is_in_aws(shell, space)
    if confirmation is not None and not in_aws:
        raise OptionsMixed("--confirm and a space that is not in AWS")
    target = target_to_be(shell, app, space)
    declared = None if in_aws and not (app or commit or has_app(shell)) else _declared(shell, target, commit, values)
    if in_aws:
        front, declared = _up_in_aws(shell, target.space, declared, confirmation, yes=yes)
    else:
        front = None
        _have_space(shell, target.space)
    if declared:
        _release(shell, target.space, declared, front)


def _up_in_aws(
    shell: Shell, space: str, declared: Declared | None, confirmation: str | None, *, yes: bool
) -> tuple[Front | None, Declared | None]:
    """Make the space, and build meanwhile what is to be released: what stands before its hosts, and that."""
    from deployer.cli import cloud
    from deployer.cli.cloud_release import coming

    with coming(shell, space, declared) as release:
        adding = _own_databases(shell, space, declared) if declared else None
        front = cloud.up(shell, space, confirmation, release, adding, yes=yes)
        if release is None:
            return front, None
        release.wait()
        return front, release.declared


def _own_databases(shell: Shell, space: str, declared: Declared) -> Alter | None:
    """What app.json adds to a space in AWS: RDS instances of the app's own."""
    from deployer.cli import cloud
    from deployer.operations import own_declared

    return own_declared.adding(lambda: cloud.ledger_of(shell, space), declared.name, declared.described)


def _declared(shell: Shell, target: Target, commit: str | None, values: dict[str, str]) -> Declared:
    """What the folder declares; what is wrong in it shows before anything is made."""
    from deployer.operations.up import Declared

    order = order_of(shell, commit)
    described = app_json.parse(order.source.app_json) if order.source.app_json else AppJson()
    return Declared(str(target.app), described, order, values)


def has_app(shell: Shell) -> bool:
    """Whether there is an app in the folder, or only the description of a space."""
    from buildpacks import catalog
    from buildpacks.tree import Tree

    if manifest(shell.folder)[0] or shell.env.get("DEPLOYER_APP") or checkout.remotes(shell.folder):
        return True
    files = [path.name for path in shell.folder.iterdir() if path.is_file()]
    found = catalog.detect(Tree(files, lambda name: (shell.folder / name).read_bytes()))
    return bool(found.names) or bool({"Procfile", app_json.NAME} & set(files))


def _release(shell: Shell, space: str, declared: Declared, front: Front | None) -> None:
    """Have the app in the space be what was declared, and answer at `front`, if something stands before its hosts; over
    HTTPS where its host has got a certificate for its name."""
    from deployer.operations import outside
    from deployer.operations.https_wait import await_certificate
    from deployer.operations.up import up as operation
    from deployer.operations.web_url import web_url

    with open_named(shell, space) as found:
        released = operation(found, declared, shell.tell)
        _have_remote(shell, found, declared.name)
        name = found.space.app_host(declared.name)
        if front and released:
            outside.check(front.name, name, shell.tell)
        if front and not front.ends_tls:
            await_certificate(found, name, shell.tell)
        shell.output.print(web_url(found, declared.name))


def down(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[SPACE]", help="The space.", show_default=False)] = None,
    space: options.Space = None,
    confirmation: options.Confirm = None,
    keep: space_options.KeepData = None,
) -> None:
    """Take a space down, with all apps and data in it.

    There is no way back. It names what goes, and wants the space's name typed. Of a space in AWS a last snapshot of the
    database stays, unless --delete-data says otherwise; in the end AWS is asked whether anything is left."""
    from deployer.operations import spaces as operations

    shell: Shell = ctx.obj
    chosen = space_of(shell, name or space)
    if is_in_aws(shell, chosen):
        from deployer.cli import cloud

        cloud.down(shell, chosen, confirmation, keep=keep)
        return
    if keep is not None:
        raise OptionsMixed("--keep-data or --delete-data and a space that is not in AWS")
    confirm(
        shell,
        chosen,
        confirmation,
        f"This will take down the space {chosen}: {operations.inside(chosen, shell.person)}.",
    )
    operations.destroy(chosen, shell.tell, shell.person)
    checkout.remove_remotes(shell.folder, chosen)
    shell.output.say(f"Nothing of {chosen} is left.")


def folder_name(name: str) -> str:
    """An app's name from a folder's: `My_Shop` makes `my-shop`; NoApp where it makes none."""
    found = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:30].rstrip("-")
    if not is_app_name(found):
        raise NoApp
    return found


def target_to_be(shell: Shell, app: str | None, space: str | None) -> Target:
    """Which app in which space, whether they are there yet or not."""
    try:
        found = target_of(shell, app, None)
    except NoSpace:
        flag, _, name = (app or shell.env.get("DEPLOYER_APP", "")).rpartition("/")
        found = Target(flag or FIRST_SPACE, name or manifest(shell.folder)[0])
    return Target(space or found.space, found.app or folder_name(shell.folder.resolve().name))


def _have_space(shell: Shell, name: str) -> None:
    """Make the sandbox where it is the one that is meant and there is none."""
    from deployer.operations import spaces

    if name == FIRST_SPACE and name not in shell.pointers.names():
        spaces.create(spaces.Wanted(name, DEFAULT_SYSTEM), shell.tell)


def _have_remote(shell: Shell, space: OpenSpace, app: str) -> None:
    present = {(remote.space, remote.app) for remote in checkout.remotes(shell.folder)}
    remote = checkout.remote_for(shell.folder, space.space.name, app)
    if remote is not None and (space.space.name, app) not in present:
        checkout.set_remote(shell.folder, remote)
