"""From journal entries to an app's log: whose a line is, what is derived, what is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deployer.host import journal_reader, log_lines, logs
from deployer.host.log_lines import Teller
from deployer.host.logs import Filter
from tests.host.test_router_line import PLAIN

UNIT = "deployer-dyno-v1@shop.web.1.v3.service"


def entry(message: object, **fields: object) -> dict[str, Any]:
    entry.time += 1  # type: ignore[attr-defined]
    time = entry.time  # type: ignore[attr-defined]
    return {"MESSAGE": message, "__REALTIME_TIMESTAMP": str(time), "__CURSOR": f"c{time}", **fields}


entry.time = 1_700_000_000_000_000  # type: ignore[attr-defined]


def output(message: object, unit: str = UNIT) -> dict[str, Any]:
    return entry(message, _SYSTEMD_UNIT=unit, _UID="20001", DEPLOYER_APP="shop", DEPLOYER_DYNO="web.1")


def platform(message: str, **fields: object) -> dict[str, Any]:
    facts = {"DEPLOYER_APP": "shop", "DEPLOYER_DYNO": "web.1", "DEPLOYER_SOURCE": "heroku", **fields}
    return entry(message, _UID="0", _SYSTEMD_UNIT="session-3.scope", **facts)


def systemd(kind: str, **fields: str) -> dict[str, Any]:
    return entry("...", _PID="1", _UID="0", MESSAGE_ID=kind, UNIT=UNIT, **fields)


def told(*entries: dict[str, Any]) -> list[str]:
    teller = Teller("shop")
    return [str(line).partition(" ")[2] for one in entries for line in teller.lines(one)]


def test_a_line_as_heroku_writes_it() -> None:
    line = Teller("shop").lines(output("Listening on port 5341"))[0]
    assert str(line).startswith("2023-11-14T22:13:20.")
    assert str(line).endswith("+00:00 app[web.1]: Listening on port 5341")


def test_colours_and_bytes_that_are_no_text_come_through() -> None:
    assert told(output(list(b"\x1b[31mred \xff"))) == ["app[web.1]: \x1b[31mred \udcff"]
    assert told(output(None)) == ["app[web.1]: "]


def test_long_lines_are_split_as_on_heroku() -> None:
    assert [len(line) for line in told(output("x" * 25_000))] == [10_012, 10_012, 5_012]


def test_nobody_writes_into_another_apps_log() -> None:
    forged = output("forged", unit="deployer-dyno-v1@evil.web.1.v1.service")
    assert told(forged) == []
    assert told(forged | {"_SYSTEMD_UNIT": "deployer-dyno-v1@evil.web.1.v1.service", "DEPLOYER_APP": ["shop"]}) == []
    assert told(entry("forged", _UID="20002", DEPLOYER_APP="shop", _SYSTEMD_UNIT="user@20002.service")) == []
    router = entry(PLAIN, SYSLOG_IDENTIFIER="haproxy", _SYSTEMD_UNIT="deployer-dyno-v1@evil.web.1.v1.service")
    assert told(router) == []


def test_a_request_is_the_routers_line() -> None:
    line = entry(PLAIN, SYSLOG_IDENTIFIER="haproxy", _SYSTEMD_UNIT="haproxy.service", _UID="0")
    assert told(line)[0].startswith("heroku[router]: at=info method=GET ")
    assert told(line | {"MESSAGE": PLAIN.replace("be_shop", "be_blog")}) == []


def test_a_crash_that_only_systemd_saw() -> None:
    assert told(
        platform("State changed from starting to up"),
        systemd(journal_reader.PROCESS_EXIT, EXIT_CODE="exited", EXIT_STATUS="3"),
        systemd(journal_reader.RESTART_SCHEDULED),
        systemd(journal_reader.STARTED),
        systemd(journal_reader.PROCESS_EXIT, EXIT_CODE="killed", EXIT_STATUS="9"),
        systemd(journal_reader.RESTART_SCHEDULED),
    )[1:] == [
        "heroku[web.1]: Process exited with status 3",
        "heroku[web.1]: State changed from up to crashed",
        "heroku[web.1]: State changed from crashed to starting",
        "heroku[web.1]: Process exited with status 137",
        "heroku[web.1]: State changed from starting to crashed",
    ]


def test_a_dyno_that_a_command_started_again_is_starting() -> None:
    crash = [systemd(journal_reader.PROCESS_EXIT, EXIT_CODE="exited", EXIT_STATUS="1")]
    crash.append(systemd(journal_reader.RESTART_SCHEDULED))
    started = [platform("State changed from up to down"), platform("Starting process with command `x`")]
    assert told(*started, *crash)[-1] == "heroku[web.1]: State changed from starting to crashed"


def test_an_exit_that_systemd_calls_a_success_is_a_crash_too() -> None:
    assert told(systemd(journal_reader.RESTART_SCHEDULED)) == [
        "heroku[web.1]: Process exited with status 0",
        "heroku[web.1]: State changed from up to crashed",
    ]


def test_a_one_off_dyno_ends_complete_whatever_its_status() -> None:
    unit = "deployer-run-shop.run.4821.v3.service"
    failed = systemd(journal_reader.PROCESS_EXIT, EXIT_CODE="exited", EXIT_STATUS="3")
    ended = [one | {"UNIT": unit} for one in (failed, systemd(journal_reader.FAILED))]
    assert told(*ended) == [
        "heroku[run.4821]: Process exited with status 3",
        "heroku[run.4821]: State changed from up to complete",
    ]
    assert told(systemd(journal_reader.SUCCEEDED) | {"UNIT": unit})[0].endswith("exited with status 0")
    assert told(systemd(journal_reader.SUCCEEDED)) == []


def test_a_start_by_a_command_has_its_own_lines() -> None:
    assert told(systemd(journal_reader.STARTED)) == []


def test_memory_that_ran_out_is_named() -> None:
    assert told(systemd(journal_reader.OUT_OF_MEMORY)) == ["heroku[web.1]: Error R15 (Memory quota vastly exceeded)"]


def test_one_off_and_release_dynos_are_known_by_their_units() -> None:
    for unit in ("deployer-run-shop.run.4821.v3.service", "deployer-task-v1@shop.release.1.v3.service"):
        dyno = log_lines.dyno_of(unit)
        assert dyno is not None and dyno.app == "shop"
    assert log_lines.dyno_of("deployer-run-shop.run.4821.v3.scope") is None
    assert log_lines.dyno_of("ssh.service") is None


def counted(wanted: Filter, count: int, entries: list[dict[str, Any]]) -> list[str]:
    teller = Teller("shop")
    chosen = logs.newest("shop", wanted, iter(entries[::-1]), count)
    found = [line for one in chosen for line in teller.lines(one) if wanted.takes(line)]
    return [line.text for line in found[-count:]]


def test_the_count_applies_to_the_lines_that_fit() -> None:
    other = "deployer-dyno-v1@shop.worker.1.v3.service"
    entries = [output(f"w{n}", other) if n % 10 == 0 else output(f"{n}") for n in range(1000)]
    assert counted(Filter(dyno="worker.1"), 3, entries) == ["w970", "w980", "w990"]
    assert counted(Filter(type="worker"), 2, entries) == ["w980", "w990"]
    assert counted(Filter(source="heroku"), 2, entries) == []
    assert counted(Filter(), 2, entries) == ["998", "999"]


def test_reading_stops_soon_after_enough_was_found() -> None:
    read: list[int] = []

    def endless() -> Iterator[dict[str, Any]]:
        while True:
            read.append(1)
            yield output("line")

    logs.newest("shop", Filter(), endless(), 100)
    assert len(read) < 400


def test_the_question_asks_for_the_apps_entries_only() -> None:
    assert journal_reader.matches("shop")[:4] == ["DEPLOYER_APP=shop", "+", "_SYSTEMD_UNIT=haproxy.service", "+"]
