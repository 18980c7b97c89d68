"""Which buildpacks build a source: those chosen for the app, or those that fit."""

from __future__ import annotations

from buildpacks import catalog
from buildpacks.errors import Refused
from buildpacks.plan import BuildPlan, Target
from buildpacks.tree import Tree
from deployer.errors.build import BuildpackMismatch, BuildpackUnknown, NoLanguage, SourceRefused
from deployer.model.events import Detail, Step, Tell

SHOWN = 20  # names of a message


def choose(tree: Tree, chosen: tuple[str, ...], tell: Tell) -> tuple[str, ...]:
    """Canonical names of buildpacks, in the order in which they run. Raises NoLanguage, BuildpackUnknown,
    BuildpackMismatch."""
    names = tuple(map(_known, chosen)) if chosen else _detected(tree, tell)
    for name in names:
        if catalog.load(name).detect(tree) is None:
            raise BuildpackMismatch(name, _root(tree))
    if len(names) == 1:
        tell(Step(f"Using buildpack: {names[0]}"))
    else:
        tell(Step("Using buildpacks:"))
        for number, name in enumerate(names, 1):
            tell(Detail(f"{number}. {name}"))
    return names


def plan(name: str, tree: Tree, target: Target) -> BuildPlan:
    """A buildpack's plan. Raises SourceRefused with the buildpack's own words."""
    buildpack = catalog.load(name)
    try:
        return buildpack.plan(tree, target)
    except Refused as refused:
        reason, *remedy = refused.paragraphs()
        raise SourceRefused(buildpack.detect(tree) or name, reason, "\n\n".join(remedy)) from refused


def _known(name: str) -> str:
    found = catalog.canonical(name)
    if found is None:
        raise BuildpackUnknown(name, ", ".join(f"heroku/{short}" for short in catalog.NAMES))
    return found


def _detected(tree: Tree, tell: Tell) -> tuple[str, ...]:
    tell(Step("Determining which buildpack to use for this app"))
    found = catalog.detect(tree)
    if not found.names:
        raise NoLanguage(_root(tree))
    for other in found.others:
        tell(Detail(f"{other} would fit as well; `deployer buildpacks:set` chooses by hand"))
    return found.names


def _root(tree: Tree) -> str:
    """What lies in the root, folders with a slash."""
    names = sorted({f"{file.split('/')[0]}/" if "/" in file else file for file in tree.files})
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (", ".join(names[:SHOWN]) + more) or "nothing"
