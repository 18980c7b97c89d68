"""Whatever is shipped after whatever else stands on the host as it was built: random trees through a real agent."""

from __future__ import annotations

import itertools
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployer.remote import ssh
from deployer.remote.agent import Session
from deployer.ship.remembered import Remembered
from deployer.ship.ship import ship
from tests.remote.agents_here import session_here, sshd
from tests.ship.slugs import File, built, expected, layer, tree

pytestmark = [
    pytest.mark.edge,
    pytest.mark.skipif(os.geteuid() != 0, reason="an agent gives files to other users: needs root"),
]

NAMES = st.sampled_from(["a", "b", "c.sh", "d d", "é", "-n", "*", "line\nbreak"])
CONTENTS = st.one_of(
    st.binary(max_size=40), st.just(b"same"), st.sampled_from(["a", "/etc/passwd", "../../x"]), st.none()
)
TREES = st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map("/".join), CONTENTS, max_size=8).map(
    lambda files: {
        path: content for path, content in files.items() if not any(other.startswith(path + "/") for other in files)
    }
)
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def one_session(agents: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """An agent for all examples; each takes an app of its own."""
    with session_here(tmp_path_factory.mktemp("host"), agents) as session:
        yield session


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(trees=st.lists(TREES, min_size=2, max_size=4), forgets=st.booleans())
def test_releases_after_each_other_stand_as_they_were_built(
    one_session: Session, trees: list[dict[str, File]], forgets: bool
) -> None:
    app, base = f"shop-{next(NUMBERS)}", None
    with tempfile.TemporaryDirectory() as folder:
        for number, files in enumerate(trees):
            cache = Remembered(Path(folder, f"cache{number if forgets else ''}"))
            slug = built(layer(Path(folder, str(number)), "app", files))
            ship([one_session], app, 20009, 1, slug, base, remembered=cache)
            base = slug.slug
            stands = Path(one_session.root, "apps", app, "layers", slug.layers[0].layer.digest)
            assert tree(stands) == expected(files, 20009)
        one_session.call("prune", {"app": app, "token": 1, "keep": [slug.layers[0].layer.digest]})
        assert tree(stands) == expected(files, 20009)


def test_thousands_of_files_go_over_ssh_in_one_stream_and_a_changed_line_in_a_kilobyte(
    agents: Path, tmp_path: Path
) -> None:
    chance = random.Random(1)
    files: dict[str, File] = {f"lib/package{n % 90}/{n}.py": chance.randbytes(n % 900) for n in range(4000)}
    before = built(layer(tmp_path / "a", "lib", files), layer(tmp_path / "b", "app", {"app.py": b"v1"}))
    after = built(before.layers[0], layer(tmp_path / "c", "app", {"app.py": b"v2"}))
    remembered = Remembered(tmp_path / "cache")
    (tmp_path / "host").mkdir()
    (tmp_path / "host/agent").symlink_to(agents)
    (tmp_path / "sshd").mkdir()
    with sshd(tmp_path / "sshd") as server:
        connection = ssh.connect(server.host, server.identity)
        with Session(server.host, connection, root=str(tmp_path / "host")) as session:
            begun = time.monotonic()
            first = ship([session], "shop", 20009, 1, before, None, remembered=remembered)
            assert time.monotonic() - begun < 20
            second = ship([session], "shop", 20009, 1, after, before.slug, remembered=remembered)
    assert (first.blobs, second.blobs) == (len({c for c in files.values()}) + 1, 1)
    assert second.bytes < 1000
    digest = before.layers[0].layer.digest
    assert tree(tmp_path / "host/apps/shop/layers" / digest) == expected(files, 20009)
