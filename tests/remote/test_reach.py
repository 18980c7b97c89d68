"""Hosts reached as the user's own ssh would: real sshds on loopback, an agent, jump hosts, keys with passphrases."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.errors.remote import HostKeyChanged
from deployer.errors.ssh import (
    HostKeyRefused,
    HostKeyUnknown,
    JumpRefused,
    KnownKeyDiffers,
    NoKeyAccepted,
    PassphraseNeeded,
)
from deployer.model.space import Host
from deployer.remote import ssh_config
from deployer.remote.known_hosts import fingerprint
from deployer.remote.person import Person
from deployer.remote.reach import Reach
from tests.remote.agents_here import Sshd, free_port, sshd

pytestmark = pytest.mark.edge


@pytest.fixture
def config(server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A configuration of ssh in which the server is called `web1`; nothing of this machine's user counts."""
    monkeypatch.setenv("DEPLOYER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEPLOYER_SSH_CONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    write(tmp_path / "config", web1(server, tmp_path, IdentityFile=str(server.identity)))
    yield tmp_path / "config"
    ssh_config.way_to.cache_clear()


def write(config: Path, *blocks: str) -> None:
    config.write_text("\n".join(blocks))
    ssh_config.way_to.cache_clear()


def web1(server: Sshd, folder: Path, name: str = "web1", **more: str) -> str:
    settings = {
        "HostName": "127.0.0.1",
        "Port": str(server.host.port),
        "User": "root",
        "UserKnownHostsFile": f"{folder}/known",
        "GlobalKnownHostsFile": "/dev/null",
        "IdentitiesOnly": "yes",
        **more,
    }
    return f"Host {name}\n" + "".join(f"  {key} {value}\n" for key, value in settings.items())


def know(server: Sshd, folder: Path, key: str = "") -> None:
    with (folder / "known").open("a") as file:
        file.write(f"[127.0.0.1]:{server.host.port} {key or server.host.host_key}\n")


def says_hello(reach: Reach, target: str = "web1") -> bool:
    host, way = reach.meet(target, "h1", 1)
    with reach.log_in(host, way) as session:
        return session.run(["echo", "hello"]).printed == "hello\n"


def test_a_key_that_known_hosts_has_is_used_unasked(server: Sshd, config: Path, tmp_path: Path) -> None:
    know(server, tmp_path)
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", tmp_path / "known"], check=True, capture_output=True)
    assert says_hello(Reach())


def test_an_unknown_key_is_asked_about_once_with_its_fingerprint(server: Sshd, config: Path) -> None:
    print_ = fingerprint(server.host.host_key)
    with pytest.raises(HostKeyUnknown, match=re.escape(f"--host-key {print_}")):
        says_hello(Reach())
    asked: list[str] = []

    def answer(word: str) -> Person:
        return Person(lambda question: asked.append(question) or word)  # type: ignore[func-returns-value]

    with pytest.raises(HostKeyRefused):
        says_hello(Reach(answer("no")))
    assert says_hello(Reach(answer("yes")))
    assert [print_ in question for question in asked] == [True, True]
    assert says_hello(Reach()), "it is known from now on"


def test_a_fingerprint_that_the_user_names_is_trusted_and_no_other(server: Sshd, config: Path) -> None:
    with pytest.raises(HostKeyRefused):
        says_hello(Reach(trusted=("SHA256:other",)))
    assert says_hello(Reach(trusted=(fingerprint(server.host.host_key),)))


def test_another_key_than_known_hosts_has_is_refused(server: Sshd, config: Path, tmp_path: Path) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFBmOHzRmTz1g8qRUqVHIK8oGmQxvKqrhTCmBBUMqHAj"
    know(server, tmp_path, other)
    with pytest.raises(KnownKeyDiffers) as caught:
        says_hello(Reach(Person(lambda question: "yes")))
    assert fingerprint(other) in str(caught.value)
    with pytest.raises(HostKeyChanged):
        Reach().connect(Host("h1", 1, "127.0.0.1", "", other, "root", server.host.port))


def test_a_host_of_a_space_is_reached_by_the_name_that_this_machine_has_for_it(server: Sshd, config: Path) -> None:
    host = Host("h1", 1, "192.0.2.1", "", server.host.host_key, "nobody")
    with Reach(targets={"h1": "web1"}).connect(host) as session:
        assert session.host.user == "root"
        assert session.run(["true"]).status == 0


def test_a_passphrase_is_asked_for_once_and_only_where_no_other_key_fits(
    server: Sshd, config: Path, tmp_path: Path
) -> None:
    know(server, tmp_path)
    locked = tmp_path / "locked"
    locked.write_bytes(server.identity.read_bytes())
    locked.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret", "-f", locked], check=True, capture_output=True)
    asked: list[str] = []

    def secret(prompt: str) -> str:
        asked.append(prompt)
        return "wrong" if len(asked) == 1 else "secret"

    write(config, web1(server, tmp_path, IdentityFile=str(locked)))
    with pytest.raises(PassphraseNeeded, match="ssh-add"):
        says_hello(Reach())
    reach = Reach(Person(secret=secret))
    assert (says_hello(reach), says_hello(reach), len(asked)) == (True, True, 2)
    write(config, web1(server, tmp_path, IdentityFile=f"{locked}\n  IdentityFile {server.identity}"))
    assert says_hello(Reach())


def test_keys_of_the_agent_open_a_host(
    server: Sshd, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(server, tmp_path)
    write(config, web1(server, tmp_path, IdentitiesOnly="no", IdentityFile=f"{tmp_path}/absent"))
    with pytest.raises(NoKeyAccepted, match="there is none"):
        says_hello(Reach())
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            assert agent.poll() is None
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        subprocess.run(["ssh-add", "-q", server.identity], check=True, env=dict(os.environ))
        ssh_config.way_to.cache_clear()
        assert says_hello(Reach())
        write(config, web1(server, tmp_path, IdentityFile=f"{tmp_path}/absent"))
        with pytest.raises(NoKeyAccepted):
            says_hello(Reach())
    finally:
        agent.terminate()
        agent.wait()


def test_jump_hosts_are_passed_and_their_keys_checked(server: Sshd, config: Path, tmp_path: Path) -> None:
    with sshd(tmp_path_of(tmp_path, "behind")) as behind:
        opened = {"IdentityFile": str(server.identity)}
        (behind.identity.parent / "authorized").write_bytes(server.identity.with_suffix(".pub").read_bytes())
        blocks = [web1(server, tmp_path, **opened), web1(behind, tmp_path, "web2", ProxyJump="web1", **opened)]
        write(config, *blocks)
        know(behind, tmp_path)
        with pytest.raises(HostKeyUnknown, match="web1"):
            says_hello(Reach(), "web2")
        know(server, tmp_path)
        assert says_hello(Reach(), "web2")
        write(config, blocks[0], web1(behind, tmp_path, "web2", ProxyJump="web1,web1", **opened))
        assert says_hello(Reach(), "web2")
        command = f"nc 127.0.0.1 {behind.host.port}" if have("nc") else proxy(behind.host.port)
        write(config, web1(behind, tmp_path, "web2", ProxyCommand=command, **opened))
        assert says_hello(Reach(), "web2")
    write(config, blocks[0], web1(behind, tmp_path, "web2", ProxyJump="web1", Port=str(free_port()), **opened))
    with pytest.raises(JumpRefused, match="AllowTcpForwarding"):
        says_hello(Reach(), "web2")


def tmp_path_of(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def have(program: str) -> bool:
    return any((Path(folder) / program).exists() for folder in os.environ["PATH"].split(":"))


def proxy(port: int) -> str:
    return f"bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; cat <&3 & cat >&3; kill $!'"
