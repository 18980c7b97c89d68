"""Sources: the tree of an app in a folder or at a commit, and the copy of it that a build works on.

A folder is taken as git sees it where git manages it: what .gitignore leaves out stays at home, as with Heroku's
own upload of folders; files that git does not know yet come along. Elsewhere virtual environments, node_modules,
byte code and `.env` stay at home. `.slugignore` applies to both, before any buildpack looks."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deployer.build import slugignore
from deployer.errors.build import CommitUnreadable, SourceMissing
from deployer.model import app_json

NEVER = frozenset({".git", ".hg", ".svn", ".gitmodules", "__pycache__", ".DS_Store"})
UNMANAGED = frozenset({"node_modules", ".env", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".tox", ".nox"})


@dataclass(frozen=True, slots=True)
class Source:
    """`fill(folder)` puts the tree into an empty folder and returns what its author should hear of. `app_json` is
    the text of that file, where there is one."""

    commit: str | None
    app_json: str | None
    fill: Callable[[Path], list[str]]


def from_folder(folder: Path) -> Source:
    """The tree as it lies in a folder now. Raises SourceMissing."""
    if not folder.is_dir():
        raise SourceMissing(str(folder))
    described = folder / app_json.NAME
    text = described.read_text("utf-8", "replace") if described.is_file() else None
    return Source(None, text, lambda target: _fill_from_folder(folder, target))


def from_git(git_dir: Path, commit: str, env: Mapping[str, str] | None = None) -> Source:
    """The tree of a commit. `env` is git's environment: in a hook it says where the pushed objects are."""
    git = _Git(git_dir, commit, dict(os.environ) if env is None else dict(env))
    return Source(commit, git.text(app_json.NAME), lambda target: _fill_from_git(git, target))


def _fill_from_folder(folder: Path, target: Path) -> list[str]:
    managed = _known_to_git(folder)
    ignores = _ignores(folder)
    if managed is not None:
        _copy_listed(folder, target, managed, ignores)
        return []
    left_out: list[str] = []
    _copy_folder(str(folder), str(target), "", ignores, left_out)
    return [f"Leaving out {', '.join(sorted(left_out))}"] if left_out else []


def _ignores(folder: Path) -> slugignore.Ignores:
    file = folder / slugignore.NAME
    lines = file.read_text("utf-8", "replace").splitlines() if file.is_file() else []
    return slugignore.compile_patterns(lines)


def _known_to_git(folder: Path) -> list[str] | None:
    """The paths that git tracks or would, relative to the folder; None where git does not manage it."""
    if not any((parent / ".git").exists() for parent in (folder.absolute(), *folder.absolute().parents)):
        return None
    words = ["git", "-C", str(folder), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        return None
    listed = [os.fsdecode(path) for path in done.stdout.split(b"\0") if path]
    # A folder that its repository ignores as a whole has no paths: it is taken as it lies.
    return listed if done.returncode == 0 and listed else None


def _copy_listed(folder: Path, target: Path, paths: list[str], ignores: slugignore.Ignores) -> None:
    """Copy files by name. A path that is a folder is a submodule or another repository: all of it."""
    made: dict[str, bool] = {"": True}
    for path in paths:
        parent, _, name = path.rstrip("/").rpartition("/")
        if name in NEVER or not _made(target, parent, ignores, made):
            continue
        origin, copy = f"{folder}/{path.rstrip('/')}", f"{target}/{path.rstrip('/')}"
        if Path(origin).is_dir() and not Path(origin).is_symlink():
            if not ignores(path.rstrip("/"), True):
                Path(copy).mkdir(exist_ok=True)
                _copy_folder(origin, copy, f"{path.rstrip('/')}/", ignores, [])
        elif os.path.lexists(origin) and not ignores(path, False):
            _copy_file(origin, copy)


def _made(target: Path, folder: str, ignores: slugignore.Ignores, made: dict[str, bool]) -> bool:
    """Make a folder and those above it; False where one of them is left out."""
    if folder not in made:
        above = folder.rpartition("/")[0]
        wanted = (
            _made(target, above, ignores, made) and folder.rpartition("/")[2] not in NEVER and not ignores(folder, True)
        )
        made[folder] = wanted
        if wanted:
            (target / folder).mkdir()
    return made[folder]


def _copy_folder(origin: str, target: str, prefix: str, ignores: slugignore.Ignores, left_out: list[str]) -> None:
    with os.scandir(origin) as entries:
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name in NEVER or ignores(prefix + entry.name, is_folder):
                continue
            if entry.name in UNMANAGED or (is_folder and os.path.lexists(f"{entry.path}/pyvenv.cfg")):
                left_out.append(prefix + entry.name)
            elif is_folder:
                copy = f"{target}/{entry.name}"
                Path(copy).mkdir()
                _copy_folder(entry.path, copy, f"{prefix}{entry.name}/", ignores, left_out)
            else:
                _copy_file(entry.path, f"{target}/{entry.name}")


def _copy_file(origin: str, target: str) -> None:
    """A file with nothing but its content and whether it is executable, or a link. Sockets and pipes have no
    content."""
    status = os.lstat(origin)
    if stat.S_ISLNK(status.st_mode):
        Path(target).symlink_to(Path(origin).readlink())
    elif stat.S_ISREG(status.st_mode):
        shutil.copyfile(origin, target)
        Path(target).chmod(0o755 if status.st_mode & 0o100 else 0o644)


@dataclass(frozen=True, slots=True)
class _Git:
    """git, asked about one commit."""

    folder: Path
    commit: str
    env: dict[str, str]

    def run(self, *words: str, index: str = "", work_tree: str = "") -> bytes:
        """git's output. Raises CommitUnreadable."""
        env = {
            key: value for key, value in self.env.items() if key not in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
        }
        extra = {"GIT_INDEX_FILE": index} if index else {}
        tree = ["-c", "core.bare=false", f"--work-tree={work_tree}"] if work_tree else []
        command = ["git", f"--git-dir={self.folder}", *tree, *words]
        done = subprocess.run(command, env=env | extra, cwd=work_tree or None, capture_output=True)
        if done.returncode != 0:
            raise CommitUnreadable(self.commit, done.stderr.decode("utf-8", "replace").strip())
        return done.stdout

    def submodules(self) -> list[str]:
        """Where the commit names commits of other repositories."""
        records = self.run("ls-tree", "-r", "-z", self.commit).split(b"\0")
        return [os.fsdecode(record.partition(b"\t")[2]) for record in records if record.startswith(b"160000 ")]

    def text(self, path: str) -> str | None:
        """A file's text at the commit; None where there is none."""
        try:
            return self.run("cat-file", "blob", f"{self.commit}:{path}").decode("utf-8", "replace")
        except CommitUnreadable:
            return None  # a commit that is not there fails when it is checked out


def _fill_from_git(git: _Git, target: Path) -> list[str]:
    """Check the commit out: unlike `git archive` this applies filters (line ends, large files) and no export-ignore."""
    with tempfile.TemporaryDirectory(prefix="deployer-source-") as aside:
        index = f"{aside}/index"
        git.run("read-tree", git.commit, index=index)
        git.run("checkout-index", "--all", "--force", index=index, work_tree=str(target))
    submodules = git.submodules() if (target / ".gitmodules").is_file() else []
    _prune(target, _ignores(target), submodules)
    return [*_told_submodules(submodules), *_told_large_files(target)]


def _told_submodules(paths: list[str]) -> list[str]:
    if not paths:
        return []
    return [f"Submodules do not come along with a push: {', '.join(paths)}. `deployer deploy FOLDER` takes them."]


def _told_large_files(target: Path) -> list[str]:
    """Pointers of git-lfs that no filter has replaced."""
    attributes = target / ".gitattributes"
    if not attributes.is_file() or "filter=lfs" not in attributes.read_text("utf-8", "replace"):
        return []
    start = b"version https://git-lfs.github.com/spec/"
    found = next((path for path in target.rglob("*") if path.is_file() and _begins(path, start)), None)
    return [f"{found.relative_to(target)} is a pointer of git-lfs: install git-lfs, `git lfs pull`."] if found else []


def _begins(path: Path, start: bytes) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(start)) == start


def _prune(target: Path, ignores: slugignore.Ignores, submodules: list[str], prefix: str = "") -> None:
    """Take away what never comes along, what .slugignore leaves out, and the empty folders of submodules."""
    with os.scandir(target / prefix) as entries:
        for entry in list(entries):
            path = prefix + entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name in NEVER or ignores(path, is_folder) or path in submodules:
                shutil.rmtree(entry.path) if is_folder else Path(entry.path).unlink()
            elif is_folder:
                _prune(target, ignores, submodules, f"{path}/")
