"""The layers of npm: the runtime, all packages for the build, and those that the app needs when it runs."""

from __future__ import annotations

import re

from buildpacks.node.package import Lock, Package
from buildpacks.node.versions import PACKAGES, Chosen
from buildpacks.plan import Layer, Run, Target
from buildpacks.tree import Tree

RUNTIME = ".heroku/node"
HOME = f"/app/{RUNTIME}"
HEADERS = ".heroku/node-headers"
MODULES = "node_modules"
NPMS = ("npm", "npx")
TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
ALL = "node-packages"  # the layer that has those for development, too
# What `npm ci` would run of package.json: around the installation, which must not depend on the rest of the source.
BEFORE = ("preinstall",)
AFTER = (
    "install",
    "postinstall",
    "predependencies",
    "dependencies",
    "postdependencies",
    "prepublish",
    "preprepare",
    "prepare",
    "postprepare",
)
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\??\}")
ENVIRONMENT = {
    "npm_config_cache": "/cache/npm",
    "npm_config_nodedir": f"/app/{HEADERS}",
    "npm_config_audit": "false",
    "npm_config_fund": "false",
    "npm_config_update_notifier": "false",
    "npm_config_progress": "false",
    "NPM_CONFIG_GLOBALCONFIG": "/etc/npmrc",
}


def runtime(chosen: Chosen, target: Target) -> Layer:
    """Node and its npm, out of the registry's packages, which npm verifies."""
    node = f"{PACKAGES[target.architecture]}@{chosen.node}"
    programs = [("ln", "-s", f"../lib/node_modules/npm/bin/{name}-cli.js", f"{HOME}/bin/{name}") for name in NPMS]
    return Layer(
        name="node",
        path=RUNTIME,
        facts={"Node.js": chosen.node, "npm": chosen.npm, "platform": target.platform},
        steps=(
            _fetched(node, HOME, "bin", "LICENSE"),
            _fetched(f"npm@{chosen.npm}", f"{HOME}/lib/node_modules/npm"),
            *(Run(command=command) for command in programs),
            *_libraries(chosen, target),
        ),
        title=f"Downloading and installing Node.js {chosen.node} with npm {chosen.npm}",
        reused=f"Using cached install of Node.js {chosen.node} with npm {chosen.npm}",
    )


def _libraries(chosen: Chosen, target: Target) -> list[Run]:
    """What Node needs and hosts do not have, out of the build image; see `profile.scripts`."""
    if not chosen.needs_libatomic:
        return []
    return [Run(command=("cp", "-L", f"/usr/lib/{TRIPLETS[target.architecture]}/libatomic.so.1", f"{HOME}/lib/"))]


def headers(chosen: Chosen, target: Target) -> Layer:
    """What native modules are compiled against. It is half of Node, and of no use to a dyno."""
    return Layer(
        name="node-headers",
        path=HEADERS,
        facts={"Node.js": chosen.node, "platform": target.platform},
        steps=(_fetched(f"{PACKAGES[target.architecture]}@{chosen.node}", f"/app/{HEADERS}", "include"),),
        ships=False,
    )


def _fetched(package: str, folder: str, *parts: str) -> Run:
    return Run(command=("python3", "/opt/tools/node/fetch.py", package, folder, *parts))


def everything(tree: Tree, package: Package, locked: Lock, chosen: Chosen, target: Target) -> Layer:
    """All packages of the lock file, those for development included."""
    return Layer(
        name=ALL,
        path=MODULES,
        inputs=(locked.file, ".npmrc"),
        facts={
            "Node.js": chosen.node,
            "npm": chosen.npm,
            "platform": target.platform,
            "the dependencies in package.json": package.deciding(),
        },
        config_vars=_seen(tree, target),
        volatile=_volatile(tree, package, locked, target),
        steps=(_install(package),),
        title="Installing dependencies using 'npm ci'",
        reused="Using cached dependencies",
    )


def pruned() -> Layer:
    """The packages without those for development."""
    return Layer(
        name="node-modules",
        path=MODULES,
        starts_from=ALL,
        steps=(Run(command=("npm", "prune", "--omit=dev", "--ignore-scripts")),),
        title="Pruning devDependencies",
        reused="Using cached dependencies without devDependencies",
    )


def _install(package: Package) -> Run:
    install = ("npm", "ci", "--include=dev")
    apart = [name for name in (*BEFORE, *AFTER) if name in package.scripts]
    return Run(
        command=("python3", "/opt/tools/node/without_scripts.py", ",".join(apart), *install) if apart else install,
        shown="npm ci",
        advice="`npm install --package-lock-only` brings package-lock.json into line with package.json.",
    )


def _seen(tree: Tree, target: Target) -> tuple[str, ...]:
    """Config vars that npm reads: its own, and those that .npmrc names."""
    own = [key for key in target.config if key.lower().startswith("npm_")]
    return tuple(sorted({*own, *VARIABLE.findall(tree.text(".npmrc") or "")}))


def _volatile(tree: Tree, package: Package, locked: Lock, target: Target) -> tuple[str, ...]:
    reasons = []
    if locked.local:
        reasons.append(f"{locked.file} names parts of the source: {', '.join(locked.local[:5])}")
    if "binding.gyp" in tree and not package.scripts.keys() & {"install", "preinstall"}:
        reasons.append("binding.gyp compiles parts of the source")
    if target.config.get("NODE_MODULES_CACHE") == "false":
        reasons.append("the config var NODE_MODULES_CACHE is false")
    return tuple(reasons)
