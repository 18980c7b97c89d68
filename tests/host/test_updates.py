"""Security updates of hosts of AWS: what is written, and that a host boots again alone, at night, by its turn."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployer.host import myself, rebooting, updates
from deployer.host.channel import Channel
from deployer.host.myself import Myself
from deployer.host.paths import Paths
from deployer.model.space import Space
from deployer.store import keys, record
from tests.host.aws_here import SPACE, Region, region

Golden = Callable[[str, str], None]
NIGHT = 1_796_094_000.0  # 2026-12-01, 03:00 UTC
OFTEN = """\
Unattended-Upgrade::Origins-Pattern { "origin=Debian,codename=${distro_codename}-updates"; };
Unattended-Upgrade::Package-Blacklist { "of-somebody"; };
Unattended-Upgrade::Automatic-Reboot "true";
"""


def test_what_is_written_is_read_after_the_packages_own_and_takes_its_place(tmp_path: Path, golden: Golden) -> None:
    golden("host/updates.conf", updates.TEXT)
    parts = tmp_path / "apt.conf.d"
    parts.mkdir()
    (parts / "50unattended-upgrades").write_text(OFTEN)
    (parts / Path(updates.SETTINGS).name).write_text(updates.TEXT)
    (tmp_path / "apt.conf").write_text(f'Dir::Etc::Parts "{parts}";\n')
    env = {**os.environ, "APT_CONFIG": str(tmp_path / "apt.conf")}
    said = subprocess.run(["apt-config", "dump"], env=env, capture_output=True, text=True, check=True).stdout
    found = [line for line in said.splitlines() if line.startswith("Unattended-Upgrade")]
    values = [line.partition(" ")[2] for line in found]
    assert [one for one in values if "origin=" in one] and not [one for one in values if "-updates" in one]
    assert all("label=Debian-Security" in one for one in values if "origin=" in one)
    assert '"haproxy";' in values and '"postgresql";' in values and '"of-somebody";' not in values
    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in found


def test_a_host_boots_again_at_night_and_only_where_it_has_to(tmp_path: Path) -> None:
    paths = Paths(tmp_path, tmp_path)
    assert not rebooting.is_due(paths, NIGHT)
    mark = tmp_path / rebooting.MARK
    mark.parent.mkdir()
    mark.touch()
    hours = [hour for hour in range(-3, 21) if rebooting.is_due(paths, NIGHT + 3600.0 * hour)]
    assert hours == [0, 1]


@pytest.fixture
def here() -> Iterator[Region]:
    with region(2) as here:
        space = Space(SPACE, "aws", "debian-13-arm64", "http://{app}.example", "2026", "1", seats=3)
        here.put("space", record.dump(space))
        yield here


@pytest.fixture
def hosts(here: Region) -> Iterator[list[Myself]]:
    with here.instances("InService") as found:
        yield [myself.who(here.order(one)) for one in found]


@pytest.mark.edge
def test_it_is_the_turn_of_one_host_at_a_time(here: Region, hosts: list[Myself]) -> None:
    first, second = hosts

    def takes(one: Myself, now: float) -> bool:
        return rebooting.take_turn(one, myself.others(one), now)

    assert [takes(first, NIGHT), takes(second, NIGHT), takes(first, NIGHT)] == [True, False, True]
    rebooting.end_turn(second)
    assert not takes(second, NIGHT + 60), "only who has the turn can end it"
    rebooting.end_turn(first)
    assert takes(second, NIGHT + 60)
    assert not takes(first, NIGHT + 120) and takes(first, NIGHT + 60 + rebooting.LONGEST), "one that does not come back"
    here.set_state(first.instance, "Terminating:Wait")
    assert takes(second, NIGHT + 7300), "or that is gone"
    assert here.keys(keys.REBOOT) == [keys.REBOOT]


@pytest.mark.edge
def test_who_is_alone_boots_again_and_joins_again_and_nobody_does_while_another_comes(
    here: Region, hosts: list[Myself], tmp_path: Path
) -> None:
    channel, gone = Channel(io.BytesIO(), io.BytesIO(), Paths(tmp_path, tmp_path)), list[bool]()
    here.set_state(hosts[1].instance, "Pending:Wait")
    assert not rebooting.reboot(hosts[0], channel, NIGHT, lambda: gone.append(True)) and not gone
    here.set_state(hosts[1].instance, "InService")  # it does not count: it is not registered
    assert rebooting.reboot(hosts[0], channel, NIGHT, lambda: gone.append(True)) and gone
    assert channel.paths.joining.exists() and not channel.paths.leaving.exists()
