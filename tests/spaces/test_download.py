"""Archives that are pinned by their sums: what is at their place afterwards, whatever comes, and what is said of it."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import IO

import pytest

from deployer.errors.archives import ArchiveBroken, ArchiveNotKept, ArchiveUnreached, ArchiveWrong
from deployer.errors.base import Failure
from deployer.model.events import Doing, Done, Event, Reached, Warn
from deployer.spaces.aws.archives import Archive, Pins
from deployer.spaces.aws.download import PATIENT, Limits, Order, have
from deployer.spaces.aws.tools import of_this_machine
from tests.spaces.archives_here import COMMAND_TGZ, FILLING, SCRIPT, Server, packed, serving

LARGE = packed({"pulumi/pulumi": SCRIPT, "pulumi/filling": FILLING * 4})
# A command that needs the archive, as a process of its own: what it tells, and how it ended.
PROCESS = """
import json, resource, sys
from pathlib import Path
from deployer.errors.base import Failure
from deployer.spaces.aws.archives import Archive, Pins
from deployer.spaces.aws.download import Order, have
archive, place, largest = json.loads(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
if largest:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
try:
    have(Order(Archive(**archive), place, "do without."), lambda event: print(event, flush=True))
    print("have", flush=True)
except Failure as failure:
    print(failure, flush=True)
except KeyboardInterrupt as interrupt:
    print(*interrupt.__notes__, flush=True)
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    with serving() as made:
        yield made


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "pulumi/command-3.260.0"


def order(archive: Archive, place: Path) -> Order:
    return Order(archive, place, "do without.")


def refused(archive: Archive, place: Path, limits: Limits = PATIENT) -> Failure:
    """How it failed; nothing is left of it."""
    with pytest.raises(Failure) as failed:
        have(order(archive, place), lambda event: None, limits)
    assert left(place) == []
    return failed.value


def left(place: Path) -> list[str]:
    """What is there beside the lock."""
    return sorted(path.name for path in place.parent.iterdir() if path.suffix != ".lock")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_archive_is_there_once_and_private(server: Server, place: Path) -> None:
    told: list[Event] = []
    wanted = order(server.command(LARGE), place)
    have(wanted, told.append)
    assert (place / "bin/pulumi").read_bytes() == SCRIPT and (place / "bin/filling").read_bytes() == FILLING * 4
    assert [mode(place), mode(place / "bin/pulumi"), mode(place / "bin/filling")] == [0o700, 0o700, 0o600]
    assert left(place) == [place.name]
    reached = [Reached(text) for text in ("4 MB", "25 %", "50 %", "75 %", "unpacking")]
    assert told == [Doing("Downloading Pulumi 3.260.0"), *reached, Done()]
    have(wanted, told.append)
    assert len(server.asked) == 1 and len(told) == 7


def test_the_provider_lies_where_the_engine_looks(server: Server, tmp_path: Path) -> None:
    place = tmp_path / "plugins/resource-aws-v7.48.0"
    have(order(server.provider(), place), lambda event: None)
    assert sorted(path.name for path in place.iterdir()) == ["LICENSE", "filling", "pulumi-resource-aws"]


def test_what_pulumi_itself_began_and_did_not_end_is_replaced(server: Server, tmp_path: Path) -> None:
    place = tmp_path / "plugins/resource-aws-v7.48.0"
    place.mkdir(parents=True)
    (place / "pulumi-resource-aws").write_text("half")
    (place / "pulumi-resource-aws").chmod(0o755)
    (place.parent / f"{place.name}.partial").touch()
    have(order(server.provider(), place), lambda event: None)
    assert (place / "pulumi-resource-aws").read_text() == "#!/bin/sh\n"
    assert left(place) == [place.name]


def test_why_the_command_on_path_is_not_used_is_said_once(server: Server, tmp_path: Path) -> None:
    (tmp_path / "pulumi").write_text("#!/bin/sh\necho v3.100.0\n")
    (tmp_path / "pulumi").chmod(0o755)
    pins, told = Pins("here", server.command(), server.provider(version=version("pulumi-aws"))), list[Event]()
    of_this_machine({"PATH": str(tmp_path)}, told.append, pins).ready()
    assert told[0] == Warn(f"{tmp_path}/pulumi is 3.100.0: deployer drives 3.259 up to, not including, 4")
    assert told.count(Done()) == 2
    of_this_machine({"PATH": str(tmp_path)}, pytest.fail, pins).ready()


def test_a_wrong_sum_is_said_with_both(server: Server, place: Path) -> None:
    failure = refused(server.command(digest="0" * 64), place)
    assert isinstance(failure, ArchiveWrong)
    assert f"and {'0' * 64} is expected" in failure.found and "its SHA-256 is " in failure.found


def test_a_page_in_place_of_the_archive_is_shown(server: Server, place: Path) -> None:
    archive = server.command()
    server.has = {path: b"<!DOCTYPE html>\n<title>Sign in \x1b[31mhere</title>" for path in server.has}
    failure = refused(archive, place)
    assert isinstance(failure, ArchiveWrong)
    assert (
        failure.found
        == "48 bytes that are no archive, and begin with `<!DOCTYPE html> <title>Sign in [31mhere</title>`"
    )


def test_one_that_is_cut_off_says_after_how_much(server: Server, place: Path) -> None:
    archive = server.command()
    server.cut = set(server.has)
    failure = refused(archive, place)
    assert isinstance(failure, ArchiveUnreached)
    assert failure.reason == f"it ended after {len(COMMAND_TGZ) // 2} of {len(COMMAND_TGZ)} bytes"


def test_an_answer_that_is_none_is_said(server: Server, place: Path) -> None:
    archive = server.command()
    server.has.clear()
    failure = refused(archive, place)
    assert isinstance(failure, ArchiveUnreached) and failure.reason == "the answer is 404 Not Found"
    assert archive.url in str(failure) and "do without." in str(failure)


def test_nobody_who_listens_is_said(place: Path) -> None:
    with serving() as gone:
        archive = gone.command()
    failure = refused(archive, place)
    assert isinstance(failure, ArchiveUnreached) and failure.reason == "Connection refused"


@pytest.mark.parametrize("when", ["silent", "held"])
def test_a_server_that_says_nothing_is_not_waited_for(when: str, server: Server, place: Path) -> None:
    archive = server.command()
    getattr(server, when).update(server.has)
    failure = refused(archive, place, Limits(silence=0.3))
    assert isinstance(failure, ArchiveUnreached) and failure.reason == "nothing came for 0.3 seconds"


def test_one_that_never_ends_is_ended(server: Server, place: Path) -> None:
    failure = refused(server.command(), place, Limits(whole=0))
    assert isinstance(failure, ArchiveUnreached) and "came in 0 seconds, and not all" in failure.reason
    failure = refused(server.command(), place, Limits(archive=1000))
    assert isinstance(failure, ArchiveWrong) and failure.found == "it is larger than 1000 bytes"


def test_a_proxy_of_the_environment_is_asked(server: Server, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = replace(server.command(), url="http://get.pulumi.example/sdk/pulumi-v3.260.0.tar.gz")
    monkeypatch.setenv("http_proxy", server.url)
    have(order(archive, place), lambda event: None)
    assert server.asked == [archive.url] and left(place) == [place.name]


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


HOSTILE = {
    "above": (member("pulumi/../../evil"), "'pulumi/../../evil' lies outside of pulumi"),
    "absolute": (member("/evil"), "'/evil' lies outside of pulumi"),
    "beside": (member("evil"), "'evil' lies outside of pulumi"),
    "link": (member("pulumi/lib", tarfile.SYMTYPE, "/"), "'pulumi/lib' is neither a file nor a folder"),
    "hard-link": (member("pulumi/x", tarfile.LNKTYPE, "pulumi/pulumi"), "'pulumi/x' is neither a file nor a folder"),
    "device": (member("pulumi/null", tarfile.CHRTYPE), "'pulumi/null' is neither a file nor a folder"),
    "pipe": (member("pulumi/pipe", tarfile.FIFOTYPE), "'pulumi/pipe' is neither a file nor a folder"),
    "twice": (member("pulumi/pulumi"), "File exists"),
    "below-a-file": (member("pulumi/pulumi/x"), "pulumi"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_no_file_below_the_folder_ends_it(case: str, server: Server, place: Path) -> None:
    one, problem = HOSTILE[case]
    failure = refused(server.command(packed({"pulumi/pulumi": SCRIPT}, one)), place)
    assert isinstance(failure, ArchiveBroken) and problem in failure.problem
    assert not (place.parent.parent / "evil").exists() and not Path("/evil").exists()


def test_folders_of_their_own_are_well(server: Server, place: Path) -> None:
    folders = (member("./", tarfile.DIRTYPE), member("pulumi/", tarfile.DIRTYPE), member("pulumi/a/", tarfile.DIRTYPE))
    have(order(server.command(packed({"pulumi/b/c/pulumi": SCRIPT, "pulumi/pulumi": SCRIPT}, *folders)), place), print)
    assert (place / "bin/a").is_dir() and mode(place / "bin/b/c/pulumi") == 0o700


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (packed({"pulumi/other": SCRIPT}), "there is no program pulumi in it"),
        (packed({"pulumi/pulumi": b"not to be run"}), "there is no program pulumi in it"),
        (b"no archive", "not a gzip file"),
        (COMMAND_TGZ[: len(COMMAND_TGZ) // 2], "ended before"),
        (packed({"pulumi/pulumi": SCRIPT, "pulumi/zeroes": bytes(1 << 21)}, level=9), "more than 2000000 bytes"),
    ],
)
def test_an_archive_that_serves_nothing_is_not_used(content: bytes, problem: str, server: Server, place: Path) -> None:
    failure = refused(server.command(content), place, Limits(unpacked=2_000_000))
    assert isinstance(failure, ArchiveBroken) and problem in failure.problem


def test_a_folder_that_cannot_be_written_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArchiveNotKept) as failed:
        have(order(server.command(), tmp_path / "file/command"), lambda event: None)
    assert failed.value.folder == str(tmp_path / "file") and failed.value.reason


def begun(archive: Archive, place: Path, largest: int = 0) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", PROCESS, json.dumps(asdict(archive)), str(place), str(largest)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout
    return process.stdout


def test_a_disk_that_takes_no_more_is_said(server: Server, place: Path) -> None:
    with begun(server.command(), place, largest=100_000) as process:
        text = said(process).read()
    assert f"Pulumi 3.260.0 could not be written to {place.parent}.\n\nFile too large\n" in text
    assert left(place) == []


def test_one_that_is_killed_half_way_leaves_nothing_that_counts(server: Server, place: Path) -> None:
    archive = server.command()
    server.held = set(server.has)
    for name in ("command-3.259.0", "command-3.260.0"):
        server.half.clear()
        with begun(archive, place.with_name(name)) as process:
            assert server.half.wait(30)
            assert said(process).readline()
            process.kill()
    assert left(place) == [".command-3.260.0.new"], "the second has taken away what was left of another version"
    server.go.set()
    have(order(archive, place), lambda event: None)
    assert left(place) == [place.name] and (place / "bin/pulumi").exists()


def test_an_interrupt_half_way_says_what_is_left(server: Server, place: Path) -> None:
    archive = server.command()
    server.held = set(server.has)
    with begun(archive, place) as process:
        lines = iter(said(process).readline, "")
        assert any("MB" in line for line in lines)
        process.send_signal(signal.SIGINT)
        assert "Nothing of Pulumi 3.260.0 was kept: the next command that needs it downloads it.\n" in lines
    assert left(place) == []


def test_two_at_once_download_once(server: Server, place: Path) -> None:
    archive = server.command()
    server.held = set(server.has)
    with begun(archive, place) as first:
        assert server.half.wait(30)
        with begun(archive, place) as second:
            assert "Waiting for another command" in said(second).readline()
            server.go.set()
            assert said(second).read().endswith("have\n")
        assert said(first).read().endswith("have\n")
    assert len(server.asked) == 1 and left(place) == [place.name]


def test_one_that_waited_goes_on_where_the_first_was_killed(server: Server, place: Path) -> None:
    archive = server.command()
    server.held = set(server.has)
    with begun(archive, place) as first:
        assert server.half.wait(30)
        with begun(archive, place) as second:
            assert "Waiting for another command" in said(second).readline()
            server.held.clear()
            first.kill()
            assert said(second).read().endswith("have\n")
    assert len(server.asked) == 2 and left(place) == [place.name]


def test_the_words_of_failures(golden: Callable[[str, str], None]) -> None:
    what, url, instead = "Pulumi 3.267.0", "https://get.pulumi.com/releases/sdk/pulumi.tar.gz", "install it."
    made = (
        ArchiveUnreached(what, url, "the answer is 404 Not Found", instead),
        ArchiveWrong(what, url, "48 bytes that are no archive, and begin with `<html>`", instead),
        ArchiveBroken(what, url, "'../evil' lies outside of pulumi", instead),
        ArchiveNotKept(what, "/home/ana/.local/share/deployer/pulumi", "No space left on device"),
    )
    golden("errors/archives.txt", "\n".join(f"=== {type(one).__name__}\n{one}\n" for one in made))
