"""Names, words and values that cannot be: refused with what was seen and what to do, and nothing changes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

from deployer.model.space import Pointer
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.mishaps import Owner, owner

pytestmark = pytest.mark.hosts
APP = "bad-words"
HERE = ("-a", f"hosts/{APP}")


@pytest.fixture(scope="module")
def eve(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    person = owner(tmp_path_factory.mktemp("words") / APP, APP, sandbox)
    yield person
    person.types("deployer", "apps:destroy", *HERE, "--confirm", APP)


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("create", APP, "--space", "hosts"), 1, ("The name bad-words is already taken", "use it with `-a bad-words`")),
        (("create", "Bad_Name", "--space", "hosts"), 2, ("`Bad_Name` cannot name an app.", "3 to 30 lower-case")),
        (("create", "x" * 31, "--space", "hosts"), 2, ("cannot name an app.",)),
        (("create", "../../etc", "--space", "hosts"), 2, ("cannot name an app.",)),
        (("create", "other", "--space", "nowhere"), 1, ("Couldn't find the space nowhere.", "Known on this machine")),
        (("deploy", "-a", "hosts/unknown"), 1, ("Couldn't find the app unknown", "`deployer create unknown`")),
        (("config", "-a", "hosts/unknown"), 1, ("Couldn't find the app unknown",)),
        (("rollback", "-a", "nowhere/app"), 1, ("Couldn't find the space nowhere.",)),
        (("rollback", "v99", *HERE), 1, ("bad-words has no release v99.", "`deployer releases -a bad-words`")),
        (("rollback", "latest", *HERE), 2, ("`latest` names no release.", "like `v12`")),
        (("ps:scale", "web", "3", *HERE), 2, ("`web` is no TYPE=N", "`deployer ps:scale web=3`")),
        (("ps:scale", "web=-1", *HERE), 2, ("`web=-1` is no TYPE=N",)),
        (("ps:scale", "web=1:Huge", *HERE), 2, ("the sizes are",)),
        (("ps:scale", "web=1000", *HERE), 2, ("at most",)),
        (("ps:scale", "worker=1", *HERE), 1, ("Couldn't find the process type worker", "declares: web")),
        (("ps:scale", "web=100:Performance-L", *HERE), 1, ("There is no room for web.", "Free for dynos")),
        (("config:set", "GREETING", *HERE), 2, ("Nothing was set:", "`GREETING` has no `=`", "Write KEY=VALUE")),
        (("config:set", "A=1", "B", *HERE), 2, ("`B` has no `=`",)),
        (("config:set", "1A=x", *HERE), 2, ("`1A` cannot name a config var",)),
        (("config:set", "=x", *HERE), 2, ("cannot name a config var",)),
        (("config:set", "--from-file", "missing.env", *HERE), 2, ("Cannot read missing.env",)),
        (("cofnig:set", "A=1", *HERE), 2, ("Did you mean `deployer config:set`?",)),
        (("deploy", "--commit", "no-such-ref", *HERE), 1, ("This folder is no git checkout.",)),
    ],
    ids=lambda value: "-".join(value)[:40] if isinstance(value, tuple) else None,
)
def test_words_that_make_no_sense_change_nothing(
    eve: Owner, words: tuple[str, ...], status: int, says: tuple[str, ...]
) -> None:
    eve.is_refused("deployer", *words, status=status, says=says)


def test_values_reach_the_process_byte_for_byte(eve: Owner) -> None:
    values = {
        "LINES": b"one\ntwo\r\n\n",
        "QUOTES": b'it\'s "so" `id` $(id) ${HOME} $HOME \\ \\n',
        "ODD": b"\xff\xfe caf\xe9",
        "BLANKS": b"  a\tb  ",
        "EMPTY": b"",
        "BIG": b"x" * (131_072 - len("BIG=") - 1),
    }
    eve.types("deployer", "config:set", *(b"%s=%s" % (k.encode(), v) for k, v in values.items()), *HERE)  # type: ignore[arg-type]
    seen = json.loads(eve.asks("/env")[1])
    assert {key: bytes.fromhex(seen[key]) for key in values} == values
    shown = json.loads(eve.types("deployer", "config", "--json", *HERE).stdout)
    assert {key: shown[key].encode(errors="surrogateescape") for key in values} == values
    _come_back_from_a_file(eve, values)
    eve.types("deployer", "config:unset", *values, *HERE)
    assert "LINES" not in json.loads(eve.asks("/env")[1])


def _come_back_from_a_file(eve: Owner, values: dict[str, bytes]) -> None:
    """What `config -s` prints can be read back."""
    printed = eve.types("deployer", "config", "-s", *HERE).stdout
    eve.types("deployer", "config:set", "-", *HERE, stdin=printed.encode(errors="surrogateescape"))
    seen = json.loads(eve.asks("/env")[1])
    assert {key: bytes.fromhex(seen[key]) for key in values} == values


def test_one_value_of_128_kib_is_too_large_for_a_process(eve: Owner) -> None:
    text = b"BIG=" + b"x" * (128 << 10)
    eve.is_refused(
        "deployer",
        "config:set",
        "-",
        *HERE,
        stdin=text,
        status=2,
        says=("BIG takes 131,077 bytes with its name, and at most 131,072",),
    )


def test_all_values_together_that_no_process_can_have_are_refused(eve: Owner) -> None:
    text = b"\n".join(b"V%d=%s" % (number, base64.b64encode(b"x" * 90_000)) for number in range(8))
    eve.is_refused("deployer", "config:set", "-", *HERE, stdin=text, status=2, says=("all config vars together take",))


def test_a_nul_and_a_file_that_is_no_text_are_refused(eve: Owner) -> None:
    eve.is_refused("deployer", "config:set", "-", *HERE, stdin=b"A=a\0b", status=2, says=("A holds a NUL character",))
    says = ("line 1 is no KEY=VALUE", "the quote that begins in line 2 is never closed")
    eve.is_refused("deployer", "config:set", "-", *HERE, stdin=b"\xff\xfe\nB='x\n", status=2, says=says)
