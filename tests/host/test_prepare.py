"""What makes a machine a host."""

import re
from pathlib import Path

import pytest

from deployer.host import packages, prepare, router, units
from deployer.host.paths import Paths

LISTED = """\
haproxy installed
nftables config-files
libc6 installed
"""


def test_a_package_that_was_removed_but_for_its_settings_is_missing():
    assert packages.missing_packages(LISTED, ("haproxy", "nftables", "zstd")) == ["nftables", "zstd"]


@pytest.mark.parametrize(
    ("total", "free", "size"),
    [(20 << 30, 18 << 30, 2925), (500 << 30, 400 << 30, 16384), (8 << 30, 1 << 30, 512), (8 << 30, 100 << 20, 256)],
)
def test_dynos_get_a_bounded_part_of_the_disk(total, free, size):
    assert prepare.scratch_size(total, free) == size


def test_a_file_that_is_as_it_should_be_is_left_alone(tmp_path: Path):
    file = tmp_path / "folder" / "file"
    assert [prepare.put(file, "text\n", 0o755) for _ in range(2)] == [True, False]
    file.chmod(0o644)
    assert prepare.put(file, "text\n", 0o755)
    assert file.stat().st_mode & 0o777 == 0o755


def test_every_unit_of_ours_is_numbered_or_the_hosts_own(tmp_path: Path):
    names = {path.name for path in prepare.unit_files(Paths(tmp_path, tmp_path))}
    assert names == {
        "deployer-dyno-v1@.service",
        "deployer-dyno-fs-v1@.service",
        "deployer-task-v1@.service",
        "deployer-firewall.service",
        "deployer-backups-v1.service",
        "deployer-backups-v1.timer",
        "deployer-repair-v1.service",
        "deployer-repair-v1.timer",
        "deployer.slice",
        "deployerbuilds.slice",
        "deployer.conf",
    }


def test_only_a_host_that_joined_by_itself_looks_what_has_changed(tmp_path: Path):
    paths = Paths(tmp_path, tmp_path)
    before = set(prepare.unit_files(paths))
    paths.join_order.touch()
    more = {path.name for path in set(prepare.unit_files(paths)) - before}
    assert more == {"deployer-converge-v1.service", "deployer-converge-v1.timer"}


@pytest.mark.parametrize(
    ("files", "ends_tls"),
    [
        ({}, False),
        ({"space": "prod\n"}, True),
        ({"join.json": '{"has_front": false}'}, True),
        ({"join.json": '{"has_front": true}'}, False),
    ],
    ids=["sandbox", "rented", "alone in AWS", "behind a load balancer"],
)
def test_only_where_nothing_stands_before_it_a_host_ends_tls(
    tmp_path: Path, files: dict[str, str], ends_tls: bool
) -> None:
    paths = Paths(tmp_path, tmp_path)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert router.own_front(paths) is ends_tls
    names = {path.name for path in prepare.unit_files(paths)}
    assert (units.CERTIFICATES_TIMER in names) is ends_tls


def test_the_burst_of_one_dyno_takes_a_third_of_the_journal_at_most() -> None:
    burst = int(dict(units.HARDENING)["LogRateLimitBurst"])
    longest = int(re.search(r"LineMax=(\d+)", prepare.JOURNALD)[1])  # type: ignore[index]
    assert "SystemMaxUse=1G\n" in prepare.JOURNALD
    # journald multiplies the burst by up to 3.25 where 1 GiB is free for it (journald-rate-limit.c).
    assert burst * 3.25 * longest < (1 << 30) / 3
