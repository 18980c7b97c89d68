"""Platform images: Debian roots in which builds run, and over which the sandbox's hosts lie.

One folder for each recipe (packages, steps), `platforms/debian-13-amd64-build-HASH` below the cache folder: made aside
with mmdebstrap, then renamed, never changed after that. Another recipe makes another image and removes the old one,
unless somebody still stands on it (`hold`). As root mmdebstrap works directly; anybody else needs user namespaces with
a range of uids, and gets a root that belongs to them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pwd
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deployer.build import folders
from deployer.build.apt_sources import machine_codename, sources_for, transport_options
from deployer.build.image_recipe import Kind, Recipe, finish
from deployer.errors.platform_image import (
    ImageNotMade,
    NoPackageSources,
    NoRangeOfUids,
    PlatformToolMissing,
    WrongArchitecture,
)
from deployer.model.events import Detail, Step, Tell
from deployer.model.platforms import Platform, this_architecture

RECIPE = "usr/share/deployer/recipe.json"  # in each image: what it was made of
LAST_LINES = 12
RANGES = ("/etc/subuid", "/etc/subgid")
RANGE = 65_536  # uids that a root has
FIRST_OF_RANGES = 100_000  # useradd's own


def ensure(platform: Platform, kind: Kind, tell: Tell) -> Path:
    """The image's folder, made where it is not there yet: about a minute. A Failure says what is missing."""
    recipe = Recipe.of(platform, kind)
    image = _folder() / f"{platform}-{kind}-{digest(recipe)}"
    if image.is_dir():
        return image
    folders.make(image.parent)
    with _only_one(image.with_name(f"{platform}-{kind}.lock")), folders.readable():
        if not image.is_dir():
            make(image, recipe, tell)
    return image


def there(platform: Platform, kind: Kind) -> Path | None:
    """The image's folder, where it is made already."""
    image = _folder() / f"{platform}-{kind}-{digest(Recipe.of(platform, kind))}"
    return image if image.is_dir() else None


def digest(recipe: Recipe) -> str:
    """What an image is made of, in 12 hex digits."""
    return hashlib.sha256(json.dumps(recipe.facts()).encode()).hexdigest()[:12]


def hold(image: Path, user: Path) -> None:
    """Keep an image as long as the folder `user` is there, whatever becomes of the recipe."""
    holders = _holders(image)
    holders.mkdir(exist_ok=True)
    for gone in [link for link in holders.iterdir() if not link.exists()]:
        gone.unlink(missing_ok=True)
    link = holders / hashlib.sha256(str(user).encode()).hexdigest()[:12]
    link.unlink(missing_ok=True)
    link.symlink_to(user)


def is_held(image: Path) -> bool:
    """Whether one of those that asked for it is still there."""
    return any(link.exists() for link in _holders(image).glob("*"))


def mmdebstrap_words(recipe: Recipe, mode: str, target: Path, transport: list[str]) -> list[str]:
    """The command that makes a root out of the sources on its standard input. It has mounts of its own: nothing is
    left of them, however it ends."""
    apart = ["unshare", "--mount", "--propagation=private"] if mode == "root" else []
    return [
        *apart,
        "mmdebstrap",
        "--variant=minbase",
        f"--mode={mode}",
        f"--architectures={recipe.architecture}",
        *(f"--aptopt={option}" for option in ('APT::Install-Recommends "false";', *transport)),
        *(f"--dpkgopt={option}" for option in recipe.dpkg),
        f"--include={','.join(recipe.packages)}",
        *(f"--essential-hook={hook}" for hook in recipe.before),
        *(f"--customize-hook={hook}" for hook in recipe.after),
        recipe.codename,
        str(target),
        "-",
    ]


def _folder() -> Path:
    return folders.cache_folder() / "platforms"


def _holders(image: Path) -> Path:
    return image.with_name(f"{image.name}.held")


def make(image: Path, recipe: Recipe, tell: Tell) -> None:
    """Make the image, say why, and remove those of other recipes on which nobody stands. One at a time."""
    started = time.monotonic()
    old = [path for path in _images(image.parent, recipe) if path != image]
    tell(Step(f"Making the platform image {recipe.platform} ({recipe.kind}), once: about a minute"))
    for reason in _reasons(old, recipe):
        tell(Detail(reason))
    _sweep(image, recipe)
    aside = image.with_name(f".{recipe.platform}-{recipe.kind}.new")
    try:
        _bootstrap(aside, recipe, tell)
        finish(aside, recipe)
        _note(aside, recipe)
        aside.rename(image)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for outdated in old:
        if not is_held(outdated):
            shutil.rmtree(outdated, ignore_errors=True)
            shutil.rmtree(_holders(outdated), ignore_errors=True)
    tell(Detail(f"Made in {time.monotonic() - started:.0f} s: {image}"))


def _images(folder: Path, recipe: Recipe) -> list[Path]:
    named = re.compile(rf"{recipe.platform}-{recipe.kind}-[0-9a-f]{{12}}")
    return sorted(path for path in folder.glob(f"{recipe.platform}-{recipe.kind}-*") if named.fullmatch(path.name))


def _reasons(old: list[Path], recipe: Recipe) -> list[str]:
    """Why the images that are there do not do: all differences from the newest of them."""
    if not old:
        return ["There is none yet on this machine"]
    newest = max(old, key=lambda path: path.stat().st_mtime)
    try:
        before = json.loads((newest / RECIPE).read_text())
    except (OSError, ValueError):
        return ["The one that is there does not say what it was made of"]
    return differences(before, recipe.facts())


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What changed between two recipes, a line for each fact."""
    return [
        _difference(name, before.get(name), now.get(name))
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]


def _difference(name: str, before: Any, now: Any) -> str:
    if name != "packages" or not isinstance(before, list):
        return f"Changed: {name}"
    signed = [f"+{added}" for added in now if added not in before] + [f"-{gone}" for gone in before if gone not in now]
    return f"Changed: packages {' '.join(signed)}"


def _sweep(image: Path, recipe: Recipe) -> None:
    """What a killed run has left; the lock says that none is at work."""
    for left in image.parent.glob(f".{recipe.platform}-{recipe.kind}.new*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def _bootstrap(root: Path, recipe: Recipe, tell: Tell) -> None:
    sources = _sources(recipe)
    as_root = os.geteuid() == 0
    _refuse_if_unable(as_root)
    target = root if as_root else root.with_suffix(".new.tar")
    words = mmdebstrap_words(recipe, "root" if as_root else "unshare", target, _transport())
    try:
        _run(words, sources, recipe, tell)
        if not as_root:
            _unpack(target, root)
    finally:
        if not as_root:
            target.unlink(missing_ok=True)


def _sources(recipe: Recipe) -> str:
    if recipe.architecture != this_architecture():
        raise WrongArchitecture(recipe.platform, this_architecture())
    machine = machine_codename(Path("/etc/os-release").read_text())
    sources = sources_for(recipe.codename, machine)
    if not sources:
        raise NoPackageSources(recipe.platform, recipe.codename, machine or "unknown")
    return sources


def _refuse_if_unable(as_root: bool) -> None:
    if shutil.which("mmdebstrap") is None:
        raise PlatformToolMissing("mmdebstrap", "mmdebstrap" if as_root else "mmdebstrap uidmap")
    if as_root:
        return
    if shutil.which("newuidmap") is None:
        raise PlatformToolMissing("newuidmap", "uidmap")
    if not all(_has_range(Path(file), os.geteuid()) for file in RANGES):
        first = free_range("\n".join(Path(file).read_text() for file in RANGES if Path(file).exists()))
        raise NoRangeOfUids(os.geteuid(), first, first + RANGE - 1)


def _has_range(file: Path, uid: int) -> bool:
    """Whether a file of subuid(5) gives a whole range to a user, by name or by number."""
    names = {str(uid), _name_of(uid)}
    lines = [line.split(":") for line in file.read_text().splitlines()] if file.exists() else []
    return any(len(line) == 3 and line[0] in names and int(line[2]) >= RANGE for line in lines)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def free_range(taken: str) -> int:
    """The first number of a range that no line of these files has: `taken` is their text, after subuid(5)."""
    lines = [line.split(":") for line in taken.splitlines()]
    return max([FIRST_OF_RANGES, *(int(start) + int(count) for _, start, count in lines)])


def _transport() -> list[str]:
    dumped = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
    return transport_options(dumped)


def _run(words: list[str], sources: str, recipe: Recipe, tell: Tell) -> None:
    """mmdebstrap to its end, telling what it is at."""
    pipe = subprocess.PIPE
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(
        words, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe, text=True, env=environment
    ) as made:
        assert made.stdin and made.stderr
        made.stdin.write(sources)
        made.stdin.close()
        said = []
        for line in made.stderr:
            said.append(line.rstrip())
            if line.startswith("I: ") and "hook" not in line:
                tell(Detail(line[3:].strip().rstrip(".")))
    if made.returncode != 0:
        raise ImageNotMade(recipe.platform, "\n".join(said[-LAST_LINES:]))


def _unpack(archive: Path, root: Path) -> None:
    root.mkdir()
    subprocess.run(["tar", "xf", str(archive), "-C", str(root), "--exclude=./dev/*", "--no-same-owner"], check=True)


def _note(root: Path, recipe: Recipe) -> None:
    path = root / RECIPE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(recipe.facts(), indent=1) + "\n")


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with folders.open_lock(path) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
