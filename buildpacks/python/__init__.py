"""Python: packages in a virtual environment made by uv, Django's static files, byte code; as Heroku's buildpack
does it.
"""

from __future__ import annotations

from buildpacks.plan import BuildPlan, Derived, Layer, Remembered, Run, Say, Step, Target
from buildpacks.python import packages, profile, versions
from buildpacks.python.versions import PythonVersion
from buildpacks.tree import Tree

NAME = "heroku/python"
TELLING_FILES = (
    ".python-version",
    "__init__.py",
    "app.py",
    "main.py",
    "manage.py",
    "pdm.lock",
    "Pipfile",
    "Pipfile.lock",
    "poetry.lock",
    "pyproject.toml",
    "requirements.txt",
    "runtime.txt",
    "server.py",
    "setup.cfg",
    "setup.py",
    "uv.lock",
    *packages.MISSPELT,
)
TELLING_FOLDERS = ("__pycache__", ".venv", "venv")
SURE_FILES = ("manage.py", *(one.file for one in packages.MANAGERS))
RUNTIME = ".heroku/runtime"
ENVIRONMENT = {
    "UV_CACHE_DIR": "/cache/uv",
    "UV_LINK_MODE": "copy",
    "UV_NO_PROGRESS": "1",
    "UV_PYTHON_DOWNLOADS": "manual",
    "UV_PYTHON_INSTALL_DIR": f"/app/{RUNTIME}",
    "UV_TOOL_DIR": "/cache/uv-tools",
    "POETRY_CACHE_DIR": "/cache/poetry",
    "PIPENV_CACHE_DIR": "/cache/pipenv",
    # The same build gives the same bytes: byte code that names no time, sets in one order.
    "PYC_INVALIDATION_MODE": "UNCHECKED_HASH",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "SOURCE_DATE_EPOCH": "315532800",
    "PYTHONUNBUFFERED": "1",
}
COLLECTSTATIC_ADVICE = """\
The app's settings are read with its config vars, as at run time. Mostly one of them is missing, like SECRET_KEY:
`deployer config:set SECRET_KEY=...`. Settings that need no secret at build time, or STATIC_ROOT, help as well.
`deployer config:set DISABLE_COLLECTSTATIC=1` leaves this step out."""


def detect(tree: Tree) -> str | None:
    """`Python` where Heroku's buildpack would say so."""
    known = any(name in tree for name in TELLING_FILES) or any(tree.has_folder(name) for name in TELLING_FOLDERS)
    return "Python" if known else None


def leads(tree: Tree) -> bool:
    """Whether packages are listed for it, or Django is started from here."""
    return any(name in tree for name in SURE_FILES)


def plan(tree: Tree, target: Target) -> BuildPlan:
    """How to build this source. Raises Refused."""
    version = versions.choose(tree, target)
    using = packages.manager(tree)
    steps = (
        *_says(tree, version, target),
        *_hook(tree, "bin/pre_compile"),
        *_runtime(version, target),
        _dependencies(tree, using, version, target),
        *_static_files(tree, target),
        *_hook(tree, "bin/post_compile"),
        _byte_code(version, target),
    )
    return BuildPlan(
        buildpack=NAME,
        language="Python",
        steps=steps,
        environment=ENVIRONMENT,
        path=(f"{packages.HOME}/bin",),
        profile=profile.SCRIPTS,
        tools=("uv", "python"),
        chosen={"python": version.minor},
    )


def _says(tree: Tree, version: PythonVersion, target: Target) -> list[Step]:
    said = [Say(_using(version, target))]
    if "runtime.txt" in tree:
        said.append(Say(f"runtime.txt is deprecated: write `{version.version}` to .python-version instead.", "warning"))
    if version.is_exact and not version.is_platforms(target):
        said.append(
            Say(f"Python {version.version} gets no fixes by itself: ask for {version.minor} instead.", "warning")
        )
    if "nltk.txt" in tree:
        said.append(Say("nltk.txt is not read: let bin/post_compile download the corpora.", "warning"))
    return list(said)


def _using(version: PythonVersion, target: Target) -> str:
    own = ", the platform's own" if version.is_platforms(target) else ""
    if version.origin == versions.STICKY and not own:
        return f"Using Python {version.version}, as in the last build (no version is specified)"
    if version.origin in (versions.STICKY, versions.DEFAULT):
        return f"Using Python {version.version}{own} (no version is specified)"
    return f"Using Python {version.version} specified in {version.origin}{own}"


def _hook(tree: Tree, path: str) -> list[Step]:
    if path not in tree:
        return []
    command = ("bash", "-c", f"chmod +x {path} && exec {path}")
    return [Run(command=command, shown=path, title=f"Running {path} hook", config=True, changes_layers=True)]


def _runtime(version: PythonVersion, target: Target) -> list[Step]:
    if version.is_platforms(target):
        return []
    install = ("uv", "python", "install", "--no-bin", "--compile-bytecode", version.version)
    return [
        Layer(
            name="runtime",
            path=RUNTIME,
            facts={"Python": version.version, "platform": target.platform, "uv": target.uv},
            steps=(
                Run(command=install, advice=f"Without a version the platform's own Python {target.python} is used."),
            ),
            title=f"Installing Python {version.version}",
            reused=f"Using cached install of Python {version.version}",
        )
    ]


def _dependencies(tree: Tree, using: packages.Manager, version: PythonVersion, target: Target) -> Layer:
    own = version.is_platforms(target)
    return packages.layer(
        tree,
        using,
        ("--python", "/usr/bin/python3") if own else ("--managed-python", "--python", version.version),
        version.minor if own else version.version,
        platform=target.platform,
        with_pip="bin/pre_compile" in tree or "bin/post_compile" in tree,
    )


def _static_files(tree: Tree, target: Target) -> list[Step]:
    manage = tree.nearest("manage.py", depth=3)
    if manage is None or "django" not in (tree.text(manage) or "").lower():
        return []
    if target.config.get("DISABLE_COLLECTSTATIC", "0") != "0":
        return [Say("Skipping Django collectstatic since the config var DISABLE_COLLECTSTATIC is set")]
    return [
        Remembered(
            name="static",
            run=Run(
                command=("python", "/opt/tools/python/collectstatic.py", manage),
                shown=f"python {manage} collectstatic --noinput",
                title=f"$ python {manage} collectstatic --noinput",
                config=True,
                advice=COLLECTSTATIC_ADVICE,
            ),
            reused="Nothing that it reads has changed: using the static files of the last build",
            unless="DEPLOYER_STATIC_CACHE",
        )
    ]


def _byte_code(version: PythonVersion, target: Target) -> Derived:
    tag = f"cpython-{version.minor.replace('.', '')}"
    return Derived(
        name="byte code",
        suffix=".py",
        product=f"{{folder}}__pycache__/{{stem}}.{tag}.pyc",
        command=("python", "/opt/tools/python/compile.py"),
        facts={"Python": version.minor, "platform": target.platform},
    )
