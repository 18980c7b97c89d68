"""What a build can reach, and what it cannot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.build import jail, platform_image
from deployer.build.jail import Ended, Jail, Mount
from deployer.build.shelf import own
from deployer.model.platforms import parse

pytestmark = pytest.mark.edge


@pytest.fixture
def box(tmp_path: Path) -> Jail:
    image = platform_image.ensure(parse("debian-13"), "build", print)
    for name in ("app", "cache"):
        (tmp_path / name).mkdir()
        own(tmp_path / name)
    return Jail(image, tmp_path / "app", tmp_path / "cache")


def shell(box: Jail, script: str, given: bytes = b"", seconds: float | None = None) -> tuple[Ended, str]:
    lines: list[str] = []
    ended = jail.run(box, ["bash", "-c", script], lines.append, given=given, seconds=seconds)
    return ended, "\n".join(lines)


def test_only_app_and_cache_can_be_written(box: Jail) -> None:
    elsewhere = "/d /usr/d /opt/tools/d /etc/d /run/d /srv/d"
    script = f"touch /app/a /cache/b /tmp/c; for file in {elsewhere}; do touch $file && echo $file; done"
    _, said = shell(box, f"({script}) 2> /dev/null")
    assert said == ""
    assert (box.source / "a").exists()
    assert (box.cache / "b").exists()


def test_nothing_of_the_machine_is_inside(box: Jail, tmp_path: Path) -> None:
    (tmp_path / "private").write_text("x")
    ended, said = shell(box, f"ls {tmp_path} || ls /root || cat /etc/shadow")
    assert ended.status != 0
    assert "x" not in said.split()


def test_the_build_is_nobody_in_particular_and_stays_so(box: Jail) -> None:
    _, said = shell(box, "whoami; grep -E 'Cap(Prm|Eff|Bnd)|NoNewPrivs' /proc/self/status | tr -d '\\t'")
    name, *status = said.splitlines()
    assert name == "build"
    assert "NoNewPrivs:1" in status
    if os.geteuid() == 0:
        assert {line.split(":")[1] for line in status if line.startswith("Cap")} == {"0" * 16}


def test_the_kernels_settings_cannot_be_written(box: Jail) -> None:
    """A mapped uid 0 could: builds.md section 1."""
    ended, _ = shell(box, "echo x > /proc/sys/kernel/hostname || echo 1 > /proc/sys/vm/drop_caches")
    assert ended.status != 0


def test_the_environment_is_ours_alone(box: Jail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "leaked")
    monkeypatch.setenv("LD_PRELOAD_NOT", "leaked")
    _, said = shell(box.having(KEY="two\nlines $x '"), 'env; printf "%s" "$KEY" | wc -c')
    assert "leaked" not in said
    assert "SSH_AUTH_SOCK" not in said
    assert said.endswith("14")


def test_config_vars_are_in_no_argument_that_others_could_read(box: Jail) -> None:
    seen: list[str] = []

    def look(line: str) -> None:
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.append(file.read_bytes().decode("utf-8", "replace"))
            except OSError:
                continue

    jail.run(box.having(TOKEN="s3cr3t-value"), ["bash", "-c", "echo go; sleep 0.2"], look)
    assert any("bwrap" in words for words in seen)
    assert not any("s3cr3t-value" in words for words in seen)


def test_output_comes_line_by_line_as_it_is_printed(box: Jail) -> None:
    times: list[float] = []
    jail.run(box, ["bash", "-c", "echo a; sleep 0.3; echo b >&2"], lambda line: times.append(time.monotonic()))
    assert times[1] - times[0] > 0.2


def test_what_a_progress_bar_painted_over_is_not_shown(box: Jail) -> None:
    _, said = shell(box, r"printf '10%%\r50%%\rdone\n'; printf 'caf\351\n'")
    assert said.splitlines() == ["done", "caf�"]


def test_standard_input_is_what_is_given(box: Jail) -> None:
    big = b"x" * 300_000
    assert shell(box, "wc -c", big)[1] == "300000"
    assert shell(box, "true", big)[0] == Ended(0)


def test_a_program_that_takes_too_long_is_ended_with_all_that_it_started(box: Jail) -> None:
    ended, _ = shell(box, "setsid sleep 4717 & sleep 4718", seconds=0.4)
    assert ended.timed_out
    assert is_gone("sleep\000471")


def running(words: str) -> list[str]:
    files = [file for file in Path("/proc").glob("[0-9]*/cmdline")]
    found = []
    for file in files:
        try:
            if words in file.read_bytes().decode("utf-8", "replace"):
                found.append(str(file))
        except OSError:
            continue
    return found


def is_gone(words: str) -> bool:
    """The kernel ends what is left in a namespace a moment after its first process."""
    deadline = time.monotonic() + 3
    while running(words) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not running(words)


def test_a_program_dies_with_the_command_that_started_it(box: Jail) -> None:
    source = f"""
from pathlib import Path
from deployer.build import jail
box = jail.Jail(Path({str(box.image)!r}), Path({str(box.source)!r}), Path({str(box.cache)!r}))
jail.run(box, ["bash", "-c", "echo up; sleep 4719"], lambda line: print(line, flush=True))
"""
    with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGKILL)
    assert is_gone("sleep\0004719")


def test_an_interrupt_ends_the_program(box: Jail) -> None:
    threading.Timer(0.4, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        shell(box, "sleep 4720")
    assert is_gone("sleep\0004720")


def test_programs_that_work_in_parallel_find_what_they_need(box: Jail) -> None:
    ended, said = shell(
        box, "python3 -c 'import multiprocessing as m; m.Lock(); print(len(m.Pool(2).map(abs, [1, 2])))'"
    )
    assert (ended.status, said) == (0, "2")


def test_mounts_are_read_only_unless_they_say_so(box: Jail, tmp_path: Path) -> None:
    for name in ("fixed", "open"):
        (tmp_path / name).mkdir()
        own(tmp_path / name)
        (box.source / name).mkdir()
    mounts = (Mount(tmp_path / "fixed", "/app/fixed"), Mount(tmp_path / "open", "/app/open", writable=True))
    shell(box.having(*mounts), "touch /app/fixed/x /app/open/x")
    assert not (tmp_path / "fixed/x").exists()
    assert (tmp_path / "open/x").exists()


@pytest.fixture
def visible_image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The platform image where an ordinary user can see it."""
    if os.geteuid() != 0:
        pytest.skip("the other tests are this one, then")
    image = platform_image.ensure(parse("debian-13"), "build", print)
    place = Path(f"/tmp/deployer-test-image-{os.getpid()}")
    place.mkdir()
    subprocess.run(["mount", "--bind", "-o", "ro", str(image), str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)
    place.rmdir()


def test_an_ordinary_user_gets_the_same_jail_by_a_user_namespace(visible_image: Path) -> None:
    home = Path(f"/tmp/deployer-test-user-{os.getpid()}")
    (home / "app").mkdir(parents=True)
    (home / "cache").mkdir()
    for folder in (home, home / "app", home / "cache"):
        os.chown(folder, 65534, 65534)
    source = f"""
import sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from deployer.build import jail
jail.check(Path({str(visible_image)!r}))
box = jail.Jail(Path({str(visible_image)!r}), Path({str(home / "app")!r}), Path({str(home / "cache")!r}))
script = "whoami; touch /app/x /usr/x; grep CapEff /proc/self/status; echo x > /proc/sys/kernel/hostname"
jail.run(box, ["bash", "-c", script], lambda line: print(line, flush=True))
"""
    words = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-c", source]
    try:
        done = subprocess.run(words, capture_output=True, text=True, cwd="/", env={"PATH": os.environ["PATH"]})
        assert done.stdout.splitlines()[0] == "build", done.stderr
        assert "CapEff:\t0000000000000000" in done.stdout
        assert "cannot touch '/usr/x'" in done.stdout
        assert (home / "app/x").stat().st_uid == 65534
        assert "Permission denied" in done.stdout
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)
