"""How the steps of a plan are done: programs in the jail, layers made or taken from the cache, remembered results."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from buildpacks.plan import BuildPlan, Derived, Layer, Remembered, Run, Say
from deployer.build import client, derived, jail, keys, memory, plain_files, tools
from deployer.build.jail import Jail, Mount
from deployer.build.keys import Facts
from deployer.build.layer_cache import Kept, LayerCache
from deployer.build.memory import Surroundings
from deployer.build.scan import Scope, scan
from deployer.build.shelf import Shelf, copy, own
from deployer.errors.build import BuildTimedOut, StepFailed
from deployer.model.events import Detail, Event, Output, Step, Tell, Warn

MINUTES = 15  # as long as Heroku lets a build run
# Config vars that would break the build's own programs: Heroku's buildpacks keep most of them out, too.
WITHHELD = frozenset(
    ("PATH", "HOME", "LANG", "GIT_DIR", "CPATH", "CPPATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "LIBRARY_PATH", "BUILD_DIR")
) | {"PYTHONHOME"}
RECORDS = "/run/deployer"
SAID: dict[str, Callable[[str], Event]] = {"title": Step, "detail": Detail, "warning": Warn}


@dataclass(slots=True)
class Workshop:
    """One build at work. `box` is the jail with what earlier plans left in it: their tools and environment."""

    shelf: Shelf
    box: Jail
    cache: LayerCache
    config: Mapping[str, str]
    tell: Tell
    path: list[str] = field(default_factory=lambda: [tools.FOLDER, *jail.PATH.split(":")])
    began: float = field(default_factory=time.monotonic)

    def follow(self, plan: BuildPlan) -> None:
        """Do all steps of a plan, in order. What it sets up stays for the plans that come after it."""
        self.box = self.box.having(*map(tools.mount, plan.tools), **plan.environment)
        self.path = [*plan.path, *self.path]
        for step in plan.steps:
            match step:
                case Say():
                    self.tell(SAID[step.kind](step.text))
                case Run():
                    self._run(plan, step)
                case Layer():
                    self._lay(plan, step)
                case Remembered():
                    self._remember(plan, step)
                case Derived():
                    self._derive(plan, step)

    def _run(self, plan: BuildPlan, step: Run) -> None:
        if step.title:
            self.tell(Step(step.title))
        if not step.changes_layers:
            self._start(plan, step, self.shelf.mounts())
            return
        self._start(plan, step, self.shelf.copies(step.untouched))
        self.shelf.adopt()

    def _start(
        self,
        plan: BuildPlan,
        step: Run,
        mounts: Iterable[Mount],
        env: Mapping[str, str] | None = None,
        given: bytes = b"",
    ) -> None:
        """Run one program with these layers. Raises StepFailed, BuildTimedOut."""
        config = {key: value for key, value in self.config.items() if key not in WITHHELD} if step.config else {}
        everything = {**config, **self.box.env, "PATH": ":".join(self.path), **step.env, **(env or {})}
        box = replace(self.box, env=everything).having(*mounts)
        left = max(self.began + MINUTES * 60 - time.monotonic(), 0.0)
        ended = jail.run(box, step.command, lambda line: self.tell(Output(line)), given=given, seconds=left)
        if ended.timed_out:
            raise BuildTimedOut(plan.language, MINUTES)
        if ended.status != 0:
            jail.check(box.image)  # was it the program, or can no program run here?
            raise StepFailed(plan.language, step.shown or shlex.join(step.command), ended.status, step.advice)

    def _lay(self, plan: BuildPlan, step: Layer) -> None:
        facts = keys.of_layer(step, self.shelf.app, plan.environment, self.config)
        if step.starts_from:
            facts[f"layer {step.starts_from}"] = self.shelf.named(step.starts_from).built.layer.digest
        kept = None if step.volatile else self.cache.find(_kept_as(plan, step.name), facts)
        if kept is None:
            kept = self._make(plan, step, facts)
        elif step.reused:
            self.tell(Step(step.reused))
        self.shelf.lay(kept, ships=step.ships)

    def _make(self, plan: BuildPlan, step: Layer, facts: Facts) -> Kept:
        name = _kept_as(plan, step.name)
        if step.title:
            self.tell(Step(step.title))
        self._tell_reasons(step.volatile or keys.reasons(self.cache.last(name), facts))
        root = self.cache.begin(name)
        content = root / "app" / step.path
        content.parent.mkdir(parents=True)
        if step.starts_from:
            copy(self.shelf.named(step.starts_from), content)
        else:
            content.mkdir()
            own(content)
        mounts = [*self.shelf.mounts(without=step.path), self.shelf.mount(step.path, content, writable=True)]
        env = {key: self.config[key] for key in step.config_vars if key in self.config}
        for run in step.steps:
            if run.title:
                self.tell(Step(run.title))
            self._start(plan, run, mounts, client.as_uv(env))
        return self.cache.finish(name, step.path, facts, scan(Scope(root, self.shelf.machine)))

    def _remember(self, plan: BuildPlan, step: Remembered) -> None:
        """Use the result of before where nothing that it depends on has changed."""
        if step.run.title:
            self.tell(Step(step.run.title))
        name = _kept_as(plan, step.name)
        paths = keys.of_paths(self.shelf.app, self.shelf.paths())
        around = self._surroundings(plan, step)
        off = [f"{step.unless} is 0"] if self.config.get(step.unless) == "0" else []
        note = self.cache.noted(name)
        why = off or (self._against(note, paths, around) if note else ["there is none"])
        if not why and self._lay_remembered(name, note, paths, around):
            self.tell(Detail(step.reused))
            return
        if note:
            self._tell_reasons(why or ["its result is gone"])
        self._collect(plan, step, paths, around)

    def _surroundings(self, plan: BuildPlan, step: Remembered) -> Surroundings:
        layers = {kept.built.layer.name: kept.built.layer.digest for kept in self.shelf.shipped()}
        facts = {**step.facts, "way of making it": keys.how((step.run,), plan.environment)}
        return Surroundings(layers, keys.of_config(self.config), facts)

    def _against(self, note: Mapping[str, Any], paths: Sequence[str], around: Surroundings) -> list[str]:
        record = memory.decode(note["record"])
        return memory.reasons(record, note["facts"], memory.facts_of(record, self.shelf.app, paths, around))

    def _lay_remembered(self, name: str, note: Mapping[str, Any], paths: Sequence[str], around: Surroundings) -> bool:
        record = memory.decode(note["record"])
        if record.output is None:
            return True
        kept = self.cache.find(name, memory.facts_of(record, self.shelf.app, paths, around))
        if kept is not None:
            self.shelf.lay(kept)
        return kept is not None

    def _collect(self, plan: BuildPlan, step: Remembered, paths: Sequence[str], around: Surroundings) -> None:
        """Run the program, make a layer out of the folder that it filled, and note what it looked at."""
        name = _kept_as(plan, step.name)
        written = self._recorded(plan, step)
        record = memory.checked(memory.parse(written), self.shelf.app, paths)
        facts = memory.facts_of(record, self.shelf.app, paths, around)
        if record.output is not None:
            root = self.cache.begin(name)
            place = root / "app" / record.output
            place.parent.mkdir(parents=True)
            (self.shelf.app / record.output).rename(place)
            self.shelf.lay(self.cache.finish(name, record.output, facts, scan(Scope(root, self.shelf.machine))))
        self.cache.note(name, {"record": memory.encode(record), "facts": facts})

    def _recorded(self, plan: BuildPlan, step: Remembered) -> str:
        records = self.shelf.folder / "records"
        records.mkdir(exist_ok=True)
        own(records)
        env = {"DEPLOYER_RECORD": f"{RECORDS}/record.json"}
        self._start(plan, step.run, [*self.shelf.mounts(), Mount(records, RECORDS, writable=True)], env)
        written = plain_files.read(records / "record.json") or b""
        (records / "record.json").unlink(missing_ok=True)
        return written.decode("utf-8", "replace")

    def _derive(self, plan: BuildPlan, step: Derived) -> None:
        app = self.shelf.app
        paths = keys.of_paths(app, self.shelf.paths())
        sources = [path for path in paths if path.endswith(step.suffix) and not (app / path).is_symlink()]
        run = Run(command=step.command)

        def start(pairs: bytes) -> None:
            self._start(plan, run, self.shelf.mounts(), given=pairs)

        derived.put(self.box.cache / "derived", app, derived.products(step, app, sources), start)

    def _tell_reasons(self, reasons: Iterable[str]) -> None:
        for reason in reasons:
            self.tell(Detail(f"Not from the cache: {reason}"))


def _kept_as(plan: BuildPlan, name: str) -> str:
    """The cache's name of a layer: two buildpacks of one app may have `dependencies`."""
    return f"{plan.buildpack.rpartition('/')[2]}-{name}"
