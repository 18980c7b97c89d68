"""HTTPS of the router on loopback: a real HAProxy, whose certificates come and go by its socket."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from deployer.host import router as host_router
from deployer.host import router_certificates, router_line, router_socket
from tests.host.router_bench import Bench, bench, free_port, wait_for

pytestmark = pytest.mark.edge


@pytest.fixture
def shop() -> Iterator[tuple[Bench, int]]:
    """A router that ends TLS itself, with one app, and its port for that."""
    port = free_port()
    with bench(secure_bind=f"127.0.0.1:{port}", challenge_port=free_port()) as made:
        made.switch(made.serve("one"))
        yield made, port


def certificate(name: str, folder: Path, days: int = 3) -> str:
    """A chain and its key, as PEM, with an empty line between them, as some have."""
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    words += ["-days", str(days), "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    words += ["-keyout", "key.pem", "-out", "crt.pem"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    return f"{(folder / 'crt.pem').read_text()}\n{(folder / 'key.pem').read_text()}"


@contextmanager
def speaking(
    port: int, name: str, alpn: tuple[str, ...] = ("http/1.1",), **options: ssl.TLSVersion
) -> Iterator[ssl.SSLSocket]:
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(list(alpn))
    for option, value in options.items():
        setattr(context, option, value)
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain, server_hostname=name) as found,
    ):
        yield found


def shown(port: int, name: str) -> str:
    """The SHA-1 of what the router shows for a name."""
    with speaking(port, name) as found:
        return router_certificates.fingerprint(ssl.DER_cert_to_PEM_cert(found.getpeercert(binary_form=True)))  # type: ignore[arg-type]


def router_with(made: Bench) -> host_router.Router:
    """As `of_host` makes it once certificates lie there."""
    secure = router_certificates.names(made.router.settings.folder)
    return replace(made.router, settings=replace(made.router.settings, secure=secure))


def get(port: int, path: str = "/", host: str = "shop.test", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=ssl._create_unverified_context())
    with closing(connection):
        connection.request("GET", path, headers={"Host": host, **headers})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_a_certificate_comes_is_renewed_and_goes_without_a_reload(shop: tuple[Bench, int], tmp_path: Path) -> None:
    made, port = shop
    placeholder = shown(port, "shop.test")
    process = router_socket.ask(made.router.paths.router_socket, "show info").split("Pid: ")[1].split()[0]
    first, second = certificate("shop.test", tmp_path), certificate("shop.test", tmp_path, 4)
    assert host_router.show_certificates(made.router, {"shop.test": first}) == ["shop.test"]
    assert shown(port, "shop.test") == router_certificates.fingerprint(first)
    assert shown(port, "other.test") == placeholder
    assert host_router.show_certificates(made.router, {"shop.test": first}) == []
    with speaking(port, "shop.test") as kept:
        assert host_router.show_certificates(made.router, {"shop.test": second}) == ["shop.test"]
        kept.sendall(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        assert kept.recv(100).startswith(b"HTTP/1.1 200"), "a connection from before goes on"
    assert shown(port, "shop.test") == router_certificates.fingerprint(second)
    assert router_socket.ask(made.router.paths.router_socket, "show info").split("Pid: ")[1].split()[0] == process
    made.process.stop()
    made.process.start()
    assert_soon(lambda: shown(port, "shop.test") == router_certificates.fingerprint(second))
    assert host_router.show_certificates(made.router, {}) == ["shop.test"]
    assert shown(port, "shop.test") == placeholder
    assert {path.stat().st_mode & 0o777 for path in made.router.settings.folder.glob("certificates/*")} == {0o600}
    assert (made.router.settings.folder / "certificates").stat().st_mode & 0o777 == 0o700


def test_what_was_cut_off_between_files_and_socket_is_mended(shop: tuple[Bench, int], tmp_path: Path) -> None:
    made, port = shop
    pem = certificate("shop.test", tmp_path)
    router_certificates.lay_down(made.router.settings.folder, {"shop.test": pem})
    router_socket.ask(
        made.router.paths.router_socket, f"new ssl cert {made.router.settings.folder}/certificates/shop.test.pem"
    )
    assert host_router.show_certificates(made.router, {"shop.test": pem}) == []
    assert shown(port, "shop.test") == router_certificates.fingerprint(pem)


def test_what_haproxy_would_not_start_with_is_left_out(shop: tuple[Bench, int], tmp_path: Path) -> None:
    made, _ = shop
    other = certificate("other.test", tmp_path)
    mixed = certificate("shop.test", tmp_path).split("\n-----BEGIN PRIV")[0] + other[other.index("\n-----BEGIN PRIV") :]
    assert not router_certificates.is_sound(mixed) and router_certificates.is_sound(other)
    assert host_router.show_certificates(made.router, {"shop.test": mixed, "other.test": other}) == ["other.test"]


def test_a_browser_speaks_http_2(shop: tuple[Bench, int]) -> None:
    made, port = shop
    to = ["--resolve", f"shop.test:{port}:127.0.0.1", f"https://shop.test:{port}/a"]
    words = ["curl", "--silent", "--insecure", "--http2", "--write-out", "%{http_version} %{http_code}", *to]
    if "nghttp2" not in subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout:
        pytest.skip("this curl knows no HTTP/2")
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "one /a\n2 200"
    found = router_line.parse(made.lines(1)[-1])
    assert found and "protocol=http2.0 tls=true" in found.text


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_dynos_and_the_log_hear_of_tls(shop: tuple[Bench, int]) -> None:
    made, port = shop
    headers = {name.lower(): value for name, value in json.loads(get(port, "/headers")[1])}
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("https", "443")
    found = router_line.parse(made.lines(1)[-1])
    assert found and found.text.endswith("tls=true")
    with speaking(port, "shop.test", ("h2", "http/1.1")) as kept:
        assert kept.selected_alpn_protocol() == "h2"
    with pytest.raises(ssl.SSLError), speaking(port, "shop.test", maximum_version=ssl.TLSVersion.TLSv1_1):
        pass


def test_http_leads_to_https_once_there_is_a_certificate(shop: tuple[Bench, int], tmp_path: Path) -> None:
    made, port = shop
    assert made.get("/a?b=c").status == 200
    host_router.show_certificates(made.router, {"shop.test": certificate("shop.test", tmp_path)})
    answer = made.get("/a?b=c", host="SHOP.test:8080")
    assert (answer.status, answer.headers["location"]) == (301, "https://shop.test/a?b=c")
    assert made.get("/", method="HEAD").status == 301
    assert made.get("/", method="POST").status == 308
    assert get(port, "/a")[0] == 200
    assert made.get(x_forwarded_proto="https").status == 200, "a load balancer ended TLS"
    assert made.get("/-/ready", host="10.0.0.7").body == "ready\n"
    [current] = host_router.all_routes(made.router.paths)
    assert not host_router.put_in_force(router_with(made), replace(current, generation=2, redirect=False))
    assert made.get("/a").status == 200


def test_a_wildcard_leads_to_https_and_a_name_of_its_own_goes_before_it(shop: tuple[Bench, int]) -> None:
    made, _ = shop
    settings = replace(made.router.settings, secure=("*.any.test",))
    router = replace(made.router, settings=settings)
    [current] = host_router.all_routes(made.router.paths)
    host_router.put_in_force(router, replace(current, generation=2, domains=("*.any.test",)))
    named = replace(current, app="blog", domains=("own.any.test",), servers=(), intent="none", redirect=False)
    host_router.put_in_force(router, named)
    answer = made.get("/a", host="some.any.test")
    assert (answer.status, answer.headers["location"]) == (301, "https://some.any.test/a")
    assert made.get("/a", host="some.any.test", x_forwarded_proto="https").body == "one /a\n"
    assert "H14" in made.get("/a", host="own.any.test").body
    assert made.get("/a", host="below.some.any.test").status == 404


def test_acme_is_answered_before_everything_else(shop: tuple[Bench, int], tmp_path: Path) -> None:
    made, _ = shop
    host_router.show_certificates(made.router, {"shop.test": certificate("shop.test", tmp_path)})
    path = "/.well-known/acme-challenge/token"
    assert made.get(path).status == 404, "nobody orders"
    with socket.create_server(("127.0.0.1", made.router.settings.challenge_port)) as certbot:
        certbot.settimeout(5)
        with socket.create_connection(("127.0.0.1", made.port), 5) as asking:
            asking.sendall(f"GET {path} HTTP/1.1\r\nHost: nobody.test\r\n\r\n".encode())
            served, _address = certbot.accept()
            with served:
                assert served.recv(4096).startswith(f"GET {path} HTTP/1.1".encode())
                served.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nyes")
            assert asking.recv(4096).endswith(b"yes")


def assert_soon(what: Callable[[], bool]) -> None:
    def holds() -> bool:
        with suppress(OSError):
            return what()
        return False

    wait_for(holds)
