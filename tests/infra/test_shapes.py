"""Three sizes of a space: the formation fits into each of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deployer.model.formation import SIZES, Formation, Quantity
from infra.shapes import hosts_for, room, shapes
from infra.spec import Hosts

quantities = st.builds(Quantity, st.integers(0, 100), st.sampled_from([size.name for size in SIZES.values()]))
formations = st.dictionaries(st.sampled_from(["web", "worker", "clock"]), quantities, max_size=3)


@given(formations)
def test_the_dynos_fit_on_the_hosts(formation: Formation) -> None:
    hosts = hosts_for(formation)
    dynos = [SIZES[one.size.lower()].memory for one in formation.values() for _ in range(one.quantity)]
    assert sum(dynos) <= room(hosts.size) * hosts.count
    assert max(dynos, default=0) <= room(hosts.size)


@given(formations)
def test_several_hosts_have_a_load_balancer_before_them(formation: Formation) -> None:
    for spec in shapes(formation, "us-east-1"):
        assert spec.load_balancer or spec.hosts.count == 1


def test_sizes_grow_with_the_formation() -> None:
    assert hosts_for({"web": Quantity(1)}) == Hosts("t4g.small", 1)
    assert hosts_for({"web": Quantity(3)}) == Hosts("t4g.small", 1)
    assert hosts_for({"web": Quantity(4)}) == Hosts("t4g.medium", 1)
    assert hosts_for({"web": Quantity(1, "Performance-L")}) == Hosts("t4g.xlarge", 1)
    assert hosts_for({"web": Quantity(20, "Performance-L")}) == Hosts("r7g.4xlarge", 3)


def test_the_three_sizes_of_a_small_app() -> None:
    assert [spec.shape for spec in shapes({"web": Quantity(1)}, "us-east-1")] == [
        "1 host",
        "1 host, RDS",
        "2 hosts, ALB, RDS",
    ]
