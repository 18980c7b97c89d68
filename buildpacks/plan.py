"""What a buildpack wants done: values, in the order in which they are to happen, that can be printed and compared.

Programs run in the build jail, in `/app`, where the source lies. All paths here are relative to `/app`, with `/`
between parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Say:
    """A line for the person who builds: a `title` (`-----> TEXT`), a `detail` below one, or a `warning`."""

    text: str
    kind: Literal["title", "detail", "warning"] = "title"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One program. `title` is told before it starts; its output is told line by line; `advice` follows
    when it fails, after the command as its author would type it: `shown`, where that is another.

    `config`: whether the app's config vars are in its environment. `changes_layers`: whether it may write below the
    paths of layers (a hook of the user's); what it writes there is then part of the slug, but never of the cached
    layer. `untouched` are paths of layers that it gets read-only all the same: copying those would take time."""

    command: tuple[str, ...]
    title: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    config: bool = False
    changes_layers: bool = False
    untouched: tuple[str, ...] = ()
    advice: str = ""
    shown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A folder that is made once and kept as long as nothing that decides its content has changed.

    `inputs` are files or folders of the source, absent ones included (`""` is all of it), `facts` is what else
    decides (`{"Python": "3.13.5"}`), `config_vars` names the config vars that its steps see. The steps find the
    folder empty, or with a copy of the layer `starts_from`. `volatile` has the reasons for which it cannot be kept
    at all. A layer that does not ship helps the build only; one with the path of an earlier one takes its place.
    """

    name: str
    path: str
    steps: tuple[Run, ...]
    inputs: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    config_vars: tuple[str, ...] = ()
    starts_from: str | None = None
    volatile: tuple[str, ...] = ()
    ships: bool = True
    title: str | None = None
    reused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A program whose result is kept together with a record of everything that it looked at.

    It writes the record as JSON to the file that DEPLOYER_RECORD names: `{"read": [absolute paths of files], "output":
    absolute path of the folder that it filled, or null, "volatile": [reasons against keeping it]}`. The folder
    becomes a layer. It runs again when a file that it read, the set of all paths in the source, the config vars, or a
    layer has changed. `unless` names a config var that switches the memory off when it is `0`.
    """

    name: str
    run: Run
    reused: str
    unless: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """One file made from each source file whose name ends with `suffix`, kept by the content it was made from.

    `product` is the path of the result, with `{folder}` (with its `/`, or empty) and `{stem}`. The command gets
    `SOURCE NUL RESULT NUL` for each missing one on its standard input; a source without a result is no failure.
    `facts` decide, too."""

    name: str
    suffix: str
    product: str
    command: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)


Step = Say | Run | Layer | Remembered | Derived


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPlan:
    """Everything that one buildpack does for one source.

    `path` (absolute folders) comes before the PATH of its steps and of those of later buildpacks, `environment` is
    added to theirs. `profile` holds scripts for `/app/.profile.d/`, by file name. `tools` names what of ours its
    steps find below `/opt/tools`. `chosen` is told to the next build as `Target.previous` (`{"python": "3.12"}`).
    """

    buildpack: str
    language: str
    steps: tuple[Step, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    path: tuple[str, ...] = ()
    process_types: Mapping[str, str] = field(default_factory=dict)
    profile: Mapping[str, str] = field(default_factory=dict)
    tools: tuple[str, ...] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)


def nothing_published(package: str, fresh: bool) -> Sequence[str]:
    """No registry to ask."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a plan is made for. `platform` is spelled `debian-13-amd64`, `python` is the full version of its own
    python3.

    `previous` is what the app's last build chose; `config` are its config vars, whose values never enter a plan's
    texts. `published(package, fresh)` gives the versions of a package of npm's registry; they may be some hours old,
    unless they must be `fresh`."""

    platform: str
    python: str
    uv: str = ""
    config: Mapping[str, str] = field(default_factory=dict)
    previous: Mapping[str, str] = field(default_factory=dict)
    published: Callable[[str, bool], Sequence[str]] = nothing_published

    @property
    def architecture(self) -> str:
        """`amd64` or `arm64`."""
        return self.platform.rpartition("-")[2]
