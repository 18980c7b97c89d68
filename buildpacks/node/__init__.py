"""Node.js: packages by npm, the app's build scripts, pruning; as Heroku's buildpack does it (heroku.md 3.5)."""

from __future__ import annotations

import re

from buildpacks.node import npm, package, profile, versions
from buildpacks.node.package import Lock, Package
from buildpacks.node.versions import Chosen
from buildpacks.plan import BuildPlan, Run, Say, Step, Target
from buildpacks.tree import Tree

NAME = "heroku/nodejs"
# What Heroku sets for the build and for the dyno; a config var of that name stands before it.
DEFAULTS = {
    "NODE_ENV": "production",
    "NODE_OPTIONS": "--max_old_space_size=2560",
    "NODE_VERBOSE": "false",
    "NPM_CONFIG_LOGLEVEL": "error",
}
BUILDS = ("heroku-postbuild", "build")  # the first that there is
KEPT = "/opt/tools/node/kept.py"
TOOLS_REMEMBER = ("node_modules/.cache", ".next/cache")
STARTS = ("heroku-prebuild", *BUILDS, "start")
UNPRUNED = {"NPM_CONFIG_PRODUCTION": "false", "npm_config_production": "false"}


def detect(tree: Tree) -> str | None:
    """`Node.js` where Heroku's buildpack would say so."""
    return "Node.js" if "package.json" in tree else None


def leads(tree: Tree) -> bool:
    """Whether package.json is there for more than an editor's tools: a lock file, and something to build or start."""
    text = tree.text("package.json") or ""
    locked = any(name in tree for name in (*package.NPM_LOCKS, *package.OTHER_LOCKS))
    return locked and any(f'"{script}"' in text for script in STARTS)


def plan(tree: Tree, target: Target) -> BuildPlan:
    """How to build this source. Raises Refused."""
    found = package.read(tree)
    locked = package.lock(tree, found)
    chosen = versions.choose(found, target)
    steps = (
        *_says(chosen, found),
        npm.runtime(chosen, target),
        *_kept(found, "restore"),
        *_script(found, "heroku-prebuild"),
        *_packages(tree, found, locked, chosen, target),
        *_build(found, target),
        *_kept(found, "save"),
        *_pruning(locked, target),
        *_script(found, "heroku-cleanup"),
    )
    return BuildPlan(
        buildpack=NAME,
        language="Node.js",
        steps=steps,
        environment={**npm.ENVIRONMENT, **{key: DEFAULTS[key] for key in DEFAULTS if key not in target.config}},
        path=(f"{npm.HOME}/bin", f"/app/{npm.MODULES}/.bin"),
        process_types=_process_types(tree, found),
        profile=profile.scripts(with_libraries=chosen.needs_libatomic),
        tools=("npm", "node"),
        chosen={"node": chosen.line},
    )


def _says(chosen: Chosen, found: Package) -> list[Step]:
    wanted = f" for `{chosen.wanted}`" if chosen.wanted else ""
    said = [Say(f"Using Node.js {chosen.node}{wanted} ({chosen.origin}), npm {chosen.npm}")]
    return [*said, *(Say(warning, "warning") for warning in versions.warnings(chosen))]


def _script(found: Package, name: str) -> list[Step]:
    """A script of package.json, which sees the config vars and may change node_modules."""
    if name not in found.scripts:
        return []
    return [_run(("npm", "run", name), f"npm run {name}", f"Running {name}")]


def _run(command: tuple[str, ...], shown: str, title: str) -> Run:
    return Run(
        command=command,
        title=title,
        shown=shown,
        config=True,
        changes_layers=True,
        untouched=(npm.RUNTIME, npm.HEADERS),
    )


def _packages(tree: Tree, found: Package, locked: Lock | None, chosen: Chosen, target: Target) -> list[Step]:
    if locked is None:
        return []
    return [
        npm.headers(chosen, target),
        *(step for script in npm.BEFORE for step in _script(found, script)),
        npm.everything(tree, found, locked, chosen, target),
        *(step for script in npm.AFTER for step in _script(found, script)),
    ]


def _build(found: Package, target: Target) -> list[Step]:
    """The build, with what its tools remember of the last one: that is no part of the slug."""
    name = next((name for name in BUILDS if name in found.scripts), None)
    if name is None:
        return []
    flags = " -- $NODE_BUILD_FLAGS" if "NODE_BUILD_FLAGS" in target.config else ""
    command = ("python3", KEPT, "around", *TOOLS_REMEMBER, "--", "bash", "-c", f"exec npm run {name}{flags}")
    return [_run(command, f"npm run {name}", f"Running {name}")]


def _kept(found: Package, what: str) -> list[Step]:
    """`cacheDirectories`: folders that stay from build to build, and that are part of the slug."""
    folders = [path for path in found.cache_folders if _is_below(path) and path != npm.MODULES]
    if not folders:
        return []
    title = f"Restoring {', '.join(folders)} of the last build" if what == "restore" else None
    return [Run(command=("python3", KEPT, what, *folders), title=title)]


def _is_below(path: str) -> bool:
    parts = path.removeprefix("./").split("/")
    return not any(part in ("", ".", "..", npm.MODULES) for part in parts)


def _prunes(locked: Lock, target: Target) -> bool:
    production = target.config.get("NODE_ENV", "production") == "production"
    kept = any(target.config.get(key) == value for key, value in UNPRUNED.items())
    return locked.has_development and production and not kept


def _pruning(locked: Lock | None, target: Target) -> list[Step]:
    if locked is None or not locked.has_development:
        return []
    if not _prunes(locked, target):
        return [Say("Keeping devDependencies, as NODE_ENV or NPM_CONFIG_PRODUCTION says")]
    return [npm.pruned()]


def _process_types(tree: Tree, found: Package) -> dict[str, str]:
    """`npm start`, where that starts something; servers of the Model Context Protocol have no web process."""
    starts = "start" in found.scripts or "server.js" in tree
    has_mcp = re.search(r"^mcp[\w-]*\s*:", tree.text("Procfile") or "", re.MULTILINE)
    return {"web": "npm start"} if starts and not has_mcp else {}
