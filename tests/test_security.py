"""docs/security.md lists what the probe on hosts tries."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

from tests.hosts.attempts import ATTEMPTS
from tests.security import page

PROBE = Path(__file__).parent / "apps/probe_that_tries_everything/probe.py"
EVERY = [attempt for group in ATTEMPTS.values() for attempt in group]


def test_the_page_lists_what_is_tried(golden: Callable[[str, str], None]) -> None:
    golden("../../docs/security.md", page())


def test_every_attempt_is_one_of_the_probes_functions_and_has_a_name_of_its_own() -> None:
    functions = {node.name for node in ast.parse(PROBE.read_text()).body if isinstance(node, ast.FunctionDef)}
    assert {attempt.function for attempt in EVERY} <= functions
    assert len({attempt.id for attempt in EVERY}) == len(EVERY)
