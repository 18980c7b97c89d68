"""The texts of PostgreSQL's settings, and what stands in place of a password."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from deployer.host import postgres_config

MIB = 1 << 20
Golden = Callable[[str, str], None]


def test_settings_of_a_small_host(golden: Golden) -> None:
    text = postgres_config.conf(listen="10.0.0.1", memory=1024 * MIB, tls="/srv/deployer/postgresql/tls")
    golden("postgresql/deployer.conf", text)


@pytest.mark.parametrize(
    ("memory", "buffers", "connections"),
    [(256, "32MB", "100"), (512, "64MB", "100"), (2048, "256MB", "200"), (65536, "1024MB", "200")],
)
def test_memory_settings_follow_the_hosts_memory(memory: int, buffers: str, connections: str) -> None:
    lines = postgres_config.conf(listen="10.0.0.1", memory=memory * MIB, tls="/tls").splitlines()
    assert {f"shared_buffers = '{buffers}'", f"max_connections = '{connections}'"} <= set(lines)


def test_a_host_behind_address_translation_listens_everywhere() -> None:
    assert "listen_addresses = '*'\n" in postgres_config.conf(listen="*", memory=MIB, tls="/tls")


@pytest.mark.parametrize(
    "line", ["include_dir = 'conf.d'", "include_dir 'conf.d'  # Debian's", "  include_dir='conf.d'"]
)
def test_debians_settings_stay_where_they_include_ours(line: str) -> None:
    assert postgres_config.including(f"port = 5432\n{line}\n") == f"port = 5432\n{line}\n"


@pytest.mark.parametrize("line", ["#include_dir = 'conf.d'", "#include_dir = '...'", "include_dir = 'other.d'"])
def test_debians_settings_include_ours_where_they_did_not(line: str) -> None:
    text = postgres_config.including(f"port = 5432\n{line}\n")
    assert text == f"port = 5432\n{line}\n\ninclude_dir = 'conf.d'\n"
    assert postgres_config.including(text) == text


def test_access_rules_name_the_spaces_hosts_in_a_fixed_order(golden: Golden) -> None:
    hosts = ["fd00::2", "10.0.0.10", "10.0.0.9", "10.0.0.9"]
    golden("postgresql/pg_hba.conf", postgres_config.hba(hosts))
    assert postgres_config.hba(reversed(hosts)) == postgres_config.hba(hosts)


def test_an_address_that_is_none_cannot_become_a_rule() -> None:
    with pytest.raises(ValueError):
        postgres_config.hba(["10.0.0.1/8 trust\nhost all all all"])


def test_the_units_dropin(golden: Golden) -> None:
    golden("postgresql/unit.conf", postgres_config.dropin())


def test_a_verifier_is_what_the_standards_own_example_gives() -> None:
    """RFC 7677, section 3: user `user`, password `pencil`. The server signature there follows from ServerKey; here the
    proof and the signature of that exchange are made from our StoredKey and ServerKey."""
    import hashlib
    import hmac

    verifier = postgres_config.scram("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    assert verifier.startswith("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
    stored, server = (base64.b64decode(part) for part in verifier.split("$")[2].split(":"))
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    said = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}".encode()
    assert base64.b64encode(hmac.digest(server, said, "sha256")) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client = bytes(a ^ b for a, b in zip(proof, hmac.digest(stored, said, "sha256"), strict=True))
    assert hashlib.sha256(client).digest() == stored
