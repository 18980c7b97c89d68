"""`doctor` of a space in AWS: this machine, the account, the group's hosts, and, by SSH, what every host is asked."""

from __future__ import annotations

from deployer.cli.cloud import described, region_of
from deployer.cli.shell import Shell
from deployer.errors.apps import AppNotFound
from deployer.errors.base import Failure
from deployer.errors.hosts import NoHostHasJoined
from deployer.operations.cloud_diagnosis import problem
from deployer.operations.cloud_doctor import Looked, Meant, Site, look, look_at_hosts
from deployer.operations.diagnosis import Finding
from deployer.operations.doctor import examine_hosts, here, repair
from deployer.spaces.aws.tools import home_here


def findings(shell: Shell, name: str, app: str | None, *, deep: bool, mend: bool) -> list[Finding]:
    """Those of every machine that builds, those of spaces in AWS, then those of hosts: what of these can be asked
    depends on the checks before. AppNotFound."""
    spec = described(shell, name)
    pointer = shell.pointers.load(name) if name in shell.pointers.names() else None
    source = "this machine's pointer" if pointer else "deployer.toml"
    state = pointer.store if pointer else None
    space = Meant(name, region_of(shell, name, spec), source, spec.account if spec else None, state)
    looked = look(_site(shell), space)
    look_at_hosts(looked)
    told = _by_ssh(shell, name, app, looked.gone, deep=deep, mend=mend) if _has_ledger(shell, name, looked) else []
    return together([*here(), *looked.findings, *told])


def _has_ledger(shell: Shell, name: str, looked: Looked) -> bool:
    """Whether it is known where the space's ledger lies, and credentials are there that may reach it."""
    return looked.answers and name in shell.pointers.names() and shell.pointers.load(name).ledger is not None


def _by_ssh(shell: Shell, name: str, app: str | None, gone: frozenset[str], *, deep: bool, mend: bool) -> list[Finding]:
    try:
        with shell.opening(shell.pointers.load(name)) as opened:
            opened.gone = gone
            found = examine_hosts(opened, app, deep=deep)
            if mend and any(one.problem for one in found):
                repair(opened, found, shell.tell)
                found = examine_hosts(opened, app, deep=deep)
            return found
    except AppNotFound:
        raise
    except NoHostHasJoined:  # which the group's checks have said
        return []
    except Failure as failure:
        return [problem(name, "ledger", failure)]


def together(found: list[Finding]) -> list[Finding]:
    """What is said of a place at once, places in the order in which they came."""
    places = list(dict.fromkeys(one.where for one in found))
    return sorted(found, key=lambda one: places.index(one.where))


def _site(shell: Shell) -> Site:
    if shell.tools is None:
        return Site(shell.env, home_here())
    made = shell.tools()
    return Site({**shell.env, "PATH": str(made.root / "bin")}, made.home, made.endpoint)
