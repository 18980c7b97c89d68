"""The space's certificate authority, with the real openssl and Python's own strict verification."""

from __future__ import annotations

import os
import socket
import ssl
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from deployer.errors.base import HostFailure
from deployer.host import certificates

ME = (os.getuid(), os.getgid())


def shake_hands(ca: Path, server: Path, name: str) -> None:
    """A TLS handshake over a pair of sockets; ssl.SSLError where the client would not believe the server."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(server / "server.crt", server / "server.key")
    asking = ssl.create_default_context(cafile=str(ca))
    asking.verify_flags |= ssl.VERIFY_X509_STRICT  # Python 3.13's default
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            serving.wrap_socket(theirs, server_side=True).close()
        except OSError:
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with asking.wrap_socket(ours, server_hostname=name):
            pass
    finally:
        ours.close()
        thread.join()


def test_the_texts_for_openssl(golden: Callable[[str, str], None]) -> None:
    names = ["10.0.0.1", "host-1", "fd00::1", "localhost"]
    golden("postgresql/openssl.cnf", certificates.ca_config() + "\n" + certificates.server_config(names))


@pytest.mark.edge
@pytest.mark.parametrize("name", ["10.0.0.1", "host-1", "localhost", "127.0.0.1"])
def test_a_client_with_the_authority_believes_the_server_under_its_names(tmp_path: Path, name: str) -> None:
    certificates.ensure_authority(tmp_path / "ca")
    certificates.ensure_server(tmp_path / "ca", tmp_path / "tls", ["10.0.0.1", "host-1"], ME)
    shake_hands(tmp_path / "ca/ca.crt", tmp_path / "tls", name)


@pytest.mark.edge
@pytest.mark.parametrize("name", ["10.0.0.2", "host-2"])
def test_under_another_name_the_server_is_refused(tmp_path: Path, name: str) -> None:
    certificates.ensure_authority(tmp_path / "ca")
    certificates.ensure_server(tmp_path / "ca", tmp_path / "tls", ["10.0.0.1", "host-1"], ME)
    with pytest.raises(ssl.SSLError, match="certificate is not valid for"):
        shake_hands(tmp_path / "ca/ca.crt", tmp_path / "tls", name)


@pytest.mark.edge
def test_certificates_are_made_once_and_again_only_for_a_reason(tmp_path: Path) -> None:
    ca, tls = tmp_path / "ca", tmp_path / "tls"
    assert certificates.ensure_authority(ca)
    assert certificates.ensure_server(ca, tls, ["a"], ME)
    assert not certificates.ensure_authority(ca)
    assert not certificates.ensure_server(ca, tls, ["a"], ME)
    assert certificates.ensure_server(ca, tls, ["a", "b"], ME)
    (ca / "ca.crt").unlink()
    assert certificates.ensure_authority(ca)
    assert certificates.ensure_server(ca, tls, ["a", "b"], ME), "signed by an authority that nobody trusts any more"
    assert not certificates.ensure_server(ca, tls, ["a", "b"], ME)


@pytest.mark.edge
def test_keys_are_readable_by_their_owner_alone_and_nothing_is_left_lying_about(tmp_path: Path) -> None:
    certificates.ensure_authority(tmp_path / "ca")
    certificates.ensure_server(tmp_path / "ca", tmp_path / "tls", ["a"], ME)
    modes = {str(p.relative_to(tmp_path)): stat.S_IMODE(p.stat().st_mode) for p in sorted(tmp_path.rglob("*"))}
    assert modes == {
        "ca": 0o700,
        "ca/ca.crt": 0o600,
        "ca/ca.key": 0o600,
        "tls": 0o700,
        "tls/config": 0o600,
        "tls/server.crt": 0o600,
        "tls/server.key": 0o600,
    }


def test_trust_installs_certificates_for_everybody_and_says_whether_it_did(tmp_path: Path) -> None:
    assert certificates.trust(tmp_path, "one")
    assert not certificates.trust(tmp_path, "one")
    assert certificates.trust(tmp_path, "two")
    path = tmp_path / "etc/ssl/deployer/space-ca.pem"
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("onetwo", 0o644)


@pytest.mark.parametrize("name", ["a,DNS:evil", "a\nb", "", "a b", "-a", "$ENV::HOME"])
def test_a_name_that_would_be_more_than_a_name_is_refused(name: str) -> None:
    with pytest.raises(HostFailure, match="bad-request"):
        certificates.server_config([name])
