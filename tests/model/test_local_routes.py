"""Routes where hosts have no private network between them."""

from deployer.model.routes import Routes, Server

ROUTES = Routes(
    "shop",
    7,
    ("shop.example",),
    "running",
    (Server("web.1", "203.0.113.7", 7001, "a"), Server("web.2", "203.0.113.8", 7002, "b")),
)


def test_a_router_gets_its_own_hosts_dynos_at_loopback():
    local = ROUTES.local_to("203.0.113.8")
    assert (local.servers, local.intent, local.generation) == ((Server("web.2", "127.0.0.1", 7002, "b"),), "running", 7)


def test_a_router_without_dynos_of_its_own_says_so_at_once():
    assert ROUTES.local_to("203.0.113.9").intent == "none"
    assert Routes("shop", 7, (), "maint", ()).local_to("x").intent == "maint"
