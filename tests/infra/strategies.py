"""Any valid specification, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from infra.regions import REGIONS
from infra.sizes import DATABASES, HOSTS
from infra.spec import Database, Hosts, Spec

databases = st.builds(Database, st.sampled_from(sorted(DATABASES)), st.integers(20, 1000))
specs = st.builds(
    Spec,
    st.sampled_from(REGIONS),
    st.builds(Hosts, st.sampled_from(sorted(HOSTS)), st.integers(1, 20)),
    st.none() | databases,
    st.booleans(),
)
