"""`git push` through a remote helper, with the real git; only what would build and release is a stand-in."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deployer.cli.git_remote import watch_of
from deployer.errors.push import BadPushOption
from deployer.operations.push_repository import clean_environment

HELPER = """#!{python}
import base64, subprocess, sys, time
from pathlib import Path
from deployer.cli.git_remote import watch_of
from deployer.operations import push, push_repository

state = Path({state!r})

def deploy(pushed, hook):
    files = push_repository.git("ls-tree", "--name-only", pushed.commit, env=pushed.env).split()
    hook.say(f"       watched for {{watch_of(pushed.env)}}\\n")
    hook.say("-----> Building " + " ".join(files) + "\\n")
    while "SLOW" in files and not (state.parent / "go").exists():
        time.sleep(0.01)
    if "FAIL" in files:
        hook.say(" !     Push rejected\\n")
        return 1
    raw = subprocess.run(["git", "cat-file", "commit", pushed.commit], env=pushed.env, check=True, capture_output=True)
    state.write_bytes(base64.b64encode(raw.stdout))
    return 0

for line in sys.stdin:
    if line == "capabilities\\n":
        print("connect\\n", flush=True)
    elif line.startswith("connect "):
        with push.listening() as (address, listener):
            raw = state.read_text() if state.exists() else None
            bare = push_repository.prepare("sandbox", "shop", raw, push.hook_text(address))
            print(flush=True)
            sys.exit(push.receive(bare, listener, deploy))
"""


class Repository:
    """A user's repository with a remote of ours. `state` stands for the ledger's current commit."""

    def __init__(self, folder: Path, home: Path, object_format: str = "sha1") -> None:
        self.folder, self.state = folder, home / "state"
        helper = home / "bin" / "git-remote-deployer"
        helper.parent.mkdir(exist_ok=True)
        helper.write_text(HELPER.format(python=sys.executable, state=str(self.state)))
        helper.chmod(0o755)
        self.env = {
            **clean_environment(),
            "PATH": f"{helper.parent}:{os.environ['PATH']}",
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        if not folder.exists():
            self.git("init", "-q", "-b", "main", f"--object-format={object_format}", str(folder), at=home)
        if "deployer" not in self.git("remote"):
            self.git("remote", "add", "deployer", "deployer::sandbox/shop")

    def git(self, *words: str, at: Path | None = None) -> str:
        done = subprocess.run(["git", *words], cwd=at or self.folder, env=self.env, check=True, capture_output=True)
        return done.stdout.decode().strip()

    def commit(self, **files: str) -> str:
        for name, text in files.items():
            (self.folder / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def push(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = ["git", "push", "deployer", *(words or ("main",))]
        return subprocess.run(done, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=20)

    @property
    def deployed(self) -> str | None:
        """The message-bearing raw commit that was deployed last, as an object name."""
        if not self.state.exists():
            return None
        raw = base64.b64decode(self.state.read_text())
        words = ["git", "hash-object", "-t", "commit", "--stdin"]
        return (
            subprocess.run(words, cwd=self.folder, env=self.env, input=raw, capture_output=True, check=True)
            .stdout.decode()
            .strip()
        )


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "shop", tmp_path)


@pytest.mark.edge
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_push_deploys_and_a_second_one_has_nothing_to_do(tmp_path: Path, object_format: str) -> None:
    repository = Repository(tmp_path / "shop", tmp_path, object_format)
    head = repository.commit(Procfile="web: true\n")
    first = repository.push()
    assert first.returncode == 0, first.stderr
    assert "remote: -----> Building Procfile" in first.stderr
    assert repository.deployed == head
    assert "Everything up-to-date" in repository.push().stderr


@pytest.mark.edge
def test_a_push_says_for_how_long_its_release_is_watched(repository: Repository) -> None:
    repository.commit(Procfile="web: true\n")
    assert "remote:        watched for 2.5" in repository.push("-o", "watch=2.5", "main").stderr
    repository.commit(Procfile="web: false\n")
    assert "remote:        watched for None" in repository.push().stderr


def test_other_push_options_are_refused_by_their_words() -> None:
    assert watch_of({}) is None
    assert watch_of({"GIT_PUSH_OPTION_COUNT": "1", "GIT_PUSH_OPTION_0": "watch=0"}) == 0
    for option in ("ci.skip", "watch", "watch=", "watch=-1", "watch=nan", "watch=inf", "watch=1_0"):
        with pytest.raises(BadPushOption) as refused:
            watch_of({"GIT_PUSH_OPTION_COUNT": "1", "GIT_PUSH_OPTION_0": option})
        assert refused.value.option == option


@pytest.mark.edge
def test_a_failing_build_rejects_the_push_and_the_next_try_builds_again(repository: Repository) -> None:
    repository.commit(FAIL="")
    for _ in range(2):
        failed = repository.push()
        assert failed.returncode == 1
        assert "[remote rejected] main -> main" in failed.stderr
        assert "remote: -----> Building" in failed.stderr
    assert repository.deployed is None


@pytest.mark.edge
def test_branches_other_than_main_are_not_deployed_but_can_be_pushed_as_main(repository: Repository) -> None:
    repository.commit(Procfile="web: true\n")
    repository.git("checkout", "-q", "-b", "feature")
    head = repository.commit(feature="")
    skipped = repository.push("feature")
    assert skipped.returncode == 0
    assert "Pushed to non-main branch feature, skipping build." in skipped.stderr
    assert repository.deployed is None
    assert repository.push("feature:main").returncode == 0
    assert repository.deployed == head


@pytest.mark.edge
def test_an_older_commit_needs_force_also_from_a_clone_that_lacks_the_deployed_one(
    repository: Repository, tmp_path: Path
) -> None:
    old = repository.commit(Procfile="web: true\n")
    clone_folder = tmp_path / "clone"
    repository.git("clone", "-q", str(repository.folder), str(clone_folder))
    repository.commit(later="")
    assert repository.push().returncode == 0
    behind = repository.push(f"{old}:main")
    assert behind.returncode == 1
    assert "non-fast-forward" in behind.stderr
    clone = Repository(clone_folder, tmp_path)
    elsewhere = clone.push("main")
    assert elsewhere.returncode == 1
    assert "fetch first" in elsewhere.stderr
    assert clone.push("--force", "main").returncode == 0
    assert repository.deployed == old


@pytest.mark.edge
def test_what_serves_cannot_be_deleted(repository: Repository) -> None:
    repository.commit(Procfile="web: true\n")
    repository.push()
    gone = repository.push(":main")
    assert gone.returncode == 1
    assert "main cannot be deleted" in gone.stderr


@pytest.mark.edge
def test_a_push_from_a_worktree_of_a_shallow_clone_deploys(repository: Repository, tmp_path: Path) -> None:
    repository.commit(Procfile="web: true\n")
    repository.commit(more="")
    repository.git("clone", "-q", "--depth=1", f"file://{repository.folder}", str(tmp_path / "shallow"))
    repository.git("worktree", "add", "-q", "-b", "tree", str(tmp_path / "tree"), at=tmp_path / "shallow")
    tree = Repository(tmp_path / "tree", tmp_path)
    head = tree.commit(again="")
    done = tree.push("HEAD:main")
    assert done.returncode == 0, done.stderr
    assert tree.deployed == head


@pytest.mark.edge
def test_a_pusher_that_dies_does_not_stop_a_deploy_that_goes_on(repository: Repository, tmp_path: Path) -> None:
    head = repository.commit(SLOW="")
    words = ["git", "push", "deployer", "main"]
    with subprocess.Popen(
        words, cwd=repository.folder, env=repository.env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as pusher:
        assert pusher.stderr is not None
        while b"Building" not in (line := pusher.stderr.readline()):
            assert line, "git ended before the build began"
        pusher.send_signal(signal.SIGKILL)
    (tmp_path / "go").touch()
    deadline = time.monotonic() + 10
    while repository.deployed != head and time.monotonic() < deadline:
        time.sleep(0.02)
    assert repository.deployed == head
