"""Builds on a host of the space, for machines that cannot build for its platform: macOS, another architecture, no
user namespaces.

The builder (`deployer.build.builder`) goes there once, as the agent does; the source's files that the host lacks go up,
what the build says comes back. Layers stay on the host: its agent takes them over into the app's store."""

from __future__ import annotations

import hashlib
import importlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import IO, Any

import buildpacks
import deployer
from deployer.build import folders, jail, platform_image
from deployer.build.apt_sources import machine_codename, sources_for
from deployer.build.image_recipe import Recipe
from deployer.build.source import Source
from deployer.build.tools import uv_version
from deployer.errors.base import Failure
from deployer.errors.elsewhere import BuilderEnded
from deployer.model import events
from deployer.model.codec import decode
from deployer.model.events import Detail, Step, Tell, Warn
from deployer.model.manifest import decode as entries_of
from deployer.model.platforms import Platform, this_architecture
from deployer.model.slug import Built, BuiltLayer, Layer, Slug
from deployer.remote.agent import PYTHON, Session, Stream
from deployer.remote.bundle import Bundle, bundle_of
from deployer.remote.connection import Broken

ROOT = "/srv/deployer/builds"
SLICE = "deployerbuilds.slice"  # deployer.host.units describes it
MINUTES = 30
UV = '''"""Stands for the package uv: the builder's own."""

import os


def find_uv_bin() -> str:
    return os.environ["DEPLOYER_UV"]
'''
# Little weight, and the first to go where memory is short. The policy `idle` counts where control groups cannot, and
# hands a processor over at once.
PROPERTIES = (
    f"Slice={SLICE}",
    "Nice=19",
    "CPUSchedulingPolicy=idle",
    "IOSchedulingClass=idle",
    "OOMScoreAdjust=900",
    "MemoryMax=50%",
    "TasksMax=4096",
    f"RuntimeMaxSec={MINUTES}min",
    "PrivateTmp=yes",
)


@dataclass(frozen=True, slots=True)
class Order:
    """What to build; as `deployer.build.build` takes it."""

    source: Source
    app: str
    platform: Platform
    buildpacks: tuple[str, ...]
    config: dict[str, str]
    no_cache: bool = False


def why_not_here(platform: Platform) -> str | None:
    """Why this machine cannot build for a platform; None where it can."""
    if sys.platform != "linux":
        return "this machine does not run Linux"
    if platform.architecture != this_architecture():
        return f"this machine is {this_architecture()}, the hosts are {platform.architecture}"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed here"
    if platform_image.there(platform, "build") is None and (why := _why_no_image(platform)):
        return why
    return None if os.geteuid() == 0 or _has_namespaces() else "user namespaces are forbidden here"


def _why_no_image(platform: Platform) -> str | None:
    if shutil.which("mmdebstrap") is None:
        return "mmdebstrap is not installed here"
    release = Path("/etc/os-release")
    codename = Recipe.of(platform, "build").codename
    if not sources_for(codename, machine_codename(release.read_text() if release.exists() else "")):
        return f"this machine has no package sources of {platform.system}"
    return None


def _has_namespaces() -> bool:
    words = ["bwrap", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--unshare-pid", "--unshare-user"]
    done = subprocess.run([*words, "--uid", "1000", "/bin/true"], capture_output=True, env={"PATH": jail.PATH})
    return done.returncode == 0


def build(session: Session, order: Order, why: str, tell: Tell) -> Built:
    """Build on a host, and say why there. The layers' roots are folders of that host. Raises what `build` raises."""
    tell(Step(f"Building on {session.host.id}: {why}"))
    with session.second() as own:
        own.call("build_tools", {"images": f"{ROOT}/platforms"}, lambda message, _: tell(Detail(str(message["what"]))))
    _install(session)
    _send_uv(session)
    with tempfile.TemporaryDirectory(prefix="deployer-source-") as name:
        for told in order.source.fill(Path(name)):
            tell(Warn(told))
        return _run(session, order, Path(name), tell)


def _install(session: Session) -> None:
    there = session.run(["test", "-e", f"{ROOT}/builder/{builder().name}/__main__.py"])
    if there.status != 0:
        session.install(builder(), f"{ROOT}/builder")


def _send_uv(session: Session) -> None:
    """Our own uv, where it runs there; else the host fetches one."""
    from uv import find_uv_bin

    place = _uv()
    same = sys.platform == "linux" and session.run(["uname", "-m"]).printed.strip() == os.uname().machine
    if not same or session.run(["test", "-e", place]).status == 0:
        return
    put = 'mkdir -p "${1%/*}" && gzip -d > "$1.$$" && chmod 755 "$1.$$" && mv "$1.$$" "$1"'
    packed = subprocess.run(["gzip", "-c", find_uv_bin()], check=True, stdout=subprocess.PIPE).stdout
    session.run(["sh", "-c", put, "sh", place], given=packed)


def _uv() -> str:
    return f"{ROOT}/tools/uv-{uv_version()}"


def _run(session: Session, order: Order, tree: Path, tell: Tell) -> Built:
    entries, files = entries_below(tree)
    stream = Stream(session.start_as_root(_words()))
    try:
        request = {
            "app": order.app,
            "platform": str(order.platform),
            "buildpacks": list(order.buildpacks),
            "config": order.config,
            "commit": order.source.commit,
            "no_cache": order.no_cache,
            "entries": entries,
        }
        stream.send(request, b"")
        while True:
            received = stream.receive()
            if received is None:
                raise BuilderEnded(session.host.id, stream.pipe.errors().strip()[-2000:])
            message, _ = received
            if "lacking" in message:
                stream.send({}, packed(files, message["lacking"]))
            elif "event" in message:
                tell(getattr(events, message["event"])(**message["facts"]))
            elif "failure" in message:
                raise failure(message["failure"])
            else:
                return _built(session, message)
    except Broken as error:
        raise BuilderEnded(session.host.id, str(error)) from error
    finally:
        stream.close()


def _words() -> list[str]:
    run = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--service-type=exec"]
    env = {"DEPLOYER_CACHE": ROOT, "DEPLOYER_UV": _uv(), "HOME": "/root", "LC_ALL": "C.UTF-8"}
    run += [f"--property={one}" for one in PROPERTIES] + [f"--setenv={name}={value}" for name, value in env.items()]
    return [*run, PYTHON, "-I", f"{ROOT}/builder/{builder().name}"]


def failure(message: dict[str, Any]) -> Failure:
    """The failure that the builder told."""
    module, name = str(message["module"]), str(message["name"])
    if not module.startswith("deployer.errors."):
        raise ValueError(module)
    raised: Failure = getattr(importlib.import_module(module), name)(**message["facts"])
    return raised


def _built(session: Session, message: dict[str, Any]) -> Built:
    layers = []
    for one in message["layers"]:
        pipe = session.start_as_root(["gzip", "-c", one["manifest"]])
        layers.append(BuiltLayer(decode(Layer, one["layer"]), _unpacked(pipe), Path(one["root"])))
    return Built(decode(Slug, message["slug"]), tuple(layers))


def _unpacked(pipe: Any) -> bytes:
    import gzip

    pipe.close_writing()
    data = b"".join(iter(lambda: pipe.read(1 << 18), b""))
    pipe.close()
    return gzip.decompress(data)


def hand_over(session: Session, fence: dict[str, Any], uid: int, built: Built) -> None:
    """Have the host's agent take the layers into the app's store, as if they had been shipped."""
    layers = [{"digest": one.layer.digest, "root": str(one.root)} for one in built.layers]
    with session.exchange("adopt", {**fence, "uid": uid, "layers": layers}) as exchange:
        for one in built.layers:
            exchange.send({"manifest": one.layer.digest}, one.manifest)
        exchange.result()


def fetched(session: Session, built: Built) -> Built:
    """The same with its layers on this machine, for hosts that lack them; those that are here already stay."""
    return replace(built, layers=tuple(_fetched(session, one) for one in built.layers))


def _fetched(session: Session, one: BuiltLayer) -> BuiltLayer:
    place = folders.make(folders.cache_folder() / "fetched") / one.layer.digest
    if not place.exists():
        aside = Path(tempfile.mkdtemp(dir=place.parent))
        pipe = session.start_as_root(["tar", "-C", str(one.root), "--null", "-T", "-", "--no-recursion", "-cz"])
        pipe.write(b"".join(entry.path + b"\0" for entry in entries_of(one.manifest)))
        pipe.close_writing()
        with tempfile.TemporaryFile() as archive:
            while got := pipe.read(1 << 18):
                archive.write(got)
            archive.seek(0)
            _unpack(archive, aside)
        pipe.close()
        aside.rename(place)
    return replace(one, root=place)


def _unpack(archive: IO[bytes], folder: Path) -> None:
    """Files and folders first, links last: nothing is written through one. What a manifest names stays inside."""
    links = []
    with tarfile.open(fileobj=archive, mode="r:gz", errors="surrogateescape") as layer:
        for member in layer:
            path = folder / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            if member.issym():
                links.append((path, member.linkname))
            elif member.isdir():
                path.mkdir(exist_ok=True)
            elif content := layer.extractfile(member):
                with path.open("wb") as file:
                    shutil.copyfileobj(content, file)
    for path, target in links:
        path.symlink_to(target)


def entries_below(tree: Path) -> tuple[list[tuple[str, str, str]], dict[str, Path]]:
    """What lies in a source, each as path, kind (file, executable, link, folder), and digest or target; the files by
    digest. A path that is no text travels as Python's surrogates."""
    entries: list[tuple[str, str, str]] = []
    files: dict[str, Path] = {}
    for path in sorted(tree.rglob("*")):
        name = str(path.relative_to(tree))
        if path.is_symlink():
            entries.append((name, "l", str(path.readlink())))
        elif path.is_dir():
            entries.append((name, "d", ""))
        else:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            files[digest] = path
            entries.append((name, "x" if path.stat().st_mode & 0o100 else "f", digest))
    return entries, files


def packed(files: dict[str, Path], wanted: Sequence[str]) -> bytes:
    """A tar of these files, by their digests."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for digest in wanted:
            member = tarfile.TarInfo(digest)
            member.size = files[digest].stat().st_size
            with files[digest].open("rb") as content:
                archive.addfile(member, content)
    return data.getvalue()


@cache
def builder() -> Bundle:
    """The builder as it travels: builds, buildpacks, the words of their failures."""
    ours, packs = Path(deployer.__file__).parent, Path(buildpacks.__file__).parent
    found = [ours / "__init__.py", ours / "version.py"]
    found += [path for name in ("build", "model", "errors") for path in (ours / name).rglob("*.py")]
    files = {f"deployer/{path.relative_to(ours)}": path.read_bytes() for path in found if path != Path(__file__)}
    more = [path for path in packs.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    files |= {f"buildpacks/{path.relative_to(packs)}": path.read_bytes() for path in more}
    files["uv.py"] = UV.encode()
    files[f"uv-{uv_version()}.dist-info/METADATA"] = f"Name: uv\nVersion: {uv_version()}\n".encode()
    files["__main__.py"] = b"from deployer.build.builder import main\n\nmain()\n"
    return bundle_of(files)
