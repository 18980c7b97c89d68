"""`domains` and its kin: the names under which an app answers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli import options
from deployer.cli.confirm import confirm
from deployer.cli.output import csv_lines
from deployer.cli.resolve import opened
from deployer.cli.shell import Shell
from deployer.cli.space_options import Yes
from deployer.model.space import Space
from deployer.model.tls import HTTP_ONLY
from deployer.operations.apps import state_of
from deployer.operations.domain_lines import DomainLine, of_app
from deployer.operations.domain_wait import AT_MOST

if TYPE_CHECKING:
    from deployer.operations.cloud_proposal import Proposal
    from deployer.operations.session import OpenSpace
    from deployer.spaces.aws.places import Place

Hostname = Annotated[str, typer.Argument(metavar="HOSTNAME", help="Like www.example.com, or *.example.com.")]
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=0, help="Wait no longer than that.")]
TITLES = ("Domain Name", "DNS Record Type", "DNS Target", "Certificate")


def domains(
    ctx: typer.Context,
    app: options.App = None,
    remote: options.Remote = None,
    as_csv: Annotated[bool, typer.Option("-c", "--csv", help="CSV on stdout.", show_default=False)] = False,
    as_json: options.Json = False,
) -> None:
    """List the domains of an app, how DNS leads them to it, and how far their certificates are."""
    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        _, lines = of_app(space, name)
    rows = [(one.name, one.pointing.kind, one.pointing.target, one.standing.word) for one in lines if one.added]
    if as_json:
        shell.output.json([domain_json(name, one) for one in lines])
    elif as_csv:
        shell.output.out.write(csv_lines(TITLES, rows))
    else:
        shell.output.header(f"{name} Domain of the space")
        shell.output.print(lines[0].name)
        if rows:
            shell.output.print()
            shell.output.header(f"{name} Custom Domains")
            shell.output.table(TITLES, rows)


def add(  # noqa: PLR0913 - each is an option
    ctx: typer.Context,
    hostname: Hostname,
    app: options.App = None,
    remote: options.Remote = None,
    waits: Annotated[
        bool,
        typer.Option("--wait", help="Wait until it leads here and has its certificate.", show_default=False),
    ] = False,
    timeout: Timeout = AT_MOST,
    plain: Annotated[
        bool, typer.Option("--no-certificate", help="Have no certificate for it in AWS.", show_default=False)
    ] = False,
    yes: Yes = False,
    as_json: options.Json = False,
) -> None:
    """Have a domain lead to the app.

    Makes no release and restarts nothing. It says which DNS record leads the domain here; HTTPS follows by itself.
    With --wait it also waits for somebody else who changes the app.

    Behind a load balancer in AWS a domain outside the space's own takes a certificate of AWS: what that changes is
    shown and asked first, DNS records too where Route 53 has its zone. Once DNS proves it, domains:wait has the load
    balancer show it."""
    from deployer.operations.domains import add as operation
    from deployer.operations.domains import check_new, spelled

    shell: Shell = ctx.obj
    wanted = spelled(hostname)
    with opened(shell, app, remote) as (space, name):
        proposal: Proposal | None = None
        if space.space.has_load_balancer and not plain:
            from deployer.cli import cloud_domains

            check_new(space, state_of(space, name).app, wanted)
            proposal = cloud_domains.adding(shell, space, name, wanted, yes=yes)
        with shell.doing(f"Adding {wanted} to {shell.output.app_err(name)} ({space.space.name})") as said:
            if not operation(space, name, wanted, shell.tell.quietly, wait=timeout if waits else None):
                said.append("it was there already")
        if proposal:
            cloud_domains.carry_out(shell, proposal)
        line = next(one for one in of_app(space, name)[1] if one.name == wanted)
        if line.added and not as_json:
            place = proposal.place(wanted) if proposal else None
            _say_how(shell, space.space, name, line, place, waits=waits)
        if waits:
            [line] = awaited(shell, space, name, [wanted], timeout, yes=yes)
    if as_json:
        shell.output.json(domain_json(name, line))


def remove(
    ctx: typer.Context,
    hostname: Hostname,
    app: options.App = None,
    remote: options.Remote = None,
    yes: Yes = False,
    wait: options.Wait = None,
) -> None:
    """Take a domain from the app.

    Where AWS has a certificate for it, that goes too."""
    from deployer.operations.domains import check_has, spelled
    from deployer.operations.domains import remove as operation

    shell: Shell = ctx.obj
    wanted = spelled(hostname)
    with opened(shell, app, remote) as (space, name):
        check_has(space, state_of(space, name).app, wanted)
        with (
            _gone_from_aws(shell, space, name, [wanted], f"domains:remove {wanted}", yes=yes),
            shell.doing(f"Removing {wanted} from {shell.output.app_err(name)} ({space.space.name})"),
        ):
            operation(space, name, wanted, shell.tell.quietly, wait=wait)


def clear(
    ctx: typer.Context,
    app: options.App = None,
    remote: options.Remote = None,
    confirmation: options.Confirm = None,
    yes: Yes = False,
    wait: options.Wait = None,
) -> None:
    """Take all domains from the app that were added to it."""
    from deployer.operations.domains import clear as operation

    shell: Shell = ctx.obj
    with opened(shell, app, remote) as (space, name):
        names = [one.name for one in of_app(space, name)[1] if one.added]
        if names:
            confirm(shell, name, confirmation, f"This will take {', '.join(names)} from {shell.output.app_err(name)}.")
        with (
            _gone_from_aws(shell, space, name, names, "domains:clear", yes=yes),
            shell.doing(f"Removing all domains from {shell.output.app_err(name)} ({space.space.name})") as said,
        ):
            said.append(f"{operation(space, name, shell.tell.quietly, wait=wait)} removed")


@contextmanager
def _gone_from_aws(
    shell: Shell, space: OpenSpace, app: str, names: Collection[str], command: str, *, yes: bool
) -> Iterator[None]:
    """Agree first to what goes with the domains in AWS; it goes when routers lead to them no more."""
    if not space.space.has_load_balancer:
        yield
        return
    from deployer.cli import cloud_domains

    proposal = cloud_domains.removing(shell, space, app, names, command, yes=yes)
    yield
    cloud_domains.carry_out(shell, proposal)


def info(
    ctx: typer.Context,
    hostname: Hostname,
    app: options.App = None,
    remote: options.Remote = None,
    as_json: options.Json = False,
) -> None:
    """Describe a domain of an app."""
    from deployer.operations.domains import check_has, spelled

    shell: Shell = ctx.obj
    wanted = spelled(hostname)
    with opened(shell, app, remote) as (space, name):
        found, lines = of_app(space, name)
        line = next((one for one in lines if one.name == wanted), None)
        if line is None:
            check_has(space, found, wanted)
    assert line is not None
    if as_json:
        shell.output.json(domain_json(name, line))
    else:
        shell.output.header(wanted)
        shell.output.values(_values(name, line))


def wait(
    ctx: typer.Context,
    hostname: Annotated[str | None, typer.Argument(metavar="[HOSTNAME]", help="All where none is named.")] = None,
    timeout: Timeout = AT_MOST,
    app: options.App = None,
    remote: options.Remote = None,
    yes: Yes = False,
) -> None:
    """Wait until DNS leads a domain here and its certificate is in force.

    Ctrl-C ends the waiting alone: everything goes on by itself. But a load balancer in AWS shows a certificate that is
    issued when it is told to: this command does, and asks only where something else would change, too."""
    from deployer.operations.domains import check_has, spelled

    shell: Shell = ctx.obj
    wanted = spelled(hostname) if hostname is not None else None
    with opened(shell, app, remote) as (space, name):
        found = state_of(space, name).app
        names = space.space.domains(found)
        if wanted is not None and wanted not in names:
            check_has(space, found, wanted)
        awaited(shell, space, name, [wanted] if wanted else names, timeout, yes=yes)


def awaited(
    shell: Shell, space: OpenSpace, app: str, names: Collection[str], timeout: float, *, yes: bool
) -> list[DomainLine]:
    """How the domains stand, as soon as they answer as they should."""
    from deployer.operations.domain_wait import await_ready

    if space.space.has_load_balancer:
        from deployer.cli import cloud_domains

        began = monotonic()
        cloud_domains.finish(shell, space, app, names, timeout, yes=yes)
        timeout = max(0.0, timeout - (monotonic() - began))
    with shell.doing(f"Waiting for {', '.join(names)}") as said:
        lines = await_ready(space, app, names, at_most=timeout)
        said.append(", ".join(dict.fromkeys(one.standing.word for one in lines)))
    return lines


def domain_json(app: str, line: DomainLine) -> dict[str, object]:
    """Heroku's domain object, as far as there is something to say."""
    return {
        "hostname": line.name,
        "kind": "custom" if line.added else "space",
        "app": {"name": app},
        "cname": line.pointing.target if line.added else None,
        "dns_record_type": line.pointing.kind if line.added else None,
        "acm_status": line.standing.word,
        "acm_status_reason": line.standing.reason or None,
    }


def _values(app: str, line: DomainLine) -> dict[str, str]:
    because = f"{line.standing.word}: {line.standing.reason}" if line.standing.reason else line.standing.word
    leads = f"{line.pointing.kind} {line.pointing.target}" if line.added else ""
    pairs = {
        "App": app,
        "Certificate": because,
        "DNS Record": leads,
        "Kind": "custom" if line.added else "of the space",
    }
    return {key: value for key, value in pairs.items() if value}


def _say_how(
    shell: Shell, space: Space, app: str, line: DomainLine, place: Place | None = None, *, waits: bool
) -> None:
    if space.kind == "sandbox":
        url = space.app_url(app).replace(space.app_host(app), line.name)
        shell.output.say(f"It answers at {url} on this machine, once the name leads here. In /etc/hosts:")
        shell.output.say(f"    {line.pointing.target} {line.name}")
        return
    _say_record(shell, line, place)
    if line.standing.word == HTTP_ONLY:
        shell.output.say(f"It answers over HTTP only: {line.standing.reason}.")
    by_aws = space.has_load_balancer and not line.standing.is_final
    if by_aws:
        shell.output.say(f"For HTTPS {line.standing.reason}.")
    if not waits:
        then = "AWS has issued its certificate, and has it shown" if by_aws else "it does, and for its certificate"
        shell.output.say(f"`deployer domains:wait {line.name} -a {app}` waits until {then}.")


def _say_record(shell: Shell, line: DomainLine, place: Place | None) -> None:
    """Which record leads a domain here, and who has to make it."""
    if place is None or place.taken:
        shell.output.say("Have a record in the DNS of that domain lead here:")
        shell.output.say(f"    {line.name} {line.pointing.kind} {line.pointing.target}")
    if place is None:
        return
    if place.taken:
        shell.output.say(f"Route 53 has {place.taken} in the zone {place.zone.name}, which stays as it is.")
    else:
        shell.output.say(f"The record that leads here is in Route 53, in the zone {place.zone.name}.")
    if not line.standing.is_final:
        shell.output.say(f"It counts if whoever sold {place.zone.name} names these name servers:")
        for one in place.zone.servers:
            shell.output.say(f"    {one}")
