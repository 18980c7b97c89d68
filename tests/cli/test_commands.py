"""What people type and what they read: golden transcripts of whole commands."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from deployer.model.lease import Lease
from deployer.store import keys, record
from deployer.store.base import Put
from deployer.store.folder import FolderStore
from tests.cli.conftest import Machine

Golden = Callable[[str, str], None]

DYNOS = [
    {
        "type": "worker",
        "number": 1,
        "state": "crashed",
        "since": 1790776000.0,
        "command": "./work",
        "reason": "out of memory",
    },
    {"type": "web", "number": 2, "state": "starting", "since": 1790777100.0, "command": "gunicorn shop:app"},
    {"type": "web", "number": 1, "state": "up", "since": 1790776746.0, "command": "gunicorn shop:app"},
    {"type": "run", "number": 4821, "state": "up", "since": 1790777046.0, "command": "bash"},
]


def with_dynos(machine: Machine) -> Machine:
    dynos = [{**dyno, "app": "shop", "release": 3, "size": "Basic", "restarts": 0, "memory": 1} for dyno in DYNOS]
    machine.host.answers["ps"] = {"dynos": dynos, "memory": 4096}
    return machine


@pytest.mark.parametrize(
    "words",
    [
        "apps",
        "apps --json",
        "info",
        "info -s",
        "apps:info --json",
        "config",
        "config -s",
        "config --json",
        "config:get DEBUG",
        "config:get DEBUG MISSING",
        "config:get MOTTO -s",
        "config:get MISSING --json",
        "ps",
        "ps worker",
        "ps clock",
        "ps:scale",
        "releases",
        "releases -n 1 --json",
        "releases:info",
        "releases:info v2",
        "releases:info v9",
        "releases:info banana",
        "open /admin",
    ],
)
def test_what_a_command_shows(words: str, deployed: Machine, golden: Golden) -> None:
    name = words.replace(" ", "_").replace(":", ".").replace("/", "")
    golden(f"commands/{name}.txt", with_dynos(deployed).shown(*words.split()))


def test_no_dynos_are_said_to_be_none(deployed: Machine) -> None:
    assert deployed.run("ps") == 0
    assert deployed.out == "No dynos on ⬢ shop\n"


def test_a_missing_config_var_is_an_empty_line(deployed: Machine) -> None:
    assert deployed.run("config:get", "MISSING") == 0
    assert deployed.out == "\n"


def test_data_is_on_stdout_alone(deployed: Machine) -> None:
    for words in ("config --json", "releases --json", "ps --json", "apps --json", "apps:info --json"):
        assert with_dynos(deployed).run(*words.split()) == 0
        json.loads(deployed.out)
        assert deployed.err == ""


def test_create_makes_the_app_and_says_where_it_will_answer(sandbox: Machine) -> None:
    assert sandbox.run("create", "shop") == 0
    assert sandbox.err == "Creating app... done, ⬢ shop (sandbox)\n"
    assert sandbox.out == "http://shop.localhost:8080/ | deployer::sandbox/shop\n"
    assert sandbox.ledger().app("shop") is not None


def test_create_without_a_name_finds_one(sandbox: Machine) -> None:
    assert sandbox.run("create") == 0
    [app] = sandbox.ledger().apps()
    adjective, noun, number = app.name.split("-")
    assert adjective.isalpha() and noun.isalpha() and len(number) == 5


@pytest.mark.parametrize("name", ["A", "1a", "a-", "a" * 31, "Shop", "a_b", "a/b"])
def test_create_refuses_what_cannot_be_a_name(name: str, sandbox: Machine) -> None:
    assert sandbox.run("create", name) == 2
    assert "cannot name an app" in sandbox.err
    assert not sandbox.ledger().apps()


def test_a_failed_action_ends_its_line(sandbox: Machine) -> None:
    sandbox.run("create", "shop")
    assert sandbox.run("create", "shop") == 1
    assert sandbox.err.startswith("Creating app... !\n !     The name shop is already taken in the space sandbox.\n")


def test_destroy_wants_the_name_typed(deployed: Machine) -> None:
    deployed.answer = "shop2"
    assert deployed.run("destroy", "-a", "shop") == 1
    assert deployed.err.endswith(" !     Confirmation did not match shop. Aborted.\n")
    assert deployed.asked == ["> "]
    assert deployed.ledger().app("shop") is not None


def test_destroy_without_a_terminal_wants_the_flag(deployed: Machine) -> None:
    assert deployed.run("destroy", "-a", "shop") == 2
    assert "--confirm shop" in deployed.err
    assert deployed.ledger().app("shop") is not None


def test_destroy_removes_the_app_from_hosts_and_ledger(deployed: Machine) -> None:
    assert deployed.run("destroy", "-a", "shop", "--confirm", "shop") == 0
    assert deployed.err == "Destroying ⬢ shop (including all add-ons)... done\n"
    assert deployed.ledger().app("shop") is None
    [request] = [request for call, request in deployed.host.asked if call == "remove"]
    assert request == {"app": "shop", "token": 1, "epoch": 1}


def test_config_set_is_one_release_of_all_its_vars(sandbox: Machine) -> None:
    sandbox.run("create", "shop")
    assert sandbox.run("config:set", "B=2", "A=1=1") == 0
    assert sandbox.err == "Setting A, B and restarting ⬢ shop (sandbox)... done, v2\n"
    assert sandbox.out == "A: 1=1\nB: 2\n"
    state = sandbox.ledger().state("shop")
    assert state is not None and state.config == {"A": "1=1", "B": "2"}
    assert state.release is not None and state.release.description == "Set A, B config vars"


def test_config_set_reads_env_files_and_words_win(sandbox: Machine) -> None:
    (sandbox.folder / ".env").write_text("# mine\nA=file\nexport B='two words'\n")
    sandbox.run("create", "shop")
    assert sandbox.run("config:set", "--from-file", ".env", "A=word") == 0
    state = sandbox.ledger().state("shop")
    assert state is not None and state.config == {"A": "word", "B": "two words"}


def test_config_set_says_all_that_is_wrong_at_once_and_sets_nothing(sandbox: Machine, golden: Golden) -> None:
    (sandbox.folder / ".env").write_text("FINE=1\nnonsense\n")
    sandbox.run("create", "shop")
    golden(
        "commands/config.set-wrong.txt",
        sandbox.shown("config:set", "A", "1B=2", "__C=3", "FINE=4", "--from-file", ".env"),
    )
    state = sandbox.ledger().state("shop")
    assert state is not None and state.config == {}


def test_config_set_refuses_what_would_not_fit_beside_what_is_there(sandbox: Machine) -> None:
    sandbox.run("create", "shop")
    for number in range(7):
        assert sandbox.run("config:set", f"K{number}={'x' * (127 << 10)}") == 0
    assert sandbox.run("config:set", f"K7={'x' * (127 << 10)}") == 2
    assert "at most 900 KiB fit" in sandbox.err


def test_config_unset_removes(sandbox: Machine) -> None:
    sandbox.run("create", "shop")
    sandbox.run("config:set", "A=1", "B=2")
    assert sandbox.run("config:unset", "A") == 0
    assert sandbox.err == "Unsetting A and restarting ⬢ shop (sandbox)... done, v3\n"
    state = sandbox.ledger().state("shop")
    assert state is not None and state.config == {"B": "2"}


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("web 3", "ps:scale web=3`"),
        ("web", "ps:scale web=2 worker=1`"),
        ("web=x", "TYPE=N"),
        ("web=1:Huge", "the sizes are Basic, Standard-1X"),
        ("web=101", "at most 100"),
    ],
)
def test_scale_refuses_words_that_say_nothing(words: str, advice: str, deployed: Machine) -> None:
    assert deployed.run("ps:scale", *words.split()) == 2
    assert advice in deployed.err


def test_scale_names_the_process_types_that_there_are(deployed: Machine) -> None:
    assert deployed.run("ps:scale", "clock=1") == 1
    assert "Its current release declares: web, worker." in deployed.err


def test_what_scale_prints_can_be_pasted_back(deployed: Machine) -> None:
    deployed.run("ps:scale")
    assert deployed.out == "web=1:Basic worker=0:Basic\n"


def held_by_bob(machine: Machine, seconds: float) -> None:
    """Bob's deploy holds the lease of `shop` for as long as that."""
    store = FolderStore(machine.stores / "sandbox")
    lease = Lease(7, "x", "bob", "ci-7", 4711, "deploy", store.batch([]).now + seconds)
    store.batch([Put(keys.lease("app-shop"), record.dump(lease))])


def test_somebody_else_changing_the_app_is_named(deployed: Machine) -> None:
    held_by_bob(deployed, 60)
    assert deployed.run("ps:scale", "web=2") == 1
    assert "bob on ci-7 is changing ⬢ shop." in deployed.err
    assert "`deploy` (process 4711)" in deployed.err


def test_waiting_says_for_whom_once_and_goes_on(sandbox: Machine) -> None:
    sandbox.run("create", "shop")
    held_by_bob(sandbox, 1.5)
    assert sandbox.run("config:set", "A=1", "--wait", "10") == 0
    assert sandbox.err.count("Waiting for bob on ci-7") == 1
    assert sandbox.err.endswith("done, v2\n")


def test_colours_are_where_a_terminal_takes_them(deployed: Machine) -> None:
    deployed.coloured = True
    with_dynos(deployed).run("ps")
    assert "\x1b[32mup\x1b[0m" in deployed.out
    deployed.run("ps", "--no-color")
    assert "\x1b" not in deployed.out
