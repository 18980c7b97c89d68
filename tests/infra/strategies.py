"""Any valid specification, for property tests."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from infra.read import MOST_HOSTS, PRIVATE, STORAGE
from infra.regions import REGIONS
from infra.sizes import DATABASES, HOSTS
from infra.spec import Budget, Database, Hosts, Origin, OwnDatabase, Spec
from infra.subnets import NARROWEST, WIDEST

databases = st.builds(Database, st.sampled_from(sorted(DATABASES)), st.integers(*STORAGE))

origins = st.builds(Origin, st.just("last")) | st.builds(
    Origin, instance=st.just("db-1"), time=st.sampled_from(["", "2026"])
)
own_databases = st.lists(
    st.builds(
        OwnDatabase,
        st.from_regex(r"[a-z]{1,9}", fullmatch=True),
        st.sampled_from(sorted(DATABASES)),
        st.integers(*STORAGE),
        st.none() | origins,
    ),
    max_size=3,
    unique_by=lambda one: one.addon,
).map(tuple)


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


@st.composite
def _added_to(draw: st.DrawFn) -> Spec:
    """With what commands on apps add."""
    return replace(
        draw(specs), databases=draw(own_databases), domains=draw(st.sampled_from([(), ("www.example.org",)]))
    )


specs = _specs()
in_force = _added_to()
