"""The firewall's text, and the real kernel's opinion in a network namespace of our own."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deployer.host import firewall

NAMESPACE = f"dpl-fw-{os.getpid()}"


def test_the_rules_are_as_reviewed(golden):
    golden("firewall.nft", firewall.render(["10.1.2.4", "10.1.2.3", "fd00::5"], [(20002, 7002), (20001, 7001)], [5432]))


def test_without_hosts_and_dynos_no_set_has_an_empty_list():
    assert "{  }" not in firewall.render([], [])


def test_ports_are_given_and_taken_by_the_same_words():
    add, delete = (
        firewall.add_words([(20001, 7001), (20001, 7002)]),
        firewall.delete_words([(20001, 7001), (20001, 7002)]),
    )
    assert add[-1] == delete[-1] == "{ 20001 . 7001, 20001 . 7002 }"


@pytest.fixture
def namespace() -> Iterator[str]:
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    yield NAMESPACE
    subprocess.run(["ip", "netns", "del", NAMESPACE], check=True)


def inside(*words: str, text: str = "") -> str:
    command = ["ip", "netns", "exec", NAMESPACE, *words]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


@pytest.mark.edge
def test_the_kernel_takes_the_table_twice_and_then_single_ports(namespace):
    text = firewall.render(["10.1.2.3", "fd00::5"], [(20001, 7001)])
    for _ in range(2):  # replaced as a whole, not added to
        inside("nft", "-f", "-", text=text)
    inside(*firewall.add_words([(20002, 7002), (20002, 7003)]))
    inside(*firewall.delete_words([(20001, 7001)]))
    own = inside("nft", "list", "set", "inet", firewall.TABLE, "own")
    assert "20002 . 7002" in own
    assert "20001 . 7001" not in own


ASKING = """
import socket, sys
server = socket.create_server(("127.0.0.1", 7001))
def connects():
    try:
        return socket.create_connection(("127.0.0.1", 7001), 5)
    except ConnectionRefusedError:
        return None
before = connects()
accepted = server.accept()[0]
print("closed", flush=True)
sys.stdin.readline()
during = connects()
before.sendall(b"still there")
print(during is None, accepted.recv(100), flush=True)
sys.stdin.readline()
print(connects() is not None, flush=True)
"""


@pytest.mark.edge
def test_a_port_that_closes_refuses_newcomers_and_keeps_its_guests(namespace):
    inside("ip", "link", "set", "lo", "up")
    inside("nft", "-f", "-", text=firewall.render([], []))
    words = ["ip", "netns", "exec", NAMESPACE, sys.executable, "-c", ASKING]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as asking:
        assert asking.stdin and asking.stdout
        asking.stdout.readline()
        inside(*firewall.close_words([7001, 7002], 60))
        asking.stdin.write("\n")
        assert asking.stdout.readline() == "True b'still there'\n"
        inside(*firewall.reopen_words([7001, 7002]))
        asking.stdin.write("\n")
        assert asking.stdout.readline() == "True\n"
