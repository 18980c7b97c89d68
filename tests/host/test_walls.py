"""What the firewall's file is made from."""

from __future__ import annotations

from pathlib import Path

from deployer.host import walls
from deployer.host.paths import Paths


def test_the_port_of_the_spaces_postgresql_is_read_from_its_settings_and_nobody_elses(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "srv", tmp_path)
    assert walls.databases(paths) == []
    for cluster, text in (("main", "port = 5432\n"), ("deployer", "#port = 1\nport = 5433\t\t# (change requires)\n")):
        file = tmp_path / "etc/postgresql/17" / cluster / "postgresql.conf"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    assert walls.databases(paths) == [5433]
    assert "set databases { type inet_service; elements = { 5433 }; }" in walls.text(paths)
