"""The router on loopback: a real HAProxy, real apps, the configuration that hosts get."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from deployer.errors.base import HostFailure
from deployer.host import router as host_router
from deployer.host import router_line, router_socket, sockets
from tests.host.router_bench import Bench, Load, Process, bench, free_port, routes, wait_for

pytestmark = pytest.mark.edge


@pytest.fixture(scope="module")
def shop() -> Iterator[Bench]:
    """One router with one app, `shop`, for tests that change nothing."""
    with bench(first_byte=1, idle=1, boot=2) as made:
        made.switch(made.serve("one"))
        yield made


@pytest.fixture
def alone() -> Iterator[Bench]:
    with bench() as made:
        yield made


def test_a_request_reaches_the_app_with_herokus_headers(shop: Bench) -> None:
    answer = shop.get("/headers", x_forwarded_for="203.0.113.9", x_forwarded_proto="https")
    headers = {name.lower(): value for name, value in json.loads(answer.body)}
    assert answer.status == 200
    assert headers["x-forwarded-proto"] == "https"
    assert headers["x-forwarded-port"] == "443"
    assert headers["x-forwarded-for"] == "203.0.113.9"
    assert headers["via"] == "1.1 deployer"
    assert abs(int(headers["x-request-start"]) / 1000 - time.time()) < 5
    assert len(headers["x-request-id"]) == 36
    assert not [name for name in headers if name.startswith("x-deployer")]


def test_a_request_id_of_the_client_is_kept_where_it_has_herokus_shape(shop: Bench) -> None:
    mine = "a" * 20
    assert f'"{mine}"' in shop.get("/headers", x_request_id=mine).body
    assert '"short"' not in shop.get("/headers", x_request_id="short").body
    assert "forged" not in shop.get("/headers", x_request_id="forged dyno=web.7 status=200 x").body


def test_an_unknown_host_gets_a_page_with_h81(shop: Bench) -> None:
    answer = shop.get(host="nobody.test")
    assert answer.status == 404
    assert "H81" in answer.body and "deployer apps" in answer.body


def test_the_front_is_told_that_the_router_is_ready(shop: Bench) -> None:
    assert shop.get("/-/ready", host="10.0.0.7").body == "ready\n"
    assert shop.get("/-/ready").body == "one /-/ready\n"  # an app's own path stays the app's


def test_a_router_that_is_joining_says_so_to_the_front() -> None:
    with bench(ready=False) as made:
        assert made.get("/-/ready", host="10.0.0.7").status == 503


@pytest.mark.parametrize(
    ("path", "code"), [("/wait/1.6", "H12"), ("/close", "H13"), ("/garbage", "H13")], ids=["slow", "closes", "garbage"]
)
def test_an_app_that_does_not_answer_gets_herokus_code_and_status(shop: Bench, path: str, code: str) -> None:
    before = len(shop.lines(0))
    answer = shop.get(path)
    assert answer.status == 503
    assert code in answer.body and "deployer logs --tail -a shop" in answer.body
    line = shop.lines(before + 1)[-1]
    assert f"code={code} " in line and "dyno=web.1 " in line and "status=503" in line


def test_every_line_that_the_router_logs_becomes_herokus(shop: Bench) -> None:
    before = len(shop.lines(0))
    shop.get('/a"b%20c?d=1', x_forwarded_for="203.0.113.9, 198.51.100.2")
    shop.get("/close")
    with suppress(http.client.HTTPException):
        shop.get("/cut")
    plain, closed, cut = (router_line.parse(line) for line in shop.lines(before + 3)[-3:])
    assert plain and closed and cut
    assert plain.text.startswith('at=info method=GET path="/a%22b%20c?d=1" host=shop.test request_id=')
    assert ' fwd="203.0.113.9, 198.51.100.2" dyno=web.1 connect=' in plain.text
    assert closed.text.startswith('at=error code=H13 desc="Connection closed without response" method=GET')
    assert cut.text.startswith('sock=backend at=error code=H18 desc="Server Request Interrupted" method=GET')


def test_requests_to_an_app_without_dynos_or_in_maintenance_are_answered_at_once(alone: Bench) -> None:
    alone.switch(intent="none")
    assert "H14" in alone.get().body
    alone.switch(alone.serve(), generation=2, intent="maint")
    answer = alone.get()
    assert (answer.status, "maintenance" in answer.body) == (503, True)
    assert "code=H80" in alone.lines(2)[-1]


def test_a_request_line_over_8_kib_is_refused(shop: Bench) -> None:
    assert shop.get("/" + "a" * 8000).status == 200
    assert shop.get("/" + "a" * 8200).status == 400


def test_a_header_line_over_8_kib_is_refused_and_many_shorter_ones_are_not(shop: Bench) -> None:
    assert shop.get(x_long="a" * 8300).status == 400
    assert shop.get(**{f"x_{n}": "a" * 8000 for n in range(5)}).status == 200


def test_a_request_waits_for_a_dyno_that_boots(alone: Bench) -> None:
    before = time.monotonic()
    port = alone.serve("late", delay=1.2)
    alone.switch(port)
    assert alone.get().body == "late /\n"
    assert time.monotonic() - before > 1.2
    assert "held=web.1" in alone.lines(1)[-1]


def test_requests_wait_for_a_dyno_that_crashed_to_start_again(alone: Bench) -> None:
    port = alone.serve("first")
    alone.switch(port)
    alone.apps[-1].kill()
    alone.apps[-1].wait()
    answers: list[str] = []
    asking = [threading.Thread(target=lambda: answers.append(alone.get().body)) for _ in range(5)]
    for thread in asking:  # at once: most of them before the router's check sees it
        thread.start()
    time.sleep(1)
    alone.serve("second", port=port)
    for thread in asking:
        thread.join()
    assert answers == ["second /\n"] * 5


def test_requests_wait_while_all_of_several_dynos_start_again(alone: Bench) -> None:
    """More than a request has tries: none of them may be wasted on what has just refused."""
    ports = [alone.serve("first") for _ in range(6)]
    alone.switch(*ports)
    with Load(alone.port, 8) as load:
        time.sleep(0.4)
        for index in range(6):
            alone.apps[index].kill()
            alone.apps[index].wait()
        time.sleep(0.2)
        load.failures.clear()  # what was under way when its dyno was killed
        time.sleep(1)
        for port in ports:
            alone.serve("second", port=port)
        wait_for(lambda: "second" in load.answers)
    assert load.failures == []


def test_a_connection_that_a_replaced_process_still_has_reaches_the_dynos_of_now(alone: Bench) -> None:
    """The front keeps connections to the router: one of them is idle over a reload and a deploy of several dynos."""
    first = [alone.serve("first") for _ in range(8)]
    alone.switch(*first)
    idle = http.client.HTTPConnection("127.0.0.1", alone.port, timeout=30)
    for _ in range(2):
        idle.request("GET", "/", headers={"Host": "shop.test"})
        assert idle.getresponse().read() == b"first /\n"
    assert alone.switch(first[0], app="other")  # a reload
    second = [alone.serve("second") for _ in range(8)]
    alone.switch(*second, generation=2)
    for index in range(8):
        alone.stop(index)
    idle.request("GET", "/", headers={"Host": "shop.test"})
    assert idle.getresponse().read() == b"second /\n"
    idle.close()


def test_a_replaced_process_leads_to_apps_that_are_newer_than_itself(alone: Bench) -> None:
    alone.switch(alone.serve("old"))
    idle = http.client.HTTPConnection("127.0.0.1", alone.port, timeout=30)
    idle.request("GET", "/", headers={"Host": "shop.test"})
    assert idle.getresponse().read() == b"old /\n"
    assert alone.switch(alone.serve("newer"), app="newer")
    idle.request("GET", "/headers", headers={"Host": "newer.test"})
    headers = dict(json.loads(idle.getresponse().read()))
    assert headers["host"] == "newer.test"
    idle.close()


def test_a_replaced_process_says_h81_where_its_successor_does(alone: Bench) -> None:
    alone.switch(alone.serve("old"))
    idle = http.client.HTTPConnection("127.0.0.1", alone.port, timeout=30)
    idle.request("GET", "/", headers={"Host": "shop.test"})
    idle.getresponse().read()
    assert alone.switch(alone.serve("newer"), app="none")  # a reload, whatever the name
    idle.request("GET", "/", headers={"Host": "nobody.test"})
    answer = idle.getresponse()
    assert (answer.status, b"H81" in answer.read()) == (404, True)
    idle.close()


def test_nobody_is_held_longer_than_a_boot_may_take(shop: Bench) -> None:
    shop.switch(1, app="dead")
    before = time.monotonic()
    answer = shop.get(host="dead.test")
    assert answer.status == 503 and "H20" in answer.body
    assert 1.5 < time.monotonic() - before < 4
    wait_for(lambda: "H10" in shop.get(host="dead.test").body, 15)  # down for longer than a boot takes: crashed
    before = time.monotonic()
    assert "H10" in shop.get(host="dead.test").body
    assert time.monotonic() - before < 1


def test_no_more_than_200_requests_of_an_app_wait(alone: Bench) -> None:
    alone.switch(1)
    alone.switch(alone.serve("other"), app="other")
    with ExitStack() as waiting:
        for _ in range(200):
            connection = waiting.enter_context(socket.create_connection(("127.0.0.1", alone.port)))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        wait_for(lambda: router_socket.counters(alone.router.paths.router_socket, "be_shop")["hold"].sessions >= 200)
        wait_for(lambda: "H11" in alone.try_get())
        assert alone.get(host="other.test").body == "other /\n"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_request_fails_over_twenty_swaps_under_load(alone: Bench, method: str) -> None:
    ports = [alone.serve("v1")]
    alone.switch(ports[0])
    with Load(alone.port, method=method) as load:
        for generation in range(2, 22):
            port = alone.serve(f"v{generation}")
            assert not alone.switch(port, generation=generation)
            wait_for(partial(_is_drained, ports[-1]))
            alone.stop(generation - 2)
            ports.append(port)
    assert load.failures == []
    assert len(set(load.answers)) == 21


def test_websockets_survive_the_deploys_of_other_apps(alone: Bench) -> None:
    alone.switch(alone.serve("talk"), app="talk")
    connection = socket.create_connection(("127.0.0.1", alone.port))
    connection.sendall(b"GET /echo HTTP/1.1\r\nHost: talk.test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
    reader = connection.makefile("rb")
    while reader.readline().strip():
        pass
    for generation in range(1, 4):
        assert alone.switch(alone.serve(), app=f"shop{generation}x", generation=generation)  # a new app: a reload
        connection.sendall(b"still there\n")
        assert reader.readline() == b"talk still there\n"
    connection.close()


def test_no_request_fails_while_apps_come_and_go(alone: Bench) -> None:
    alone.switch(alone.serve("steady"))
    other = alone.serve("other")
    with Load(alone.port) as load:
        for number in range(6):
            assert alone.switch(other, app=f"other{number}x")
    assert load.failures == []


def test_a_held_request_survives_a_reload(alone: Bench) -> None:
    port = alone.serve("late", delay=1.5)
    alone.switch(port)
    answers: list[str] = []
    asking = threading.Thread(target=lambda: answers.append(alone.get().body))
    asking.start()
    time.sleep(0.3)
    assert alone.switch(port, app="other")
    asking.join()
    assert answers == ["late /\n"]


def test_an_older_generation_is_ignored(alone: Bench) -> None:
    alone.switch(alone.serve("new"), generation=7)
    assert host_router.is_older(alone.router.paths, routes(1, generation=6))
    assert not host_router.is_older(alone.router.paths, routes(1, generation=7))


def test_routes_that_could_break_others_are_refused_alone(alone: Bench) -> None:
    alone.switch(alone.serve())
    bad = routes(1)
    for wrong in ({"domains": ("a b.test",)}, {"intent": "x\nfrontend"}, {"app": "Shop"}):
        values = {"app": "shop", "domains": bad.domains, "intent": "running", **wrong}
        with pytest.raises(HostFailure) as failed:
            host_router.stage_routes(
                alone.router,
                type(bad)(values["app"], 2, values["domains"], values["intent"], bad.servers),  # type: ignore[arg-type]
            )
        assert failed.value.code == "bad-routes"
    assert alone.get().status == 200


def test_what_a_dead_command_left_half_switched_is_mended_by_the_next(alone: Bench) -> None:
    alone.switch(alone.serve("old"))
    port = alone.serve("new")
    # As if killed between storing and telling HAProxy.
    stored = alone.router.paths.app("shop").routes
    stored.write_text(stored.read_text().replace('"generation": 1', '"generation": 2'))
    router_socket.ask(alone.router.paths.router_socket, "set server be_shop/web.1 state maint")
    assert not alone.switch(port, generation=2)
    assert alone.get().body == "new /\n"


def test_a_router_that_died_is_started_by_the_next_switch(alone: Bench) -> None:
    alone.switch(alone.serve("old"))
    alone.process.stop()
    assert alone.switch(alone.serve("new"), generation=2)
    assert alone.get().body == "new /\n"


def test_a_router_that_comes_back_with_the_addresses_of_before_gets_those_of_now(alone: Bench) -> None:
    alone.switch(alone.serve("old"))
    alone.process.stop()
    before = alone.process.config.read_text()
    alone.router = replace(alone.router, service=_Hasty(alone.process, before))
    assert alone.switch(alone.serve("new"), generation=2)
    alone.stop(0)
    assert alone.get().body == "new /\n"


@dataclass
class _Hasty:
    """Starts the router as systemd does by itself when one has died: from what the files said before they changed."""

    process: Process
    before: str

    def start(self) -> None:
        now = self.process.config.read_text()
        self.process.config.write_text(self.before)
        self.process.start()
        wait_for(lambda: _is_up(self.process.config.parents[2] / "run/haproxy/admin.sock"))
        self.process.config.write_text(now)

    def reload(self) -> None:
        self.process.reload()


def test_what_was_answered_and_what_failed_is_counted_once_also_of_requests_that_waited(alone: Bench) -> None:
    port = free_port()
    alone.switch(port)
    waiting = threading.Thread(target=alone.get)
    waiting.start()
    time.sleep(0.5)
    alone.serve(port=port)
    waiting.join()
    for path in ("/", "/status/404", "/status/500", "/close"):
        alone.get(path)
    paths = alone.router.paths
    assert host_router.answered(paths, "shop") == {"requests": 5, "failed": 2}
    assert host_router.answered(paths, "nobody") == {"requests": 0, "failed": 0}
    alone.process.stop()
    assert host_router.answered(paths, "shop") is None


def test_counters_tell_requests_and_errors_by_slot(alone: Bench) -> None:
    alone.switch(alone.serve())
    for path in ("/", "/", "/status/500", "/close"):
        alone.get(path)
    counted = router_socket.counters(alone.router.paths.router_socket, "be_shop")["web.1"]
    assert (counted.server_errors, counted.errors) == (1, 1)
    assert counted.requests >= 3


def _is_drained(port: int) -> bool:
    return sockets.connections(port) == 0


def test_an_app_with_too_many_requests_is_refused_more_and_others_are_not() -> None:
    with bench(per_app=5) as made, ThreadPoolExecutor(12) as threads:
        made.switch(made.serve("one"))
        made.switch(made.serve("other"), app="other")
        waiting = [threads.submit(made.get, "/wait/1.5") for _ in range(8)]
        wait_for(lambda: sum(one.done() for one in waiting) == 3)
        assert made.get(host="other.test").status == 200
        answers = [one.result() for one in waiting]
        assert sorted(answer.status for answer in answers) == [200] * 5 + [503] * 3
        assert any("H11" in answer.body for answer in answers)
        assert sum("code=H11" in line for line in made.lines(9)) == 3


def _is_up(router: Path) -> bool:
    with suppress(router_socket.RouterIsDown):
        return bool(router_socket.structure_in_force(router))
    return False
