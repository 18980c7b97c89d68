"""`create`, `apps`, `info`, `destroy`, `open`."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated

import typer

from deployer.cli import options
from deployer.cli.confirm import confirm
from deployer.cli.output import size
from deployer.cli.resolve import open_named, opened, space_of
from deployer.cli.shell import Shell
from deployer.errors.apps import BadAppName
from deployer.model.names import is_app_name
from deployer.operations import apps as operations
from deployer.operations import backups, checkout
from deployer.operations.apps import AppInfo
from deployer.operations.buildpacks import canonical
from deployer.operations.ps import formation_of
from deployer.operations.session import OpenSpace


def create(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="3 to 30 lower-case letters, digits and dashes.")] = None,
    space: options.Space = None,
    buildpack: Annotated[list[str] | None, typer.Option("-b", "--buildpack", help="Build with it; repeatable.")] = None,
    remote: Annotated[str | None, typer.Option("-r", "--remote", help="The git remote's name.")] = None,
    no_remote: Annotated[bool, typer.Option("-n", "--no-remote", help="Add no git remote.")] = False,
    as_json: options.Json = False,
) -> None:
    """Create an app and a git remote for it.

    Without a name it gets a random one. The remote is called `deployer`, or like its space where that name is taken."""
    shell: Shell = ctx.obj
    if name is not None and not is_app_name(name):
        raise BadAppName(name)
    with open_named(shell, space_of(shell, space)) as found:
        with shell.doing("Creating app") as said:
            app = operations.create(found, name, tuple(map(canonical, buildpack or ())))
            said.append(f"{shell.output.app_err(app.name)} ({found.space.name})")
        info = operations.info(found, app.name)
    if not no_remote:
        _add_remote(shell, info, remote)
    if as_json:
        shell.output.json(app_json(info))
    else:
        shell.output.print(f"{info.url} | {checkout.url(info.space, app.name)}")


def _add_remote(shell: Shell, info: AppInfo, name: str | None) -> None:
    """A remote of that name; `deployer` or the space's where none is given, unless both lead elsewhere already."""
    app = info.state.app.name
    where = checkout.remote_for(shell.folder, info.space, app)
    if name is not None and checkout.is_checkout(shell.folder):
        where = checkout.Remote(name, info.space, app)
    if where is not None:
        checkout.set_remote(shell.folder, where)
    elif checkout.is_checkout(shell.folder):
        shell.output.warn(
            f"No git remote was added: {checkout.DEFAULT_REMOTE} and {info.space} lead elsewhere.\n"
            f"Add one with `deployer git:remote -a {info.space}/{app} -r NAME`."
        )


def apps(ctx: typer.Context, space: options.Space = None, as_json: options.Json = False) -> None:
    """List the apps of a space."""
    shell: Shell = ctx.obj
    with open_named(shell, space_of(shell, space)) as found:
        infos = found.ledger.apps()
        if as_json:
            shell.output.json(
                [{"name": app.name, "space": found.space.name, "created_at": app.created} for app in infos]
            )
        elif not infos:
            shell.output.print(f"You have no apps in {found.space.name}.")
        else:
            shell.output.header(f"{found.space.name} Apps")
            for app in infos:
                shell.output.print(app.name)


def info(
    ctx: typer.Context,
    app: options.App = None,
    remote: options.Remote = None,
    shell_style: Annotated[bool, typer.Option("-s", "--shell", help="As KEY=value lines.")] = False,
    as_json: options.Json = False,
) -> None:
    """Describe an app."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        found = operations.info(space, name)
    if as_json:
        shell.output.json({"app": app_json(found), "addons": [f"{a.service}:{a.plan}" for a in found.addons]})
    elif shell_style:
        for key, value in _values(found).items():
            shell.output.print(f"{key.lower().replace(' ', '_')}={value.replace(chr(10), ',')}")
    else:
        shell.output.header(name)
        shell.output.values(_values(found))


def destroy(
    ctx: typer.Context,
    app: options.App = None,
    remote: options.Remote = None,
    confirmation: options.Confirm = None,
    wait: options.Wait = None,
) -> None:
    """Delete an app with its add-ons and all their data.

    There is no way back. Git remotes that lead to it are removed. Where AWS has certificates for its domains, they go,
    too."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        domains = operations.state_of(space, name).app.domains
        with _its_domains_gone(shell, space, domains):
            confirm(shell, name, confirmation, _warning(shell, space, name))
            with shell.doing(f"Destroying {shell.output.app_err(name)} (including all add-ons)"):
                operations.destroy(space, name, shell.tell.quietly, wait=wait)
                checkout.remove_remotes(shell.folder, space.space.name, name)


def _its_domains_gone(shell: Shell, space: OpenSpace, domains: Collection[str]) -> AbstractContextManager[None]:
    """What a load balancer in AWS has of them goes after the app."""
    if not domains or not space.space.has_load_balancer:
        return nullcontext()
    from deployer.cli.cloud_domains import going

    return going(shell, space, domains)


def _warning(shell: Shell, space: OpenSpace, name: str) -> str:
    """What goes; backups are named, since people think of these as what stays."""
    text = f"This will delete {shell.output.app_err(name)} including all add-ons."
    whole = [one for one in backups.listed(space, name) if one.has_dump]
    if not whole:
        return text
    newest = f"the newest {whole[0].backup.name} of {whole[0].backup.created}"
    return f"{text}\nIts backups go too: {len(whole)}, {newest}. `deployer pg:backups:download` brings one here."


def open_app(
    ctx: typer.Context,
    path: Annotated[str, typer.Argument(help="A path of the app, or a whole URL.")] = "",
    app: options.App = None,
    remote: options.Remote = None,
) -> None:
    """Open the app in a browser; print its URL."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        url = operations.info(space, name).url
    full = path if "://" in path else url.rstrip("/") + "/" + path.lstrip("/")
    shell.output.print(full)
    if shell.ask is not None:
        typer.launch(full)


def app_json(info: AppInfo) -> dict[str, object]:
    """Heroku's app object, as far as there is something to say."""
    app, slug = info.state.app, info.state.slug
    return {
        "name": app.name,
        "created_at": app.created,
        "web_url": info.url,
        "domains": list(info.domains),
        "git_url": checkout.url(info.space, app.name),
        "space": {"name": info.space},
        "stack": {"name": slug.platform} if slug else None,
        "buildpacks": list(app.buildpacks),
        "maintenance": app.maintenance,
        "slug_size": slug.size if slug else None,
        "released_at": info.state.release.created if info.state.release else None,
    }


def _values(info: AppInfo) -> dict[str, str]:
    slug = info.state.slug
    dynos = (f"{name}: {quantity.quantity}" for name, quantity in formation_of(info.state).items() if quantity.quantity)
    pairs = {
        "Addons": "\n".join(f"{addon.service}:{addon.plan}" for addon in info.addons),
        "Domains": "\n".join(info.domains[1:]),
        "Dynos": "\n".join(dynos),
        "Git URL": checkout.url(info.space, info.state.app.name),
        "Maintenance": "on" if info.state.app.maintenance else "",
        "Release": info.state.release.name if info.state.release else "",
        "Slug Size": size(slug.size) if slug else "",
        "Space": info.space,
        "Stack": slug.platform if slug else "",
        "Web URL": info.url,
    }
    return {key: value for key, value in pairs.items() if value}
