"""What of a folder or a commit is deployed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from deployer.build.source import from_folder, from_git
from deployer.errors.build import CommitUnreadable, SourceMissing

AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def tree(folder: Path, *files: str) -> Path:
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file)
    return folder


def filled(source_folder: Path, target: Path) -> tuple[list[str], list[str]]:
    target.mkdir()
    told = from_folder(source_folder).fill(target)
    return listing(target), told


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())


def git(folder: Path, *words: str) -> str:
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(["git", *AUTHOR, *words], cwd=folder, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def repository(folder: Path, *files: str) -> Path:
    folder.mkdir(exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    return tree(folder, *files)


def commit(folder: Path) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")
    return git(folder, "rev-parse", "HEAD")


def test_a_plain_folder_leaves_out_what_was_never_meant_and_says_so(tmp_path: Path) -> None:
    app = tree(
        tmp_path / "app", "app.py", "my-env/pyvenv.cfg", "my-env/x", "web/node_modules/y", "__pycache__/z", ".env"
    )
    files, told = filled(app, tmp_path / "copy")
    assert files == ["app.py"]
    assert told == ["Leaving out .env, my-env, web/node_modules"]


def test_slugignore_applies_before_the_build(tmp_path: Path) -> None:
    app = tree(tmp_path / "app", "app.py", "docs/a", "big.psd")
    (app / ".slugignore").write_text("docs/\n*.psd\n")
    assert filled(app, tmp_path / "copy")[0] == [".slugignore", "app.py"]


def test_modes_links_and_empty_folders_come_along(tmp_path: Path) -> None:
    app = tree(tmp_path / "app", "run")
    (app / "run").chmod(0o700)
    (app / "link").symlink_to("/etc/hostname")
    (app / "empty").mkdir()
    filled(app, tmp_path / "copy")
    assert (tmp_path / "copy/run").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "copy/link").readlink() == Path("/etc/hostname")
    assert (tmp_path / "copy/empty").is_dir()


def test_a_pipe_in_the_folder_is_no_part_of_it(tmp_path: Path) -> None:
    app = tree(tmp_path / "app", "app.py")
    os.mkfifo(app / "pipe")
    assert filled(app, tmp_path / "copy")[0] == ["app.py"]


def test_a_checkout_is_taken_as_git_sees_it(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "app.py", "secret.env", "new.py", "gone.py", "sub/b.py")
    (app / ".gitignore").write_text("*.env\n")
    commit(app)
    tree(app, "untracked.py", "other.env")
    (app / "gone.py").unlink()
    files, _ = filled(app, tmp_path / "copy")
    assert files == [".gitignore", "app.py", "new.py", "sub/b.py", "untracked.py"]


def test_a_folder_inside_a_checkout_is_taken_alone(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "root.py", "inner/app.py")
    commit(app)
    assert filled(app / "inner", tmp_path / "copy")[0] == ["app.py"]


def test_a_folder_that_its_checkout_ignores_is_taken_as_it_lies(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "root.py", "dist/app.py")
    (app / ".gitignore").write_text("dist/\n")
    commit(app)
    assert filled(app / "dist", tmp_path / "copy")[0] == ["app.py"]


def test_a_submodule_comes_along_from_a_folder(tmp_path: Path) -> None:
    app = with_submodule(tmp_path)
    assert filled(app, tmp_path / "copy")[0] == ["app.py", "lib/lib.py"]


def with_submodule(tmp_path: Path) -> Path:
    lib = repository(tmp_path / "lib", "lib.py")
    commit(lib)
    app = repository(tmp_path / "app", "app.py")
    git(app, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(lib), "lib")
    commit(app)
    return app


def test_a_commit_is_taken_without_its_history_and_ignored_files(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "app.py", "docs/x", "run")
    (app / "run").chmod(0o755)
    (app / ".slugignore").write_text("/docs\n")
    (app / "app.json").write_text('{"name": "x"}')
    sha = commit(app)
    tree(app, "later.py")
    target = tmp_path / "copy"
    target.mkdir()
    source = from_git(app / ".git", sha)
    assert (source.commit, source.app_json) == (sha, '{"name": "x"}')
    assert source.fill(target) == []
    assert listing(target) == [".slugignore", "app.json", "app.py", "run"]
    assert (target / "run").stat().st_mode & 0o100


def test_a_commit_in_a_bare_repository_is_read_too(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "app.py")
    sha = commit(app)
    git(tmp_path, "clone", "-q", "--bare", str(app), "bare.git")
    target = tmp_path / "copy"
    target.mkdir()
    from_git(tmp_path / "bare.git", sha).fill(target)
    assert listing(target) == ["app.py"]


def test_a_commit_says_that_its_submodules_stay_behind(tmp_path: Path) -> None:
    app = with_submodule(tmp_path)
    target = tmp_path / "copy"
    target.mkdir()
    told = from_git(app / ".git", git(app, "rev-parse", "HEAD")).fill(target)
    assert told == ["Submodules do not come along with a push: lib. `deployer deploy FOLDER` takes them."]
    assert listing(target) == ["app.py"]


def test_a_pointer_of_git_lfs_is_told(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "app.py")
    (app / "movie.mp4").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    commit(app)
    (app / ".gitattributes").write_text("*.mp4 filter=lfs diff=lfs merge=lfs -text\n")
    git(app, "-c", "filter.lfs.clean=cat", "-c", "filter.lfs.smudge=cat", "commit", "-qam", "y", "--allow-empty")
    git(app, "add", ".gitattributes")
    git(app, "commit", "-qm", "z")
    target = tmp_path / "copy"
    target.mkdir()
    told = from_git(app / ".git", git(app, "rev-parse", "HEAD")).fill(target)
    assert told == ["movie.mp4 is a pointer of git-lfs: install git-lfs, `git lfs pull`."]


def test_names_that_are_no_utf8_survive(tmp_path: Path) -> None:
    app = repository(tmp_path / "app")
    (app / os.fsdecode(b"n\xe4me")).write_text("x")
    sha = commit(app)
    for number, source in enumerate((from_folder(app), from_git(app / ".git", sha))):
        target = tmp_path / str(number)
        target.mkdir()
        source.fill(target)
        assert [os.fsencode(path.name) for path in target.iterdir()] == [b"n\xe4me"]


def test_a_commit_that_is_not_there_is_a_failure_with_gits_words(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "app.py")
    target = tmp_path / "copy"
    target.mkdir()
    with pytest.raises(CommitUnreadable, match="00000"):
        from_git(app / ".git", "0" * 39 + "1").fill(target)


def test_a_folder_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing):
        from_folder(tmp_path / "nowhere")
