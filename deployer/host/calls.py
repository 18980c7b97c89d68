"""The agent's calls: where each one's function is, and what it asks of the frame (docs/agent.md has the list)."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deployer.host.channel import Channel

Function = Callable[[dict[str, Any], Channel], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """`where` is `MODULE.FUNCTION` below deployer.host. A `fenced` call carries an app and its lease's token; one
    that `survives` works on when its caller is gone."""

    where: str
    fenced: bool = False
    survives: bool = False

    def load(self) -> Function:
        """The function; its module is imported only now, so that other calls start fast."""
        module, _, name = self.where.rpartition(".")
        function: Function = getattr(importlib.import_module(f"deployer.host.{module}"), name)
        return function


CALLS = {
    "facts": Call("facts.facts"),
    "store": Call("store_call.store", survives=True),
    "store_read": Call("store_call.store_read"),
    "copy": Call("store_call.copy", survives=True),
    "copy_promote": Call("store_call.copy_promote", survives=True),
    "store_retire": Call("store_call.store_retire", survives=True),
    "raise_epoch": Call("epoch.raise_epoch", survives=True),
    "receive": Call("receive.receive", fenced=True),
    "fetch": Call("fetch.fetch", fenced=True),
    "give": Call("give.give"),
    "publish": Call("publish.publish", fenced=True),
    "adopt": Call("adopt.adopt", fenced=True),
    "build_tools": Call("packages.for_builds", survives=True),
    "prune": Call("prune.prune", fenced=True),
    "repair": Call("repair.repair", survives=True),
    "join": Call("join.join", survives=True),
    "certificates": Call("issue.certificates", survives=True),
    "converge": Call("converge.converge", survives=True),
    "prepare": Call("prepare.prepare", survives=True),
    "dismantle": Call("dismantle.dismantle", survives=True),
    "boot": Call("boot.boot", fenced=True),
    "task": Call("task.task", fenced=True),
    "task_settle": Call("task.task_settle", fenced=True),
    "task_output": Call("task_output.task_output"),
    "replace": Call("replace.replace", fenced=True, survives=True),
    "retire": Call("retire.retire", fenced=True, survives=True),
    "restart": Call("restart.restart", fenced=True, survives=True),
    "remove": Call("remove.remove", fenced=True, survives=True),
    "ps": Call("ps.ps"),
    "doctor": Call("doctor.doctor"),
    "stage": Call("router.stage", fenced=True),
    "switch": Call("router.switch", fenced=True, survives=True),
    "answered": Call("router.counters"),
    "watch": Call("watch.watch"),
    "routes": Call("router.routes"),
    "roll": Call("roll.roll", survives=True),
    "logs": Call("logs.logs"),
    "run": Call("run.run"),
    "stop_run": Call("run.stop"),
    "postgres": Call("postgres.postgres", survives=True),
    "psql": Call("psql.psql"),
    "backup": Call("backup.backup"),
    "backup_work": Call("backup_work.work"),
    "backups_due": Call("backup_due.backups_due"),
}
