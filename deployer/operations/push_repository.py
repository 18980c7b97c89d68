"""The bare repository that `git push` writes to: refs and nothing else, beside the user's own objects.

It lies in the user's repository (`.git/deployer/SPACE/APP.git`) and borrows that one's objects: nothing is copied.
Before git looks at its refs they are set from the current release: whatever this clone knew, git's own rules for
fast-forwards then judge against what serves. The commit of the release may be missing here; git needs its object,
not its tree, so the raw commit that the release carries is written into the bare repository.
"""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

CONFIG = """[core]
	bare = true
	repositoryformatversion = {version}
	logAllRefUpdates = false
[receive]
	denyDeletes = true
	advertisePushOptions = true
	shallowUpdate = true
	autogc = false
"""
SHA256 = "[extensions]\n\tobjectFormat = sha256\n"


def git(*words: str, data: bytes | None = None, env: dict[str, str] | None = None) -> str:
    """Run git; its output without the last newline. CalledProcessError where it fails."""
    done = subprocess.run(["git", *words], input=data, env=env, check=True, stdout=subprocess.PIPE)
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def clean_environment() -> dict[str, str]:
    """The environment without what git tells its children: those words are about another repository."""
    return {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}


def prepare(space: str, app: str, commit_object: str | None, hook: str) -> Path:
    """The bare repository, its only branch at the current release's commit, its pre-receive hook the text `hook`."""
    own = Path(git("rev-parse", "--path-format=absolute", "--git-common-dir"))  # right in a worktree, too
    bare = own / "deployer" / space / f"{app}.git"
    object_format = git("rev-parse", "--show-object-format")
    if not (bare / "HEAD").exists():
        words = ("init", "-q", "--bare", "-b", "main", f"--object-format={object_format}", "--template=", str(bare))
        git(*words, env=clean_environment())
    _write(bare / "objects/info/alternates", f"{own / 'objects'}\n")
    sha256 = object_format == "sha256"
    _write(bare / "config", CONFIG.format(version=int(sha256)) + (SHA256 if sha256 else ""))
    _write(bare / "hooks/pre-receive", hook)
    (bare / "hooks/pre-receive").chmod(0o755)
    _set_refs(bare, base64.b64decode(commit_object) if commit_object else None)
    return bare


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _set_refs(bare: Path, commit: bytes | None) -> None:
    at, env = ("--git-dir", str(bare)), clean_environment()
    present = git(*at, "for-each-ref", "--format=%(refname)", env=env).split()
    orders = {ref: f"delete {ref}\n" for ref in present}
    if commit is not None:
        written = git(*at, "hash-object", "-t", "commit", "-w", "--stdin", data=commit, env=env)
        orders["refs/heads/main"] = f"update refs/heads/main {written}\n"
    git(*at, "update-ref", "--stdin", data="".join(orders.values()).encode(), env=env)
