"""Names on a real router: which app gets a request that asks for one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deployer.host import router as host_router
from tests.host.router_bench import bench, routes

pytestmark = pytest.mark.edge


def test_a_wildcard_gets_the_names_below_it_that_nobody_has() -> None:
    with bench() as alone:
        late = replace(routes(alone.serve("shop", delay=0.5)), domains=("shop.test", "*.example.com"))
        host_router.put_in_force(alone.router, late)
        assert alone.get(host="any.example.com").body == "shop /\n", "a held request finds its way, too"
        assert alone.get(host="example.com").status == 404
        assert alone.get(host="a.b.example.com").status == 404
        blog = replace(routes(alone.serve("blog"), app="blog"), domains=("www.example.com",))
        host_router.put_in_force(alone.router, blog)
        assert alone.get(host="WWW.example.com:80").body == "blog /\n"
        assert alone.get(host="wwww.example.com").body == "shop /\n"
        host_router.put_in_force(alone.router, replace(late, generation=2, domains=("shop.test",)))
        assert alone.get(host="any.example.com").status == 404
