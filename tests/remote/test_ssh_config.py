"""What `ssh -G` prints, and targets."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployer.errors.ssh import BadTarget, SshConfigRefused
from deployer.remote import known_hosts, ssh_config
from deployer.remote.ssh_config import Target, parse, parse_target

PRINTED = """\
user ubuntu
hostname 10.0.0.5
port 2222
identitiesonly yes
identityfile /keys/one
identityfile /keys/two
globalknownhostsfile none
userknownhostsfile /known/a /known/b
identityagent /run/agent.sock
proxyjump a@b:23,c
"""


def test_every_line_that_says_how_to_reach_a_host_counts() -> None:
    way = parse(PRINTED, "web1")
    assert (way.address, way.port, way.user, way.name) == ("10.0.0.5", 2222, "ubuntu", "[10.0.0.5]:2222")
    assert (way.known_hosts, way.identities) == (("/known/a", "/known/b"), ("/keys/one", "/keys/two"))
    assert (way.identities_only, way.agent, way.jumps) == (True, "/run/agent.sock", ("a@b:23", "c"))


@pytest.mark.parametrize(
    ("setting", "agent"),
    [("", "/env.sock"), ("identityagent none\n", None), ("identityagent $OTHER\n", "/other.sock")],
)
def test_the_agent_is_the_environments_unless_the_configuration_says_otherwise(setting: str, agent: str) -> None:
    plain = "user u\nhostname h\nport 22\n" + setting
    assert parse(plain, "h", {"SSH_AUTH_SOCK": "/env.sock", "OTHER": "/other.sock"}).agent == agent


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("web1", Target("web1")),
        ("ubuntu@203.0.113.7", Target("203.0.113.7", "ubuntu")),
        ("ubuntu@203.0.113.7:2222", Target("203.0.113.7", "ubuntu", 2222)),
        ("root@[2001:db8::7]:22", Target("2001:db8::7", "root", 22)),
        ("2001:db8::7", Target("2001:db8::7")),
        ("ssh://ubuntu@web1:23/", Target("web1", "ubuntu", 23)),
    ],
)
def test_targets_are_spelled_as_for_ssh(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize("text", ["", "a b", "-oProxyCommand=x", "-l@web1", "web1:0", "web1:70000", "web1:http", "a@"])
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(BadTarget):
        parse_target(text)


@pytest.mark.edge
def test_the_users_own_file_counts_with_aliases_and_includes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "more").write_text("Host web*\n  Port 2200\n")
    (tmp_path / "config").write_text(f"Include {tmp_path}/more\nHost web1\n  HostName 192.0.2.1\n  User ada\n")
    monkeypatch.setenv("DEPLOYER_SSH_CONFIG", str(tmp_path / "config"))
    ssh_config.way_to.cache_clear()
    way = ssh_config.way_to("web1")
    assert (way.address, way.user, way.port) == ("192.0.2.1", "ada", 2200)
    assert ssh_config.way_to("bob@web1:22").user == "bob"
    (tmp_path / "config").write_text("Nonsense yes\n")
    with pytest.raises(SshConfigRefused, match="nonsense"):
        ssh_config.way_to("web2")
    ssh_config.way_to.cache_clear()


def test_keys_out_of_known_hosts_leave_out_revoked_ones_and_authorities() -> None:
    printed = "# Host x found: line 1\nx ssh-ed25519 AAAA comment\n@revoked x ssh-rsa BBBB\n|1|a|b ssh-rsa CCCC\n"
    assert known_hosts.parse(printed) == ["ssh-ed25519 AAAA", "ssh-rsa CCCC"]
    assert [known_hosts.kind_of(f"{kind} A") for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")] == [
        "ED25519",
        "ECDSA",
        "RSA",
    ]
