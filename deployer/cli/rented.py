"""What `spaces:create --host`, `spaces:join` and `spaces:destroy` say and ask about rented hosts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deployer.cli.confirm import confirm
from deployer.cli.resolve import open_named, pointer_to
from deployer.cli.shell import Shell
from deployer.errors.rented import MachineNeeded
from deployer.model.space import Host, StoreAddress
from deployer.operations import rented as operations
from deployer.operations import spaces
from deployer.operations.rented import Preview, Wanted
from deployer.remote.reach import Reach
from deployer.spaces import pointers
from deployer.spaces.ssh.inspect import Found

if TYPE_CHECKING:
    from deployer.operations.rented_newcomer import Newcomer


def create(shell: Shell, wanted: Wanted, keys: Sequence[str], confirmation: str | None) -> None:
    """Make a space, after a preview and a question."""

    def approve(preview: Preview) -> None:
        for line in preview_lines(preview):
            shell.output.say(line)
        confirm(shell, wanted.name, confirmation, f"This will do so on {', '.join(wanted.targets)}.")

    targets = dict(enumerate(wanted.targets, 1))
    reach = Reach(shell.person, {f"{wanted.name}-h{seat}": target for seat, target in targets.items()}, keys)
    space = operations.create(wanted, reach, approve, shell.tell)
    shell.output.print(space.app_url("APP"))


def preview_lines(preview: Preview) -> list[str]:
    """What would be made, and what that means."""
    width = max(len(one.target) for one in preview.found)
    lines = [f"=== {preview.name}: {len(preview.hosts)} host{'s' if len(preview.hosts) > 1 else ''}"]
    lines += [_machine_line(host, one, width) for host, one in zip(preview.hosts, preview.found, strict=True)]
    return [*lines, "", "It would, on each of them:", *_changes(preview.packages), "", *_consequences(preview), ""]


def _machine_line(host: Host, found: Found, width: int = 0) -> str:
    size = f"{found.cpus} CPUs, {found.memory:,} MiB memory, {found.disk:,} MiB free"
    return f"{host.id}  {found.target.ljust(width)}  {found.called} ({found.platform.architecture}), {size}"


def _changes(packages: Sequence[str]) -> list[str]:
    lines = [f"  install {len(packages)} packages: {', '.join(packages)}"] if packages else []
    return [
        *lines,
        "  run HAProxy on port 80, and let nobody but the hosts of the space reach ports 7000 to 9999",
        "  put units, files below /srv/deployer, and settings for journald, sshd and nftables there",
    ]


def _consequences(preview: Preview) -> list[str]:
    lines = [f"Apps would answer at {preview.url.replace('{app}', 'APP')}, over plain HTTP: nothing is encrypted."]
    if preview.store:
        lines.append(f"The space's ledger would lie in {preview.store}.")
    if len(preview.hosts) == 1:
        safe = "Apps and their databases" if preview.store else "Apps, their databases and the space's ledger"
        lines.append(f"{safe} are as safe as that one host.")
        return lines
    lines.append(f"Databases are as safe as {preview.hosts[0].id}.")
    if not preview.store:
        lines.append("Two of the hosts hold the space's ledger.")
    return [*lines, _routing(preview.hosts, local_only=preview.local_only)]


def _routing(hosts: Sequence[Host], *, local_only: bool) -> str:
    if local_only:
        return (
            "The hosts have no private network: each router sends requests to dynos of its own host alone, and an app "
            f"needs a web dyno on each of them (ps:scale web={len(hosts)})."
        )
    reached = ", ".join(host.private_address for host in hosts)
    return f"The hosts reach each other at {reached}: routers use the dynos of all."


def add(
    shell: Shell, space: str, target: str | None, private: str | None, keys: Sequence[str], confirmation: str | None
) -> None:
    """Add a machine to a space, after a preview and a question; MachineNeeded where none was named."""
    from deployer.operations import rented_newcomer

    if target is None:
        raise MachineNeeded(space)

    def approve(newcomer: Newcomer) -> None:
        shell.output.say("\n".join(newcomer_lines(space, newcomer)))
        confirm(shell, space, confirmation, f"This will do so on {target}.")

    pointer = pointer_to(shell, space)
    reach = Reach(shell.person, pointer.targets, keys)
    with open_named(shell, space) as found:
        host = rented_newcomer.add(found, pointer, target, private, reach, approve, shell.tell)
    shell.output.print(host.id)


def newcomer_lines(space: str, newcomer: Newcomer) -> list[str]:
    """What would be changed, and what that means."""
    host, hosts = newcomer.host, [*newcomer.hosts, newcomer.host]
    lines = [f"=== {space}: one more host", _machine_line(host, newcomer.found), "", "It would, on it:"]
    if newcomer.former:
        lines.append("  take off what is left of the time in which it was a host of this space before")
    return [*lines, *_changes(newcomer.found.missing), "", _routing(hosts, local_only=newcomer.local_only), ""]


def remove(shell: Shell, space: str, host: str) -> None:
    """Move a host's dynos to others, and take what is ours off it."""
    from deployer.operations.hosts import remove as operation
    from deployer.operations.rented_newcomer import Rented

    with open_named(shell, space) as found:
        operation(found, Rented(found, pointer_to(shell, space), shell.tell), host, shell.tell)


def join(shell: Shell, target: str, keys: Sequence[str], store: StoreAddress | None) -> None:
    """Know a space from now on."""
    pointer, space = operations.join(target, Reach(shell.person, {}, keys), store)
    shell.output.say(f"This machine now knows the space {pointer.name}, whose first host is {pointer.first.address}.")
    shell.output.print(space.app_url("APP"))


def destroy(shell: Shell, name: str, confirmation: str | None, *, keep_data: bool, forget: bool) -> None:
    """Give the hosts back, or forget them."""
    if forget:
        confirm(shell, name, confirmation, f"This machine will forget the space {name}; its hosts go on as they are.")
        pointers.remove(name)
        return
    inside = spaces.inside(name, shell.person)
    confirm(shell, name, confirmation, f"This will destroy the space {name}: {inside}. Its hosts stay yours.")
    keep_data = keep_data or (confirmation is None and _keeps(shell))
    spaces.destroy(name, shell.tell, shell.person, data=not keep_data)


def _keeps(shell: Shell) -> bool:
    """Asked only where somebody has just typed the space's name."""
    return shell.ask is not None and shell.ask("Delete its databases from the hosts, too? (yes/no) ").lower() != "yes"
