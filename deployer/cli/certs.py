"""`certs` and its kin: the certificates of an app's domains."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli import options
from deployer.cli.domains import Timeout, awaited, domain_json
from deployer.cli.output import moment
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.cli.space_options import Yes
from deployer.errors.certificates import AlwaysAutomatic
from deployer.errors.cli import BadUsage
from deployer.model.certificate import ACM
from deployer.model.space import Space
from deployer.operations.apps import state_of
from deployer.operations.domain_lines import DomainLine, of_app
from deployer.operations.domain_wait import AT_MOST

if TYPE_CHECKING:
    from deployer.operations.certificates import InForce

TITLES = ("Name", "Common Name(s)", "Expires", "Trusted", "Type", "Domains")
TYPES = {ACM: "ACM"}  # of AWS; all others are by ACME


def certs(
    ctx: typer.Context, app: options.App = None, remote: options.Remote = None, as_json: options.Json = False
) -> None:
    """List the certificates that are in force for the domains of an app."""
    from deployer.operations.certificates import in_force

    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        found = in_force(space, name)
    if as_json:
        shell.output.json([_json(one) for one in found])
    elif not found:
        shell.output.print(f"{shell.output.app(name)} has no certificates.")
    else:
        rows = [
            (
                one.known.name,
                ", ".join(one.facts.names),
                _time(one.known.ends) or "renewed by AWS",
                str(not one.facts.distrust),
                TYPES.get(one.known.by, "ACME"),
                "1",
            )
            for one in found
        ]
        shell.output.table(TITLES, rows)


def info(
    ctx: typer.Context,
    domain: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Of this domain only.")] = None,
    app: options.App = None,
    remote: options.Remote = None,
    as_json: options.Json = False,
) -> None:
    """Show what stands in the certificates of an app, and whether browsers trust them."""
    from deployer.operations.certificates import in_force

    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        found = in_force(space, name, domain)
    if as_json:
        shell.output.json([_json(one) for one in found])
    elif not found:
        shell.output.print(f"{shell.output.app(name)} has no certificates.")
    for one in () if as_json else found:
        shell.output.header(one.known.name)
        shell.output.values(_values(one))
        shell.output.print(_trust(one))


def auto(
    ctx: typer.Context,
    app: options.App = None,
    remote: options.Remote = None,
    waits: Annotated[bool, typer.Option("--wait", help="Wait until all are in force.", show_default=False)] = False,
    timeout: Timeout = AT_MOST,
    yes: Yes = False,
    as_json: options.Json = False,
) -> None:
    """Show how far the certificate of each domain is.

    They are ordered and renewed by themselves, as soon as DNS leads a domain to the space."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        lines = of_app(space, name)[1]
        if waits:
            lines = awaited(shell, space, name, [one.name for one in lines], timeout, yes=yes)
        kind = space.space.kind
    if as_json:
        shell.output.json([domain_json(name, one) for one in lines])
    elif kind == "sandbox":
        shell.output.print(f"{shell.output.app(name)} has no certificates: sandboxes speak HTTP only.")
    else:
        shell.output.header(f"Automatic Certificate Management is enabled on {name}")
        _table(shell, lines)


def enable(ctx: typer.Context, app: options.App = None, remote: options.Remote = None) -> None:
    """Say that certificates are always automatic, as `heroku certs:auto:enable` makes them."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        state_of(space, name)
    shell.output.say(f"Certificates of {shell.output.app_err(name)} are automatic already, as all are here.")


def disable(ctx: typer.Context, app: options.App = None, remote: options.Remote = None) -> None:
    """Say what to do instead: certificates are always automatic here."""
    with opened(ctx.obj, app, remote) as (space, name):
        state_of(space, name)
        raise AlwaysAutomatic(name)


def refresh(ctx: typer.Context, app: options.App = None, remote: options.Remote = None) -> None:
    """Try again at once what has failed, instead of after a growing pause."""
    from deployer.operations.certificates import refresh as operation

    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        shown = f"{shell.output.app_err(name)} ({space.space.name})"
        if why := _nobody_to_ask(space.space):
            shell.output.say(f"Nothing to refresh for {shown}: {why}.")
            return
        with shell.doing(f"Refreshing the certificates of {shown}") as said:
            names = operation(space, name)
            said.append(", ".join(names) if names else "all are in force")
    if names:
        shell.output.say(f"The host looks within a minute: `deployer certs:auto -a {name}` says what came of it.")


def redirect(
    ctx: typer.Context,
    switch: Annotated[str | None, typer.Argument(metavar="[on|off]", show_default=False)] = None,
    app: options.App = None,
    remote: options.Remote = None,
    as_json: options.Json = False,
    wait: options.Wait = None,
) -> None:
    """Say whether HTTP leads to HTTPS, or have it so, or not.

    It does at first, for each domain as soon as its certificate is in force. Makes no release and restarts nothing."""
    from deployer.operations.certificates import turn_redirect

    shell: Shell = ctx.obj
    if switch not in (None, "on", "off"):
        raise BadUsage(f"`{switch}` is neither `on` nor `off`.", "deployer certs:redirect")
    with opened(shell, app, remote) as (space, name):
        if switch is None:
            on = state_of(space, name).app.redirect
        else:
            on = switch == "on"
            verb = "Enabling" if on else "Disabling"
            with shell.doing(f"{verb} the redirect to HTTPS for {shell.output.app_err(name)} ({space.space.name})"):
                turn_redirect(space, name, shell.tell.quietly, on=on, wait=wait)
    if as_json:
        shell.output.json({"app": name, "redirect": on})
    elif switch is None:
        shell.output.print("on" if on else "off")


def _nobody_to_ask(space: Space) -> str:
    if space.kind == "sandbox":
        return "sandboxes speak HTTP only"
    return "AWS issues its certificates, and looks at DNS by itself" if space.has_load_balancer else ""


def _table(shell: Shell, lines: list[DomainLine]) -> None:
    now, has_reasons = shell.now(), any(one.standing.reason for one in lines)
    titles = ("Domain", "Status", "Last Updated", *["Reason"][:has_reasons])
    rows = [
        (
            one.name,
            one.standing.word,
            moment(one.standing.at, now) if one.standing.at else "",
            *[one.standing.reason][:has_reasons],
        )
        for one in lines
    ]
    shell.output.table(titles, rows)


def _values(one: InForce) -> dict[str, str]:
    pairs = {
        "Common Name(s)": "\n".join(one.facts.names),
        "Expires At": _time(one.known.ends) or "renewed by AWS",
        "Issuer": one.facts.issuer,
        "Starts At": _time(one.known.starts),
        "Subject": one.facts.subject,
    }
    return {key: value for key, value in pairs.items() if value}


def _trust(one: InForce) -> str:
    if one.facts.distrust:
        return f"SSL certificate is not trusted: {one.facts.distrust}."
    return "SSL certificate is verified by a root authority."


def _json(one: InForce) -> dict[str, object]:
    """Heroku's object of an endpoint, as far as there is something to say; keys stay where they are."""
    return {
        "name": one.known.name,
        "type": TYPES.get(one.known.by, "ACME").lower(),
        "certificate_chain": one.known.chain or None,
        "domains": [one.known.name],
        "ssl_cert": {
            "cert_domains": list(one.facts.names),
            "issuer": one.facts.issuer or None,
            "subject": one.facts.subject or None,
            "starts_at": one.known.starts or None,
            "expires_at": one.known.ends or None,
            "ca_signed?": not one.facts.distrust,
        },
    }


def _time(text: str) -> str:
    """`2026-11-30 00:00 UTC`, as Heroku says when a certificate ends."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M UTC") if text else ""
