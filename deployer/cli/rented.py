"""What `spaces:create --host`, `spaces:join` and `spaces:destroy` say and ask about rented hosts."""

from __future__ import annotations

from collections.abc import Sequence

from deployer.cli.confirm import confirm
from deployer.cli.shell import Shell
from deployer.model.space import StoreAddress
from deployer.operations import rented as operations
from deployer.operations import spaces
from deployer.operations.rented import Preview, Wanted
from deployer.remote.reach import Reach
from deployer.spaces import pointers


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
    for host, one in zip(preview.hosts, preview.found, strict=True):
        size = f"{one.cpus} CPUs, {one.memory:,} MiB memory, {one.disk:,} MiB free"
        lines.append(f"{host.id}  {one.target.ljust(width)}  {one.called} ({preview.platform.architecture}), {size}")
    lines += ["", "It would, on each of them:"]
    if preview.packages:
        lines.append(f"  install {len(preview.packages)} packages: {', '.join(preview.packages)}")
    lines += [
        "  run HAProxy on port 80, and let nobody but the hosts of the space reach ports 7000 to 9999",
        "  put units, files below /srv/deployer, and settings for journald, sshd and nftables there",
        "",
        *_consequences(preview),
        "",
    ]
    return lines


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
    if preview.local_only:
        lines.append(
            "The hosts have no private network: each router sends requests to dynos of its own host alone, and an app "
            f"needs a web dyno on each of them (ps:scale web={len(preview.hosts)})."
        )
    else:
        reached = ", ".join(host.private_address for host in preview.hosts)
        lines.append(f"The hosts reach each other at {reached}: routers use the dynos of all.")
    return lines


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
