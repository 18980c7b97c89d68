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
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deployer.build import slugignore
from deployer.errors.build import CommitUnreadable, SourceMissing, TooManyFiles
from deployer.model import app_json
from deployer.model.manifest import MOST

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
    copy = _Copy(_ignores(folder))
    if managed is not None:
        _copy_listed(folder, target, managed, copy)
        return []
    _copy_folder(str(folder), str(target), "", copy)
    return [f"Leaving out {', '.join(sorted(copy.left_out))}"] if copy.left_out else []


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


def _copy_listed(folder: Path, target: Path, paths: list[str], copy: _Copy) -> None:
    """Copy files by name. A path that is a folder is a submodule or another repository: all of it."""
    made: dict[str, bool] = {"": True}
    for path in paths:
        parent, _, name = path.rstrip("/").rpartition("/")
        if name in NEVER or not _made(target, parent, copy.ignores, made):
            continue
        origin, place = f"{folder}/{path.rstrip('/')}", f"{target}/{path.rstrip('/')}"
        if Path(origin).is_dir() and not Path(origin).is_symlink():
            if not copy.ignores(path.rstrip("/"), True):
                Path(place).mkdir(exist_ok=True)
                _copy_folder(origin, place, f"{path.rstrip('/')}/", copy)
        elif os.path.lexists(origin) and not copy.ignores(path, False):
            copy.file(origin, place, path)


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


def _copy_folder(origin: str, target: str, prefix: str, copy: _Copy) -> None:
    with os.scandir(origin) as entries:
        for entry in entries:
            path = prefix + entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name in NEVER or copy.ignores(path, is_folder):
                continue
            if entry.name in UNMANAGED or (is_folder and os.path.lexists(f"{entry.path}/pyvenv.cfg")):
                copy.left_out.append(path)
            elif is_folder:
                Path(f"{target}/{entry.name}").mkdir()
                _copy_folder(entry.path, f"{target}/{entry.name}", f"{path}/", copy)
            else:
                copy.file(entry.path, f"{target}/{entry.name}", path)


@dataclass
class _Copy:
    """A copy under way. Raises TooManyFiles as soon as there are."""

    ignores: slugignore.Ignores
    left_out: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)  # of files, by the folder in the root that holds them
    number: int = 0

    def count(self, path: str) -> None:
        """One more file."""
        self.counts[path.partition("/")[0] if "/" in path else "."] += 1
        self.number += 1
        if self.number > MOST:
            raise TooManyFiles("The source", MOST, most_of(self.counts))

    def file(self, origin: str, target: str, path: str) -> None:
        """A file with nothing but its content and whether it is executable, or a link. Sockets and pipes have no
        content."""
        self.count(path)
        status = os.lstat(origin)
        if stat.S_ISLNK(status.st_mode):
            Path(target).symlink_to(Path(origin).readlink())
        elif stat.S_ISREG(status.st_mode):
            shutil.copyfile(origin, target)
            Path(target).chmod(0o755 if status.st_mode & 0o100 else 0o644)


def most_of(counts: Counter[str]) -> str:
    """The folders with most files, a line each."""
    return "\n".join(f"{number:8}  {folder}" for folder, number in counts.most_common(5))


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
        if number_of_entries(Path(index)) > MOST and git.text(slugignore.NAME) is None:
            raise TooManyFiles("The commit", MOST, _folders_of(git))
        git.run("checkout-index", "--all", "--force", index=index, work_tree=str(target))
    submodules = git.submodules() if (target / ".gitmodules").is_file() else []
    _prune(target, _Copy(_ignores(target)), submodules)
    return [*_told_submodules(submodules), *_told_large_files(target)]


def number_of_entries(index: Path) -> int:
    """What git's index says in its header (gitformat-index(5)): a signature, its version, the number of entries."""
    with index.open("rb") as stream:
        return int.from_bytes(stream.read(12)[8:])


def _folders_of(git: _Git) -> str:
    paths = git.run("ls-tree", "-r", "-z", "--name-only", git.commit).split(b"\0")
    return most_of(Counter(os.fsdecode(path.partition(b"/")[0]) for path in paths if b"/" in path))


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


def _prune(target: Path, copy: _Copy, submodules: list[str], prefix: str = "") -> None:
    """Take away what never comes along, what .slugignore leaves out, and the empty folders of submodules."""
    with os.scandir(target / prefix) as entries:
        for entry in list(entries):
            path = prefix + entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name in NEVER or copy.ignores(path, is_folder) or path in submodules:
                shutil.rmtree(entry.path) if is_folder else Path(entry.path).unlink()
            elif is_folder:
                _prune(target, copy, submodules, f"{path}/")
            else:
                copy.count(path)
