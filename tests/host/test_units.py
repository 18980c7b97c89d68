"""Unit texts, and what systemd's own checkers say about them."""

import os
import subprocess
from pathlib import Path

import pytest

from deployer.host import helpers, units
from deployer.model.dyno import Dyno
from deployer.model.formation import SIZES

WEB = Dyno("shop", "web", 1, 12)
TEMPLATES = {
    units.DYNO.format(""): units.dyno_template(),
    units.DYNO_FS.format(""): units.dyno_fs_template(),
    units.TASK.format(""): units.task_template(),
    units.FIREWALL: units.firewall_unit(),
    units.SCRATCH: units.scratch_unit(4096),
    units.REPAIR: units.repair_unit(),
    units.REPAIR_TIMER: units.repair_timer(),
    units.CONVERGE: units.converge_unit(),
    units.CONVERGE_TIMER: units.converge_timer(),
    units.CERTIFICATES: units.certificates_unit(),
    units.CERTIFICATES_TIMER: units.certificates_timer(),
    units.SLICE: units.dynos_slice(),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_units_are_as_reviewed(name, golden):
    golden(f"units/{name}", TEMPLATES[name])


def test_a_drop_in_holds_user_limits_and_the_names_in_the_journal(golden):
    golden("units/dyno.conf", units.dropin(WEB, 20001, SIZES["standard-2x"]))


def test_the_firewall_comes_back_after_every_verb_that_flushes_it():
    text = units.nftables_dropin()
    assert [line.split("=")[0] for line in text.splitlines()[1:]] == ["ExecStartPost", "ExecReload", "ExecStop"]


def test_a_one_off_dyno_runs_with_the_same_walls_as_a_formations():
    template = units.dyno_template()
    words = units.run_words(units.properties("%i"))
    assert words[0::2] == ["-p"] * (len(words) // 2)
    assert [word for word in words[1::2] if f"{word}\n" not in template] == []


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as systemd finds them, with helpers that exist."""
    for name, text in helpers.HELPERS.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    for name, text in TEMPLATES.items():
        named = name.replace("@.", f"@{WEB.instance}.")
        (tmp_path / named).write_text(text.replace(units.HELPERS, str(tmp_path)))
    dropin = tmp_path / f"{units.DYNO.format(WEB.instance)}.d"
    dropin.mkdir()
    # Not the app's user, whom this machine does not have.
    (dropin / "dyno.conf").write_text(units.dropin(WEB, 20001, SIZES["basic"]).replace("dyno20001", "daemon"))
    return tmp_path


def analyze(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:", "LC_ALL": "C"}
    return subprocess.run(["systemd-analyze", *words], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.edge
def test_systemd_has_nothing_to_say_against_the_units(installed):
    services = [path.name for path in installed.glob("*.service")]
    checked = analyze(installed, "verify", *services)
    assert (checked.stderr, checked.returncode) == ("", 0)


@pytest.mark.edge
def test_systemd_finds_a_dyno_hardly_exposed(installed):
    unit = units.DYNO.format(WEB.instance)
    checked = analyze(installed, "security", "--offline=yes", "--threshold=15", unit)
    assert checked.returncode == 0, checked.stdout[-400:]


@pytest.mark.edge
@pytest.mark.parametrize("name", helpers.HELPERS)
def test_the_helpers_are_sound_shell(name, installed):
    shell = "bash" if "bash" in helpers.HELPERS[name].splitlines()[0] else "dash"
    checked = subprocess.run([shell, "-n", str(installed / name)], capture_output=True, text=True, check=False)
    assert (checked.stderr, checked.returncode) == ("", 0)
