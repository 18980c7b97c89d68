"""What a killed agent leaves of layers, and who takes it away."""

from __future__ import annotations

import fcntl
from pathlib import Path

from deployer.host import layers, lock
from deployer.host.paths import AppPaths, Paths


def left(folder: Path) -> AppPaths:
    """An app whose agent died as it made one layer and removed another."""
    app = Paths(root=folder).app("shop")
    for half in (app.incoming / "blobs/aa", app.trash / "bb/app"):
        half.mkdir(parents=True)
        (half / "file").write_text("half")
    (app.layers / "cc").mkdir(parents=True)
    return app


def test_what_is_half_goes_and_what_is_whole_stays(tmp_path: Path) -> None:
    app = left(tmp_path)
    assert layers.sweep(app)
    assert (app.incoming.exists(), app.trash.exists(), [one.name for one in app.layers.iterdir()]) == (
        False,
        False,
        ["cc"],
    )
    assert not layers.sweep(app)


def test_whoever_is_at_work_is_left_to_it(tmp_path: Path) -> None:
    app = left(tmp_path)
    with lock.locked(app.blobs_lock, fcntl.LOCK_EX):
        assert not layers.sweep(app)
    assert (app.incoming / "blobs/aa/file").exists() and (app.trash / "bb/app/file").exists()
    assert layers.sweep(app)
