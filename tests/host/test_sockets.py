"""Listening sockets as the kernel prints them."""

import os
import socket

from deployer.host import sockets

TCP4 = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1B59 00000000:0000 0A 00000000:00000000 00:00000000 00000000 20001        0 11 1 0 100 0 0 10 0
   1: 00000000:1B5A 00000000:0000 0A 00000000:00000000 00:00000000 00000000 20002        0 12 1 0 100 0 0 10 0
   2: 0100007F:1B5A 0100007F:C350 01 00000000:00000000 00:00000000 00000000 20002        0 13 1 0 100 0 0 10 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue ...
   0: 00000000000000000000000001000000:1B5B 00000000000000000000000000000000:0000 0A 0:0 00:0 0 20003 0 14
"""


def test_only_listening_sockets_count():
    assert [(str(found), found.uid, found.is_local) for found in sockets.parse(TCP4)] == [
        ("127.0.0.1:7001", 20001, True),
        ("0.0.0.0:7002", 20002, False),
    ]


def test_addresses_of_version_6_are_read_too():
    (found,) = sockets.parse(TCP6)
    assert (str(found), found.uid, found.is_local) == ("[::1]:7003", 20003, True)


def test_a_socket_of_our_own_is_found():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert [found.uid for found in sockets.listeners() if found.port == port] == [os.geteuid()]
