"""Events as Heroku's build output."""

from __future__ import annotations

import threading

from deployer.cli.narrate import Narrator
from deployer.model.events import Changed, Detail, Doing, Done, Event, Output, Reached, Step, Timing, Warn


def told(*events: Event, verbose: bool = False) -> str:
    parts: list[str] = []
    narrator = Narrator(parts.append, verbose=lambda: verbose)
    for event in events:
        narrator(event)
    return "".join(parts)


def test_columns_are_herokus() -> None:
    assert told(
        Step("Python app detected"), Detail("using 3.13"), Output("Collecting x"), Warn("Slug is big\nreally")
    ) == ("-----> Python app detected\n       using 3.13\n       Collecting x\n !     Slug is big\n !     really\n")


def test_an_action_is_one_line_where_nothing_comes_between() -> None:
    assert told(Doing("Creating app"), Done("⬢ shop")) == "Creating app... done, ⬢ shop\n"


def test_how_far_it_is_stands_in_the_line() -> None:
    reached = (Reached("9 MB"), Reached("50 %"))
    assert told(Doing("Downloading"), *reached, Done()) == "Downloading... 9 MB, 50 %, done\n"
    assert told(Doing("Downloading"), Warn("slow"), *reached, Done()) == "Downloading... \n !     slow\ndone\n"


def test_what_comes_between_begins_a_line() -> None:
    assert told(Doing("Setting A"), Warn("slow"), Done("v2")) == "Setting A... \n !     slow\ndone, v2\n"


def test_nothing_trails_on_empty_lines() -> None:
    assert told(Detail(""), Output("a\n\nb")) == "\n       a\n\n       b\n"


def test_timings_are_for_verbose() -> None:
    timing = Timing("ship", 1.234, 10_240)
    assert told(timing) == ""
    assert told(timing, verbose=True) == "       ship: 1.23 s, 10240 bytes sent\n"


def test_changes_of_hosts_are_for_verbose_with_the_host() -> None:
    changed = Changed("host-1", "unit haproxy.service")
    assert told(changed) == ""
    assert told(changed, verbose=True) == "       host-1: unit haproxy.service\n"


def test_lines_of_threads_are_never_torn() -> None:
    parts: list[str] = []
    narrator = Narrator(lambda text: parts.extend(text))
    threads = [
        threading.Thread(target=lambda n=n: [narrator(Output(f"{n}" * 50)) for _ in range(50)]) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = "".join(parts).splitlines()
    assert len(lines) == 200 and all(len(set(line.strip())) == 1 for line in lines)


def test_quiet_ones_keep_what_nobody_should_miss() -> None:
    parts: list[str] = []
    narrator = Narrator(parts.append)
    for event in (Step("x"), Detail("x"), Doing("x"), Done("x"), Output("migrated"), Warn("careful")):
        narrator.quietly(event)
    assert "".join(parts) == "       migrated\n !     careful\n"
