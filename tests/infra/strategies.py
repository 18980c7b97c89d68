"""Any valid specification, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from infra.read import MOST_HOSTS, PRIVATE, STORAGE
from infra.regions import REGIONS
from infra.sizes import DATABASES, HOSTS
from infra.spec import Budget, Database, Hosts, Spec
from infra.subnets import NARROWEST, WIDEST

databases = st.builds(Database, st.sampled_from(sorted(DATABASES)), st.integers(*STORAGE))


@st.composite
def networks(draw: st.DrawFn) -> str:
    """A private network of a width that a VPC may have."""
    within = draw(st.sampled_from(PRIVATE))
    width = draw(st.integers(max(WIDEST, within.prefixlen), NARROWEST))
    number = draw(st.integers(0, (1 << (width - within.prefixlen)) - 1))
    return f"{within.network_address + (number << (32 - width))}/{width}"


@st.composite
def _specs(draw: st.DrawFn) -> Spec:
    count = draw(st.integers(1, MOST_HOSTS))
    return Spec(
        draw(st.sampled_from(REGIONS)),
        Hosts(draw(st.sampled_from(sorted(HOSTS))), count),
        draw(st.none() | databases),
        load_balancer=count > 1 or draw(st.booleans()),
        domain=draw(st.sampled_from([None, "example.com"])),
        budget=draw(st.none() | st.builds(Budget, st.integers(1, 10**6), st.just("me@example.com"))),
        ssh_from=draw(st.sampled_from([(), ("203.0.113.7/32",)])),
        network=draw(networks()),
    )


specs = _specs()
