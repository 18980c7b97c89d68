"""The agent's way to a PostgreSQL that RDS runs; tests/box/test_rds.py goes it."""

from __future__ import annotations

import pytest

from deployer.errors.base import HostFailure
from deployer.host import rds
from deployer.host.postgres_sql import Server

PASSWORD = "$:(~\\%#?"
SERVER = Server("/usr/bin", "a.example", 5432, role="deployer", password=PASSWORD, authorities="/etc/ca.pem")


def test_a_server_elsewhere_is_verified_and_its_password_in_no_argument() -> None:
    env = SERVER.environment()
    assert (env["PGSSLMODE"], env["PGSSLROOTCERT"], env["PGPASSWORD"]) == ("verify-full", "/etc/ca.pem", PASSWORD)
    assert PASSWORD not in " ".join(SERVER.words("postgres")) and PASSWORD not in repr(SERVER)
    assert SERVER.words("postgres")[-8:] == ["-h", "a.example", "-p", "5432", "-U", "deployer", "-d", "postgres"]


def test_a_server_of_the_host_is_asked_through_its_socket_as_its_superuser() -> None:
    own = Server("/usr/bin", "/run/postgresql", 5432)
    assert own.words("postgres")[-8:-2] == ["-h", "/run/postgresql", "-p", "5432", "-U", "postgres"]
    assert not {"PGSSLMODE", "PGPASSWORD"} & own.environment().keys()


@pytest.mark.parametrize(
    ("code", "called"),
    [("postgres-down", "rds-down"), ("rds-full", "rds-full"), ("postgres-missing", "postgres-missing")],
)
def test_failures_of_rds_have_names_of_their_own(code: str, called: str) -> None:
    found = rds.elsewhere(HostFailure(code, {"said": "no"}), "a.example")
    assert found.code == called
    assert found.details == {"said": "no", **({"address": "a.example"} if called.startswith("rds-") else {})}
