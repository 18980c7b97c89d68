"""Runs the program through Pulumi's engine: the `pulumi` command, driven by the Automation API.

The engine talks to nobody but AWS: its checks for updates and its downloads of plugins are switched off.
"""

from __future__ import annotations

import functools
import logging
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployer.errors.base import Failure
from deployer.errors.cloud import StateLocked
from infra.changes import STEPS, Change, Progress, change, changes
from infra.command import Command
from infra.event_loops import closing_loops
from infra.problems import Problem, failure, problem

if TYPE_CHECKING:
    from infra.program import Settings

PROJECT = "deployer"
DATABASE = "aws:rds/instance:Instance"
QUIET = {
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
    # The salt of the passphrase stands in the state: a second laptop needs no file of the first one.
    "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
    "AWS_EC2_METADATA_DISABLED": "true",
}
# The provider below the engine's home, of the library's version: one on PATH would be taken before it, of any version.
OWN_PLUGINS = {"PULUMI_IGNORE_AMBIENT_PLUGINS": "true"}
LOOK = 1.0  # seconds between two looks whether a run may be left
MARKS = re.compile(r"<\{%[^%]*%\}>")  # of colours, in the engine's messages
Listen = Callable[[Progress], None]
Find = Callable[[str, Mapping[str, Any]], str | None]
"""The id of a thing of this type with these inputs, if it is in AWS."""
Leave = Callable[[], bool]
"""Whether AWS has begun to make what nobody wants to wait for."""


def nowhere(kind: str, inputs: Mapping[str, Any]) -> None:
    """For those who know that no run was cut off."""


@dataclass(frozen=True)
class Engine:
    """`root` holds bin/pulumi; `backend` is where states lie, file:// or s3://; `home` is the command's own folder;
    `env` are further variables for it; `stopping` is called where an interrupt has to wait for the steps that run."""

    root: Path
    backend: str
    passphrase: str
    home: Path
    env: Mapping[str, str] = field(default_factory=dict)
    stopping: Callable[[], None] = lambda: None


def preview(engine: Engine, settings: Settings, find: Find = nowhere) -> tuple[Change, ...]:
    """What `up` would change, what somebody has changed by hand included. Of AWS it only reads; it writes to the
    backend, which should be one that is thrown away."""
    heard = _Heard()
    with _explained(settings.space, heard), _stack(engine, settings) as stack:
        _adopt(stack, find)
        stack.preview(refresh=True, on_event=heard)
    return changes(heard.steps)


def up(
    engine: Engine,
    settings: Settings,
    listen: Listen = lambda progress: None,
    find: Find = nowhere,
    leave: Leave | None = None,
) -> dict[str, Any] | None:
    """Make it so; the outputs of the program. What somebody has changed by hand is changed back; what a run that was
    cut off has made is found with `find` and taken over.

    With `leave` it does not wait for databases that AWS makes: as soon as nothing else runs, and that says so, the run
    is cut off, and what AWS makes is taken over at once. There are no outputs then."""
    from pulumi.automation import CommandError

    heard = _Heard(listen)
    with _explained(settings.space, heard), _stack(engine, settings) as stack:
        _adopt(stack, find)
        with _leaving(stack.workspace.pulumi_command, heard, leave) as left:
            try:
                done = stack.up(refresh=True, on_event=heard)
            except CommandError:
                if not left.is_set():
                    raise
            if left.is_set():
                stack.cancel()  # its lock
                _adopt(stack, find)
                return None
    return {name: output.value for name, output in done.outputs.items()}


@contextmanager
def _leaving(command: Command, heard: _Heard, leave: Leave | None) -> Iterator[threading.Event]:
    """Meanwhile look whether the run may be left, and leave it then: the event says that it was."""
    left, over = threading.Event(), threading.Event()
    if leave is None:
        yield left
        return
    talk = logging.getLogger("grpc._server")  # which the program, whose engine is gone, has log that

    def watch() -> None:
        while not over.wait(LOOK):
            with suppress(Failure):  # who cannot look waits
                if heard.only_makes(DATABASE) and leave():
                    left.set()
                    talk.disabled = True
                    command.leave()
                    return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield left
    finally:
        over.set()
        thread.join()
        talk.disabled = False


def down(engine: Engine, settings: Settings, listen: Listen = lambda progress: None, find: Find = nowhere) -> None:
    """Delete everything that the state knows, or that a run that was cut off has made, and the state."""
    heard = _Heard(listen)
    with _explained(settings.space, heard), _stack(engine, settings) as stack:
        _adopt(stack, find)
        stack.destroy(refresh=True, on_event=heard)
        stack.workspace.remove_stack(settings.space)


def unlock(engine: Engine, settings: Settings) -> None:
    """Break Pulumi's own lock, which a run that was killed leaves: for one who knows that nobody else works."""
    with _explained(settings.space, _Heard()), _stack(engine, settings) as stack:
        stack.cancel()


def release(engine: Engine, settings: Settings, listen: Listen, find: Find, only: Sequence[str] = ()) -> None:
    """Bring databases alone up to date with settings that are `leaving`, `only` those of these names where some are:
    what is in force when one is deleted counts, and what has gone already is not to come back for it."""
    heard = _Heard(listen)
    with _explained(settings.space, heard), _stack(engine, settings) as stack:
        _adopt(stack, find)
        found = (stack.export_stack().deployment or {}).get("resources") or []
        databases = [one["urn"] for one in found if one["type"] == DATABASE]
        databases = [one for one in databases if not only or one.rpartition("::")[2] in only]
        if databases:
            stack.up(target=databases, on_event=heard)


def _adopt(stack: Any, find: Find) -> None:
    """Note the ids of things whose making was cut off: the run that makes them next would make them twice. Each run
    reads from AWS what they are, before all else."""
    exported = stack.export_stack()
    state = exported.deployment or {}
    pending = state.get("pending_operations") or []
    if not pending:
        return
    known = {one["urn"] for one in state["resources"]}
    for one in pending:
        thing = one["resource"]
        if one["type"] != "creating" or thing["urn"] in known:
            continue
        if found := find(thing["type"], thing.get("inputs", {})):
            state["resources"].append({**thing, "id": found, "outputs": thing.get("inputs", {})})
    state["pending_operations"] = []
    stack.import_stack(exported)


@contextmanager
def _stack(engine: Engine, settings: Settings) -> Iterator[Any]:
    """Pulumi's stack of the space, made where there is none."""
    from pulumi import automation

    from infra.program import program

    with tempfile.TemporaryDirectory(prefix="deployer-engine-") as folder, closing_loops() as loops:

        def run() -> None:
            loops.note()
            program(settings)

        options = automation.LocalWorkspaceOptions(
            work_dir=folder,
            pulumi_home=str(engine.home),
            pulumi_command=Command(str(engine.root / "bin/pulumi"), _version(engine.root), engine.stopping),
            secrets_provider="passphrase",
            project_settings=automation.ProjectSettings(
                name=PROJECT, runtime="python", backend=automation.ProjectBackend(url=engine.backend)
            ),
            env_vars={**QUIET, **OWN_PLUGINS, "PULUMI_CONFIG_PASSPHRASE": engine.passphrase, **engine.env},
        )
        yield automation.create_or_select_stack(settings.space, project_name=PROJECT, program=run, opts=options)


@functools.cache
def _version(root: Path) -> Any:
    """Of the command, where the library can drive it: to ask once is enough."""
    from pulumi import automation

    return automation.PulumiCommand(root=str(root)).version


class _Heard:
    """What the engine tells. It calls from a thread of its own, and turns exceptions into warnings."""

    def __init__(self, listen: Listen = lambda progress: None) -> None:
        self.steps: list[Any] = []
        self.outcomes: list[Any] = []
        self.problems: list[Problem] = []
        self._listen = listen
        self._begun: dict[str, float] = {}
        self._lock = threading.Lock()

    def __call__(self, event: Any) -> None:
        with self._lock:
            if event.resource_pre_event:
                self._begins(event.resource_pre_event.metadata)
            elif event.res_outputs_event:
                self.outcomes.append(event.res_outputs_event.metadata)
                self._ends(event.res_outputs_event.metadata, failed=False)
            elif event.res_op_failed_event:
                self._ends(event.res_op_failed_event.metadata, failed=True)
            elif event.diagnostic_event and event.diagnostic_event.severity == "error":
                self._note(event.diagnostic_event)

    def only_makes(self, kind: str) -> bool:
        """Whether things of this kind are being made, and nothing else is done."""
        with self._lock:
            running = [one for one in self.steps if one.urn in self._begun]
        return bool(running) and all((one.type, _verb(one)) == (kind, "create") for one in running)

    def _begins(self, step: Any) -> None:
        self.steps.append(step)
        if (found := change(step, STEPS)) is not None:
            self._begun[step.urn] = time.monotonic()
            self._listen(Progress(found, ended=False))

    def _ends(self, step: Any, *, failed: bool) -> None:
        if (found := change(step, STEPS)) is not None and step.urn in self._begun:
            took = time.monotonic() - self._begun.pop(step.urn)
            self._listen(Progress(found, ended=True, seconds=took, failed=failed))

    def _note(self, told: Any) -> None:
        text = MARKS.sub("", told.message).strip()
        if text and not text.endswith(("update failed", "destroy failed", "preview failed")):
            self.problems.append(problem(told.urn or "", text))


def _verb(step: Any) -> str:
    found = change(step, STEPS)
    return found.verb if found else ""


@contextmanager
def _explained(space: str, heard: _Heard) -> Iterator[None]:
    """Failures of the engine as ours."""
    from pulumi.automation import CommandError, errors

    try:
        yield
    except errors.ConcurrentUpdateError as error:
        raise StateLocked(space) from error
    except CommandError as error:
        raise failure(space, heard.problems, str(error)) from error
