"""Look for what is wrong with a space, and repair what can be repaired from here."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deployer.errors.base import Failure
from deployer.model.events import Detail, Tell
from deployer.model.lease import Lease
from deployer.operations import diagnosis
from deployer.operations.apps import state_of
from deployer.operations.change import changing, holding_app
from deployer.operations.converge import converge
from deployer.operations.diagnosis import Examined, Finding, Kept
from deployer.operations.first_host import MOST_AT_ONCE
from deployer.operations.joining import remove_unknown
from deployer.operations.phases import Fence
from deployer.operations.prepare import prepare_host
from deployer.operations.session import OpenSpace
from deployer.remote.agent import Session
from deployer.store import keys, record
from deployer.store.base import Get, Stored

HERE = "this machine"
REPLACED = "nothing: whoever comes in its place serves what it did"
RETURNS = "nothing, if it answers: the next command that changes an app takes it back"
PROGRAMS = {"git": "git", "ssh": "openssh-client", "bwrap": "bubblewrap", "mmdebstrap": "mmdebstrap"}
NAMESPACES = ("kernel/unprivileged_userns_clone", "user/max_user_namespaces")


def examine(space: OpenSpace, app: str | None = None, *, deep: bool = False) -> list[Finding]:
    """Every check of this machine, of each host and of the space's apps, or of `app` alone; AppNotFound. Changes
    nothing."""
    return [*here(), *examine_hosts(space, app, deep=deep)]


def examine_hosts(space: OpenSpace, app: str | None = None, *, deep: bool = False) -> list[Finding]:
    """The same without this machine."""
    names = [one.name for one in space.ledger.apps()] if app is None else [state_of(space, app).app.name]
    findings: list[Finding] = []
    examined: list[Examined] = []
    for answer in _ask_every_host(space, deep=deep):
        findings += [answer] if isinstance(answer, Finding) else diagnosis.of_host(answer, space.space.name)
        examined += [answer] if isinstance(answer, Examined) else []
    for name in names:
        findings += diagnosis.of_app(_kept(space, name), examined, space.space.name)
    if app is None:
        findings += diagnosis.foreign(names, examined, space.space.name)
    return findings


def repair(space: OpenSpace, findings: Sequence[Finding], tell: Tell) -> None:
    """Prepare each host anew, and make what runs of apps with a problem what the ledger says; ToolTooOld where a newer
    deployer has prepared them."""
    space.check_tool()
    for session in space.sessions:
        prepare_host(session, space.hosts, space.space.epoch, tell)
    known = {app.name for app in space.ledger.apps()}
    for name in sorted({one.where for one in findings if one.problem} & known):
        tell(Detail(f"making {name} what the ledger says"))
        with changing(space, name, "doctor --repair", tell) as change:
            converge(change)
    for session in space.sessions:
        for name in {row["app"] for row in session.call("ps")["dynos"]} - known:
            tell(Detail(f"removing {name} from {session.host.id}"))
            with holding_app(space, name, "doctor --repair", None) as held:
                highest = session.call("facts")["tokens"].get(name, 0)
                remove_unknown(session, Fence(name, held.token, space.space.epoch), highest)


def here() -> list[Finding]:
    """What this machine needs: programs, and namespaces where builds do not run as root."""
    missing = {name: package for name, package in PROGRAMS.items() if shutil.which(name) is None}
    advice = f"sudo apt-get install {' '.join(missing.values())}"
    programs = Finding(
        HERE, "programs", f"{', '.join(missing)} not found" if missing else "", advice if missing else ""
    )
    return [programs, _namespaces(Path("/proc/sys"))]


def _namespaces(settings: Path) -> Finding:
    if os.geteuid() == 0:
        return Finding(HERE, "user namespaces", note="not needed: builds start as root")
    off = [name for name in NAMESPACES if (settings / name).is_file() and (settings / name).read_text().strip() == "0"]
    if not off:
        return Finding(HERE, "user namespaces")
    setting = off[0].replace("/", ".")
    return Finding(
        HERE, "user namespaces", f"{setting} is 0: nothing can be built here", f"sudo sysctl -w {setting}=15000"
    )


def _ask_every_host(space: OpenSpace, *, deep: bool) -> list[Examined | Finding]:
    """What each host says; one that does not answer, or is left out, is a finding."""

    def ask(session: Session) -> Examined | Finding:
        began = time.time()
        try:
            facts = session.call("doctor", {"deep": deep})
        except Failure as failure:
            return Finding(session.host.id, "reach", failure.paragraphs()[0], look)
        # Its clock was read at some time between the question and the answer.
        return Examined(session.host.id, facts, min(max(began, facts["time"]), time.time()))

    look = f"deployer hosts --space {space.space.name}"
    with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
        answers = list(threads.map(ask, space.answering))
    silent = [Finding(one.host.id, "reach", one.failure.paragraphs()[0], look) for one in space.missing]
    out = [Finding(host.id, "reach", "it is left out", RETURNS) for host in space.hosts if host.out]
    gone = [Finding(name, "reach", why, REPLACED) for name, why in space.ended.items()]
    return [*answers, *silent, *out, *gone]


def _kept(space: OpenSpace, app: str) -> Kept:
    answers = space.ledger.store.batch([Get(keys.lease(f"app-{app}"))])
    stored = answers.answers[0]
    lease = record.load(Lease, stored) if isinstance(stored, Stored) else Lease(0)
    return Kept(state_of(space, app), lease, answers.now)
