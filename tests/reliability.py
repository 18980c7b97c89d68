"""docs/reliability.md: every case that the tests on hosts try, as a table, with what came of it when it last ran
(docs/reliability.json). `pytest --update-golden` writes it anew."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.hosts.cases import CASES, HOST_CASES, POINTS, Case
from tests.recorded import Outcome, told

HOSTS = Path(__file__).parent / "hosts"
RECORD = Path(__file__).parent.parent / "docs/reliability.json"
OF_CASES = "test_faults.py::test_a_command_that_is_cut_off_is_finished_or_undone"
OF_HOST_CASES = "test_faults_changes.py::test_a_host_that_comes_or_goes_is_cut_off"
INTRODUCTION = """\
# What happens when something happens

Each line is a test on real systemd hosts, while users ask from outside. `make faults` runs them
(minutes), `make test` some of each kind and those of the last sections; `make soak` draws mishaps by chance.
This page is made from the tests, and from what came of each when it last ran: both write that down, with the commit
(`+`: with changes to it) and the seconds that it took. `make golden` makes the page anew.

What each case asks for: the release before, or the new one, answers throughout, and no request fails that was not on a
killed host or in a killed router. Afterwards hosts have exactly what the ledger says: no dyno, task, unit, mount, port,
file, pending release or lease is left of what was cut off.

## Commands that are cut off

`SIGKILL` stands for whatever ends a laptop without a word: the next command of any kind finishes or undoes, and takes
the lease at once where the dead one ran on the same machine. The other signals are heard by the command itself.

| command | gets | when | then | last run |
| --- | --- | --- | --- | --- |
"""
MODULES = {
    "test_faults_hosts.py": "Hosts, routers, agents and laptops",
    "test_faults_store.py": "Stores, clocks and links",
    "test_left_out.py": "Hosts that do not answer",
    "test_promote.py": "A first host that is lost",
    "test_load.py": "Users who ask meanwhile",
    "test_watch.py": "The moments after a switch",
    "test_crashes.py": "Dynos that crash again and again",
    "test_repair.py": "With nobody present",
    "test_rented_bare.py": "Machines as they are rented: Debian 13, Debian 12",
    "../box/test_faults.py": "Spaces in AWS, with AWS played on this machine",
    "test_soak.py": "Two hundred deploys in a row, on three hosts",
}


def page(outcomes: Mapping[str, Outcome]) -> str:
    """The whole page; `outcomes` by a test's name (tests/recorded.py)."""
    tried = [*((OF_CASES, case) for case in CASES), *((OF_HOST_CASES, case) for case in HOST_CASES)]
    lines = [INTRODUCTION, *(f"{_row(case, outcomes.get(f'{test}[{case.id}]'))}\n" for test, case in tried)]
    for module, title in MODULES.items():
        lines += [f"\n## {title}\n\n", "| what happens | last run |\n| --- | --- |\n"]
        for function, sentence in tests_of(HOSTS / module):
            lines.append(f"| {sentence} | {told(_of(outcomes, f'{Path(module).name}::{function}'))} |\n")
    return "".join(lines)


def _of(outcomes: Mapping[str, Outcome], name: str) -> list[Outcome]:
    return [outcome for key, outcome in outcomes.items() if key.partition("[")[0] == name]


def sentences(module: Path) -> Iterator[str]:
    """The names of a module's tests as sentences, with their parameters."""
    return (sentence for _, sentence in tests_of(module))


def tests_of(module: Path) -> Iterator[tuple[str, str]]:
    """The names of a module's tests, and what they say as sentences, with their parameters."""
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            text = node.name.removeprefix("test_").replace("_", " ")
            points = [POINTS[point] for point in _points(node)]
            yield node.name, text[0].upper() + text[1:] + (f" ({'; '.join(points)})" if points else "")


def _points(function: ast.FunctionDef) -> list[str]:
    found = [node.value for one in function.decorator_list for node in ast.walk(one) if isinstance(node, ast.Constant)]
    return [value for value in found if isinstance(value, str) and value in POINTS]


def _row(case: Case, outcome: Outcome | None) -> str:
    gets = {"CUT": "its connections cut", "AGENT": "the agent on one host killed"}.get(case.signal, case.signal)
    command = f"`{case.command}`"
    return f"| {command} | {gets} | {POINTS[case.point]} | {_then(case)} | {told([outcome])} |"


def _then(case: Case) -> str:
    if case.command == "ps:restart":
        return "the hosts bring it to its end by themselves"
    did = "finishes" if case.is_committed else "undoes"
    if case.signal in ("SIGKILL", "CUT") or (case.signal == "AGENT" and case.is_committed):
        return f"the next command, here `{case.then}`, {did} it"
    return "it finishes all the same" if case.is_committed else "it undoes and frees the lease"
