"""A run: the rungs one after another, each with what it shows, and then everything goes again, with proof."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deployer.errors.base import Failure
from deployer.operations import outside
from deployer.spaces.aws import domain as domains
from deployer.spaces.aws.account import asking
from infra.resources import resources
from infra.spec import Spec
from smoke import ends, hosts, leftovers, look
from smoke.ends import End
from smoke.place import Place, Typed, type_one
from smoke.record import Record
from smoke.rungs import Rung, described, specs

INTERRUPTED = 130
APP, LIKE = "hello", Path(__file__).parent.parent / "tests/apps/python_flask_worker"


class Broken(Exception):
    """A rung is not as it should be: says what."""


@dataclass
class Run:
    """`folder` is where commands are typed; `spec` is what the space is, None before the first `up`."""

    place: Place
    end: End
    folder: Path
    record: Record
    write: Callable[[str], object]
    spec: Spec | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    serves: str = ""  # the name that the app answers to, once it is there

    @property
    def space(self) -> str:
        return self.end.space

    @property
    def named(self) -> tuple[str, str]:
        return "--space", self.space

    def say(self, text: str) -> None:
        self.write(f"-----> {text}\n")

    def type(self, rung: str, step: str, *words: str, where: str = ".", **facts: Any) -> Typed:
        """Type `deployer WORDS` in a folder below the run's, and keep it; Broken where it fails."""
        typed = type_one(self.place, self.folder / where, words, self.write)
        told = {"command": typed.command, "status": typed.status, "seconds": round(typed.seconds, 1)}
        said = [line.replace(str(self.folder), ".") for line in typed.lines]
        more = {name: make(typed) for name, make in facts.items()} if typed.status == 0 else {}
        self.record.add(rung, step, **told, said=said, **more)
        if typed.status:
            raise Broken(f"`{typed.command}` ended with status {typed.status}.")
        return typed

    def check(self, rung: str, step: str, claims: dict[str, bool], **facts: Any) -> None:
        """Keep what was looked at; Broken where something does not hold."""
        self.record.add(rung, step, checks=claims, **facts)
        if wrong := [name for name, holds in claims.items() if not holds]:
            raise Broken(f"Does not hold on the rung {rung}: {'; '.join(wrong)}.")
        self.say(f"Holds: {'; '.join(claims)}")

    def up(self, rung: str, step: str = "up") -> None:
        """`up`, with an end for what it makes as soon as it is there; and once more, which does nothing."""
        with ends.watching(self.place.account, self.end, self.place.pace):
            self.type(rung, step, "up", *self.named, "--yes")
        self.type(rung, f"{step}-again", "up", *self.named, "--yes", checks=self._is_nothing)
        if not self.record.steps[-1]["checks"]["changes nothing"]:
            raise Broken("The second `up` changed something.")

    def _is_nothing(self, typed: Typed) -> dict[str, bool]:
        return {"changes nothing": f"Nothing to do: {self.space} is as it should be." in typed.lines}

    def climb(self, rung: Rung, spec: Spec) -> None:
        """One rung: what it adds, as preview and as `up`, and what it is for."""
        self.say(f"{rung.name}: {rung.about}")
        before = look.hosts(self.place.account, self.outputs["group"]) if self.outputs else {}
        if spec != self.spec:
            (self.folder / "deployer.toml").write_text(described(self.space, spec))
            self.type(rung.name, "preview", "preview", *self.named, "--json", diff=lambda typed: _diff(typed, spec))
            self.spec = spec
            self.up(rung.name)
            self._learn(rung.name)
        AFTER[rung.name](self, spec, before)
        account = self.place.account
        self.record.add(rung.name, "ids", pulumi=look.ids(account, self.space), tagged=look.tagged(account, self.space))

    def _learn(self, rung: str) -> None:
        typed = self.type(rung, "info", "spaces:info", self.space, "--json", info=lambda one: json.loads(one.out))
        self.outputs = json.loads(typed.out)["outputs"]
        ends_there = {"hosts": "scheduled action", "database": "schedule"}
        with asking():
            there = {one.kind for one in ends.look(self.place.account, self.space)}
        assert self.spec
        wanted = {"hosts": True, "database": self.spec.database is not None}
        claims = {f"AWS ends the {one}": ends_there[one] in there for one, is_wanted in wanted.items() if is_wanted}
        self.check(rung, "end", claims)

    def answers(self, rung: str) -> None:
        """Look whether the app, where there is one, answers through what stands before its hosts."""
        if self.serves:
            front = self.outputs.get("address") or self.outputs["dns"]
            self.check(rung, "app", {"the app answers": outside.check(front, self.serves, lambda event: None)})

    def settle(self, spec: Spec) -> bool:
        return hosts.settle(self.place, self.outputs["group"], spec.hosts.count)


def _diff(typed: Typed, spec: Spec) -> dict[str, Any]:
    """What would change, and dollars a month. A preview of a new space asks nothing of AWS, and has no changes: there
    it is all that the space would consist of."""
    found = json.loads(typed.out)
    changes = found.get("changes")
    if changes is None:
        changes = [f"{one.noun}: {one}" for one in resources(found["space"], spec)]
    return {"changes": changes, "now": _total(found.get("now")), "then": _total(found.get("then") or found["aws"])}


def _total(bill: dict[str, Any] | None) -> Any:
    return None if bill is None else bill["sum"]


def _after_one_host(run: Run, spec: Spec, before: dict[str, str]) -> None:
    run.type("one-host", "refresh", "spaces:refresh", run.space, "--detailed-exitcode")
    run.check("one-host", "hosts", {"one host serves": run.settle(spec)}, hosts=_hosts(run))


def _after_database(run: Run, spec: Spec, before: dict[str, str]) -> None:
    run.check("database", "described", look.database(run.place.account, run.space), endpoint=run.outputs["database"])


def _after_front(run: Run, spec: Spec, before: dict[str, str]) -> None:
    run.check("front", "hosts", {"two hosts serve": run.settle(spec)}, hosts=_hosts(run), dns=run.outputs["dns"])
    if spec.domain is None:
        return
    if run.place.prove:
        run.place.prove()
    began, status = time.monotonic(), _certificate(run)
    if status != domains.ISSUED:
        run.record.add("front", "certificate", status=status, why="no zone of the domain, or DNS takes its time")
        run.say("The certificate is not issued yet: HTTPS is left out.")
        return
    run.record.add("front", "certificate", status=status, seconds=round(time.monotonic() - began, 1))
    run.up("front", "https")
    run.check("front", "listeners", {"HTTPS is spoken": 443 in _ports(run)})


def _certificate(run: Run) -> str:
    """How far it is; where DNS is in this account, after waiting for it."""
    account = run.place.account

    def status() -> str:
        with asking():
            return next((one.status for one in domains.certificates(account, run.space)), "none")

    assert run.spec
    found = domains.look(account, run.space, run.spec)
    if found and found.zone:
        run.place.wait(lambda: status() == domains.ISSUED)
    return status()


def _ports(run: Run) -> set[int]:
    with asking():
        client = run.place.account.client("elbv2")
        found = [
            one["LoadBalancerArn"]
            for one in client.describe_load_balancers()["LoadBalancers"]
            if one["DNSName"] == run.outputs["dns"]
        ]
        return {one["Port"] for arn in found for one in client.describe_listeners(LoadBalancerArn=arn)["Listeners"]}


def _after_app(run: Run, spec: Spec, before: dict[str, str]) -> None:
    """An app of the tests, in a folder of its own below the run's."""
    if not run.place.joins:
        run.record.add("app", "left-out", why=run.place.hidden["app"])
        run.say(run.place.hidden["app"])
        return
    folder = run.folder / APP
    shutil.copytree(LIKE, folder)
    shutil.copyfile(run.folder / "deployer.toml", folder / "deployer.toml")
    typed = run.type("app", "deploy", "up", *run.named, "--app", APP, "--yes", where=APP)
    run.serves = urlsplit(typed.lines[-1]).netloc
    run.record.add("app", "url", scheme=urlsplit(typed.lines[-1]).scheme)
    run.answers("app")
    (folder / "changed").write_text("since the release before\n")
    run.type("app", "change", "deploy", "--app", f"{run.space}/{APP}", where=APP)
    run.answers("app")


def _after_kill(run: Run, spec: Spec, before: dict[str, str]) -> None:
    run.settle(spec)
    ended = hosts.end_one(run.place, run.outputs["group"], spec.hosts.count)
    stayed = set(ended.before) - {ended.victim}
    claims = {
        "another host came": len(ended.after) == spec.hosts.count and bool(ended.new),
        "the others stayed": stayed <= set(ended.after),
    }
    run.check("kill", "replaced", claims, **ended.as_json(), hidden=run.place.hidden.get("kill"))
    run.type("kill", "refresh", "spaces:refresh", run.space, "--detailed-exitcode")
    run.answers("kill")


def _after_roll(run: Run, spec: Spec, before: dict[str, str]) -> None:
    """Those that run stay; `hosts:roll` replaces them. Where no host joins, none could: there the next one that AWS
    starts is of the new size."""
    there = look.hosts(run.place.account, run.outputs["group"])
    claims = {"hosts that run stay": before in ({}, there)}
    run.check("roll", "hosts", claims, before=before, after=there, hidden=run.place.hidden.get("roll"))
    run.settle(spec)
    if run.place.joins:
        run.type("roll", "hosts-roll", "hosts:roll", *run.named, "--yes")
        rolled = _hosts(run)
        claims = {"all hosts are new ones of the new size": set(rolled.values()) == {spec.hosts.size}}
        run.check("roll", "rolled", {**claims, "as many as there should be": run.settle(spec)}, hosts=rolled)
    else:
        ended = hosts.end_one(run.place, run.outputs["group"], spec.hosts.count)
        claims = {"a new host is of the new size": set(ended.new.values()) == {spec.hosts.size}}
        run.check("roll", "new-host", claims, **ended.as_json())
    run.answers("roll")


def _hosts(run: Run) -> dict[str, str]:
    return look.hosts(run.place.account, run.outputs["group"])


AFTER: dict[str, Callable[[Run, Spec, dict[str, str]], None]] = {
    "one-host": _after_one_host,
    "database": _after_database,
    "front": _after_front,
    "app": _after_app,
    "kill": _after_kill,
    "roll": _after_roll,
}


def play(run: Run, rungs: Sequence[Rung], first: Spec) -> int:
    """All rungs, and the way down whatever happens; the exit status. An interrupt ends it at once: what then stays has
    an end in AWS, and `clean` finds it."""
    began, wrong, took = datetime.now(UTC), "", {}
    try:
        ends.prepare(run.place.account, run.end)
        for rung, spec in specs(rungs, first, run.place.domain):
            start = time.monotonic()
            run.climb(rung, spec)
            took[rung.name] = round(time.monotonic() - start, 1)
    except (Broken, Failure) as failure:
        wrong = str(failure)
        run.say(f"Stopped: {wrong}")
    except Exception:  # a defect of the run's own is no reason to let it cost money
        leave(run, first)
        raise
    wrong = "\n".join(filter(None, (wrong, leave(run, first))))
    seconds = (datetime.now(UTC) - began).total_seconds()
    run.record.end(
        space=run.space,
        region=run.place.account.region,
        place=run.place.name,
        began=f"{began:%Y-%m-%d %H:%M}",
        seconds=round(seconds, 1),
        versions=run.place.tools,
        rungs=[{"rung": name, "seconds": seconds} for name, seconds in took.items()],
        hidden=run.place.hidden,
        wrong=wrong,
    )
    run.say(f"{'Failed' if wrong else 'All of it went well'}, in {seconds:.0f} s. Record: {run.record.folder}")
    return 1 if wrong else 0


def leave(run: Run, first: Spec) -> str:
    """`down`, and the proof; what is wrong with it, or nothing."""
    toml = run.folder / "deployer.toml"
    if not toml.exists():
        toml.write_text(described(run.space, first))
    try:
        run.type("end", "down", "down", *run.named, "--delete-data", "--confirm", run.space)
        with asking():
            ends.remove(run.place.account, run.space)
        # `down` has waited for all but backups, which AWS deletes with the database, and some moments later.
        run.place.wait(lambda: not leftovers.of(run.place.account, run.space))
        there = leftovers.of(run.place.account, run.space)
        run.check("end", "proof", {"nothing is left": not there}, left=[str(one) for one in there])
    except (Broken, Failure) as failure:
        run.say(f"{failure}\nSomething may be left: `scripts/aws-smoke clean` finds it.")
        return str(failure)
    return ""
