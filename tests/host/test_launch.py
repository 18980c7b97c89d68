"""Orders for dynos, and whether they fit."""

import pytest

from deployer.errors.base import HostFailure
from deployer.host import launch, memory
from deployer.host.dyno_files import Placed
from deployer.model.dyno import Dyno

REQUEST = {
    "call": "boot",
    "app": "shop",
    "uid": 20001,
    "release": 12,
    "layers": ["a" * 64],
    "dynos": [{"type": "web", "number": 2, "size": "Basic", "command": "serve", "port": True}],
    "env": {"A": "b"},
    "health": {"path": "/up", "timeout": 30, "host": "shop.localhost"},
}


def test_a_request_becomes_an_order():
    order = launch.parse(REQUEST)
    assert [one.instance for one in order.placed()] == ["shop.web.2.v12"]
    assert (order.health.path, order.health.timeout) == ("/up", 30.0)


def test_without_a_word_about_health_the_root_is_asked_for_within_a_minute():
    order = launch.parse({key: value for key, value in REQUEST.items() if key != "health"})
    assert (order.health.path, order.health.timeout) == ("/", 60.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"uid": "20001"},
        {"dynos": [{"type": "web"}]},
        {"app": "../etc"},
        {"dynos": [{**REQUEST["dynos"][0], "type": "../../web"}]},
        {"dynos": [{**REQUEST["dynos"][0], "type": "web.1"}]},
    ],
)
def test_a_request_that_could_lead_elsewhere_is_refused(changes):
    with pytest.raises(HostFailure) as failure:
        launch.parse({**REQUEST, **changes}).placed()
    assert failure.value.code == "bad-request"


def dyno(process_type: str, number: int = 1, size: str = "Basic") -> Placed:
    return Placed(Dyno("shop", process_type, number, 12), 20001, size, "x", ())


@pytest.mark.parametrize(
    ("wanted", "running", "needed"),
    [
        ([dyno("web")], {}, 128),
        ([dyno("web"), dyno("web", 2)], {("shop", "web"): 200}, 400),
        ([dyno("web")], {("shop", "web"): 4000}, 512),
        ([dyno("worker", size="Standard-2X")], {("shop", "web"): 200, ("blog", "worker"): 10}, 256),
    ],
)
def test_new_dynos_are_expected_to_need_what_those_of_their_kind_use(wanted, running, needed):
    assert memory.expected(wanted, running) == needed


def test_what_the_kernel_says_about_memory_is_read():
    assert memory.meminfo("MemTotal:  100 kB\nMemAvailable:   60 kB\nHugePages_Total: 0\n")["MemAvailable"] == 60
